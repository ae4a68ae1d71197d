"""The formats of hash lists, and telling one by its content."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.lists import databases, encase
from nsfwforensics.hashing.lists.printed import CERTUTIL, LIST_HEAD, TABLE_HEAD
from nsfwforensics.hashing.lists.rows import (
    OTHER_SIGNALS,
    SIGNALS,
    column,
    column_kind,
    delimiter,
    is_hash,
    is_heading,
    is_separator,
)


class ListFormat(StrEnum):
    """Formats of hash lists.

    ``threatexchange`` has a signal's name and a hash a line; ``pdq-csv`` is ``hash,quality,filename``, ``csv`` any
    other table, ``hashkeeper`` and ``nsrl`` the tables of these names; ``stopncii``, ``threatexchange-json`` and
    ``json`` (this tool's own ``hash --format json``) are JSON records, ``vics`` is Project VIC's and CAID's JSON;
    ``plain`` is a hash a line; ``checksums`` what ``md5sum``, its kin and ``openssl dgst`` print, ``certutil`` and
    ``get-filehash`` what Windows does; ``hashdeep``, ``encase`` (binary), ``ncmec`` (XML), ``nsrl-sqlite`` (RDS 3) and
    ``autopsy`` (``.kdb``, SQLite too) are the lists of these names.
    """

    THREATEXCHANGE = "threatexchange"
    THREATEXCHANGE_JSON = "threatexchange-json"
    PDQ_CSV = "pdq-csv"
    CSV = "csv"
    STOPNCII = "stopncii"
    JSON = "json"
    VICS = "vics"
    PLAIN = "plain"
    CHECKSUMS = "checksums"
    HASHDEEP = "hashdeep"
    NSRL = "nsrl"
    NSRL_SQLITE = "nsrl-sqlite"
    AUTOPSY = "autopsy"
    HASHKEEPER = "hashkeeper"
    ENCASE = "encase"
    NCMEC = "ncmec"
    CERTUTIL = "certutil"
    GET_FILEHASH = "get-filehash"


REMARKS = ("#", "//")
"""How lines begin that are no rows; the second is what Microsoft's ``fciv`` writes."""

JSON_FORMATS = frozenset({ListFormat.STOPNCII, ListFormat.THREATEXCHANGE_JSON, ListFormat.JSON})
SQLITE_FORMATS = frozenset({ListFormat.NSRL_SQLITE, ListFormat.AUTOPSY})


_NAMED = re.compile(r"([A-Za-z0-9_]+)[\s,]")
_HEX_LINE = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_CHECKSUM = re.compile(
    r"\\?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}) [ *]?.|(?:MD5|SHA-?1|SHA2?-?256) ?\(|\(stdin\) ?=",
    re.IGNORECASE,
)
_BARE_ROW = re.compile(r'"?[0-9a-fA-F]{64}"?\s*,\s*"?\d{1,3}"?\s*(,|$)')
_VICS = re.compile(r'"(?:Media|MediaFiles|MediaID|VictimIdentified)"|ProjectVic', re.IGNORECASE)
_NCMEC = re.compile(r"hashsharing|<(?:\w+:)?fingerprints\b", re.IGNORECASE)

_BINARY = (
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet; unpack it, or export the table as CSV"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ", "compressed with xz; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"%PDF", "a PDF document; ask for the list as text"),
)

_OTHER_HASHES = (
    (r"ssdeep,\d|\d+:[A-Za-z0-9+/]{3,}:[A-Za-z0-9+/]{3,}", "a list of ssdeep hashes, which are not computed here"),
    (
        r"[A-Za-z0-9+/]{192}(?:[,;\s]|$)|(?:\d{1,3},){143}\d{1,3}\b",
        "a PhotoDNA set; PhotoDNA cannot be computed here",
    ),
    (r"[0-9a-fA-F]{128}\b", "a list of SHA-512 digests, which are not looked up here"),
    (r"[0-9a-fA-F]{96}\b", "a list of SHA-384 digests, which are not looked up here"),
    (r"T1[0-9A-Fa-f]{70}\b|[0-9A-Fa-f]{70}\b", "a list of TLSH hashes, which are not computed here"),
    (
        r"[0-9a-fA-F]{16}\b",
        "a list of hashes of 16 digits (pHash, dHash or aHash of how a picture looks); only PDQ hashes are searched",
    ),
    (r"[0-9a-fA-F]{8}\b(?![-\w])", "a list of CRC-32 values, which many files share"),
)
"""Lines of lists that are not read, and what they are."""


def sniff_binary(head: bytes, path: Path) -> ListFormat | None:
    """Tells a list that is no text by its first bytes; None for text.

    Raises:
        HashListError: It is none of the binary lists.
    """
    if head.startswith(databases.MAGIC[:-1]):
        with databases.HashDatabase(path) as database:
            return ListFormat.AUTOPSY if database.autopsy else ListFormat.NSRL_SQLITE
    if head.startswith(encase.MAGIC):
        return ListFormat.ENCASE
    for magic, words in _BINARY:
        if head.startswith(magic):
            raise HashListError(f"{path}: {words}")
    return None


def sniff_format(text: str, path: Path) -> ListFormat:
    """Tells the format of a text by the first line that is of any.

    Raises:
        HashListError: There is no such line, or the file is no text; a list of something else is named.
    """
    if "\0" in text:
        raise HashListError(f"{path}: not a list of hashes: it is no text")
    start = text.lstrip()[:1]
    if start in ("{", "["):
        return _sniff_json(text)
    if start == "<":
        if _NCMEC.search(text):
            return ListFormat.NCMEC
        raise HashListError(f"{path}: XML that is not of NCMEC's exchange; export the hashes as CSV or plain text")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(REMARKS)]
    for line in lines:
        if (found := _sniff_line(line, path)) is not None:
            return found
    for pattern, words in _OTHER_HASHES:
        if any(re.match(pattern, line) for line in lines[:100]):
            raise HashListError(f"{path}: {words}")
    raise HashListError(f"{path}: the format cannot be told from the content; name it (--format), if it is a list")


