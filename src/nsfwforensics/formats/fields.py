"""The one table that every metadata parser fills: each value with the place it came from.

Parsers hold no opinions. They are total: on damaged or hostile bytes they return what they could read and say in a
note what they could not, within fixed limits of number and size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

MAX_FIELDS = 5_000
"""Most values kept of one file; more are counted, not kept."""

MAX_VALUE_BYTES = 4 * 1024 * 1024
"""Longest single value kept, in bytes of the file (or of the inflated text)."""

MAX_TOTAL_BYTES = 24 * 1024 * 1024
"""Most bytes of values kept of one file."""

MAX_INFLATED_BYTES = 24 * 1024 * 1024
"""Most bytes that all compressed parts of one file are inflated to."""

MAX_EXIF_READS = 400_000
"""Most read calls spent on the EXIF blocks of one file."""

MAX_XMP_PACKETS = 32
"""Most XMP packets read of one file; each may hold as many elements as :mod:`nsfwforensics.formats.xmp` allows."""

MAX_NOTES = 50
MAX_LISTED = 64
"""Most values of one field written out as text."""


class Rational(NamedTuple):
    """A TIFF RATIONAL or SRATIONAL as it stands in the file; the denominator may be 0."""

    numerator: int
    denominator: int

    def __float__(self) -> float:
        """The quotient; NaN where the denominator is 0."""
        return self.numerator / self.denominator if self.denominator else math.nan

    def __str__(self) -> str:
        return str(self.numerator) if self.denominator == 1 else f"{self.numerator}/{self.denominator}"


Scalar: TypeAlias = str | int | float | Rational
Value: TypeAlias = Scalar | bytes | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One value and where it came from.

    Attributes:
        source: The part of the container that held it: ``JPEG APP1``, ``PNG eXIf``, ``HEIF item 3``.
        group: The standard and place inside that part: ``EXIF IFD0``, ``XMP http://ns.adobe.com/xap/1.0/``,
            ``IPTC-IIM``, ``PNG tEXt``, ``JPEG COM``.
        tag: Its identifier there: ``0x010F``, ``2:80``, ``{namespace}CreatorTool``, a keyword.
        name: Its usual name: ``Make``, ``By-line``, ``CreatorTool``.
        value: The decoded value; several values are a tuple, undecoded ones bytes.
        text: The value in words where the standard names them (``Flash did not fire``), else as plain text.
        raw: The bytes it was decoded from, where decoding loses something; else None.
        offset: Where ``source`` begins in the file, in bytes; None where that is not one place.
    """

    source: str
    group: str
    tag: str
    name: str
    value: Value
    text: str = ""
    raw: bytes | None = None
    offset: int | None = None

    @property
    def words(self) -> str:
        """The value as text, never empty for a value that is not."""
        return self.text or plain_text(self.value)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture embedded beside the main one, still encoded.

    Attributes:
        source: Where it was found: ``EXIF IFD1``, ``Photoshop resource 0x040C``.
        data: A whole image file, usually JPEG.
    """

    source: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Metadata:
    """Everything read out of one file.

    Attributes:
        fields: The table, in the order of the file.
        notes: What could not be read and why, one plain sentence each.
        thumbnails: Embedded small pictures.
        dropped: How many values were left out because of the limits.
        end: Offset just past the end of the image, so that what follows is known to be a trailer; None where the
            file ends before its image does, or the format has no end mark.
        complete: False where the container ends before its structure says it should.
    """

    fields: tuple[Field, ...] = ()
    notes: tuple[str, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    dropped: int = 0
    end: int | None = None
    complete: bool = True

    def find(self, group: str, *tags: str) -> Iterator[Field]:
        """Yields the fields of a group (by prefix) with one of the tags, in order of the tags."""
        for tag in tags:
            yield from (f for f in self.fields if f.tag == tag and f.group.startswith(group))

    def first(self, group: str, *tags: str) -> Field | None:
        """The first field that :meth:`find` would yield, or None."""
        return next(self.find(group, *tags), None)


@dataclass(slots=True)
class Collector:
    """Gathers fields, notes and thumbnails under the limits of this module.

    ``inflatable``, ``exif_reads`` and ``xmp_packets`` are what is left of the file's allowance; parsers take from them.
    """

    fields: list[Field] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    thumbnails: list[Thumbnail] = field(default_factory=list)
    dropped: int = 0
    inflatable: int = MAX_INFLATED_BYTES
    exif_reads: int = MAX_EXIF_READS
    xmp_packets: int = MAX_XMP_PACKETS
    _bytes: int = 0

    def add(self, entry: Field) -> None:
        """Keeps a field, or counts it as dropped where the limits are reached."""
        size = value_size(entry.value) + len(entry.text) + len(entry.raw or b"")
        if not self.room(size):
            self.dropped += 1
            return
        self._bytes += size
        self.fields.append(entry)

    def room(self, size: int) -> bool:
        """Whether a value of this many bytes in memory can still be kept; if not, a parser need not decode it."""
        return len(self.fields) < MAX_FIELDS and self._bytes + size <= MAX_TOTAL_BYTES and size <= 4 * MAX_VALUE_BYTES

    def note(self, text: str) -> None:
        """Keeps a note once."""
        if text not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(text)


def value_size(value: Value) -> int:
    """Roughly how many bytes a value takes in memory."""
    if isinstance(value, (str, bytes)):
        return len(value)
    return 48 * len(value) if isinstance(value, tuple) else 8


def plain_text(value: Value) -> str:
    """A value as plain text; bytes as their number, because binary is no text."""
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, Rational):
        return str(value)
    if isinstance(value, tuple):
        shown = ", ".join(str(item) for item in value[:MAX_LISTED])
        return shown if len(value) <= MAX_LISTED else f"{shown}, … ({len(value)} values)"
    return str(value)


def decode_text(data: bytes) -> str:
    """Decodes text of unstated encoding: UTF-8 where it is valid, else Latin-1, which cannot fail."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
