"""JPEG (ITU-T T.81 annex B): its marker segments, where the image ends, its quantisation tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_SEGMENTS = 20_000

EOI, SOS, DQT, DRI, COM = 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NAMES = {0xC4: "DHT", SOS: "SOS", DQT: "DQT", 0xDC: "DNL", DRI: "DRI", COM: "COM"}
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_WITHOUT_LENGTH = re.compile(rb"(?:\xff++[\x00\x01\xd0-\xd8])++")
_FILL = re.compile(rb"\xff++")

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
    """

    marker: int
    offset: int
    data: bytes

    @property
    def name(self) -> str:
        """``APP1``, ``COM``, ``DQT``, ``SOF0``; hexadecimal for others."""
        if 0xE0 <= self.marker <= 0xEF:
            return f"APP{self.marker - 0xE0}"
        if self.marker in _SOF:
            return f"SOF{self.marker - 0xC0}"
        return _NAMES.get(self.marker, f"0x{self.marker:02X}")


@dataclass(frozen=True, slots=True)
class JpegFile:
    """The structure of one JPEG stream.

    Attributes:
        segments: Its marker segments in order.
        end: Offset just past the end-of-image marker; None where there is none.
        notes: What was wrong with the structure.
    """

    segments: tuple[Segment, ...]
    end: int | None
    notes: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height from the frame header, or None."""
        for segment in self.segments:
            if segment.marker in _SOF and len(segment.data) >= 6:
                return int.from_bytes(segment.data[3:5], "big"), int.from_bytes(segment.data[1:3], "big")
        return None


def read_jpeg(data: bytes, start: int = 0) -> JpegFile:
    """Walks the marker segments from a start-of-image marker to its end-of-image marker.

    Args:
        data: The file.
        start: Where the start-of-image marker stands.

    Returns:
        The segments; stops with a note where the structure breaks. Never raises.
    """
    segments: list[Segment] = []
    notes: list[str] = []
    position, length = start + 2, len(data)
    while True:
        if position + 2 > length:
            notes.append("The JPEG data ends before its end-of-image marker.")
            return JpegFile(tuple(segments), None, tuple(notes))
        if data[position] != 0xFF:
            found = _NEXT_MARKER.search(data, position)
            notes.append(f"There are bytes that belong to no JPEG segment at offset {position}.")
            if found is None or len(notes) > 20:
                return JpegFile(tuple(segments), None, tuple(notes))
            position = found.start()
            continue
        if run := _WITHOUT_LENGTH.match(data, position):
            position = run.end()
            continue
        if fill := _FILL.match(data, position):
            position = fill.end() - 1
        marker = data[position + 1] if position + 1 < length else 0xFF
        if marker == 0xFF:
            position += 1
            continue
        if marker == EOI:
            return JpegFile(tuple(segments), position + 2, tuple(notes))
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        if size < 2 or len(segments) >= MAX_SEGMENTS:
            why = "has an impossible length" if size < 2 else "is one too many"
            notes.append(f"The JPEG segment at offset {position} {why}; nothing after it was read.")
            return JpegFile(tuple(segments), None, tuple(notes))
        segments.append(Segment(marker, position, data[position + 4 : position + 2 + size]))
        if position + 2 + size > length:
            notes.append(f"The file ends inside the JPEG segment at offset {position}.")
            return JpegFile(tuple(segments), None, tuple(notes))
        position += 2 + size
        if marker == SOS:
            found = _NEXT_MARKER.search(data, position)
            position = found.start() if found else length


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
    for quality in range(100, 0, -1):
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        luminance, chrominance = (
            sorted(min(max((value * scale + 50) // 100, 1), 255) for value in base)
            for base in (_LUMINANCE, _CHROMINANCE)
        )
        if wanted[0] == luminance and wanted[1] in (None, chrominance):
            return quality
    return None
