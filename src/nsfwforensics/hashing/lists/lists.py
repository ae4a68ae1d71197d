"""Reading lists of known hashes, whatever format they come in, in a stream and without trusting them.

The format is told by the content unless it is given. A line that cannot be used is counted and the first ones are
reported by number; the rest of the list is read all the same.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.lists.formats import JSON_FORMATS, ListFormat, sniff_format, sniff_long_hash
from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion
from nsfwforensics.hashing.lists.records import WithdrawnError, from_record, records
from nsfwforensics.hashing.lists.rows import (
    BadLineError,
    Hashdeep,
    LineParser,
    OtherSignalError,
    Table,
    checksums,
    plain,
    threatexchange,
)
from nsfwforensics.hashing.picture.pdq import QUALITY_USABLE

SHOWN_BAD_LINES = 20
LONGEST_LINE = 1 << 16
SNIFFED = 1 << 16


@dataclass(slots=True)
class Reading:
    """What became of a list's lines, counted while it is read.

    Attributes:
        items: Entries that were taken.
        low_quality: PDQ hashes left out because the quality that the list gives is below the limit.
        withdrawn: Records left out because they were withdrawn, with their hashes in ``purged``.
        other: Signals of another kind (text, addresses, videos).
        bad: Lines that could not be used.
        reasons: The first of these: number of the line or record, and the reason.
        purged: Hashes of the withdrawn records.
    """

    items: int = 0
    low_quality: int = 0
    withdrawn: int = 0
    other: int = 0
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
        long_hash: What 64 digits are taken for in the format ``plain``.
        reading: What became of the lines.

    Raises:
        HashListError: The file cannot be read or its format cannot be told.
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
        self.reading = Reading()
        try:
            with path.open("rb") as stream:
                head = stream.read(SNIFFED)
                stream.seek(0)
                self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise HashListError(f"{path}: cannot be read: {error.strerror}") from error
        self._encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        text = head.decode(self._encoding, "replace")
        self.form = form or sniff_format(text, path)
        self.long_hash = long_hash or sniff_long_hash(text)

    def __iter__(self) -> Iterator[KnownItem]:
        """The entries.

        Raises:
            HashListError: The file cannot be read, or with ``strict`` a line cannot be used.
        """
        try:
            with self.path.open("rb") as raw:
                stream = io.TextIOWrapper(raw, self._encoding, "surrogateescape", newline="\n")
                yield from self._json(stream) if self.form in JSON_FORMATS else self._lines(stream)
        except OSError as error:
            raise HashListError(f"{self.path}: cannot be read: {error.strerror}") from error

    def _json(self, stream: TextIO) -> Iterator[KnownItem]:
        for number, record in records(stream):
            try:
                if isinstance(record, BadLineError):
                    raise record
                item = from_record(record)
            except BadLineError as error:
                self._refused(number, "record", error)
            else:
                yield from self._taken(item)

    def _lines(self, stream: TextIO) -> Iterator[KnownItem]:
        parse = self._parser()
        number = 0
        while line := stream.readline(LONGEST_LINE):
            number += 1
            if not line.endswith("\n") and len(line) >= LONGEST_LINE:
                while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                    pass
                self._refused(number, "line", BadLineError("longer than any line of a list"))
                continue
            line = line.rstrip("\r\n")
            if not line.strip() or line.startswith("#"):
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
                return plain(self.long_hash)
            case _:
                return Table()

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
        if isinstance(error, OtherSignalError):
            reading.other += 1
            return
        if self._strict:
            raise HashListError(f"{self.path}: {what} {number}: {error}")
        reading.bad += 1
        if len(reading.reasons) < SHOWN_BAD_LINES:
            reading.reasons.append((number, str(error)))
