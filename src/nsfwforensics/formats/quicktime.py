"""What a video says of itself: the header, the user data and the metadata of its ``moov`` box.

Layout: ISO/IEC 14496-12 (``mvhd``), Apple's QuickTime File Format Specification (user data ``©xyz``, and metadata of
the handler ``mdta`` with ``keys`` and ``ilst``). Frames are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nsfwforensics.formats.isobmff import read_boxes

MAX_ENTRIES = 400
MAX_VALUE = 10_000
"""Longest value that is read, in bytes."""

_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_NAMES = {
    "©xyz": "GPSCoordinates", "©mak": "Make", "©mod": "Model", "©swr": "Software", "©too": "Encoder", "©day": "Date",
    "©nam": "Title", "©cmt": "Comment", "©ART": "Artist", "©aut": "Author",
}  # fmt: skip
_TEXT_TYPE = 1


@dataclass(frozen=True, slots=True)
class QuickTimeValue:
    """One value: its identifier, its usual name, its text, and where it stands in the file."""

    tag: str
    name: str
    text: str
    offset: int


def read_movie(data: bytes) -> tuple[QuickTimeValue, ...]:
    """Reads what a video states in its ``moov`` box, at most :data:`MAX_ENTRIES` values. Never raises.

    The time in ``mvhd`` is meant to be of UTC; many cameras write their own, so that no zone is stated here.
    """
    movie = read_boxes(data).first("moov")
    if movie is None:
        return ()
    found: list[QuickTimeValue] = []
    for entry in _entries(data, movie.start, movie.end):
        found.append(entry)
        if len(found) == MAX_ENTRIES:
            break
    return tuple(found)


def _entries(data: bytes, start: int, end: int) -> Iterator[QuickTimeValue]:
    for kind, first, last in _children(data, start, end):
        if kind == "mvhd":
            yield from _header(data[first:last], first)
        elif kind == "meta":
            yield from _metadata(data, first, last)
        elif kind == "udta":
            for name, begin, stop in _children(data, first, last):
                if name == "meta":
                    yield from _metadata(data, begin, stop)
                elif name.startswith("©"):
                    length = int.from_bytes(data[begin : begin + 2], "big")
                    text = _text(data[begin + 4 : min(begin + 4 + length, stop)])
                    yield QuickTimeValue(name, _NAMES.get(name, name), text, begin)


def _header(block: bytes, offset: int) -> Iterator[QuickTimeValue]:
    wide = block[:1] == b"\1"
    size, first = (8, 20) if wide else (4, 12)
    if len(block) < first + 4 + size:
        return
    seconds = int.from_bytes(block[4 : 4 + size], "big")
    scale = int.from_bytes(block[first : first + 4], "big")
    duration = int.from_bytes(block[first + 4 : first + 4 + size], "big")
    if 0 < seconds < 1 << 33:
        made = _EPOCH + timedelta(seconds=seconds)
        yield QuickTimeValue("mvhd", "CreateDate", made.strftime("%Y:%m:%d %H:%M:%S"), offset)
    if scale and 0 < duration < 1 << 48:
        yield QuickTimeValue("duration", "Duration", f"{duration / scale:.2f} s", offset)


def _metadata(data: bytes, start: int, end: int) -> Iterator[QuickTimeValue]:
    """Values of a ``meta`` box by name; as in HEIF it has a version, but for old QuickTime files."""
    if data[start + 4 : start + 8] != b"hdlr":
        start += 4
    boxes = {kind: (first, last) for kind, first, last in _children(data, start, end)}
    first, last = boxes.get("keys", (0, 0))
    keys = [_text(data[begin:stop]) for _, begin, stop in _children(data, first + 8, last)]
    first, last = boxes.get("ilst", (0, 0))
    for kind, begin, stop in _children(data, first, last):
        number = int.from_bytes(kind.encode("latin-1"), "big")
        tag = keys[number - 1] if 0 < number <= len(keys) else kind
        for inner, place, limit in _children(data, begin, stop):
            if inner == "data" and int.from_bytes(data[place : place + 4], "big") == _TEXT_TYPE and tag.isprintable():
                name = _NAMES.get(tag, tag.rpartition(".")[2])
                yield QuickTimeValue(tag, name, _text(data[place + 8 : min(limit, place + 8 + MAX_VALUE)]), place)


def _children(data: bytes, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Type, start and end of the contents of each box, of whatever type: in ``ilst`` types are numbers."""
    position = start
    for _ in range(MAX_ENTRIES):
        size = int.from_bytes(data[position : position + 4], "big")
        if position + 8 > end or size < 8 or position + size > end:
            return
        yield data[position + 4 : position + 8].decode("latin-1"), position + 8, position + size
        position += size


def _text(value: bytes) -> str:
    return value[:MAX_VALUE].decode("utf-8", "replace").rstrip("\0")
