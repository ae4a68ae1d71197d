"""CBOR (RFC 8949): whether encoded lengths can be true, before a decoder that believes them sees the data."""

from __future__ import annotations

import re

TOLERATED = 1 << 16
"""Lengths up to this are let pass even past the end: a decoder can afford them, and says better what is wrong."""

# Items that are one byte long, and heads with a length or count below 24 that is not skipped: integers, empty strings,
# small arrays and maps, tags, simple values, indefinite starts and breaks.
_SMALL = re.compile(rb"[\x00-\x17\x20-\x37\x40\x5f\x60\x7f-\x97\x9f-\xb7\xbf-\xd7\xe0-\xf7\xff]+")
_BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 2, 3, 4, 5, 6, 7


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


def cose_payload(data: bytes) -> bytes:
    """The payload of a COSE_Sign1 structure (RFC 9052, section 4.2): the third of four items.

    Args:
        data: The structure, with or without its tag.

    Raises:
        ValueError: It is no such structure, or has no payload.
    """
    position = 1 if data[:1] == b"\xd2" else 0
    if data[position : position + 1] != b"\x84":
        raise ValueError("no COSE signature of four items")
    position = _past_items(data, position + 1, 2)
    major, length, position = _head(data, position)
    if major != _BYTES or position + length > len(data):
        raise ValueError("no payload")
    return data[position : position + length]


def _past_items(data: bytes, position: int, count: int) -> int:
    """Where so many whole items end; nesting is counted, not followed."""
    while count:
        major, value, position = _head(data, position)
        count -= 1
        if major in (_BYTES, _TEXT):
            position += value
        elif major in (_ARRAY, _MAP):
            count += value * (2 if major == _MAP else 1)
        elif major == _TAG:
            count += 1
        if count > len(data):  # more items than bytes: a lie
            raise ValueError("more items than there are bytes")
    return position


def _head(data: bytes, position: int) -> tuple[int, int, int]:
    """Major type, value and end of an item's head; ValueError where there is none or its length is indefinite."""
    if position >= len(data):
        raise ValueError("the data end too early")
    major, size = data[position] >> 5, data[position] & 31
    wide = 1 << (size - 24) if 24 <= size <= 27 else 0
    if size > 27 and major != _SIMPLE:
        raise ValueError("a length that is not stated")
    value = int.from_bytes(data[position + 1 : position + 1 + wide], "big") if wide else size
    return major, value, position + 1 + wide


__all__ = ["TOLERATED", "cose_payload", "lying_length"]
