"""Whether text spells the bytes of a picture, as XMP, EXIF and PNG text may.

The spellings that are undone: Base64 (both alphabets), Base32, Base85, uuencode, hexadecimal, decimal, octal and
binary numbers, percent-encoding, quoted-printable, entities and backslash escapes, bytes taken for letters, and
compression; with line breaks, other marks or words before and between, and several of them one around the other.
Only how the bytes begin is looked at: nothing here decodes a picture.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import html
import lzma
import quopri
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import unquote_to_bytes

LEAST = 20
"""Fewer bytes are no picture: the smallest GIF has 26."""

LEAST_LETTERS = 33
"""Fewer letters, digits and marks than these spell fewer bytes than that, in whatever way."""

MOST_LAYERS = 5
"""How many codings one around the other are undone."""

MOST_WORK = 50
"""Most bytes that are looked at for each byte of a text, and for a million more; one that asks for more counts as a
picture."""

MOST_INFLATED = 256_000
_MOST_PACKED = 8

_BEGINS = re.compile(
    rb"\xff\xd8\xff[\xc0-\xfe]|\x89PNG\r\n|GIF8[79]a(?=.{0,6}[\x00-\x08\x80-\xff])|RIFF.{4}WEBP|II[*+]\x00|MM\x00[*+]"
    rb"|BM.{4}\x00{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00{3}|\x00\x00[\x00-\x0f].ftyp|\x00{3}\x0c(?:JXL |jP  )"
    rb"|\xff\x4f\xff\x51|8BPS\x00|qoif\x00|P[1-7]\n(?:#[^\n]*\n)*\d+ \d+\n|<svg[\s>]|/\* XPM \*/"
    rb"|#define\s+\w*width\s+\d",
    re.DOTALL,
)
"""How picture files begin, and EXIF blocks, which hold small ones: what may stand anywhere in the bytes."""

_BEGINS_AT_ONCE = re.compile(
    rb"P[1-7]\s+(?:#[^\n]*\n\s*)?\d+\s+\d+\s|\xff\x0a[\x00-\x1f\x80-\xff].{61}|\x00\x00[\x01\x02]\x00[\x01-\x20]\x00",
    re.DOTALL,
)
"""Netpbm, JPEG XL without a container, icons: too short to be looked for but at the beginning.

