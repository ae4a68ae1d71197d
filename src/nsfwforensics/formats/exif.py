"""EXIF (CIPA DC-008): ExifRead for names, meanings and maker notes, held within bounds, over any TIFF block.

ExifRead drops values of a thousand items and more, and gives up altogether on some damaged files; what it leaves out
is filled in from the plain walk of :mod:`nsfwforensics.formats.tiff`, so that no entry that can be read is lost.
"""

from __future__ import annotations

import io
import logging
import re
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nsfwforensics.formats import tiff
from nsfwforensics.formats.fields import (
    MAX_VALUE_BYTES,
    Collector,
    Field,
    Rational,
    Thumbnail,
    Value,
    decode_text,
    plain_text,
)

MAX_READS = 200_000
"""Most read calls ExifRead may make on one block; the neediest of the real cameras seen makes 73,000."""

MAX_READ_BYTES = 64 * 1024 * 1024
MAX_THUMBNAIL = 8 * 1024 * 1024

_DIRECTORIES = {"Image": "IFD0", "Thumbnail": "IFD1", "EXIF": "ExifIFD", "GPS": "GPS",
                "Interoperability": "InteropIFD", "MakerNote": "MakerNote"}  # fmt: skip
_BINARY = tiff.EMBEDDED | {0x927C, 0x0111, 0x0117, 0x0144, 0x0145}
_USER_COMMENT = 0x9286
_XP_TAGS = range(0x9C9B, 0x9CA0)
_CHARSETS = {b"ASCII": "ascii", b"UNICODE": "utf-16", b"JIS": "iso2022_jp"}
EXIF_HEADER = b"Exif\0\0"
_TIFF_START = re.compile(rb"II\*\0|MM\0\*")
_LONGEST_HEADER = 64
_TRUNCATED_TEXT = 500
_READ_UNIT = 16_384  # so many bytes cost about as much as another read call
_LEAST_READS = 100  # what preparing to read costs, in reads, so that a thousand tiny blocks run out too


class _ExhaustedError(Exception):
    """ExifRead asked for more reads than any real file needs."""


class _Metered(io.BytesIO):
    """A file in memory that stops a reader which loops: ExifRead itself sets no bound."""

    def __init__(self, data: bytes, reads: int) -> None:
        super().__init__(data)
        self.reads, self._bytes = reads, MAX_READ_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.reads -= 1 + len(data) // _READ_UNIT
        self._bytes -= len(data)
        if self.reads < 0 or self._bytes < 0:
            raise _ExhaustedError
        return data


def tiff_start(block: bytes) -> int | None:
    """Where the TIFF header stands in a block that should hold EXIF; None where there is none near its beginning.

    Writers put ``Exif`` and two NULs before it, HEIF's offset field, both, neither, or a few bytes of something else.
    """
    for start in (0, len(EXIF_HEADER)):
        if (start == 0 or block.startswith(EXIF_HEADER)) and block[start : start + 2] in (b"II", b"MM"):
            return start  # however damaged the rest of the header is
    found = _TIFF_START.search(block, 0, _LONGEST_HEADER + 4)
    return found.start() if found else None


def read_exif(block: bytes, source: str, out: Collector, offset: int | None = None) -> tiff.TiffTree:
    """Reads all directories and the maker note of a TIFF block into the table.

    Args:
        block: From the TIFF header on.
        source: The part of the container that held it.
        out: Where fields, thumbnails and notes go.
        offset: Where the block begins in the file.

    Returns:
        The plain walk of the same block. Never raises.
    """
    if out.exif_entries <= 0:
        out.limit("The EXIF blocks of the file have more entries than are read; the rest was not read.")
        return tiff.TiffTree(block, "<", ())
    tree = tiff.walk(block)
    out.exif_entries -= len(tree.entries)
    for note in tree.notes:
        out.note(f"{source}: {note}")
    for limit in tree.limits:
        out.limit(f"{source}: {limit}")
    if not tree.entries:
        if tree.notes:
            out.refuse(f"{source}: nothing of the EXIF block could be read.")
        return tree
    known = _exifread(block, source, out)
    times = Counter((entry.directory, entry.tag) for entry in tree.entries)
    for entry in tree.entries:
        size = entry.length if entry.type in (1, 2, 7) else 48 * min(entry.count, entry.length)
        if not out.room("EXIF", size):
            out.drop("EXIF")
            continue
        tag = known.get((entry.directory, entry.tag)) if times[(entry.directory, entry.tag)] == 1 else None
        out.add(_field(tree, entry, tag, source, offset))
    for (directory, number), (name, tag) in known.items():
        if (directory, number) in times:
            continue
        value = _plain(tag.values)
        text = str(tag.printable)[:_TRUNCATED_TEXT] if tag.prefer_printable else plain_text(value)
        out.add(Field(source, f"EXIF {directory}", _identifier(number), name, value, text, None, offset))
    _thumbnail(tree, out)
    return tree


def _field(
    tree: tiff.TiffTree, entry: tiff.IfdEntry, known: tuple[str, Any] | None, source: str, offset: int | None
) -> Field:
    name = known[0] if known and not known[0].startswith("Tag 0x") else _name(entry.directory, entry.tag)
    value: Value = _plain(known[1].values) if known else ()
    binary = entry.type in (1, 7) or entry.tag == _USER_COMMENT or entry.tag in _XP_TAGS  # whatever their type
    if binary or value in ((), "", b""):
        value = tree.data(entry)[:MAX_VALUE_BYTES] if binary else tree.value(entry)
    raw: bytes | None = None
    text = ""
    if entry.tag == _USER_COMMENT and isinstance(value, bytes):
        raw, value = value, user_comment(value, tree.order)
    elif entry.tag in _XP_TAGS and isinstance(value, bytes):
        raw, value = value, value.decode("utf-16-le", "replace").rstrip("\0")
    elif isinstance(value, bytes) and entry.tag not in _BINARY:
        value, raw = _small(value, entry.type)
    if known and known[1].prefer_printable and entry.tag != _USER_COMMENT and entry.tag not in _XP_TAGS:
        text = str(known[1].printable)[:_TRUNCATED_TEXT]
    return Field(
        source, f"EXIF {entry.directory}", _identifier(entry.tag), name, value, text or plain_text(value), raw, offset
    )


