r"""Characters that act or cannot be seen, and JSON text in which every one of them stands as ``\uXXXX``."""

from __future__ import annotations

import re
from functools import lru_cache

BLANK = re.compile(
    "["
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u2800\U00013441\U00013442\U00016fe4\U0001d159"
    "]"
)
"""What leaves no mark though Python counts much of it as printable: the property Default_Ignorable_Code_Point (Unicode,
DerivedCoreProperties.txt; fillers, joiners, selectors, tags), and the blanks among letters and symbols."""

_NOT_PLAIN = re.compile("[^\u0000-\u007e]")  # whoever makes JSON has escaped C0 already


def is_hidden(character: str) -> bool:
    """Whether a character cannot be seen, or acts instead; a space is seen."""
    return not character.isprintable() or BLANK.match(character) is not None


def inert(text: str) -> str:
    """JSON text with every character that acts or cannot be seen as an escape."""
    return _NOT_PLAIN.sub(_inside, text)


def _inside(match: re.Match[str]) -> str:
    return _shown(match[0])


@lru_cache(maxsize=4096)
def _shown(character: str) -> str:
    return escaped(character) if is_hidden(character) else character


def escaped(character: str) -> str:
    """A character as JSON escapes it."""
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000  # beyond the basic plane JSON writes a surrogate pair (RFC 8259, section 7)
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
