"""Lines and rows of hash lists in text, one parser for each format.

A parser takes one line and returns an item, None where there is nothing to take (a heading, a comment, another kind of
signal), or raises :class:`BadLineError` with the reason. Nothing is evaluated, and names stay text of unknown origin.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
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
                           "hash_tmk", "hash_video_tmk", "text_tlsh", "tlsh_pdf", "vpdq", "pdq_ocr", "sha512", "sha384",
                           "sha224", "ripemd160", "mactripledes", "crc32", "ssdeep", "tlsh", "phash", "dhash",
                           "ahash", "whash"})  # fmt: skip
"""Signals that are passed over and counted: they are no hashes of pictures that are kept here."""

PHOTODNA = frozenset({"photodna", "pdna"})
"""What a hash is called that only its owner's software computes."""

UNTYPED = ("hash", "signalstr", "hashvalue", "indicator", "signalvalue", "digest", "checksum", "filehash", "hashhex",
           "hashsum", "value")  # fmt: skip
"""Columns of a hash whose kind another column, or its length, tells."""

_TYPES = ("signaltype", "algorithm", "hashtype", "hashalgorithm", "algo", "indicatortype", "type", "kind")
_NAMES = ("filename", "name", "path", "filepath", "file")
_SIZES = ("filesize", "size", "bytes", "mediasize")
_FILLERS = re.compile("hash|file|digest|value|sum|image|hex")


class BadLineError(ValueError):
    """A line that cannot be used; the message is the reason."""


class OtherSignalError(BadLineError):
    """A line that is well formed and holds something else than a hash of a picture or file."""


class PhotoDnaError(OtherSignalError):
    """A line that is well formed and holds a PhotoDNA hash and no other."""

    def __init__(self) -> None:
        super().__init__("a PhotoDNA hash")


class ListLimitError(ValueError):
    """A list whose reading ends here, because it asks for more than any real one; the message is the reason."""


class LongHash:
    """What 64 digits are whose kind nothing names, told by the bits of those in the head of a list.

    A PDQ hash has a bit for each DCT term above their median, so 128 of its 256 bits are set unless terms are equal. Of
    SHA-256 values one in twenty has that many.

    Args:
        given: What they are said to be; None if it is to be told.

    Attributes:
        kind: What they are taken for; None where that was not told yet.
        used: Whether there were any.
    """

    def __init__(self, given: HashKind | None = None) -> None:
        self.kind = given
        self.used = False
        self._seen = self._halves = 0

    def of(self, text: str) -> HashKind:
        """The kind of a hash by its length.

        Raises:
            BadLineError: It is none.
            ListLimitError: It may be PDQ or SHA-256.
        """
        text = text.strip()
        if len(text) != 64 or not _HEX.fullmatch(text):
            if (kind := _BY_LENGTH.get(len(text))) is None or len(text) == 64:
                raise BadLineError(f"not 32, 40 or 64 hexadecimal digits: {shown(text)}")
            return kind
        self.used = True
        half = int(text, 16).bit_count() == 128
        if self.kind is not None:
            return self.kind
        if half:
            raise ListLimitError(UNSURE)
        self.kind = HashKind.SHA256  # terms are equal in flat pictures, whose hashes no list should hold
        return self.kind

    def gather(self, value: str) -> None:
        """Adds one to what was gathered."""
        self._seen += 1
        self._halves += int(value, 16).bit_count() == 128

    def settle(self) -> None:
        """Says what they are, by those that were gathered.

        Raises:
            ListLimitError: Their bits do not tell.
        """
        if self.kind is not None or not self._seen:
            return
        if 3 * self._halves <= self._seen:
            self.kind = HashKind.SHA256
        elif self._halves > 1 and 3 * self._halves >= 2 * self._seen:
            self.kind = HashKind.PDQ
        else:
            raise ListLimitError(UNSURE)


