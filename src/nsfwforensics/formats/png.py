"""PNG (W3C, ISO/IEC 15948): its chunks, its text with limits on inflation, where the image ends."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nsfwforensics.formats.deflate import Inflated, inflate
from nsfwforensics.formats.fields import MAX_VALUE_BYTES
from nsfwforensics.formats.parts import Walk, past_copies

MAX_KEYWORD = 1_024
"""Most bytes kept of a keyword; the standard allows 79."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = "xml:com.adobe.xmp"
PROFILE_KEYWORD = "raw profile type "
"""How ImageMagick's keyword for a block of another standard begins; both are compared in lower case."""

_PIXELS = frozenset({b"IDAT", b"fdAT"})
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_READ = _TEXTS | {b"IHDR", b"IEND", b"PLTE", b"eXIf", b"caBX", b"iCCP", b"tIME", b"acTL", b"fcTL"}
_PROFILE = re.compile(rb"(xml:com\.adobe\.xmp|raw profile type (?:exif|app1|xmp|iptc|8bim|icc|icm))\0", re.IGNORECASE)
_NO_DIGIT = re.compile(r"[^0-9A-Fa-f]+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk. ``offset`` is where its length field stands; ``data`` is without length, type and checksum."""

    type: str
    offset: int
    length: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PngFile:
    """The chunks of one PNG; pixel data (``IDAT``, ``fdAT``) keeps offset and length, its ``data`` is empty.

    Attributes:
        chunks: In the order of the file.
        end: Offset just past ``IEND``; None where there is none.
        notes: What was wrong with the structure.
        limits: Which limits were reached; chunks that were not kept for them are not among ``chunks``.
    """

    chunks: tuple[Chunk, ...]
    end: int | None
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """One textual entry of a ``tEXt``, ``zTXt`` or ``iTXt`` chunk.

    Attributes:
        keyword: What the text is.
        data: The text as stored, inflated.
        text: The same decoded: UTF-8 in ``iTXt``, else Latin-1.
        language: Language tag of ``iTXt``, else empty.
        cut: Whether it was longer than the limit.
        fault: What is wrong with it, else empty.
    """

    keyword: str
    data: bytes
    text: str
    language: str = ""
    cut: bool = False
    fault: str = ""


def read_png(data: bytes) -> PngFile:
    """Walks the chunks of a PNG file up to ``IEND``, by the rules of :mod:`nsfwforensics.formats.parts`. Never raises.

    Pixel data finds a place like everything else, but what of it finds none is no limit: it says nothing.
    """
    chunks: list[Chunk] = []
    walk, pixels = Walk("The PNG file"), Walk("The PNG file's pixel data")
    position, end = len(SIGNATURE), None
    while walk.step():
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        after = position + 12 + length
        if position + 8 > len(data):
            walk.fault("The PNG data ends before its IEND chunk")
            break
        if not kind.isalpha():
            walk.fault("The PNG chunk is not valid, and nothing after it was read,", position)
            break
        if kind in _PIXELS:
            if pixels.take("pixels"):
                chunks.append(Chunk(kind.decode("ascii"), position, length, b""))
            position = after
            continue
        body = data[position + 8 : position + 8 + length]
        if walk.take(_kind(kind, body)):
            chunks.append(Chunk(kind.decode("ascii"), position, length, body))
        if after > len(data):
            walk.fault("The file ends inside a PNG chunk", position)
            break
        if kind == b"IEND":
            end = after
            break
        position = past_copies(data, position, after)
    return PngFile(tuple(chunks), end, walk.notes, walk.limits)


def _kind(kind: bytes, body: bytes) -> str:
    """What a chunk is counted as: its type where that is read, text that holds a profile apart from other text."""
    if kind in _TEXTS and (profile := _PROFILE.match(body)):
        return profile[1].decode("ascii").lower()
    return kind.decode("ascii") if kind in _READ else "other"


def read_text(chunk: Chunk, limit: int = MAX_VALUE_BYTES) -> Text:
    """Decodes a textual chunk; an ``iTXt`` whose inner fields are not all there is taken for what is left of it.

    Args:
        chunk: A ``tEXt``, ``zTXt`` or ``iTXt`` chunk.
        limit: Most bytes inflated.

    Raises:
        ValueError: The chunk has no keyword or nothing comes out of its compressed data, or there is some and
            ``limit`` is 0.
    """
    keyword, found, rest = chunk.data.partition(b"\0")
    if not found:
        raise ValueError("a text chunk without a keyword")
    name, language, encoding = keyword[:MAX_KEYWORD].decode("latin-1"), b"", "latin-1"
    compressed = chunk.type == "zTXt"
    rest = rest[1:] if compressed else rest
    fault = ""
    if chunk.type == "iTXt":
        compressed, encoding = rest[:1] == b"\1", "utf-8"
        language, _, remainder = rest[2:].partition(b"\0")
        _translated, found, rest = remainder.partition(b"\0")
        if not found:
            rest, fault = remainder or language, "the text chunk lacks some of its fields"
    body = inflate(rest, limit) if compressed else Inflated(rest[:MAX_VALUE_BYTES], len(rest) > MAX_VALUE_BYTES)
    text = body.data.decode(encoding, "replace")
    return Text(name, body.data, text, language[:MAX_KEYWORD].decode("latin-1"), body.cut, fault or body.fault)


def is_profile(chunk: Chunk) -> bool:
    """Whether a textual chunk holds a block of another standard: XMP, or one of ImageMagick's profiles."""
    return _PROFILE.match(chunk.data) is not None


def is_compressed(chunk: Chunk) -> bool:
    """Whether reading a chunk's contents means inflating them."""
    if chunk.type != "iTXt":
        return chunk.type in ("zTXt", "iCCP")
    keyword_end = chunk.data.find(b"\0", 0, MAX_KEYWORD + 1)
    return keyword_end < 0 or chunk.data[keyword_end + 1 : keyword_end + 2] == b"\1"


def raw_profile(text: str) -> tuple[bytes, str] | None:
    """Decodes the hexadecimal body of ImageMagick's ``Raw profile type`` text.

    The text is a line with the profile's name, a line with its length, then hexadecimal lines.

    Returns:
        The bytes and what is wrong with them, which is mostly nothing; None where it is no such text.
    """
    parts = text.split(None, 2)
    digits = _NO_DIGIT.sub("", parts[2]) if len(parts) > 2 else ""
    if len(digits) < 2 or not parts[1].isdecimal():
        return None
    data = bytes.fromhex(digits[: len(digits) & ~1])
    announced = parts[1][:20].lstrip("0")
    return data, "" if announced == str(len(data)) else f"it announces {announced} bytes and holds {len(data):,}"
