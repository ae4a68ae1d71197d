"""Files made to cost far more than they weigh: bombs, parts that overlap, names that multiply."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import numpy as np

from tests.formats import make

MEBIBYTE = 1024 * 1024


@cache
def endless(mebibytes: int, wbits: int = zlib.MAX_WBITS) -> bytes:
    """A zlib (or with ``wbits`` 31 a gzip) stream that inflates to so many MiB of zeros, made in no time.

    After a full flush a compressor remembers nothing, so that the same bytes can be repeated. The checksum at the end,
    which only a reader without limits would reach, is wrong.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    head = packer.compress(b"\0" * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    part = packer.compress(b"\0" * MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + part * (mebibytes - 1) + packer.flush()


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xd9"


def png(*chunks: bytes) -> bytes:
    header = make.chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + make.chunk(b"IEND", b"")


def directory(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


def tiff(entries: list[tuple[int, int, int, int]], tail: bytes = b"") -> bytes:
    return b"II*\0\x08\0\0\0" + directory(entries) + tail


def overlapping_items(number: int, size: int) -> bytes:
    """A HEIF file whose every metadata item claims the same large stretch."""
    infos = b"".join(
        make.box(b"infe", b"\2\0\0\0" + index.to_bytes(2, "big") + b"\0\0mime\0application/rdf+xml\0")
        for index in range(number)
    )
    places = b"".join(
        index.to_bytes(2, "big") + b"\0\0" + b"\0\1" + (0).to_bytes(4, "big") + size.to_bytes(4, "big")
        for index in range(number)
    )
    info = make.box(b"iinf", b"\0\0\0\0" + number.to_bytes(2, "big") + infos)
    where = make.box(b"iloc", b"\0\0\0\0\x44\0" + number.to_bytes(2, "big") + places)
    head = make.box(b"ftyp", b"heic\0\0\0\0heicmif1") + make.box(b"meta", b"\0\0\0\0" + info + where)
    return head + make.box(b"mdat", b"<" * size)


def overlapping_trailer(number: int, size: int) -> bytes:
    """A JPEG with a Samsung trailer whose every entry claims the same large block."""
    block = struct.pack("<HHI", 0, 0x0B51, 4) + b"Info" + b"A" * size
    entries = struct.pack("<HHII", 0, 0x0B51, len(block), len(block)) * number
    listing = b"SEFH" + struct.pack("<II", 106, number) + entries
    return make.jpeg() + block + listing + struct.pack("<I", len(listing)) + b"SEFT"


def long_names(length: int, number: int) -> bytes:
    """An XMP packet with one long namespace and many properties below it, each of which repeats it."""
    inner = "<q:b>1</q:b>" * number
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:q="http://{"n" * length}/"><q:a rdf:parseType="Resource">{inner}</q:a>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def long_language(length: int, number: int) -> bytes:
    """An XMP packet in which the language of one array item becomes a part of many paths."""
    inner = "<q:b>1</q:b>" * number
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:q="http://q/"><q:a><rdf:Alt>'
        f'<rdf:li rdf:parseType="Resource" xml:lang="{"l" * length}">'
        f"{inner}</rdf:li></rdf:Alt></q:a></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def deep_names(depth: int, length: int, number: int) -> bytes:
    """An XMP packet whose names are within bounds one by one and long together."""
    opening = "".join(f'<q:{chr(97 + level % 26)}{"n" * length} rdf:parseType="Resource">' for level in range(depth))
    closing = "".join(f"</q:{chr(97 + level % 26)}{'n' * length}>" for level in reversed(range(depth)))
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:q="http://q/">{opening}{"<q:z>1</q:z>" * number}{closing}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def many_keys(number: int) -> str:
    """JSON of an object with many keys below eight long ones."""
    inner = "{" + ",".join(f'"{index:x}":0' for index in range(number)) + "}"
    for _ in range(7):
        inner = '{"' + "k" * 500 + '":' + inner + "}"
    return inner


def hidden(payload: bytes) -> np.ndarray:
    """An alpha channel, 8 rows high, whose lowest bits spell the payload down the columns."""
    bits = np.unpackbits(np.frombuffer(payload, np.uint8)).reshape(-1, 8)
    return (bits.T | 254).astype(np.uint8)
