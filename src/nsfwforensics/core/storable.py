"""Turning whatever was read or measured into values that JSON can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import accumulate

from nsfwforensics.core.documents import LEAST_NUMBER, MOST_LEVELS, MOST_NUMBER
from nsfwforensics.core.messages import Message

TOO_DEEP = "…"
"""Stands for what is nested too deeply to be kept."""

_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}

_SURROGATES = re.compile("[\ud800-\udfff]")


def storable_text(value: object) -> object:
    r"""Escapes lone surrogates (undecodable file names, broken EXIF) as ``\udcXX``; other values pass."""
    if isinstance(value, str):
        return _SURROGATES.sub(lambda m: f"\\u{ord(m[0]):04x}", str(value))
    return value


def is_storable(raw: bytes | str) -> bool:
    """Whether every value in a JSON text is as :func:`storable` leaves it, told without parsing it.

    Args:
        raw: JSON text; of what is none, either answer may come.

    Returns:
        False where a number is not finite or may have more than 64 bits, or something may be nested too deeply.
    """
    text = raw.encode("utf-8", "replace") if isinstance(raw, str) else raw
    structure = b"".join(text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])  # all that is not in quotes
    if b"N" in structure or b"I" in structure or _LONG_NUMBER.search(structure):  # NaN, Infinity
        return False
    steps = map(_STEPS.__getitem__, structure.translate(None, _NO_BRACKETS))
    return max(accumulate(steps), default=0) <= MOST_LEVELS


def storable(value: object, levels: int = MOST_LEVELS) -> object:
    """Turns measured values into plain JSON values; messages stay messages, with storable values in them.

    NumPy scalars and arrays become numbers and lists, bytes become hexadecimal text, tuples lists,
    and numbers that JSON lacks (NaN, infinities) become null. Whole numbers beyond 64 bits, which other programs cannot
    read, become hexadecimal text.

    Args:
        value: Anything.
        levels: How deep it may be nested; what lies deeper becomes :data:`TOO_DEEP`.
    """
    if isinstance(value, Message) and levels > 0:
        return Message(value.template, {name: storable(item, levels - 1) for name, item in value.values.items()})
    if isinstance(value, str):
        return storable_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if LEAST_NUMBER <= value <= MOST_NUMBER else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if levels == 0:
        return TOO_DEEP
    if isinstance(value, Mapping):
        return {str(storable_text(str(key))): storable(item, levels - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [storable(item, levels - 1) for item in value]
    if hasattr(value, "tolist"):  # NumPy, without importing it here
        return storable(value.tolist(), levels - 1)
    return storable_text(str(value))