UNSURE = (
    "its hashes of 64 digits may be PDQ or SHA-256, and neither a name nor their bits tell which; say it with "
    "--long-hash pdq or --long-hash sha256"
)


class Gathering(LongHash):
    """Takes every hash of 64 digits into account and calls none by its name."""

    def of(self, text: str) -> HashKind:
        """The kind of a hash by its length; 64 digits are gathered."""
        text = text.strip()
        if len(text) == 64 and _HEX.fullmatch(text):
            self.gather(text)
            return HashKind.SHA256
        return super().of(text)


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
    """The kind of hash that a signal's or an algorithm's name stands for: ``HASH_MD5``, ``SHA-256``, ``FileHash-SHA1``.

    Raises:
        OtherSignalError: It is another kind of signal.
        BadLineError: It is unknown.
    """
    plain = name.strip().lower()
    if plain in SIGNALS:
        return SIGNALS[plain]
    short = _short(column(plain))
    if (kind := _KINDS.get(short)) is not None:
        return kind
    if short in PHOTODNA:
        raise PhotoDnaError
    if plain in OTHER_SIGNALS or column(plain) in OTHER_SIGNALS or short in OTHER_SIGNALS:
        raise OtherSignalError(f"a signal of another kind: {shown(plain)}")
    raise BadLineError(f"unknown kind of signal: {shown(plain)}")


_KINDS = {"pdq": HashKind.PDQ, "md5": HashKind.MD5, "sha1": HashKind.SHA1, "sha256": HashKind.SHA256,
          "sha2256": HashKind.SHA256}  # fmt: skip


def _short(name: str) -> str:
    """The name of a column without words that say no more than that it is a hash."""
    return _FILLERS.sub("", name)


def threatexchange(line: str) -> KnownItem | None:
    """``pdq <hash>``, also separated by a tab or a comma; more fields after the hash are passed over."""
    parts = re.split(r"[\s,]+", line.strip(), maxsplit=2)
    if len(parts) < 2:
        raise BadLineError("not the name of a signal and a hash")
    kind = signal_kind(parts[0])
    return KnownItem.single(kind, hash_bytes(parts[1].strip('"'), kind))


def plain(long_hash: LongHash) -> LineParser:
    """One hash a line, its kind known by its length."""

    def parse(line: str) -> KnownItem | None:
        kind = long_hash.of(line)
        return KnownItem.single(kind, hash_bytes(line, kind))

    return parse


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
        return from_fields(dict(zip(self._columns, parts, strict=True)), LongHash())


