"""CBOR (RFC 8949): whether encoded lengths can be true, before a decoder that believes them sees the data."""

from __future__ import annotations

import re

TOLERATED = 1 << 16
"""Lengths up to this are let pass even past the end: a decoder can afford them, and says better what is wrong."""

# Items that are one byte long, and heads with a length or count below 24 that is not skipped: integers, empty strings,
# small arrays and maps, tags, simple values, indefinite starts and breaks.
_SMALL = re.compile(rb"[\x00-\x17\x20-\x37\x40\x5f\x60\x7f-\x97\x9f-\xb7\xbf-\xd7\xe0-\xf7\xff]+")
_BYTES, _TEXT, _ARRAY, _MAP = 2, 3, 4, 5


def lying_length(data: bytes) -> int | None:
    """Finds the first string, array or map that claims to be far longer than the data is.

    Walks item heads in order without building anything; nesting does not matter for this.

    Args:
        data: CBOR data items, one after the other.

    Returns:
        The offset of the head, or None. Never raises; time is linear in the size.
    """
    position, stop = 0, len(data)
    while position < stop:
        if small := _SMALL.match(data, position):
            position = small.end()
            continue
        head = data[position]
        major, size = head >> 5, head & 31
        wide = 1 << (size - 24) if 24 <= size <= 27 else 0
        value = int.from_bytes(data[position + 1 : position + 1 + wide], "big") if wide else size
        after = position + 1 + wide
        if major in (_BYTES, _TEXT, _ARRAY, _MAP) and value > max(stop - after, TOLERATED):
            return position
        position = after + (value if major in (_BYTES, _TEXT) else 0)
    return None


__all__ = ["TOLERATED", "lying_length"]
