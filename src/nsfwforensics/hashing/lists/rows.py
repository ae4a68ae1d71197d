"""Lines and rows of hash lists in text, one parser for each format.

A parser takes one line and returns an item, None where there is nothing to take (a heading, a comment, another kind of
signal), or raises :class:`BadLineError` with the reason. Nothing is evaluated, and names stay text of unknown origin.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nsfwforensics.hashing.lists.items import HashKind, KnownItem, Opinion

LineParser = Callable[[str], KnownItem | None]

_HEX = re.compile(r"[0-9a-fA-F]+")
_BY_LENGTH = {32: HashKind.MD5, 40: HashKind.SHA1, 64: HashKind.SHA256}
_SHOWN = 40

SIGNALS: Mapping[str, HashKind] = {
    "pdq": HashKind.PDQ,
    "hash_pdq": HashKind.PDQ,
    "imagepdq": HashKind.PDQ,
    "md5": HashKind.MD5,
    "hash_md5": HashKind.MD5,
    "video_md5": HashKind.MD5,
    "hash_video_md5": HashKind.MD5,
    "videomd5": HashKind.MD5,
    "sha1": HashKind.SHA1,
    "hash_sha1": HashKind.SHA1,
    "sha256": HashKind.SHA256,
    "hash_sha256": HashKind.SHA256,
}
"""Names of signals in ThreatExchange and StopNCII, in lower case, that are hashes kept here."""

OTHER_SIGNALS = frozenset({"url", "raw_text", "trend_query", "text", "videotmk", "video_tmk", "video_tmk_pdqf",
                           "hash_tmk", "hash_video_tmk", "text_tlsh", "tlsh_pdf", "vpdq", "pdq_ocr"})  # fmt: skip
"""Signals that are passed over and counted: they are no hashes of pictures."""


class BadLineError(ValueError):
    """A line that cannot be used; the message is the reason."""


class OtherSignalError(BadLineError):
    """A line that is well formed and holds something else than a hash of a picture or file."""


def hash_bytes(text: str, kind: HashKind) -> bytes:
    """A hash from its hexadecimal digits.

    Raises:
        BadLineError: It has another length, or other characters.
    """
    text = text.strip()
    if len(text) != 2 * kind.size or not _HEX.fullmatch(text):
        raise BadLineError(f"not {2 * kind.size} hexadecimal digits ({kind}): {shown(text)}")
    return bytes.fromhex(text)


def shown(text: str) -> str:
    """The start of a text from a list, fit to be put into a message."""
    return ascii(text[:_SHOWN])


def signal_kind(name: str) -> HashKind:
    """The kind of hash that a signal's name stands for.

    Raises:
        OtherSignalError: It is another kind of signal.
        BadLineError: It is unknown.
    """
    plain = name.strip().lower()
    if plain in SIGNALS:
        return SIGNALS[plain]
    if plain in OTHER_SIGNALS:
        raise OtherSignalError(f"a signal of another kind: {shown(plain)}")
    raise BadLineError(f"unknown kind of signal: {shown(plain)}")


def threatexchange(line: str) -> KnownItem | None:
    """``pdq <hash>``, also separated by a tab or a comma; more fields after the hash are passed over."""
    parts = re.split(r"[\s,]+", line.strip(), maxsplit=2)
    if len(parts) < 2:
        raise BadLineError("not the name of a signal and a hash")
    kind = signal_kind(parts[0])
    return KnownItem.single(kind, hash_bytes(parts[1].strip('"'), kind))


def plain(long_hash: HashKind) -> LineParser:
    """One hash a line, its kind known by its length; 64 digits are what is said here."""

    def parse(line: str) -> KnownItem | None:
        text = line.strip()
        kind = long_hash if len(text) == 64 else _BY_LENGTH.get(len(text))
        if kind is None:
            raise BadLineError(f"not 32, 40 or 64 hexadecimal digits: {shown(text)}")
        return KnownItem.single(kind, hash_bytes(text, kind))

    return parse


_CHECKSUM = re.compile(r"(\\?)([0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}) [ *](.+)", re.DOTALL)
_TAGGED = re.compile(r"(MD5|SHA1|SHA256) \((.+)\) = ([0-9a-fA-F]+)", re.DOTALL)
_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def checksums(line: str) -> KnownItem | None:
    """The output of ``md5sum``, ``sha1sum`` and ``sha256sum``, plain or with ``--tag``, names escaped as they do."""
    if match := _TAGGED.fullmatch(line):
        kind = HashKind(match[1].lower())
        return KnownItem.single(kind, hash_bytes(match[3], kind), name=match[2])
    match = _CHECKSUM.fullmatch(line)
    if match is None:
        raise BadLineError(f"not a digest, two characters and a name: {shown(line)}")
    kind = _BY_LENGTH[len(match[2])]
    name = re.sub(r"\\[\\nr]", lambda found: _ESCAPES[found[0]], match[3]) if match[1] else match[3]
    return KnownItem.single(kind, hash_bytes(match[2], kind), name=name)


class Hashdeep:
    """``size,md5,sha256,filename`` after a heading that names the columns; names are last and unquoted."""

    def __init__(self) -> None:
        self._columns: Sequence[str] = ()

    def __call__(self, line: str) -> KnownItem | None:
        """Takes one line; see the module."""
        if line.startswith("%%%%"):
            columns = [name.strip().lower() for name in line[4:].split(",")]
            if "filename" in columns:
                self._columns = columns
            return None
        if not self._columns:
            raise BadLineError("no heading with the columns before it")
        parts = line.split(",", len(self._columns) - 1)
        if len(parts) < len(self._columns):
            raise BadLineError(f"{len(parts)} fields instead of {len(self._columns)}")
        return _from_fields(dict(zip(self._columns, parts, strict=True)), "hash")


class Table:
    """CSV with a heading: PDQ's own ``hash,quality,filename``, the NSRL's, ThreatExchange's.

    Columns are known by their names; those that are not understood are passed over. Without a heading the columns are
    hash, quality and filename.
    """

    def __init__(self) -> None:
        self._columns: Sequence[str] | None = None

    def __call__(self, line: str) -> KnownItem | None:
        """Takes one line; see the module. A quoted field does not go on in the next line."""
        try:
            cells = next(csv.reader([line], strict=True))
        except csv.Error as error:
            raise BadLineError(f"no row of a table: {error}") from error
        if self._columns is None:
            names = [column(cell) for cell in cells]
            if is_heading(names):
                self._columns = names
                return None
            self._columns = ("hash", "quality", "filename")
        if len(cells) < min(len(self._columns), 2):
            raise BadLineError(f"{len(cells)} fields instead of {len(self._columns)}")
        return _from_fields(dict(zip(self._columns, cells, strict=False)), "hash")


def column(name: str) -> str:
    """The name of a column without what differs between versions: ``SHA-1`` and ``sha1`` are the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def is_heading(columns: Sequence[str]) -> bool:
    """Whether these are names of columns, one of them of a hash."""
    return bool({"hash", "pdq", "md5", "sha1", "sha256", "signalstr", "hashvalue", "indicator"} & set(columns))


