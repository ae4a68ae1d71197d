"""The one table that every metadata parser fills: each value with the place it came from.

Parsers hold no opinions. They are total: on damaged or hostile bytes they return what they could read and say in a
note what they could not, within fixed limits of number and size.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from nsfwforensics.formats.xmp import WELL_KNOWN

MAX_FIELDS = 20_000
"""Most values kept of one family of one file (EXIF, XMP, IPTC, text of its format, …); more are counted, not kept."""

MAX_VALUE_BYTES = 4 * 1024 * 1024
"""Longest single value kept, in bytes of the file (or of the inflated text)."""

MAX_FAMILY_BYTES = 24 * 1024 * 1024
"""Most bytes of values kept of one family."""

MAX_INFLATED_BYTES = 24 * 1024 * 1024
"""Most bytes that the compressed text of one file is inflated to, and as many for EXIF, XMP and the like in it."""

MAX_EXIF_READS = 400_000
"""Most read calls spent on the EXIF blocks of one file."""

MAX_EXIF_ENTRIES = 500_000
"""Most directory entries looked at in the EXIF blocks of one file."""

MAX_BLOCKS = 5_000
"""Most blocks of one standard (XMP packets, IPTC blocks, ICC profiles) read of one file."""

MAX_BLOCK_BYTES = 48 * 1024 * 1024
"""Most bytes of the blocks of one standard read of one file."""

MAX_NOTES = 50
"""Most different notes kept of each weight; more are counted."""

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

    @property
    def place(self) -> str:
        """Where it stands, for people: ``EXIF IFD0 Make``."""
        return f"{self.group.split(' http')[0]} {self.name}"


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
        notes: What could not be read and why, one plain sentence each; those of ``unread`` and ``limits`` among them.
        thumbnails: Embedded small pictures.
        dropped: How many values were left out because of the limits.
        end: Offset just past the end of the image, so that what follows is known to be a trailer; None where the
            file ends before its image does, or the format has no end mark.
        complete: False where the container ends before its structure says it should.
        unread: Which whole parts could not be read, so that what they say is not known.
        limits: Which limits of ours were reached, so that the file may say more than what is in the table.
    """

    fields: tuple[Field, ...] = ()
    notes: tuple[str, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    dropped: int = 0
    end: int | None = None
    complete: bool = True
    unread: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

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

    Every family of fields (the first word of their group, for well-known XMP the namespace) has an allowance of its
    own, so that no number of comments hides a label. ``inflatable`` (by whether it is a profile), ``exif_reads`` and
    ``exif_entries`` are what is left of the file's allowance; parsers take from them.
    """

    fields: list[Field] = field(default_factory=list)
    thumbnails: list[Thumbnail] = field(default_factory=list)
    dropped: int = 0
    inflatable: dict[bool, int] = field(default_factory=lambda: {False: MAX_INFLATED_BYTES, True: MAX_INFLATED_BYTES})
    exif_reads: int = MAX_EXIF_READS
    exif_entries: int = MAX_EXIF_ENTRIES
    _blocks: Counter[str] = field(default_factory=Counter)
    _block_bytes: Counter[str] = field(default_factory=Counter)
    _kept: Counter[str] = field(default_factory=Counter)
    _bytes: Counter[str] = field(default_factory=Counter)
    _notes: dict[str, None] = field(default_factory=dict)
    _unread: dict[str, None] = field(default_factory=dict)
    _limits: dict[str, None] = field(default_factory=dict)
    _more: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Field) -> None:
        """Keeps a field, or counts it as dropped where the limits are reached."""
        size = value_size(entry.value) + len(entry.text) + len(entry.raw or b"")
        if not self.room(entry.group, size):
            self.drop(entry.group)
            return
        family = _family(entry.group)
        self._kept[family] += 1
        self._bytes[family] += size
        self.fields.append(entry)

    def room(self, group: str, size: int) -> bool:
        """Whether a value of this many bytes in memory can still be kept; if not, a parser need not decode it."""
        family = _family(group)
        return self._kept[family] < MAX_FIELDS and self._bytes[family] + size <= MAX_FAMILY_BYTES

    def take_block(self, standard: str, size: int) -> bool:
        """Takes a block of a standard from the file's allowance; False, and a note, where that does not suffice."""
        if self._blocks[standard] >= MAX_BLOCKS or self._block_bytes[standard] + size > MAX_BLOCK_BYTES:
            self.dropped += 1
            self.limit(f"The file holds more {standard} than the limits for one file; the rest was not read.")
            return False
        self._blocks[standard] += 1
        self._block_bytes[standard] += size
        return True

    def drop(self, group: str) -> None:
        """Counts a value that is left out for the limits."""
        self.dropped += 1
        self.limit(f"The file holds more {_family(group)} values than the limit for one file; the rest was not kept.")

    def note(self, text: str) -> None:
        """Notes, once, what could not be read; the file may be damaged there."""
        self._say(self._notes, "damaged", text)

    def refuse(self, text: str) -> None:
        """Notes that a whole part that may hold statements could not be read."""
        self._say(self._unread, "unread", text)

    def limit(self, text: str) -> None:
        """Notes that a limit of ours was reached, so that the file may say more than was read."""
        self._say(self._limits, "limits", text)

    def result(self, end: int | None, *, complete: bool) -> Metadata:
        """Everything gathered; the arguments are those of :class:`Metadata`."""
        unread, limits = (*self._unread, *self._rest("unread")), (*self._limits, *self._rest("limits"))
        notes = (*limits, *unread, *self._notes, *self._rest("damaged"))
        return Metadata(tuple(self.fields), notes, tuple(self.thumbnails), self.dropped, end, complete, unread, limits)

    def _say(self, kept: dict[str, None], weight: str, text: str) -> None:
        if text in kept:
            return
        if len(kept) < MAX_NOTES:
            kept[text] = None
        else:
            self._more[weight] += 1

    def _rest(self, weight: str) -> tuple[str, ...]:
        count = self._more[weight]
        return (f"And {count:,} more notes like these.",) if count else ()


def _family(group: str) -> str:
    """Which fields share an allowance: those of well-known XMP namespaces by namespace, others by their standard."""
    standard, _, place = group.partition(" ")
    return group if standard == "XMP" and place in WELL_KNOWN else standard


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