def _small(data: bytes, kind: int) -> tuple[Value, bytes | None]:
    """BYTE values as numbers; UNDEFINED as text where it is plain ASCII (``0221``), else as bytes."""
    if kind == 1 and len(data) <= 64:
        return (data[0] if len(data) == 1 else tuple(data)), data
    if 0 < len(data) <= 64 and all(32 <= byte < 127 for byte in data):
        return data.decode("ascii"), data
    return data, None


def user_comment(data: bytes, order: str = "<") -> str:
    """Decodes EXIF ``UserComment``: eight bytes naming the character code, then the text.

    Args:
        data: The value as stored.
        order: The block's byte order, ``<`` or ``>``; used for Unicode without a byte order mark, unless the text
            itself shows the other order, which writers often use.
    """
    charset, body = _CHARSETS.get(data[:8].rstrip(b"\0 ").upper()), data[8:]
    if charset == "utf-16" and not _is_narrow(body.rstrip(b"\0")):
        if body[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            low, high = body[0:400:2].count(0), body[1:400:2].count(0)
            charset = "utf-16-le" if high > low or (high == low and order == "<") else "utf-16-be"
        return body[: len(body) & ~1].decode(charset, "replace").rstrip("\0 ")
    body = body.rstrip(b"\0 ")
    if charset == "iso2022_jp":
        return body.decode(charset, "replace")
    if charset or data[:8] == bytes(8):
        return decode_text(body)
    return decode_text(data.strip(b"\0 "))


def _is_narrow(text: bytes) -> bool:
    """Whether text that is said to be UTF-16 is UTF-8 in truth."""
    if len(text) < 16 or b"\0" in text:  # so long a text of two bytes a character without a NUL is rare
        return False
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _exifread(block: bytes, source: str, out: Collector) -> dict[tuple[str, int], tuple[str, Any]]:
    """What ExifRead makes of a block, by (directory, tag number); without the maker note where that breaks it."""
    import exifread

    for details in (True, False):
        allowed = min(MAX_READS, out.exif_reads)
        stream = _Metered(block, allowed)
        try:
            with _quiet():
                tags = exifread.process_file(stream, details=details, extract_thumbnail=False)
        except _ExhaustedError:
            out.note(f"{source}: the EXIF block asks for more work than any camera's file needs; it was read in part.")
            return {}
        except _FAULTS as error:
            reason = f"is damaged ({type(error).__name__})"
        else:
            return _by_number(tags)
        finally:
            out.exif_reads -= max(allowed - stream.reads, _LEAST_READS)
        out.note(f"{source}: {'the maker note' if details else 'the EXIF block'} {reason}; it was read in part.")
    return {}


# What ExifRead was seen to raise on damaged files, and the families these belong to.
_FAULTS = (ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError,
           ValueError, struct.error)  # fmt: skip


def _by_number(tags: dict[str, Any]) -> dict[tuple[str, int], tuple[str, Any]]:
    found: dict[tuple[str, int], tuple[str, Any]] = {}
    for key, tag in tags.items():
        prefix, _, name = key.partition(" ")
        if not hasattr(tag, "field_type"):
            continue
        directory = _DIRECTORIES.get(prefix, prefix)
        if key.startswith(("IFD ", "EXIF SubIFD")):
            first, second, name = (*key.split(" ", 2), "")[:3]
            directory = first + second if first == "IFD" else second
        number = tag.tag
        if not tag.field_type:  # settings decoded out of another tag have no number of their own
            number = -1 - len(found)
        found[(directory, number)] = (name, tag)
    return found


def _identifier(number: int) -> str:
    return f"0x{number:04X}" if number >= 0 else "(part of another tag)"


def _name(directory: str, number: int) -> str:
    from PIL.ExifTags import GPSTAGS, TAGS

    return (GPSTAGS if directory == "GPS" else TAGS).get(number, f"Tag 0x{number:04X}")


def _plain(values: Any) -> Value:
    """ExifRead's values as this package's: ratios with their parts, one-tuples of floats opened."""
    if isinstance(values, (str, int, float)):
        return values if not isinstance(values, bool) else int(values)
    if isinstance(values, bytes):
        return decode_text(values)
    if not isinstance(values, (list, tuple)):
        return str(values)
    items = tuple(_item(item) for item in values)
    return items[0] if len(items) == 1 else items


def _item(item: Any) -> str | int | float | Rational:
    if isinstance(item, tuple) and len(item) == 1:
        item = item[0]
    if hasattr(item, "num") and hasattr(item, "den"):
        return Rational(int(item.num), int(item.den))
    return item if isinstance(item, (int, float, str)) else str(item)


def _thumbnail(tree: tiff.TiffTree, out: Collector) -> None:
    """The JPEG picture that IFD1 points to."""
    start, size = tree.number("IFD1", 0x0201), tree.number("IFD1", 0x0202)
    if not start or not size or start >= len(tree.block):
        return
    data = tree.block[start : start + min(size, MAX_THUMBNAIL)]
    if data[:2] == b"\xff\xd8":
        out.thumbnails.append(Thumbnail("EXIF IFD1", data))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps ExifRead's warnings about hostile files out of our output, and puts its logger back."""
    logger = logging.getLogger("exifread")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
