"""TIFF 6.0 image file directories, as EXIF 2.3 nests them: every entry with its place, in bounded time.

This walk names nothing and interprets nothing. It finds the entries that other parsers need whole (XMP, IPTC, ICC,
embedded pictures), and it still answers where a fuller reader gives up.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from nsfwforensics.formats.fields import MAX_VALUE_BYTES, Rational, Scalar, Value, decode_text
from nsfwforensics.formats.parts import Walk, past_copies

MAX_DIRECTORIES = 2_000
"""Most directories of each kind (IFD0, IFD1, EXIF, GPS, SubIFD, further pages) that are walked."""

MAX_ENTRIES = 10_000
"""Most entries kept of each kind of directory; pointers and :data:`EMBEDDED` blocks have places of their own."""

EXIF_POINTER, GPS_POINTER, INTEROP_POINTER, SUB_POINTER = 0x8769, 0x8825, 0xA005, 0x014A
XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG, ICC_TAG, C2PA_TAG = 0x02BC, 0x83BB, 0x8649, 0x8773, 0xCD41
EMBEDDED = frozenset({XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG, ICC_TAG, C2PA_TAG})
"""Tags whose values are blocks of another standard."""

_POINTERS = {EXIF_POINTER: "ExifIFD", GPS_POINTER: "GPS", INTEROP_POINTER: "InteropIFD"}
_APART = EMBEDDED | {*_POINTERS, SUB_POINTER}

# TIFF 6.0 section 2, and 13 (IFD) of Adobe's technical note 1: type -> (size in bytes, struct code)
_TYPES: dict[int, tuple[int, str]] = {
    1: (1, "B"), 2: (1, ""), 3: (2, "H"), 4: (4, "I"), 5: (8, "II"), 6: (1, "b"), 7: (1, ""), 8: (2, "h"),
    9: (4, "i"), 10: (8, "ii"), 11: (4, "f"), 12: (8, "d"), 13: (4, "I"),
}  # fmt: skip
_ASCII, _UNDEFINED = 2, 7
_RATIONALS = (5, 10)


@dataclass(frozen=True, slots=True)
class IfdEntry:
    """One directory entry.

    Attributes:
        directory: ``IFD0``, ``IFD1``, ``ExifIFD``, ``GPS``, ``InteropIFD``, ``SubIFD0``.
        tag: Its number.
        type: Its TIFF field type, 1–13.
        count: How many values it announces.
        offset: Where its values stand in the block, in bytes.
        length: How many bytes of them are really there.
        place: Where the entry itself stands in the block, in bytes.
    """

    directory: str
    tag: int
    type: int
    count: int
    offset: int
    length: int
    place: int

    @property
    def size(self) -> int:
        """How many bytes it announces."""
        return _TYPES[self.type][0] * self.count


@dataclass(frozen=True, slots=True)
class TiffTree:
    """The directories of one TIFF block.

    Attributes:
        block: The bytes that entries point into.
        order: ``<`` (little-endian) or ``>``.
        entries: Of all directories, in the order in which they were found.
        reach: How long the block would have to be to hold all of them, as far as they were read, in bytes.
        notes: What was wrong with the structure.
        limits: Which limits were reached; entries that were not kept for them are not among ``entries``.
    """

    block: bytes
    order: str
    entries: tuple[IfdEntry, ...]
    reach: int = 0
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether all directories and values lie inside the block."""
        return self.reach <= len(self.block)

    def find(self, directory: str, tag: int) -> IfdEntry | None:
        """The first entry with this number in this directory, or None."""
        return next((e for e in self.entries if e.directory == directory and e.tag == tag), None)

    def embedded(self, tag: int) -> list[IfdEntry]:
        """All entries with this number that have a value, of whichever directory."""
        return [entry for entry in self.entries if entry.tag == tag and entry.length]

    def data(self, entry: IfdEntry) -> bytes:
        """An entry's bytes as stored."""
        return self.block[entry.offset : entry.offset + entry.length]

    def value(self, entry: IfdEntry) -> Value:
        """An entry's decoded value: text, one number, a tuple of numbers, or bytes for UNDEFINED."""
        end = entry.offset + min(entry.length, MAX_VALUE_BYTES)
        if entry.type == _ASCII and (stop := self.block.find(b"\0", entry.offset, end)) >= 0:
            end = stop  # found in place: many entries may point at one long string
        return decode(entry.type, self.block[entry.offset : end], self.order)

    def number(self, directory: str, tag: int) -> int | None:
        """A whole number stored under a tag, or None."""
        entry = self.find(directory, tag)
        value = self.value(entry) if entry else None
        if isinstance(value, tuple) and value and not isinstance(value, Rational):
            value = value[0]
        return value if isinstance(value, int) else None


def is_tiff(block: bytes) -> bool:
    """Whether a block begins with a classic TIFF header (BigTIFF is not one)."""
    return block[:4] in (b"II*\0", b"MM\0*")


