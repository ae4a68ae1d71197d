"""Photoshop image resources (``8BIM``) and the IPTC-IIM records inside them (IPTC IIM version 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nsfwforensics.formats.fields import decode_text

MAX_RECORDS = 5_000
PHOTOSHOP_HEADER = b"Photoshop 3.0\0"

IPTC_RESOURCE = 0x0404
THUMBNAIL_RESOURCES = (0x040C, 0x0409)
_UTF8 = b"\x1b%G"

NAMES: dict[tuple[int, int], str] = {
    (1, 90): "CodedCharacterSet",
    (2, 3): "ObjectTypeReference", (2, 5): "ObjectName", (2, 7): "EditStatus", (2, 10): "Urgency", (2, 15): "Category",
    (2, 20): "SupplementalCategories", (2, 22): "FixtureIdentifier", (2, 25): "Keywords",
    (2, 26): "ContentLocationCode",
    (2, 27): "ContentLocationName", (2, 30): "ReleaseDate", (2, 35): "ReleaseTime", (2, 37): "ExpirationDate",
    (2, 40): "SpecialInstructions", (2, 55): "DateCreated", (2, 60): "TimeCreated", (2, 62): "DigitalCreationDate",
    (2, 63): "DigitalCreationTime", (2, 65): "OriginatingProgram", (2, 70): "ProgramVersion", (2, 80): "By-line",
    (2, 85): "By-lineTitle", (2, 90): "City", (2, 92): "Sub-location", (2, 95): "Province-State",
    (2, 100): "Country-PrimaryLocationCode", (2, 101): "Country-PrimaryLocationName",
    (2, 103): "OriginalTransmissionReference", (2, 105): "Headline", (2, 110): "Credit", (2, 115): "Source",
    (2, 116): "CopyrightNotice", (2, 118): "Contact", (2, 120): "Caption-Abstract", (2, 122): "Writer-Editor",
    (2, 228): "ClassifyState",
}  # fmt: skip
"""Names of data sets by record and number."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One Photoshop image resource; ``offset`` is where its signature stands in the block."""

    id: int
    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One IPTC-IIM data set: ``text`` is its value decoded as text, ``data`` its bytes."""

    record: int
    dataset: int
    data: bytes
    text: str

    @property
    def name(self) -> str:
        """Its usual name, or ``Record R:D``."""
        return NAMES.get((self.record, self.dataset), f"Record {self.record}:{self.dataset}")


def resources(block: bytes) -> Iterator[Resource]:
    """Yields the image resources of a block that begins with ``8BIM``. Stops where the structure breaks."""
    position = 0
    for _ in range(MAX_RECORDS):
        if block[position : position + 4] not in (b"8BIM", b"AgHg", b"DCSR", b"PHUT") or position + 12 > len(block):
            return
        name_size = block[position + 6]
        start = position + 7 + name_size
        start += start - position & 1
        size = int.from_bytes(block[start : start + 4], "big")
        name = block[position + 7 : position + 7 + name_size].decode("latin-1")
        number = int.from_bytes(block[position + 4 : position + 6], "big")
        yield Resource(number, name, position, block[start + 4 : start + 4 + size])
        position = start + 4 + size + (size & 1)


def records(block: bytes) -> Iterator[Record]:
    """Yields the data sets of an IPTC-IIM block. Stops where the structure breaks.

    Text is decoded as data set 1:90 says: UTF-8 where announced, otherwise UTF-8 if valid and Latin-1 if not, because
    most software leaves the announcement out.
    """
    position, announced = 0, False
    for _ in range(MAX_RECORDS):
        if block[position : position + 1] != b"\x1c" or position + 5 > len(block):
            return
        record, dataset = block[position + 1], block[position + 2]
        size = int.from_bytes(block[position + 3 : position + 5], "big")
        position += 5
        if size & 0x8000:  # extended data set: the rest of the field counts the bytes of the real length
            width = size & 0x7FFF
            if width > 8:
                return
            size = int.from_bytes(block[position : position + width], "big")
            position += width
        data = block[position : position + size]
        if (record, dataset) == (1, 90):
            announced = data == _UTF8
        text = data.decode("utf-8", "replace") if announced else decode_text(data)
        yield Record(record, dataset, data, text)
        position += size
