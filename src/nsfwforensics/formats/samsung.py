"""The trailer that Samsung phones put behind a picture: blocks of data, then a ``SEFH`` … ``SEFT`` directory.

It stands behind the end of a JPEG, PNG or WebP picture, and in a HEIC file behind the last box or at the end of a box
``mpvd`` or ``sefd``. Layout as documented by ExifTool's ``Samsung.pm``: the directory begins with ``SEFH``, a version
and the number of entries (little-endian, 4 bytes each); an entry is two zero bytes, a type (2 bytes), how far before
the directory its block begins (4 bytes) and the block's size (4 bytes); a block is two zero bytes, the type, the length
of its name (4 bytes), the name, the value. The directory's length and ``SEFT`` follow it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from nsfwforensics.formats.parts import Parts, Walk

MAX_ENTRIES = 2_000
MAX_CANDIDATES = 20_000
MAX_NAME = 100
MAX_GAP = 64
"""Most bytes between two blocks that are taken for padding."""

_HEAD, _TAIL = b"SEFH", b"SEFT"


@dataclass(frozen=True, slots=True)
class Block:
    """One named block of the trailer; ``offset`` is where it begins in the file."""

    name: str
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """Where it ends in the file."""
        return self.offset + 8 + len(self.name) + len(self.data)


def read_trailer(data: bytes, start: int, stop: int | None = None) -> Parts[Block]:
    """Reads the blocks that a Samsung directory behind the image lists.

    Args:
        data: The whole file.
        start: Where the trailer may begin: just past the image, or inside a box; nothing before it is looked at.
        stop: Where it must end; the end of the file if omitted.

    Returns:
        The blocks in the order of the directory; empty where there is no valid directory. Bytes that merely stand in
        the trailer and are listed nowhere do not count. Never raises.
    """
    place, length = _directory(data, start, len(data) if stop is None else min(stop, len(data)))
    if place is None:
        return Parts((), (), ("The file has too many marks of a Samsung trailer; none was read.",))
    return _blocks(data, start, place, length) if length else Parts(())


def extent(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the trailer begins and ends: its directory, and the blocks that stand before it without a gap to speak of.

    Args:
        data: The whole file.
        start: Just past the image.

    Returns:
        Offsets in the file; None where there is no trailer. Bytes that no block holds are not part of it.
    """
    place, length = _directory(data, start, len(data))
    blocks = _blocks(data, start, place, length).items if place is not None and length else ()
    if place is None or not blocks:
        return None
    first = place
    for block in sorted(blocks, key=lambda block: -block.offset):
        if first - MAX_GAP <= block.end <= first:
            first = block.offset
    return first, place + length + 8


def _directory(data: bytes, start: int, stop: int) -> tuple[int | None, int]:
    """Where the last valid directory begins, and its length; 0 where there is none, None where too many look so."""
    position = stop
    for _ in range(MAX_CANDIDATES):  # what was appended later must not hide the directory
        position = data.rfind(_TAIL, start, position)
        if position < 0:
            return 0, 0
        length = int.from_bytes(data[max(start, position - 4) : position], "little")
        place = position - 4 - length
        if length >= 12 and start <= place and data[place : place + 4] == _HEAD:
            return place, length
    return None, 0


def _blocks(data: bytes, start: int, directory: int, length: int) -> Parts[Block]:
    walk = Walk("The Samsung trailer", MAX_ENTRIES)
    count = int.from_bytes(data[directory + 8 : directory + 12], "little")
    listed = (length - 12) // 12
    if count > listed:
        walk.fault(f"The Samsung trailer announces {count:,} blocks and lists {listed:,}", directory)
    room = directory - start  # for all blocks together: honest ones do not overlap
    found: list[Block] = []
    for index in range(min(count, listed)):
        if not walk.step() or not walk.take("entry"):
            continue
        kind, back, size = struct.unpack_from("<xxHII", data, directory + 12 + 12 * index)
        place = directory - back
        name_size = int.from_bytes(data[place + 4 : place + 8], "little") if place >= start else 0
        sound = place >= start and 8 <= size <= min(back, room) and name_size <= min(size - 8, MAX_NAME)
        if not sound or int.from_bytes(data[place + 2 : place + 4], "little") != kind:
            walk.fault("A block of the Samsung trailer is not where its directory says, listed", directory)
            continue
        room -= size
        name = data[place + 8 : place + 8 + name_size].decode("latin-1")
        found.append(Block(name, place, data[place + 8 + name_size : place + size]))
    return Parts(tuple(found), walk.notes, walk.limits)
