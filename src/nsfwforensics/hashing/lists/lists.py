"""Reading lists of known hashes, whatever format they come in, in a stream and without trusting them.

The format is told by the content unless it is given. A line that cannot be used is counted and the first ones are
reported by number; the rest of the list is read all the same.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from nsfwforensics.core.hashes import QUALITY_USABLE
from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.lists import encase, shared_xml, vics
from nsfwforensics.hashing.lists.databases import HashDatabase
from nsfwforensics.hashing.lists.formats import (
    JSON_FORMATS,
    REMARKS,
    SQLITE_FORMATS,
    ListFormat,
    sniff_binary,
    sniff_format,
)
from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion
from nsfwforensics.hashing.lists.printed import Certutil, GetFileHash, checksums
from nsfwforensics.hashing.lists.records import WithdrawnError, from_record, records
from nsfwforensics.hashing.lists.rows import (
    BadLineError,
    Gathering,
    Hashdeep,
    HeadedTable,
    LineParser,
    ListLimitError,
    LongHash,
    OtherSignalError,
    PhotoDnaError,
    plain,
    threatexchange,
)

SHOWN_BAD_LINES = 20
LONGEST_LINE = 1 << 16
SNIFFED = 1 << 16


@dataclass(slots=True)
class LineCounts:
    """What became of a list's lines, counted while it is read.

    Attributes:
        items: Entries that were taken.
        low_quality: PDQ hashes left out because the quality that the list gives is below the limit.
        withdrawn: Records left out because they were withdrawn, with their hashes in ``purged``.
        other: Signals of another kind (text, addresses, videos), PhotoDNA among them.
        photodna: Hashes of PhotoDNA, which cannot be computed here.
        bad: Lines that could not be used.
        reasons: The first of these: number of the line or record, and the reason.
        purged: Hashes of the withdrawn records.
    """

    items: int = 0
    low_quality: int = 0
    withdrawn: int = 0
    other: int = 0
    photodna: int = 0
    bad: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)
    purged: list[tuple[HashKind, bytes]] = field(default_factory=list)


class HashList:
    """One list; iterate over it once to read it.

    Args:
        path: The file.
        form: Its format; told by the content if None.
        long_hash: What 64 digits without a name are; told by the content if None.
        opinion: Given to entries that have none.
        quality: PDQ hashes whose quality is given and below this are left out.
        strict: Whether a bad line ends the reading.

    Attributes:
        form: The format.
        sha256: Of the file.
        reading: What became of the lines.

    Raises:
        HashListError: The file cannot be read, its format cannot be told, or its hashes of 64 digits may be PDQ or
            SHA-256.
    """

    def __init__(
        self,
        path: Path,
        form: ListFormat | None = None,
        *,
        long_hash: HashKind | None = None,
        opinion: Opinion | None = None,
        quality: int = QUALITY_USABLE,
        strict: bool = False,
    ) -> None:
        self.path = path
        self._opinion = opinion
        self._quality = quality
        self._strict = strict
        self.reading = LineCounts()
        try:
            with path.open("rb") as stream:
                head = stream.read(SNIFFED)
                stream.seek(0)
                self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise HashListError(f"{path}: cannot be read: {error.strerror}") from error
        self._encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        form = form or sniff_binary(head, path)
        text = head.decode(self._encoding, "replace")
        self.form = form or sniff_format(text, path)
        self._long: LongHash = Gathering(long_hash)
        if long_hash is None:
            self._tell_long_hash(text)
        self._long = LongHash(self._long.kind)

    @property
    def long_hash(self) -> HashKind | None:
        """What 64 digits are taken for whose kind nothing names; None where there were none."""
        return self._long.kind if self._long.used else None

    def __iter__(self) -> Iterator[KnownItem]:
        """The entries.

        Raises:
            HashListError: The file cannot be read or asks for more than any list, or with ``strict`` a line cannot be
                used.
        """
        try:
            if self.form in SQLITE_FORMATS:
                with HashDatabase(self.path) as database:
                    yield from self._told(database.rows(), "row")
                return
            with self.path.open("rb") as raw:
                if self.form is ListFormat.ENCASE:
                    yield from self._told(encase.entries(raw), "record")
                elif self.form is ListFormat.NCMEC:
                    yield from self._told(shared_xml.entries(raw), "entry")
                else:
                    yield from self._text(io.TextIOWrapper(raw, self._encoding, "surrogateescape", newline="\n"))
        except ListLimitError as error:
            raise HashListError(f"{self.path}: {error}") from error
        except OSError as error:
            raise HashListError(f"{self.path}: cannot be read: {error.strerror}") from error

    def _tell_long_hash(self, head: str) -> None:
        """Looks at the head of a list for what its hashes of 64 digits are."""
        kept, self.reading, strict, self._strict = self.reading, LineCounts(), self._strict, False
        try:
            if self.form not in _TYPED:
                for _ in self._text(io.StringIO(head, newline="\n")):
                    pass
            self._long.settle()
        except ListLimitError as error:
            raise HashListError(f"{self.path}: {error}") from error
        self.reading, self._strict = kept, strict

    def _text(self, stream: TextIO) -> Iterator[KnownItem]:
        if self.form is ListFormat.VICS:
            found = ((number, item) for number, record in vics.media(stream) for item in _media_items(record))
            return self._told(found, "medium")
        return self._json(stream) if self.form in JSON_FORMATS else self._lines(stream)

    def _told(self, found: Iterable[tuple[int, KnownItem | BadLineError]], what: str) -> Iterator[KnownItem]:
        for number, item in found:
            if isinstance(item, BadLineError):
                self._refused(number, what, item)
            else:
                yield from self._taken(item)

    def _json(self, stream: TextIO) -> Iterator[KnownItem]:
        for number, record in records(stream):
            try:
                if isinstance(record, BadLineError):
                    raise record
                item = from_record(record, self._long)
            except BadLineError as error:
                self._refused(number, "record", error)
            else:
                yield from self._taken(item)

    def _lines(self, stream: TextIO) -> Iterator[KnownItem]:
        parse = self._parser()
        number = 0
        last = "\n" if self.form is ListFormat.GET_FILEHASH else ""  # an empty line ends an entry there
        while line := stream.readline(LONGEST_LINE) or last:
            last = last if line is not last else ""
            number += 1
            if not line.endswith("\n") and len(line) >= LONGEST_LINE:
                while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                    pass
                self._refused(number, "line", BadLineError("longer than any line of a list"))
                continue
            line = line.rstrip("\r\n")
            if line.startswith(REMARKS) or not (line.strip() or self.form is ListFormat.GET_FILEHASH):
                continue
            try:
                item = parse(line)
            except BadLineError as error:
                self._refused(number, "line", error)
            else:
                if item is not None:
                    yield from self._taken(item)

    def _parser(self) -> LineParser:
        match self.form:
            case ListFormat.THREATEXCHANGE:
                return threatexchange
            case ListFormat.CHECKSUMS:
                return checksums
            case ListFormat.HASHDEEP:
                return Hashdeep()
            case ListFormat.PLAIN:
                return plain(self._long)
            case ListFormat.CERTUTIL:
                return Certutil()
            case ListFormat.GET_FILEHASH:
                return GetFileHash(self._long)
            case _:
                return HeadedTable(self._long)

    def _taken(self, item: KnownItem) -> Iterator[KnownItem]:
        if item.pdq is not None and item.quality is not None and item.quality < self._quality:
            self.reading.low_quality += 1
            item = item._replace(pdq=None, quality=None)
            if not item.hashes():
                return
        if self._opinion is not None and item.opinion is None:
            item = item._replace(opinion=self._opinion)
        self.reading.items += 1
        yield item

    def _refused(self, number: int, what: str, error: BadLineError) -> None:
        reading = self.reading
        if isinstance(error, WithdrawnError):
            reading.withdrawn += 1
            reading.purged.append(error.hash)
            return
        if isinstance(error, shared_xml.GoneError):
            reading.withdrawn += 1
            return
        if isinstance(error, OtherSignalError):
            reading.other += 1
            reading.photodna += isinstance(error, PhotoDnaError)
            return
        if self._strict:
            raise HashListError(f"{self.path}: {what} {number}: {error}")
        reading.bad += 1
        if len(reading.reasons) < SHOWN_BAD_LINES:
            reading.reasons.append((number, str(error)))


def _media_items(record: object) -> Iterator[KnownItem | BadLineError]:
    return iter((record,)) if isinstance(record, BadLineError) else vics.from_medium(record)


_TYPED = frozenset({ListFormat.VICS, ListFormat.ENCASE, ListFormat.NCMEC, ListFormat.HASHDEEP, *SQLITE_FORMATS})
"""Formats in which every hash has its kind."""