def _from_fields(fields: Mapping[str, str], pdq_column: str) -> KnownItem:
    """An item from the cells of a row by their columns.

    Raises:
        BadLineError: There is no hash, or a value does not fit its column.
    """
    hashes: dict[str, Any] = {}
    for kind in HashKind:
        if text := fields.get(kind.value, "").strip():
            hashes[kind.value] = hash_bytes(text, kind)
    signal = fields.get("signaltype") or fields.get("type")
    single = next(
        (fields[name] for name in (pdq_column, "signalstr", "hashvalue", "indicator") if fields.get(name)), ""
    )
    if single:
        kind = signal_kind(signal) if signal else HashKind.PDQ
        hashes[kind.value] = hash_bytes(single, kind)
    if not hashes:
        raise BadLineError("no hash")
    quality = whole(fields.get("quality", "") or fields.get("pdqquality", ""), "quality", 100)
    size = whole(fields.get("filesize", "") or fields.get("size", ""), "size", 1 << 63)
    name = fields.get("filename", "")
    return KnownItem(**hashes, quality=quality, name=name, size=size, opinion=opinion(fields.get("opinion", "")))


def whole(text: str, what: str, largest: int) -> int | None:
    """A whole number from 0 on, or None for empty text.

    Raises:
        BadLineError: It is none, or too large.
    """
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= largest):
        raise BadLineError(f"not a {what}: {shown(text)}")
    return int(text)


def opinion(text: str) -> Opinion | None:
    """An opinion by its name, or None for empty text.

    Raises:
        BadLineError: It is none.
    """
    plain_text = text.strip().upper().removesuffix("_CLASS")
    if not plain_text:
        return None
    try:
        return Opinion(plain_text)
    except ValueError as error:
        raise BadLineError(f"not an opinion: {shown(plain_text)}") from error