class HeadedTable:
    """A table with a heading, its cells divided by commas, semicolons or tabs.

    Columns are known by their names; those that are not understood are passed over. Without a heading the cells of 32,
    40 or 64 digits are hashes; PDQ's own ``hash,quality,filename`` may stand without its heading too.
    """

    def __init__(self, long_hash: LongHash) -> None:
        self._columns: Sequence[str] | None = None
        self._delimiter = ","
        self._long = long_hash

    def __call__(self, line: str) -> KnownItem | None:
        """Takes one line; see the module. A quoted field does not go on in the next line."""
        if self._columns is None:
            if is_separator(line):
                return None
            self._delimiter = delimiter(line)
        try:
            cells = next(csv.reader([line], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            raise BadLineError(f"no row of a table: {error}") from error
        if self._columns is None:
            names = [column(cell) for cell in cells]
            if is_heading(names):
                self._columns = names
                return None
            self._columns = ("hash", "quality", "filename") if is_pdq_row(cells) else ()
        if not self._columns:
            return self._without_heading(cells)
        if len(cells) < min(len(self._columns), 2):
            raise BadLineError(f"{len(cells)} fields instead of {len(self._columns)}")
        return from_fields(dict(zip(self._columns, cells, strict=False)), self._long)

    def _without_heading(self, cells: Sequence[str]) -> KnownItem:
        found = [cell.strip() for cell in cells if is_hash(cell)]
        if not found:
            raise BadLineError("no hash")
        name = next((cell.strip() for cell in cells if cell.strip() and not is_hash(cell)), "")
        hashes = {(kind := self._long.of(text)).value: hash_bytes(text, kind) for text in reversed(found)}
        fields: dict[str, Any] = {**hashes, "name": name}
        return KnownItem(**fields)


def delimiter(line: str) -> str:
    """What divides the cells of a table, told by its first line."""
    outside = re.sub('"[^"]*"', "", line)
    return max(",;\t", key=outside.count)


def is_separator(line: str) -> bool:
    """Whether a line is what spreadsheets read the delimiter from (``sep=;``)."""
    return re.fullmatch(r'"?sep=."?', line.strip(), re.IGNORECASE) is not None


def is_hash(text: str) -> bool:
    """Whether a text is hexadecimal digits of a length that hashes have."""
    return len(text.strip()) in _BY_LENGTH and _HEX.fullmatch(text.strip()) is not None


def is_pdq_row(cells: Sequence[str]) -> bool:
    """Whether cells are a PDQ hash and its quality, which no other table begins with."""
    return (
        len(cells) > 1 and is_hash(cells[0]) and len(cells[0].strip()) == 64 and cells[1].strip().isdigit()
        and len(cells[1].strip()) <= 3
    )  # fmt: skip


@lru_cache(maxsize=256)
def column(name: str) -> str:
    """The name of a column without what differs between versions: ``SHA-1`` and ``sha1`` are the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def column_kind(name: str) -> HashKind | None:
    """The kind of hash that a column holds by its name, as :func:`column` gives it."""
    return _KINDS.get(_short(name))


def is_heading(columns: Sequence[str]) -> bool:
    """Whether these are names of columns, one of them of a hash."""
    return any(name in UNTYPED or column_kind(name) or _short(name) in PHOTODNA for name in columns)


def from_fields(fields: Mapping[str, str], long_hash: LongHash) -> KnownItem:
    """An item from the cells of a row by their columns, named as :func:`column` does.

    Raises:
        BadLineError: There is no hash, or a value does not fit its column.
        PhotoDnaError: The only hash is of PhotoDNA.
        ListLimitError: A hash may be PDQ or SHA-256.
    """
    hashes: dict[str, Any] = {}
    for name, text in fields.items():
        if text.strip() and (kind := column_kind(name)) is not None:
            hashes[kind.value] = hash_bytes(text, kind)
    single = first(fields, UNTYPED)
    if single and (is_hash(single) or not hashes):
        kind = _kind_of(single, fields, long_hash)
        hashes.setdefault(kind.value, hash_bytes(single, kind))
    if not hashes:
        if any(text.strip() and _short(name) in PHOTODNA for name, text in fields.items()):
            raise PhotoDnaError
        raise BadLineError("no hash")
    quality = whole(first(fields, ("quality", "pdqquality")), "quality", 100)
    category = first(fields, ("category",))
    return KnownItem(
        **hashes,
        quality=quality,
        name=first(fields, _NAMES),
        size=whole(first(fields, _SIZES), "size", 1 << 63),
        opinion=opinion(fields.get("opinion", "")),
        category=int(category) if category.isascii() and category.isdigit() and len(category) < 4 else None,
    )


def first(fields: Mapping[str, str], names: Sequence[str]) -> str:
    """The first of several fields that is not empty, or empty text."""
    return next((fields[name] for name in names if fields.get(name)), "")


def _kind_of(text: str, fields: Mapping[str, str], long_hash: LongHash) -> HashKind:
    said_by = next((name for name in _TYPES if fields.get(name)), "")
    if said_by and _short(column(fields[said_by])):
        try:
            return signal_kind(fields[said_by])
        except OtherSignalError:
            raise
        except BadLineError:
            if said_by not in ("type", "kind") or not is_hash(text):  # those may be of the file
                raise
    if len(text.strip()) == 64 and "quality" in fields:
        return HashKind.PDQ
    return long_hash.of(text)


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
