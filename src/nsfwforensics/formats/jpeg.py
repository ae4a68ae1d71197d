"""JPEG (ITU-T T.81 annex B): its marker segments, where the image ends, its quantisation tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from nsfwforensics.formats.parts import Walk, past_copies

EOI, SOS, DQT, DRI, COM = 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NAMES = {0xC4: "DHT", SOS: "SOS", DQT: "DQT", 0xDC: "DNL", DRI: "DRI", COM: "COM"}
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_NOTHING = re.compile(rb"(?:\xff++(?:[\x00\x01\xd0-\xd8]|[\xe0-\xef\xfe]\x00\x02))++")  # no length, or nothing in it
_FILL = re.compile(rb"\xff++")

APPLICATIONS: dict[str, tuple[bytes, ...]] = {
    "APP0": (b"JFIF", b"JFXX"), "APP1": (b"Exif", b"http://ns.adobe.com/xap/", b"XMP\0", b"http://ns.adobe.com/xmp/"),
    "APP2": (b"ICC_PROFILE", b"MPF"), "APP11": (b"JP",), "APP12": (b"Ducky",),
    "APP13": (b"Photoshop", b"Adobe_Photoshop"), "APP14": (b"Adobe",), "APP15": (b"\x80",),
}  # fmt: skip
"""How application segments begin that are read; each kind has places of its own beside all others of its marker."""

# ITU-T T.81 tables K.1 and K.2 in natural order, scaled by the Independent JPEG Group's library.
_LUMINANCE = (16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
              14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
              49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99)  # fmt: skip
_CHROMINANCE = (17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
                47, 66, 99, 99, 99, 99, 99, 99, *(99,) * 32)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment.

    Attributes:
        marker: The marker's second byte, such as ``0xE1``.
        offset: Where its ``0xFF`` stands in the file.
        data: What follows the length field, without it.
        end: Offset just past it; for a scan, past its entropy-coded data.
    """

    marker: int
    offset: int
    data: bytes
    end: int

    @property
    def name(self) -> str:
        """``APP1``, ``COM``, ``DQT``, ``SOF0``; hexadecimal for others."""
        return _name(self.marker)


@dataclass(frozen=True, slots=True)
class JpegFile:
    """The structure of one JPEG stream.

    Attributes:
        segments: Its marker segments in order.
        end: Offset just past the end-of-image marker; None where there is none.
        notes: What was wrong with the structure.
        limits: Which limits were reached; segments that were not kept for them are not among ``segments``.
    """

    segments: tuple[Segment, ...]
    end: int | None
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def unread(self) -> bool:
        """Whether the walk ended at a limit, so that nothing is known of the rest."""
        return self.end is None and bool(self.limits)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height from the frame header, or None."""
        for segment in self.segments:
            if segment.marker in _SOF and len(segment.data) >= 6:
                return int.from_bytes(segment.data[3:5], "big"), int.from_bytes(segment.data[1:3], "big")
        return None


def _name(marker: int) -> str:
    if 0xE0 <= marker <= 0xEF:
        return f"APP{marker - 0xE0}"
    if marker in _SOF:
        return f"SOF{marker - 0xC0}"
    return _NAMES.get(marker, f"0x{marker:02X}")


def read_jpeg(data: bytes, start: int = 0, *, scans: bool = True) -> JpegFile:
    """Walks the marker segments from a start-of-image marker to its end-of-image marker.

    Args:
        data: The file.
        start: Where the start-of-image marker stands.
        scans: Whether to go on through the scans; without them the walk, and with it ``end``, stops at the first.

    Returns:
        The segments, by the rules of :mod:`nsfwforensics.formats.parts`; stops with a note where the structure breaks.
        Never raises.
    """
    segments: list[Segment] = []
    walk = Walk("The JPEG file")
    position, end = start + 2, None
    while walk.step():
        if position + 2 > len(data):
            walk.fault("The JPEG data ends before its end-of-image marker")
            break
        if data[position] != 0xFF:
            walk.fault("There are bytes that belong to no JPEG segment", position)
            found = _NEXT_MARKER.search(data, position)
            position = found.start() if found else len(data)
            continue
        if run := _NOTHING.match(data, position):
            position = run.end()
            continue
        if fill := _FILL.match(data, position):
            position = fill.end() - 1
        marker = data[position + 1] if position + 1 < len(data) else 0xFF
        if marker == EOI:
            end = position + 2
            break
        if marker == 0xFF:
            position += 1
            continue
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        told = marker == COM or 0xE0 <= marker <= 0xEF  # says something, and is nothing that pixels depend on
        if size < 2:
            walk.fault("A JPEG segment has an impossible length", position)
            if not told:
                break
            position += 4  # as decoders do, so that what they pass over hides nothing
            continue
        after = position + 2 + size
        if after > len(data):
            walk.fault("The file ends inside a JPEG segment", position)
        elif marker == SOS and scans:
            found = _NEXT_MARKER.search(data, after)
            after = found.start() if found else len(data)
        body = data[position + 4 : position + 2 + size]
        if walk.take(_kind(marker, body)):
            segments.append(Segment(marker, position, body, after))
        if after > len(data) or (marker == SOS and not scans):
            break
        position = past_copies(data, position, after) if told else after
    return JpegFile(tuple(segments), end, walk.notes, walk.limits)


def _kind(marker: int, body: bytes) -> str:
    """What a segment is counted as: its name, and how it begins where that is known."""
    name = _name(marker)
    for start in APPLICATIONS.get(name, ()):
        if body.startswith(start):
            return f"{name} {start!r}"
    return "AIGC" if body.startswith(b"AIGC{") else name


def quantisation_tables(jpeg: JpegFile) -> dict[int, tuple[int, ...]]:
    """The quantisation tables by identifier, 64 values each, in zigzag order as stored (the last definition counts)."""
    tables: dict[int, tuple[int, ...]] = {}
    for segment in jpeg.segments:
        if segment.marker != DQT:
            continue
        data, position = segment.data, 0
        while position < len(data):
            width = 2 if data[position] >> 4 else 1
            values = data[position + 1 : position + 1 + 64 * width]
            if len(values) < 64 * width:
                break
            tables[data[position] & 15] = tuple(
                int.from_bytes(values[i : i + width], "big") for i in range(0, 64 * width, width)
            )
            position += 1 + 64 * width
    return tables


def ijg_quality(tables: dict[int, tuple[int, ...]]) -> int | None:
    """The Independent JPEG Group quality (1–100) whose scaled standard tables these are, or None for other tables.

    Compares sorted values, so that it does not depend on the order in which the coefficients are stored.
    """
    if 0 not in tables:
        return None
    wanted = (sorted(tables[0]), sorted(tables[1]) if 1 in tables else None)
    for quality, (luminance, chrominance) in zip(range(100, 0, -1), _sorted_tables(), strict=True):
        if wanted[0] == luminance and wanted[1] in (None, chrominance):
            return quality
    return None


@cache
def _sorted_tables() -> list[tuple[list[int], list[int]]]:
    """The sorted values of luminance and chrominance for each quality, from 100 down to 1."""
    found = []
    for quality in range(100, 0, -1):
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        luminance, chrominance = (
            sorted(min(max((value * scale + 50) // 100, 1), 255) for value in base)
            for base in (_LUMINANCE, _CHROMINANCE)
        )
        found.append((luminance, chrominance))
    return found
