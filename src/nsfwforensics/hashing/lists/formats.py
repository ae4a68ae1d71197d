"""The formats of hash lists, and telling one by its content."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.lists.items import HashKind
from nsfwforensics.hashing.lists.rows import OTHER_SIGNALS, SIGNALS, column, is_heading


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


_NAMED = re.compile(r"([A-Za-z0-9_]+)[\s,]")
_HEX_LINE = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_CHECKSUM = re.compile(r"\\?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}) [ *].|(?:MD5|SHA1|SHA256) \(")
_BARE_ROW = re.compile(r'"?[0-9a-fA-F]{64}"?\s*,\s*"?\d{1,3}"?\s*(,|$)')


def sniff_format(text: str, path: Path) -> ListFormat:
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


def sniff_long_hash(text: str) -> HashKind:
    """What the 64 digits in a text are most likely.

    A PDQ hash has a bit for each DCT term above their median, so 128 of its 256 bits are set unless terms are equal. Of
    SHA-256 values one in twenty has that many.
    """
    values = [int(line, 16) for line in text.split() if len(line) == 64 and _HEX_LINE.fullmatch(line)]
    halves = sum(value.bit_count() == 128 for value in values)
    return HashKind.PDQ if values and 2 * halves > len(values) else HashKind.SHA256
