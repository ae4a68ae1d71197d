"""ISO base media files (ISO/IEC 14496-12) as HEIF and AVIF use them: boxes, and the metadata items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_BOXES = 20_000
MAX_ITEMS = 2_000
MAX_EXTENTS = 20_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box.

    Attributes:
        type: Four characters.
        offset: Where it begins in the file.
        start: Where its contents begin (after an extended size and a ``uuid``'s identifier).
        end: Where it ends; never past its parent.
        uuid: The identifier of a ``uuid`` box in hexadecimal, else empty.
        whole: False where the file or the parent ends before the box says it does.
    """

    type: str
    offset: int
    start: int
    end: int
    uuid: str = ""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a HEIF ``meta`` box: ``type`` such as ``Exif`` or ``mime``, its MIME type, its data."""

    id: int
    type: str
    content_type: str
    offset: int | None
    data: bytes


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yields the boxes of one level, at most :data:`MAX_BOXES`. Stops where the structure breaks. Never raises."""
    stop = len(data) if end is None else min(end, len(data))
    position = start
    for _ in range(MAX_BOXES):
        if position + 8 > stop:
            return
        size, header = int.from_bytes(data[position : position + 4], "big"), 8
        kind = data[position + 4 : position + 8]
        if size == 1:
            size, header = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        elif size == 0:
            size = stop - position
        uuid = ""
        if kind == b"uuid":
            uuid = data[position + header : position + header + 16].hex()
            header += 16
        if size < header:
            return
        after = position + size
        yield Box(
            kind.decode("latin-1"), position, min(position + header, stop), min(after, stop), uuid, whole=after <= stop
        )
        position = after


def first_box(data: bytes, path: str, start: int = 0, end: int | None = None) -> Box | None:
    """Finds the first box at a path such as ``meta/iprp/ipco``; the version field of ``meta`` is skipped."""
    found: Box | None = None
    for name in path.split("/"):
        found = next((box for box in boxes(data, start, end) if box.type == name), None)
        if found is None:
            return None
        start, end = found.start + (4 if name == "meta" else 0), found.end
    return found


def items(data: bytes) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Reads the metadata items (``Exif``, ``mime``, ``uri ``) of a HEIF file.

    Returns:
        The items with their data, and notes on what could not be read. Never raises.
    """
    info = first_box(data, "meta/iinf")
    locations = first_box(data, "meta/iloc")
    if info is None or locations is None:
        return (), ()
    wanted = _item_types(data, info)
    places = _locations(data[locations.start : locations.end], wanted)
    inner = first_box(data, "meta/idat")
    room = len(data)  # for all items together: honest ones do not overlap
    found: list[Item] = []
    notes: list[str] = []
    for number, (kind, content_type) in wanted.items():
        construction, extents = places.get(number, (0, []))
        base = inner.start if construction == 1 and inner else 0
        limit = inner.end if construction == 1 and inner else len(data)
        if construction > 1 or not extents:
            notes.append(f"The {kind} item {number} is stored in a way that is not read here.")
            continue
        parts = []
        for offset, length in extents:
            begin = min(base + offset, limit)
            part = data[begin : min(begin + length if length else limit, limit, begin + room)]
            room -= len(part)
            parts.append(part)
        where = base + extents[0][0] if len(extents) == 1 else None
        found.append(Item(number, kind, content_type, where, b"".join(parts)))
    return tuple(found), tuple(notes)


def _item_types(data: bytes, info: Box) -> dict[int, tuple[str, str]]:
    """Item numbers of the metadata items, with type and MIME type (``infe`` versions 2 and 3)."""
    wanted: dict[int, tuple[str, str]] = {}
    count_size = 2 if data[info.start : info.start + 1] == b"\0" else 4
    for box in boxes(data, info.start + 4 + count_size, info.end):
        body = data[box.start : min(box.end, box.start + 1024)]
        if box.type != "infe" or len(body) < 12 or body[0] not in (2, 3):
            continue
        wide = 4 if body[0] == 3 else 2
        number = int.from_bytes(body[4 : 4 + wide], "big")
        kind = body[6 + wide : 10 + wide].decode("latin-1")
        names = body[10 + wide :].split(b"\0")
        if kind in ("Exif", "mime", "uri ") and len(wanted) < MAX_ITEMS:
            wanted[number] = (kind, names[1].decode("latin-1") if len(names) > 1 else "")
    return wanted


def _locations(body: bytes, wanted: dict[int, tuple[str, str]]) -> dict[int, tuple[int, list[tuple[int, int]]]]:
    """For each wanted item its construction method and (offset, length) extents, from an ``iloc`` box's contents."""
    if len(body) < 8:
        return {}
    version = body[0]
    offset_size, length_size, base_size, index_size = body[4] >> 4, body[4] & 15, body[5] >> 4, body[5] & 15
    number_size = 4 if version >= 2 else 2
    position = 6

    def take(size: int) -> int:
        nonlocal position
        value = int.from_bytes(body[position : position + size], "big")
        position += size
        return value

    places: dict[int, tuple[int, list[tuple[int, int]]]] = {}
    left = MAX_EXTENTS
    for _ in range(take(number_size)):
        if position >= len(body):
            break
        number = take(number_size)
        construction = take(2) & 15 if version >= 1 else 0
        take(2)
        base = take(base_size)
        extents: list[tuple[int, int]] = []
        for _ in range(take(2)):
            left -= 1
            if position >= len(body) or left < 0:
                return places
            if version >= 1:
                take(index_size)
            offset = take(offset_size)
            extents.append((base + offset, take(length_size)))
        if number in wanted:
            places[number] = (construction, extents)
    return places
