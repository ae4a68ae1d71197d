"""TIFF 6.0 image file directories, as EXIF 2.3 nests them: every entry with its place, in bounded time.

This walk names nothing and interprets nothing. It finds the entries that other parsers need whole (XMP, IPTC, ICC,
embedded pictures), and it still answers where a fuller reader gives up.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from nsfwforensics.formats.fields import MAX_VALUE_BYTES, Rational, Scalar, Value, decode_text

MAX_DIRECTORIES = 64
MAX_ENTRIES = 10_000

EXIF_POINTER, GPS_POINTER, INTEROP_POINTER, SUB_POINTER = 0x8769, 0x8825, 0xA005, 0x014A
_POINTERS = {EXIF_POINTER: "ExifIFD", GPS_POINTER: "GPS", INTEROP_POINTER: "InteropIFD"}

# TIFF 6.0 section 2, and 13 (IFD) of Adobe's technical note 1: type -> (size in bytes, struct code)
_TYPES: dict[int, tuple[int, str]] = {
    1: (1, "B"), 2: (1, ""), 3: (2, "H"), 4: (4, "I"), 5: (8, "II"), 6: (1, "b"), 7: (1, ""), 8: (2, "h"),
    9: (4, "i"), 10: (8, "ii"), 11: (4, "f"), 12: (8, "d"), 13: (4, "I"),
}  # fmt: skip
_ASCII, _UNDEFINED = 2, 7
_RATIONALS = (5, 10)


@dataclass(frozen=True, slots=True)
class Entry:
    """One directory entry.

    Attributes:
        directory: ``IFD0``, ``IFD1``, ``ExifIFD``, ``GPS``, ``InteropIFD``, ``SubIFD0``.
        tag: Its number.
        type: Its TIFF field type, 1–13.
        count: How many values it announces.
        offset: Where its values stand in the block, in bytes.
        length: How many bytes of them are really there.
    """

    directory: str
    tag: int
    type: int
    count: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class TiffTree:
    """The entries of one TIFF block. ``order`` is ``<`` or ``>``; ``block`` the bytes they point into."""

    block: bytes
    order: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]

    def find(self, directory: str, tag: int) -> Entry | None:
        """The first entry with this number in this directory, or None."""
        return next((e for e in self.entries if e.directory == directory and e.tag == tag), None)

    def data(self, entry: Entry) -> bytes:
        """An entry's bytes as stored."""
        return self.block[entry.offset : entry.offset + entry.length]

    def value(self, entry: Entry) -> Value:
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
    """Walks all directories of a TIFF block. Never raises, and looks at no directory twice."""
    order = "<" if block[:2] == b"II" else ">"
    if block[:2] not in (b"II", b"MM") or block[2:4] in (b"+\0", b"\0+"):
        return TiffTree(block, order, (), ("This is no TIFF block.",))
    entries: list[Entry] = []
    notes: list[str] = [] if is_tiff(block) else ["The TIFF header is damaged."]
    seen: set[int] = set()
    queue = [("IFD0", _unsigned(block, 4, 4, order))]
    while queue:
        name, offset = queue.pop(0)
        if not offset:
            continue
        if offset in seen:
            notes.append(f"Directory {name} points back to one already read.")
            continue
        if offset + 2 > len(block):
            notes.append(f"Directory {name} lies outside the metadata block.")
            continue
        if len(seen) >= MAX_DIRECTORIES:
            notes.append("There are too many directories; the rest was not read.")
            break
        seen.add(offset)
        count = _unsigned(block, offset, 2, order)
        for index in range(count):
            place = offset + 2 + 12 * index
            if place + 12 > len(block) or len(entries) >= MAX_ENTRIES:
                notes.append(f"Directory {name} announces {count} entries; only {index} could be read.")
                break
            entry = _entry(block, name, place, order)
            if entry is None:
                if block[place + 2 : place + 4] != b"\0\0":  # some cameras leave entries of type 0 behind
                    notes.append(f"Directory {name} has an entry of unknown type at offset {place}.")
                continue
            entries.append(entry)
            queue.extend(_children(block, entry, order))
        if name.startswith("IFD"):
            queue.append((f"IFD{int(name[3:]) + 1}", _unsigned(block, offset + 2 + 12 * count, 4, order)))
    return TiffTree(block, order, tuple(entries), tuple(dict.fromkeys(notes))[:20])


def _entry(block: bytes, directory: str, place: int, order: str) -> Entry | None:
    tag, kind, count = struct.unpack_from(order + "HHI", block, place)
    if kind not in _TYPES:
        return None
    size = _TYPES[kind][0] * count
    offset = place + 8 if size <= 4 else _unsigned(block, place + 8, 4, order)
    return Entry(directory, tag, kind, count, offset, max(0, min(size, len(block) - offset)))


def _children(block: bytes, entry: Entry, order: str) -> list[tuple[str, int]]:
    if entry.length < 4 or entry.type not in (4, 13):
        return []
    if entry.tag in _POINTERS:
        return [(_POINTERS[entry.tag], _unsigned(block, entry.offset, 4, order))]
    if entry.tag == SUB_POINTER and entry.directory == "IFD0":
        number = min(entry.length // 4, 8)
        return [(f"SubIFD{i}", _unsigned(block, entry.offset + 4 * i, 4, order)) for i in range(number)]
    return []


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
