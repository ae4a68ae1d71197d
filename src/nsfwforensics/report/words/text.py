r"""Making text out of evidence harmless before anybody looks at it, and its names such that no two look alike.

A file name, a comment or a camera model is written by whoever made the file. It may hold terminal commands, characters
that turn the reading direction round, line breaks that fake a second line, or characters that nobody can see. None of
these is dropped in silence: they are shown as escapes such as ``\u202e``. A backslash that could be taken for the
beginning of an escape is doubled, so that what is shown tells exactly what was there.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from nsfwforensics.core.hidden import BLANK, is_hidden
from nsfwforensics.core.messages import Message, say, say_count

UNSAFE = re.compile(
    "["
    "\u0000-\u001f\u007f-\u009f"  # C0, DEL and C1 controls
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, Arabic letter mark, zero-width space, LRM, RLM
    "\u2028-\u202e\u2060-\u206f"  # line and paragraph separators, bidirectional embeddings and isolates
    "\ufeff\ufff9-\ufffb"  # byte order mark, interlinear annotation
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e007f"  # tags, which hide ASCII text
    "]"
)
"""Characters that act instead of being seen (Unicode categories Cc, Cs and the format controls of UAX #9)."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
_NOT_PLAIN = re.compile(r"\\|[^ -~]")
_LIKE_AN_ESCAPE = re.compile(r"[nrt0\\]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}")
_LEFT_OUT = "…"
_SPACES = re.compile(r"^ +| +$|(?<= ) +")
LONGEST_NAME = 1000
"""Longer names are cut in their middle, where the beginning of their SHA-256 stands then."""


class Shown(str):
    """Text that was made harmless: it is not made so again, which would double its backslashes."""

    __slots__ = ()


def visible(text: object) -> Shown:
    r"""Shows every character that cannot be seen, or would act on a terminal or a reader, as an escape.

    These are the ones that Unicode counts as controls, format characters, surrogates, private use, unassigned, or
    separators other than the space (``str.isprintable``), those that a reader may ignore, and blanks.

    Args:
        text: Any value; anything but text is turned into text first.

    Returns:
        One line of text, from which the original can be told: ``\n``, ``\u001b``, ``\U000e0041``.
    """
    if isinstance(text, Shown):
        return text
    text = text if isinstance(text, str) else str(text)
    if text.isprintable() and "\\" not in text and (text.isascii() or not BLANK.search(text)):
        return Shown(text)
    return Shown(_NOT_PLAIN.sub(_shown, text))


def inert(text: object) -> Shown:
    """Shows only what acts as an escape: for text that somebody typed, and for lists that other programs read."""
    return Shown(UNSAFE.sub(lambda match: _escape(match[0]), str(text)))


def shown_name(name: object) -> Shown:
    """A file's name or path such that no two different ones look alike, but for letters that share a shape.

    Beside what :func:`visible` shows as escapes, these are: spaces at the ends and after another, letters composed in
    another way than usual (Unicode normalization form C), and the mark that stands where a name was cut.
    """
    text = str(name)
    if len(text) <= LONGEST_NAME and text.isascii() and text == visible(text) and not _SPACES.search(text):
        return Shown(text)
    hidden = [is_hidden(character) or character == _LEFT_OUT for character in text]
    for found in _SPACES.finditer(text):
        hidden[found.start() : found.end()] = [True] * len(found[0])
    for start, end in _composed_otherwise(text):
        hidden[start:end] = [True] * (end - start)
    shown = "".join(
        _escape(character)
        if hidden[at]
        else _backslash(text, at + 1, before_escape=at + 1 < len(text) and hidden[at + 1])
        if character == "\\"
        else character
        for at, character in enumerate(text)
    )
    if len(shown) > LONGEST_NAME:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        shown = f"{shown[:300]}{_LEFT_OUT}{digest}{_LEFT_OUT}{shown[-600:]}"
    return Shown(shown)


class ShownNames:
    """Shortens names so that no two different ones look alike: the second of two that would is not shortened.

    Args:
        limit: Most characters.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._cut: dict[str, str] = {}

    def __call__(self, name: str) -> Shown:
        """A name as it is shown."""
        whole = shown_name(name)
        if len(whole) <= self._limit:
            return whole
        short = shorten_middle(whole, self._limit)
        return Shown(short if self._cut.setdefault(short, whole) == whole else whole)


def _shown(match: re.Match[str]) -> str:
    if match[0] != "\\":
        return _shown_character(match[0])
    following = match.string[match.end() : match.end() + 1]
    return _backslash(match.string, match.end(), before_escape=bool(following) and is_hidden(following))


@lru_cache(maxsize=4096)
def _shown_character(character: str) -> str:
    return _escape(character) if is_hidden(character) else character


def _backslash(text: str, end: int, *, before_escape: bool) -> str:
    return "\\\\" if before_escape or _LIKE_AN_ESCAPE.match(text, end) else "\\"


def _escape(character: str) -> str:
    code = ord(character)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _composed_otherwise(text: str) -> list[tuple[int, int]]:
    """Where letters stand that Unicode composes in another way: from their marks on, or from a letter without any."""
    if unicodedata.is_normalized("NFC", text):
        return []
    starts = [at for at, character in enumerate(text) if not _joins(character) or at == 0]
    found = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        cluster = text[start:end]
        if unicodedata.normalize("NFC", cluster) != cluster:
            found.append((start + unicodedata.is_normalized("NFC", cluster[0]) * (len(cluster) > 1), end))
    return found


def _joins(character: str) -> bool:
    """Whether a character may become one with what stands before it: marks, and vowels and finals of Hangul."""
    hangul = "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"
    return hangul or unicodedata.category(character).startswith("M")


def shorten(text: str, limit: int) -> str:
    """Cuts text at its end to ``limit`` characters, the last of them an ellipsis."""
    return text if len(text) <= limit else _like(text, text[: max(limit - 1, 0)] + _LEFT_OUT)


def shorten_middle(text: str, limit: int) -> str:
    """Cuts text in its middle to ``limit`` characters: of a path, the end says more than the start."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) * 2 // 3
    return _like(text, text[: limit - 1 - tail] + _LEFT_OUT + text[len(text) - tail :])


def _like(text: str, part: str) -> str:
    return Shown(part) if isinstance(text, Shown) else part


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 file``, ``12,000 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number: int | None) -> str:
    """A size in bytes as a person reads it, in decimal units: ``1.3 MB``."""
    if number is None:
        return say("unknown")
    if number < 1000:
        return say_count("{count:,} byte", "{count:,} bytes", number)
    value, unit = float(number) / 1000, "kB"
    for larger in ("MB", "GB"):
        if value >= 1000:
            value, unit = value / 1000, larger
    return Message("{value:,.1f} {unit}", {"value": value, "unit": unit})


def duration(seconds: float) -> str:
    """Seconds as a person reads them: ``0.4 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 60:
        return say("{seconds:.1f} s", seconds=seconds)
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return say("{hours} h {minutes} min", hours=hours, minutes=minutes)
    return say("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