A digest must not be taken for JPEG XL, which is told by two bytes: so there must be more of them than a digest has.
"""

_MARKS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"WEBP", b"II*", b"II+", b"MM\0", b"BM", b"ftyp", b"JXL ", b"jP  ",
          b"\xff\x4f\xff", b"8BPS", b"qoif", b"<svg", b"XPM", b"#define",
          *(b"P%d\n" % number for number in range(1, 8)))  # fmt: skip
_PACKED_MARKS = (b"\x1f\x8b\x08", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"BZh", b"\xfd7zXZ")
"""Part of each of the above: looking for these first takes a tenth of the time."""

_PACKED = re.compile(rb"\x1f\x8b\x08|x[\x01\x5e\x9c\xda]|BZh[1-9]1AY&SY|\xfd7zXZ\x00")
_PRINTABLE = bytes(range(32, 127)) + b"\t\n\r"
_CUT = re.compile(r"…[^…]*\Z")
_PLAIN_WORD = re.compile(rb"(?<![A-Za-z0-9+/])(?:[A-Z]?[a-z]{1,39}|[A-Z]{2,39})(?![A-Za-z0-9+/])")
_WHITE = b" \t\r\n\f\v"
_NOT_64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PADDED = re.compile(rb"[A-Za-z0-9+/_-]+")
_HEX_MARKS = re.compile(rb"0[xX]|\\[xX]|[^0-9A-Fa-f]+")
_NUMBER = re.compile(rb"-?\d{1,3}")
_BITS = re.compile(rb"(?<!\d)[01]{8,}(?!\d)")
_BASE32 = re.compile(rb"[A-Z2-7]{16,}|[a-z2-7]{16,}")
_ASCII85 = re.compile(rb"[!-uz]{33,}")
_BASE85 = re.compile(rb"[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{33,}")
_LONG_WORD = re.compile(rb"[!-~]{40,}")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_QUOTED = re.compile(rb"=(?:[0-9A-Fa-f]{2}|\r?\n)")
_ENTITY = re.compile(rb"&[#\w]+;")
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([0-7]{3})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_MOST_WORDS = 12
_MOST_BEFORE = 30
_PROBED, _MOST_85 = 100, 20_000


def begins_picture(data: bytes) -> bool:
    """Whether a picture file of a known format begins in the bytes, or right at their start."""
    for mark in _MARKS:
        if mark in data:
            return _BEGINS.search(data) is not None or _BEGINS_AT_ONCE.match(data) is not None
    return _BEGINS_AT_ONCE.match(data) is not None


def are_bytes(values: Sequence[Any]) -> bool:
    """Whether values are numbers that may be bytes, enough of them for a picture."""
    return len(values) >= LEAST and all(type(value) is int and -128 <= value <= 255 for value in values)


def spells_picture(text: str) -> bool:
    """Whether a picture file begins in the bytes that a text spells, in any of the ways named above.

    Args:
        text: Any text; a remark after its end that says how long it was before it was cut is passed over.
    """
    if len(text) < LEAST_LETTERS and text.isascii() and text.isprintable():
        return False
    return _spells_again(text) if len(text) <= _MOST_KEPT else _spells(text)


def _spells(text: str) -> bool:
    text = _CUT.sub("", text)
    if not (text.isascii() and text.isprintable()):  # bytes that were taken for letters
        letters = (text.encode(code, "ignore") for code in ("latin-1", "cp1252", "utf-16-le", "utf-16-be"))
        if any(map(begins_picture, letters)):
            return True
    return _Work(MOST_WORK * (len(text) + 1_000_000)).finds(_narrow(text), MOST_LAYERS)


def _narrow(text: str) -> bytes:
    """Text in ASCII: letters of other widths as plain ones, and none of other alphabets."""
    return unicodedata.normalize("NFKC", text).encode("ascii", "ignore")


_MOST_KEPT = 400
_spells_again = lru_cache(maxsize=2048)(_spells)  # titles, caveats and templates are the same in every file's report


class _Work:
    """Undoes layers, and counts the bytes it has looked at."""

    def __init__(self, most: int) -> None:
        self._left = most

    def finds(self, data: bytes, layers: int) -> bool:
        self._left -= len(data)
        if self._left < 0 or begins_picture(data):
            return True
        if layers == 0 or len(data) < LEAST:
            return False
        if any(self.finds(inner, layers - 1) for inner in _unpacked(data)):
            return True
        return _is_text(data) and any(
            self.finds(inner, layers - 1) for inner in _undone(data, inner=layers < MOST_LAYERS)
        )


def _is_text(data: bytes) -> bool:
    head = data[:4096]
    return len(head.translate(None, _PRINTABLE)) * 4 < len(head)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What compressed parts of the bytes hold, as far as it takes to know how it begins."""
    if not _PACKED.search(data):
        return
    for found in islice(_PACKED.finditer(data), _MOST_PACKED):
        rest = data[found.start() :]
        with suppress(zlib.error, OSError, EOFError, lzma.LZMAError, ValueError):
            if rest[:1] in (b"\x1f", b"x"):
                yield zlib.decompressobj(47).decompress(rest, MOST_INFLATED)  # 47: gzip or zlib, told by the header
            elif rest[:1] == b"B":
                yield bz2.BZ2Decompressor().decompress(rest, MOST_INFLATED)
            else:
                yield lzma.LZMADecompressor().decompress(rest, MOST_INFLATED)


def is_language(text: str) -> bool:
    """Whether text is made of words, and of little else that could be letters of a coding."""
    data = _narrow(text)
    return 4 * _beside_words(data) < len(data.translate(None, _NOT_64))


def _beside_words(data: bytes) -> int:
    """How many letters and digits stand outside of plain words."""
    return len(_PLAIN_WORD.sub(b"", data).translate(None, _NOT_64))


def _undone(data: bytes, *, inner: bool) -> Iterator[bytes]:
    """What a text becomes when one layer of each kind is undone; what it cannot be is garbage or nothing."""
    yield from _escapes(data)
    if _beside_words(data) < LEAST_LETTERS:
        return
    yield from _base64(data)
    yield from _numbers(data)
    yield from _base32(data)
    yield from _base85(data, inner=inner)
    yield from _uuencoded(data)