def _sniff_json(text: str) -> ListFormat:
    if '"signalType"' in text or '"hashRecords"' in text:
        return ListFormat.STOPNCII
    if '"indicator"' in text and '"type"' in text:
        return ListFormat.THREATEXCHANGE_JSON
    return ListFormat.VICS if _VICS.search(text) else ListFormat.JSON


def _sniff_line(line: str, path: Path) -> ListFormat | None:
    if line.startswith("%%%%"):
        return ListFormat.HASHDEEP
    if is_separator(line):
        return ListFormat.CSV
    cells = [cell.strip().strip('"') for cell in line.split(delimiter(line))]
    columns = [column(cell) for cell in cells]
    if "hashsetid" in columns and not {"hash", "md5"} & set(columns):
        raise HashListError(f"{path}: HashKeeper's description of a hash set; the hashes are in its .hsh file")
    if TABLE_HEAD.match(line) or LIST_HEAD.match(line):
        return ListFormat.GET_FILEHASH
    if CERTUTIL.match(line):
        return ListFormat.CERTUTIL
    if is_heading(columns) and not _HEX_LINE.search(line):
        return _sniff_heading(set(columns))
    if _BARE_ROW.match(line):
        return ListFormat.PDQ_CSV
    if _CHECKSUM.match(line):
        return ListFormat.CHECKSUMS
    if _HEX_LINE.fullmatch(line):
        return ListFormat.PLAIN
    named = _NAMED.match(line)
    if named and named[1].lower() in SIGNALS.keys() | OTHER_SIGNALS:
        return ListFormat.THREATEXCHANGE
    return ListFormat.CSV if len(cells) > 1 and any(map(is_hash, cells)) else None


def _sniff_heading(columns: set[str]) -> ListFormat:
    if {"hashsetid", "fileid"} <= columns:
        return ListFormat.HASHKEEPER
    kinds = {kind.value for name in columns if (kind := column_kind(name))}
    if {"crc32", "productcode", "packageid"} & columns and kinds:
        return ListFormat.NSRL
    if kinds - {"pdq"}:
        return ListFormat.CSV
    if {"signaltype", "quality", "pdqquality"} & columns or "pdq" in kinds:
        return ListFormat.PDQ_CSV
    return ListFormat.CSV
