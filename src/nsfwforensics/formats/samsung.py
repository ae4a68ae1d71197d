"""The trailer that Samsung phones put behind a picture: blocks of data, then a ``SEFH`` … ``SEFT`` directory.

Layout as documented by ExifTool's ``Samsung.pm``: the directory begins with ``SEFH``, a version and the number of
entries (little-endian, 4 bytes each); an entry is two zero bytes, a type (2 bytes), how far before the directory its
block begins (4 bytes) and the block's size (4 bytes); a block is two zero bytes, the type, the length of its name
(4 bytes), the name, the value. The directory's length and ``SEFT`` follow it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAX_ENTRIES = 200
MAX_CANDIDATES = 8
MAX_NAME = 100

_HEAD, _TAIL = b"SEFH", b"SEFT"


@dataclass(frozen=True, slots=True)
class Block:
    """One named block of the trailer; ``offset`` is where it begins in the file."""

    name: str
    offset: int
    data: bytes


def read_trailer(data: bytes, end: int) -> tuple[Block, ...]:
    """Reads the blocks that a Samsung directory behind the image lists.

    Args:
        data: The whole file.
        end: Offset just past the image; nothing before it is looked at.

    Returns:
        The blocks in the order of the directory; empty where there is no valid directory. Bytes that merely stand in
        the trailer and are listed nowhere do not count. Never raises.
    """
    position = len(data)
    for _ in range(MAX_CANDIDATES):  # what was appended later must not hide the directory
        position = data.rfind(_TAIL, end, position)
        if position < 0:
            break
        length = int.from_bytes(data[max(end, position - 4) : position], "little")
        start = position - 4 - length
        if length >= 12 and end <= start and data[start : start + 4] == _HEAD:
            return tuple(_blocks(data, end, start, length))
    return ()


def _blocks(data: bytes, end: int, start: int, length: int) -> Iterator[Block]:
    count = int.from_bytes(data[start + 8 : start + 12], "little")
    room = start - end  # for all blocks together: honest ones do not overlap
    for index in range(min(count, MAX_ENTRIES, (length - 12) // 12)):
        kind, back, size = struct.unpack_from("<xxHII", data, start + 12 + 12 * index)
        place = start - back
        if place < end or size < 8 or size > min(back, room):
            continue
        name_size = int.from_bytes(data[place + 4 : place + 8], "little")
        if name_size > min(size - 8, MAX_NAME) or int.from_bytes(data[place + 2 : place + 4], "little") != kind:
            continue
        room -= size
        name = data[place + 8 : place + 8 + name_size].decode("latin-1")
        yield Block(name, place, data[place + 8 + name_size : place + size])
