"""Turning whatever was read or measured into values that JSON can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from nsfwforensics.core.messages import Message

_SURROGATES = re.compile("[\ud800-\udfff]")


def storable_text(value: object) -> object:
    r"""Escapes lone surrogates (undecodable file names, broken EXIF) as ``\udcXX``; other values pass."""
    if isinstance(value, str):
        return _SURROGATES.sub(lambda m: f"\\u{ord(m[0]):04x}", str(value))
    return value


def storable(value: object) -> object:
    """Turns measured values into plain JSON values; messages stay messages, with storable values in them.

    NumPy scalars and arrays become numbers and lists, bytes become hexadecimal text, tuples lists,
    and numbers that JSON lacks (NaN, infinities) become null.
    """
    if isinstance(value, Message):
        return Message(value.template, {name: storable(item) for name, item in value.values.items()})
    if isinstance(value, str):
        return storable_text(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(storable_text(str(key))): storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [storable(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy, without importing it here
        return storable(value.tolist())
    return storable_text(str(value))