def walk(block: bytes) -> TiffTree:
    """Walks all directories of a TIFF block, by the rules of :mod:`nsfwforensics.formats.parts`.

    Never raises, and looks at no directory twice.
    """
    order = "<" if block[:2] == b"II" else ">"
    if block[:2] not in (b"II", b"MM") or block[2:4] in (b"+\0", b"\0+"):
        return TiffTree(block, order, (), notes=("This is no TIFF block.",))
    entries: list[IfdEntry] = []
    notes = () if is_tiff(block) else ("The TIFF header is damaged.",)
    steps, directories = Walk("The TIFF block", MAX_ENTRIES), Walk("The TIFF block", MAX_DIRECTORIES)
    seen: set[int] = set()
    queue = deque([("IFD0", _unsigned(block, 4, 4, order))])
    reach = 0
    while queue:
        name, offset = queue.popleft()
        if not offset:
            continue
        if offset in seen:
            steps.fault(f"Directory {name} points back to one already read,", offset)
            continue
        if offset + 2 > len(block):
            steps.fault(f"Directory {name} lies outside the metadata block,", offset)
            reach = max(reach, offset + 2)
            continue
        seen.add(offset)
        count = _unsigned(block, offset, 2, order)
        place, stop = offset + 2, offset + 2 + 12 * count
        if stop > len(block):
            there = (len(block) - place) // 12
            steps.fault(f"Directory {name} announces {count} entries, of which only {there} are there,", offset)
        reach = max(reach, stop)
        while place + 12 <= min(stop, len(block)) and steps.step():
            entry = _entry(block, name, place, order)
            if entry is None:
                if block[place + 2 : place + 4] != b"\0\0":  # some cameras leave entries of type 0 behind
                    steps.fault(f"Directory {name} has an entry of unknown type", place)
            elif steps.take(f"0x{entry.tag:04X}" if entry.tag in _APART else f"entry of {_kind(name)}"):
                entries.append(entry)
                reach = max(reach, entry.offset + entry.size)
                if entry.length < entry.size:
                    steps.fault(f"A value in directory {name} is cut short, that of tag 0x{entry.tag:04X}", place)
                queue.extend(takewhile(lambda each: directories.take(_kind(each[0])), _children(block, entry, order)))
            place = past_copies(block, place, place + 12, stop)
        if name.startswith("IFD") and directories.take(_kind(following := f"IFD{int(name[3:]) + 1}")):
            queue.append((following, _unsigned(block, stop, 4, order)))
    return TiffTree(block, order, tuple(entries), reach, notes + steps.notes, steps.limits + directories.limits)


def _kind(name: str) -> str:
    """What a directory is counted as: all pages after the thumbnail are one kind, as are all SubIFDs."""
    return name if name in ("IFD0", "IFD1", *_POINTERS.values()) else name.rstrip("0123456789")


def _entry(block: bytes, directory: str, place: int, order: str) -> IfdEntry | None:
    tag, kind, count = struct.unpack_from(order + "HHI", block, place)
    if kind not in _TYPES:
        return None
    size = _TYPES[kind][0] * count
    offset = place + 8 if size <= 4 else _unsigned(block, place + 8, 4, order)
    return IfdEntry(directory, tag, kind, count, offset, max(0, min(size, len(block) - offset)), place)


def _children(block: bytes, entry: IfdEntry, order: str) -> Iterator[tuple[str, int]]:
    if entry.length < 4 or entry.type not in (4, 13):
        return
    if entry.tag in _POINTERS:
        yield _POINTERS[entry.tag], _unsigned(block, entry.offset, 4, order)
    elif entry.tag == SUB_POINTER and entry.directory.startswith("IFD"):
        for index in range(entry.length // 4):
            yield f"SubIFD{index}", _unsigned(block, entry.offset + 4 * index, 4, order)


def decode(kind: int, data: bytes, order: str) -> Value:
    """Decodes the bytes of one value.

    Args:
        kind: TIFF field type, 1–13.
        data: The bytes; an incomplete last item is left out.
        order: ``<`` or ``>``.

    Returns:
        Text up to its first NUL for ASCII, the bytes for UNDEFINED, else one number or a tuple of numbers.
    """
    if kind == _ASCII:
        return decode_text(data.split(b"\0", 1)[0])
    if kind == _UNDEFINED:
        return data
    size, code = _TYPES[kind]
    number = len(data) // size
    flat = struct.unpack(f"{order}{number * len(code)}{code[0]}", data[: number * size])
    values: tuple[Scalar, ...] = flat
    if kind in _RATIONALS:
        values = tuple(Rational(*pair) for pair in zip(flat[::2], flat[1::2], strict=True))
    return values[0] if len(values) == 1 else values


def _unsigned(block: bytes, offset: int, size: int, order: str) -> int:
    return int.from_bytes(block[offset : offset + size], "little" if order == "<" else "big")
