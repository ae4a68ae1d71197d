"""Reading lists of known hashes, whatever format they come in, in a stream and without trusting them.

The format is told by the content unless it is given. A line that cannot be used is counted and the first ones are
reported by number; the rest of the list is read all the same.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.items import HashKind, KnownItem, Opinion
from nsfwforensics.hashing.list_records import WithdrawnError, from_record, records
from nsfwforensics.hashing.list_rows import (
    OTHER_SIGNALS,
    SIGNALS,
    BadLineError,
    Hashdeep,
    LineParser,
    OtherSignalError,
    Table,
    checksums,
    column,
    is_heading,
    plain,
    threatexchange,
)
from nsfwforensics.hashing.pdq import QUALITY_USABLE

SHOWN_BAD_LINES = 20
LONGEST_LINE = 1 << 16
SNIFFED = 1 << 16


class ListFormat(StrEnum):
    """Formats of hash lists.

    ``threatexchange`` has a signal's name and a hash a line; ``pdq-csv`` is ``hash,quality,filename``; ``stopncii``,
    ``threatexchange-json`` and ``json`` (this tool's own ``hash --format json``) are JSON records; ``plain`` is a hash
    a line; ``checksums`` what ``md5sum`` and its kin print; ``hashdeep`` and ``nsrl`` the lists of these names.
    """

    THREATEXCHANGE = "threatexchange"
    THREATEXCHANGE_JSON = "threatexchange-json"
    PDQ_CSV = "pdq-csv"
    STOPNCII = "stopncii"
    JSON = "json"
    PLAIN = "plain"
    CHECKSUMS = "checksums"
    HASHDEEP = "hashdeep"
    NSRL = "nsrl"


JSON_FORMATS = frozenset({ListFormat.STOPNCII, ListFormat.THREATEXCHANGE_JSON, ListFormat.JSON})


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
        self.form = form or _sniff(text, path)
        self.long_hash = long_hash or _long_hash(text)

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


_NAMED = re.compile(r"([A-Za-z0-9_]+)[\s,]")
_HEX_LINE = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_CHECKSUM = re.compile(r"\\?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}) [ *].|(?:MD5|SHA1|SHA256) \(")
_BARE_ROW = re.compile(r'"?[0-9a-fA-F]{64}"?\s*,\s*"?\d{1,3}"?\s*(,|$)')


def _sniff(text: str, path: Path) -> ListFormat:
    """Tells the format by the first line that is of any.

    Raises:
        HashListError: There is no such line, or the file is no text.
    """
    if text.startswith("SQLite format 3"):
        raise HashListError(f"{path}: an SQLite database; export the table of hashes as CSV first")
    if "\0" in text:
        raise HashListError(f"{path}: not a list of hashes: it is no text")
    if text.lstrip()[:1] in ("{", "["):
        return _sniff_json(text)
    lines = (line.strip() for line in text.splitlines())
    for line in (line for line in lines if line and not line.startswith("#")):
        if (found := _sniff_line(line)) is not None:
            return found
    raise HashListError(f"{path}: the format cannot be told from the content; name it (--format), if it is a list")


def _sniff_json(text: str) -> ListFormat:
    if '"signalType"' in text or '"hashRecords"' in text:
        return ListFormat.STOPNCII
    return ListFormat.THREATEXCHANGE_JSON if '"indicator"' in text else ListFormat.JSON


def _sniff_line(line: str) -> ListFormat | None:
    columns = [column(cell) for cell in line.split(",")]
    if line.startswith("%%%%"):
        return ListFormat.HASHDEEP
    if is_heading(columns) and not _HEX_LINE.search(line):
        return ListFormat.NSRL if {"md5", "sha1", "sha256"} & set(columns) else ListFormat.PDQ_CSV
    if _BARE_ROW.match(line):
        return ListFormat.PDQ_CSV
    if _CHECKSUM.match(line):
        return ListFormat.CHECKSUMS
    if _HEX_LINE.fullmatch(line):
        return ListFormat.PLAIN
    named = _NAMED.match(line)
    if named and named[1].lower() in SIGNALS.keys() | OTHER_SIGNALS:
        return ListFormat.THREATEXCHANGE
    return None


def _long_hash(text: str) -> HashKind:
    """What the 64 digits in a text are most likely.

    A PDQ hash has a bit for each DCT term above their median, so 128 of its 256 bits are set unless terms are equal. Of
    SHA-256 values one in twenty has that many.
    """
    values = [int(line, 16) for line in text.split() if len(line) == 64 and _HEX_LINE.fullmatch(line)]
    halves = sum(value.bit_count() == 128 for value in values)
    return HashKind.PDQ if values and 2 * halves > len(values) else HashKind.SHA256
