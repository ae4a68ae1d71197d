"""PNG (W3C, ISO/IEC 15948): its chunks, its text with limits on inflation, where the image ends."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from nsfwforensics.formats.fields import MAX_VALUE_BYTES

MAX_CHUNKS = 50_000
MAX_KEYWORD = 1_024
"""Most bytes kept of a keyword; the standard allows 79."""

MAX_RATIO = 1_032
"""How many bytes one byte of a deflate stream can become at most (RFC 1951)."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"


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

    ``end`` is the offset just past ``IEND``, or None where there is none.
    """

    chunks: tuple[Chunk, ...]
    end: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """One textual entry of a ``tEXt``, ``zTXt`` or ``iTXt`` chunk. ``cut`` says that inflation met the limit."""

    keyword: str
    text: str
    language: str = ""
    cut: bool = False


def read_png(data: bytes) -> PngFile:
    """Walks the chunks of a PNG file up to ``IEND``. Never raises."""
    chunks: list[Chunk] = []
    position = len(SIGNATURE)
    while position + 8 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if not kind.isalpha() or len(chunks) >= MAX_CHUNKS:
            why = "is one too many" if kind.isalpha() else "is not valid"
            note = f"The PNG chunk at offset {position} {why}; nothing after it was read."
            return PngFile(tuple(chunks), None, (note,))
        body = b"" if kind in (b"IDAT", b"fdAT") else data[position + 8 : position + 8 + length]
        chunks.append(Chunk(kind.decode("ascii"), position, length, body))
        position += 12 + length
        if position > len(data):
            break
        if kind == b"IEND":
            return PngFile(tuple(chunks), position, ())
    return PngFile(tuple(chunks), None, ("The PNG data ends before its IEND chunk.",))


def inflate(data: bytes, limit: int = MAX_VALUE_BYTES) -> tuple[bytes, bool]:
    """Inflates zlib data up to a limit.

    Args:
        data: A zlib stream.
        limit: Most bytes returned.

    Returns:
        The bytes, and whether there would have been more.

    Raises:
        ValueError: The stream is no zlib stream or is damaged, or ``limit`` is not positive.
    """
    if limit <= 0:  # zlib would take 0 for "no limit"
        raise ValueError("compressed data beyond the limit for one file was not read")
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(data, limit)
    except zlib.error as error:
        raise ValueError(f"damaged compressed data: {error}") from error
    return out, bool(stream.unconsumed_tail)


def read_text(chunk: Chunk, limit: int = MAX_VALUE_BYTES) -> Text:
    """Decodes a textual chunk.

    Args:
        chunk: A ``tEXt``, ``zTXt`` or ``iTXt`` chunk.
        limit: Most bytes inflated.

    Raises:
        ValueError: The chunk is malformed or its compressed data damaged, or there is some and ``limit`` is 0.
    """
    keyword, found, rest = chunk.data.partition(b"\0")
    if not found:
        raise ValueError("a text chunk without a keyword")
    name = keyword[:MAX_KEYWORD].decode("latin-1")
    if chunk.type == "tEXt":
        return Text(name, rest[:MAX_VALUE_BYTES].decode("latin-1"), cut=len(rest) > MAX_VALUE_BYTES)
    if chunk.type == "zTXt":
        body, cut = inflate(rest[1:], limit)
        return Text(name, body.decode("latin-1"), cut=cut)
    compressed, language_and_text = rest[:1] == b"\1", rest[2:]
    language, _, remainder = language_and_text.partition(b"\0")
    _translated, _, body = remainder.partition(b"\0")
    body, cut = inflate(body, limit) if compressed else (body[:MAX_VALUE_BYTES], len(body) > MAX_VALUE_BYTES)
    return Text(name, body.decode("utf-8", "replace"), language[:MAX_KEYWORD].decode("latin-1"), cut)


def is_compressed(chunk: Chunk) -> bool:
    """Whether reading a chunk's contents means inflating them."""
    if chunk.type != "iTXt":
        return chunk.type in ("zTXt", "iCCP")
    keyword_end = chunk.data.find(b"\0", 0, MAX_KEYWORD + 1)
    return keyword_end < 0 or chunk.data[keyword_end + 1 : keyword_end + 2] == b"\1"


def raw_profile(text: str) -> bytes | None:
    """Decodes the hexadecimal body of ImageMagick's ``Raw profile type`` text, or None where it is none.

    The text is a line with the profile's name, a line with its length, then hexadecimal lines.
    """
    parts = text.split(None, 2)
    if len(parts) < 3 or not parts[1].isdecimal():
        return None
    try:
        return bytes.fromhex("".join(parts[2].split()))
    except ValueError:
        return None
