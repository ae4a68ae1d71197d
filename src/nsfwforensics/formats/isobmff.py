"""ISO base media files (ISO/IEC 14496-12) as HEIF, AVIF and JPEG XL use them: boxes, and the metadata items."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nsfwforensics.formats.parts import Walk, past_copies

MAX_ITEMS = 2_000
"""Most metadata items of one file."""

MAX_EXTENTS = 20_000
"""Most pieces that all items of one file are stored in."""

XMP_UUID = "be7acfcb97a942e89c71999491e3afac"

_TYPE = re.compile(rb"[ -~\xa9][ -~]{3}")
_READ = frozenset({
    "ftyp", "meta", "moov", "moof", "mdat", "free", "skip", "wide", "uuid", "mpvd", "sefd", "Exif", "xml ", "brob",
    "jumb", "jxlc", "jxlp", "jP  ", "jp2h", "jp2c", "rreq", "mfra", "sidx", "styp", "hdlr", "pitm", "iinf", "iloc",
    "iprp", "iref", "idat", "dinf", "grpl", "infe",
})  # fmt: skip


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
class Level:
    """The boxes of one level.

    Attributes:
        boxes: In the order of the file.
        end: Offset just past the last of them: what follows up to the end of the level is no box.
        whole: False where the level ends inside the last box, or a limit ended the walk.
        notes: What was wrong with the structure.
        limits: Which limits were reached; boxes that were not kept for them are not among ``boxes``.
    """

    boxes: tuple[Box, ...]
    end: int
    whole: bool
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Box]:
        return iter(self.boxes)

    def first(self, kind: str) -> Box | None:
        """The first box of a type, or None."""
        return next((box for box in self.boxes if box.type == kind), None)


@dataclass(frozen=True, slots=True)
class HeifItem:
    """One item of a HEIF ``meta`` box.

    Attributes:
        id: Its number.
        type: ``Exif``, ``mime`` or ``uri ``.
        content_type: MIME type of a ``mime`` item, lowercase.
        encoding: How a ``mime`` item is compressed (``deflate``), else empty.
        offset: Where its data begin in the file; None where they lie in several places.
        data: As stored.
    """

    id: int
    type: str
    content_type: str
    encoding: str
    offset: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Items:
    """The metadata items of one file.

    Attributes:
        items: ``Exif``, ``mime`` and ``uri `` items, in the order of their declarations.
        reach: Offset just past the last byte that any item of the file is said to have, pictures included.
        notes: Which could not be read and why, one sentence each.
        limits: Which limits were reached.
    """

    items: tuple[HeifItem, ...] = ()
    reach: int = 0
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


def read_boxes(data: bytes, start: int = 0, end: int | None = None) -> Level:
    """Walks the boxes of one level, by the rules of :mod:`nsfwforensics.formats.parts`. Never raises.

    What cannot be a box (no printable type, or of an unknown type and longer than what is left) is none: the level
    ends before it. A box of a known type that is longer than what is left is one that was cut short.

    Args:
        data: The file.
        start: Where the first box begins.
        end: Where the level ends; the end of the file if omitted.
    """
    stop = len(data) if end is None else min(end, len(data))
    walk = Walk("The file")
    kept: list[Box] = []
    position, whole = start, True
    while position < stop and walk.step():
        box = _box(data, position, stop)
        if box is None:
            break
        if walk.take(box.type if box.type in _READ else "other"):
            kept.append(box)
        if not box.whole:
            walk.fault(f"The file ends inside its box {box.type}", box.offset)
            whole, position = False, stop
            break
        position = past_copies(data, position, box.end, stop)
    return Level(tuple(kept), position, whole and not walk.ended, walk.notes, walk.limits)


def _box(data: bytes, position: int, stop: int) -> Box | None:
    """The box at a place, or None where there can be none."""
    size, header = int.from_bytes(data[position : position + 4], "big"), 8
    kind = data[position + 4 : position + 8]
    if position + 8 > stop or not _TYPE.fullmatch(kind):
        return None
    name, uuid = kind.decode("latin-1"), ""
    if size == 1:
        size, header = int.from_bytes(data[position + 8 : position + 16], "big"), 16
    elif size == 0:
        size = stop - position
    if name == "uuid":
        uuid = data[position + header : position + header + 16].hex()
        header += 16
    after = position + size
    if size < header or (after > stop and name not in _READ):
        return None
    return Box(name, position, min(position + header, stop), min(after, stop), uuid, whole=after <= stop)


def inside(data: bytes, box: Box) -> Level:
    """The boxes inside a box; the version field that ``meta`` has in all but old QuickTime files is skipped."""
    versioned = box.type == "meta" and data[box.start + 4 : box.start + 8] != b"hdlr"
    return read_boxes(data, box.start + (4 if versioned else 0), box.end)


def read_items(data: bytes, meta: Box | None) -> Items:
    """Reads the metadata items of a HEIF file. Never raises.

    Args:
        data: The whole file.
        meta: Its ``meta`` box; without one there are no items.
    """
    level = inside(data, meta) if meta else Level((), 0, whole=True)
    info, locations, inner = (level.first(kind) for kind in ("iinf", "iloc", "idat"))
    if info is None or locations is None:
        return Items((), 0, level.notes, level.limits)
    count_size = 2 if data[info.start : info.start + 1] == b"\0" else 4
    declared = read_boxes(data, info.start + 4 + count_size, info.end)
    wanted, more = _wanted(data, declared)
    places, reach, limited = _places(data[locations.start : locations.end])
    room = len(data)  # for all items together: honest ones do not overlap
    found: list[HeifItem] = []
    notes = [*level.notes, *declared.notes]
    limits = [*level.limits, *declared.limits]
    if more:
        limits.append(f"The file holds {MAX_ITEMS + more:,} metadata items; only the first {MAX_ITEMS:,} were read.")
    if limited:
        limits.append(f"The items of the file lie in more than {MAX_EXTENTS:,} places; the rest was not read.")
    for number, (kind, content_type, encoding) in wanted.items():
        construction, extents = places.get(number, (0, []))
        base = inner.start if construction == 1 and inner else 0
        limit = inner.end if construction == 1 and inner else len(data)
        if construction > 1 or not extents:
            notes.append(f"The {kind} item {number} is stored in a way that is not read here.")
            continue
        body = bytearray()
        for offset, length in extents:
            begin = min(base + offset, limit)
            part = data[begin : min(begin + length if length else limit, limit, begin + room)]
            room -= len(part)
            body += part
        if len(body) < sum(length for _, length in extents):
            notes.append(f"The {kind} item {number} is not there in full.")
        where = base + extents[0][0] if len(extents) == 1 else None
        found.append(HeifItem(number, kind, content_type, encoding, where, bytes(body)))
    return Items(tuple(found), reach, tuple(notes), tuple(limits))


def _wanted(data: bytes, declared: Level) -> tuple[dict[int, tuple[str, str, str]], int]:
    """Type, MIME type and encoding of the metadata items by number (``infe`` versions 2, 3); how many are too many."""
    wanted: dict[int, tuple[str, str, str]] = {}
    more = 0
    for box in declared:
        body = data[box.start : min(box.end, box.start + 1024)]
        if box.type != "infe" or len(body) < 12 or body[0] not in (2, 3):
            continue
        wide = 4 if body[0] == 3 else 2
        kind = body[6 + wide : 10 + wide].decode("latin-1")
        if kind not in ("Exif", "mime", "uri "):
            continue
        if len(wanted) >= MAX_ITEMS:
            more += 1
            continue
        names = [name.decode("latin-1") for name in body[10 + wide :].split(b"\0")] + ["", "", ""]
        wanted[int.from_bytes(body[4 : 4 + wide], "big")] = (kind, names[1].lower(), names[2].lower())
    return wanted, more


def _places(body: bytes) -> tuple[dict[int, tuple[int, list[tuple[int, int]]]], int, bool]:
    """What an ``iloc`` box says.

    Returns:
        For each item its construction method and (offset, length) extents; the end of the last of those that are
        offsets in the file; whether there are more than the limit.
    """
    if len(body) < 8:
        return {}, 0, False
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
    left, reach = MAX_EXTENTS, 0
    for _ in range(take(number_size)):
        if position >= len(body):
            break
        number = take(number_size)
        construction = take(2) & 15 if version >= 1 else 0
        elsewhere = take(2)  # not 0: in another file
        base = take(base_size)
        extents: list[tuple[int, int]] = []
        for _ in range(take(2)):
            left -= 1
            if position >= len(body) or left < 0:
                return places, reach, left < 0
            if version >= 1:
                take(index_size)
            offset, length = base + take(offset_size), take(length_size)
            extents.append((offset, length))
            if not construction and not elsewhere:
                reach = max(reach, offset + length)
        places[number] = (construction, extents)
    return places, reach, False