def _escapes(data: bytes) -> Iterator[bytes]:
    if _PERCENT.search(data):
        yield unquote_to_bytes(data)
    if _QUOTED.search(data):
        yield quopri.decodestring(data)
    if _ENTITY.search(data):
        yield html.unescape(data.decode("latin-1")).encode("latin-1", "ignore")
    if b"\\" in data:
        yield _ESCAPE.sub(_escaped, data)


def _escaped(found: re.Match[bytes]) -> bytes:
    for digits, base in ((found[1] or found[2], 16), (found[3], 8)):
        if digits:
            code = int(digits, base)
            return bytes([code]) if code < 256 else _narrow(chr(code))
    return _LETTERS.get(found[4], found[4])


def _starts(letters: bytes, group: int, decode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Decodes whole groups of letters from every place where the first may begin, since words may stand before it."""
    for start in range(group):
        chunk = letters[start : len(letters) - (len(letters) - start) % group]
        yield (b" " if start else b"") + decode(chunk)  # a blank, so that what begins in a group does not begin at once


def _base64(data: bytes) -> Iterator[bytes]:
    forms = {data.translate(_URL_SAFE), data} if b"-" in data or b"_" in data else {data}
    for form in forms:  # the two marks are letters of one alphabet, and may as well stand between letters of the other
        yield from _starts(form.translate(None, _NOT_64), 4, binascii.a2b_base64)
    if b"=" in data or b"\n" in data:  # pieces that were encoded each by itself
        yield b"".join(map(_piece, _PADDED.findall(data)))


def _piece(letters: bytes) -> bytes:
    rest = len(letters) % 4
    return b"" if rest == 1 else binascii.a2b_base64(letters.translate(_URL_SAFE) + b"=" * (-rest % 4))


def _numbers(data: bytes) -> Iterator[bytes]:
    """Hexadecimal whatever stands between its digits; decimal, octal and binary numbers of one byte each."""
    digits = _HEX_MARKS.sub(b"", data)
    if len(digits) >= 2 * LEAST:
        yield from _starts(digits, 2, binascii.unhexlify)
    found = _NUMBER.findall(data)
    if len(found) >= LEAST:
        yield bytes(int(number) & 255 for number in found)
        yield bytes(int(number, 8) & 255 for number in found if not number.translate(None, b"01234567"))
    bits = b"".join(_BITS.findall(data))
    if len(bits) >= 8 * LEAST:
        yield int(bits[: len(bits) // 8 * 8], 2).to_bytes(len(bits) // 8, "big")


def _base32(data: bytes) -> Iterator[bytes]:
    bare = data.translate(None, _WHITE + b"=")
    whole = bare.isupper() and not bare.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    letters = bare if whole else b"".join(_BASE32.findall(data)).upper()
    if len(letters) >= LEAST:
        yield from _starts(letters, 8, base64.b32decode)


def _base85(data: bytes, *, inner: bool) -> Iterator[bytes]:
    """Ascii85 and Base85, from the start of the text and from each of the first marks in it that open a value.

    Where another coding was undone, what words before it became stands first, without any such mark.
    """
    if not _LONG_WORD.search(data):
        return
    bare = data.translate(None, _WHITE)
    opened = (found.end() for found in re.finditer(rb"[\"':=>,]|<~", bare))
    for start in (*range(_MOST_BEFORE if inner else 1), *islice(opened, _MOST_WORDS)):
        for alphabet, decode in ((_ASCII85, base64.a85decode), (_BASE85, base64.b85decode)):
            found = alphabet.match(bare, start)
            if found is None:
                continue
            probe = _decoded85(decode, found[0][:_PROBED])
            if _is_text(probe) or any(mark in probe for mark in (*_MARKS, *_PACKED_MARKS)):
                yield probe
                yield _decoded85(decode, found[0])


def _decoded85(decode: Callable[[bytes], bytes], letters: bytes) -> bytes:
    """As much as can be decoded: what stands behind the data spoils the group that it falls into."""
    whole = len(letters) // 5 * 5
    for end in (len(letters), whole, whole - 5, _MOST_85):
        with suppress(ValueError):
            return decode(letters[:end])
    return b""


def _uuencoded(data: bytes) -> Iterator[bytes]:
    lines = data.splitlines()
    if len(lines) < 2:
        return
    found = []
    for line in lines:
        with suppress(binascii.Error):
            found.append(binascii.a2b_uu(line))
    yield b"".join(found)
