"""Photoshop image resources (``8BIM``) and the IPTC-IIM records inside them (IPTC IIM version 4.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nsfwforensics.formats.fields import decode_text
from nsfwforensics.formats.parts import Parts, Walk, past_copies

PHOTOSHOP_HEADERS = (b"Photoshop 3.0\0", b"Adobe_Photoshop2.5:")

IPTC_RESOURCE = 0x0404
XMP_RESOURCE = 0x0424
EXIF_RESOURCES = (0x0422, 0x0423)
THUMBNAIL_RESOURCES = (0x040C, 0x0409)
_READ = frozenset({IPTC_RESOURCE, XMP_RESOURCE, *EXIF_RESOURCES, *THUMBNAIL_RESOURCES})
_UTF8 = b"\x1b%G"
_SIGNATURE = re.compile(rb"8BIM|AgHg|DCSR|PHUT")
_LONGEST_HEADER = 64
_MARKER = re.compile(rb"\x1c[\x01-\x09]")

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
class DataSet:
    """One IPTC-IIM data set: ``text`` is its value decoded as text, ``data`` its bytes."""

    record: int
    dataset: int
    data: bytes
    text: str

    @property
    def name(self) -> str:
        """Its usual name, or ``Record R:D``."""
        return NAMES.get((self.record, self.dataset), f"Record {self.record}:{self.dataset}")


def is_photoshop(block: bytes) -> bool:
    """Whether a block begins with an image resource."""
    return _SIGNATURE.match(block) is not None


def photoshop_start(block: bytes) -> int | None:
    """Where image resources begin in a JPEG segment; None where the segment is not Photoshop's.

    That is behind one of the headers, whatever follows it, or near the start of a segment without a sound one.
    """
    header = next((len(each) for each in PHOTOSHOP_HEADERS if block.startswith(each)), None)
    found = None if header is not None else _SIGNATURE.search(block, 0, _LONGEST_HEADER)
    return found.start() if found else header


def is_iptc(block: bytes) -> bool:
    """Whether a block begins with an IPTC data set."""
    return _MARKER.match(block) is not None


def joined(parts: Sequence[bytes]) -> list[bytes]:
    """Puts blocks of image resources together that were split over segments, wherever a split may fall.

    Args:
        parts: Contents of the segments in order, without their header.

    Returns:
        One block for each segment that begins with a resource, with those behind it that do not, so that a broken
        segment takes no sound one with it. Where only all of them together are sound, that whole comes first.
    """
    blocks: list[bytes] = []
    for part in parts:
        if is_photoshop(part) or not blocks:
            blocks.append(part)
        else:
            blocks[-1] += part
    sound = [not resources(block).notes for block in blocks]
    whole = b"".join(parts)
    if all(sound) or resources(whole).notes:
        return blocks
    return [whole, *(block for block, fine in zip(blocks[1:], sound[1:], strict=True) if fine)]


def resources(block: bytes) -> Parts[Resource]:
    """Reads image resources; where the structure breaks, from the next signature on. Never raises."""
    walk = Walk("The block of Photoshop image resources")
    found: list[Resource] = []
    position = 0
    while position < len(block) and walk.step():
        if not _SIGNATURE.match(block, position):
            following = _SIGNATURE.search(block, position)
            if following or block[position:].strip(b"\0"):  # padding is no fault
                walk.fault("A Photoshop image resource is damaged", position)
            position = following.start() if following else len(block)
            continue
        name_size = block[position + 6] if position + 6 < len(block) else 0
        start = position + 7 + name_size
        start += start - position & 1
        size = int.from_bytes(block[start : start + 4], "big")
        after = start + 4 + size
        if after > len(block) or start + 4 > len(block):
            walk.fault("A Photoshop image resource is longer than what is there", position)
            following = _SIGNATURE.search(block, min(start + 4, len(block)))
            after = following.start() if following else len(block)
        number = int.from_bytes(block[position + 4 : position + 6], "big")
        if walk.take("read" if number in _READ else "other"):
            name = block[position + 7 : position + 7 + name_size].decode("latin-1")
            found.append(Resource(number, name, position, block[start + 4 : after]))
        position = past_copies(block, position, min(after + (size & 1), len(block)))
    return Parts(tuple(found), walk.notes, walk.limits)


def records(block: bytes) -> Parts[DataSet]:
    """Reads the data sets of an IPTC-IIM block; where the structure breaks, from the next marker on. Never raises.

    Text is decoded as data set 1:90 says: UTF-8 where announced, otherwise UTF-8 if valid and Latin-1 if not, because
    most software leaves the announcement out.
    """
    if not _MARKER.match(block) and _MARKER.match(
        block[3::-1]
    ):  # a TIFF entry of 4-byte numbers, written in the other order
        whole = len(block) & ~3
        block = b"".join(block[at : at + 4][::-1] for at in range(0, whole, 4)) + block[whole:]
    walk = Walk("The IPTC block")
    found: list[DataSet] = []
    position, announced = 0, False
    while position < len(block) and walk.step():
        if not _MARKER.match(block, position) or position + 5 > len(block):
            following = _MARKER.search(block, position + 1)
            if following or block[position:].strip(b"\0"):
                walk.fault("An IPTC data set is damaged", position)
            position = following.start() if following else len(block)
            continue
        record, dataset = block[position + 1], block[position + 2]
        size = int.from_bytes(block[position + 3 : position + 5], "big")
        start = position + 5
        if size & 0x8000:  # extended data set: the rest of the field counts the bytes of the real length
            width = size & 0x7FFF
            size = int.from_bytes(block[start : start + width], "big") if width <= 8 else len(block)
            start += width
        after = start + size
        if after > len(block):
            walk.fault("An IPTC data set is longer than what is there", position)
            following = _MARKER.search(block, position + 5)
            after = following.start() if following else len(block)
        data = block[start:after]
        if (record, dataset) == (1, 90):
            announced = data == _UTF8
        if walk.take("read" if (record, dataset) in NAMES else "other"):
            text = data.decode("utf-8", "replace") if announced else decode_text(data)
            found.append(DataSet(record, dataset, data, text))
        position = past_copies(block, position, max(after, position + 5))
    return Parts(tuple(found), walk.notes, walk.limits)
