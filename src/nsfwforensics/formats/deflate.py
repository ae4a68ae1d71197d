"""Compressed data (zlib, gzip, raw deflate, Brotli) inflated within limits; of damaged data what stands before it."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass

MAX_RATIO = 1_032
"""How many bytes one byte of a deflate stream can become at most (RFC 1951)."""

ZLIB, ANY_HEADER, RAW = zlib.MAX_WBITS, 32 + zlib.MAX_WBITS, -zlib.MAX_WBITS

_PIECE = 512  # of damaged data, in bytes


@dataclass(frozen=True, slots=True)
class Inflated:
    """What came out of compressed data: whether there was more than the limit, and what was wrong, if anything."""

    data: bytes
    cut: bool = False
    fault: str = ""


def inflate(data: bytes, limit: int, header: int = ZLIB) -> Inflated:
    """Inflates data up to a limit.

    Args:
        data: The compressed data.
        limit: Most bytes returned.
        header: :data:`ZLIB`, :data:`ANY_HEADER` (zlib's or gzip's) or :data:`RAW`.

    Raises:
        ValueError: Nothing comes out of the data, or ``limit`` is not positive.
    """
    if limit <= 0:  # zlib would take 0 for "no limit"
        raise ValueError("compressed data beyond the limit for one file was not read")
    stream = zlib.decompressobj(header)
    try:
        out = stream.decompress(data, limit)
    except zlib.error as error:
        return _before_damage(data, limit, header, f"damaged compressed data: {error}")
    cut = bool(stream.unconsumed_tail)
    return Inflated(out, cut, "" if cut or stream.eof else "the compressed data ends early")


def inflate_brotli(data: bytes, limit: int) -> Inflated:
    """Inflates a Brotli stream (RFC 7932) up to a limit.

    Args:
        data: The compressed data.
        limit: Most bytes returned.

    Raises:
        ValueError: Nothing comes out of the data, or ``limit`` is not positive.
    """
    import brotli  # here: few files need it

    if limit <= 0:
        raise ValueError("compressed data beyond the limit for one file was not read")
    stream, out, fault = brotli.Decompressor(), bytearray(), ""
    try:
        out += stream.process(data, output_buffer_limit=limit + 1)
        while len(out) <= limit and not stream.is_finished():
            more = stream.process(b"", output_buffer_limit=limit + 1 - len(out))
            if not more:
                fault = "the compressed data ends early"
                break
            out += more
    except brotli.error:
        fault = "damaged compressed data"
    if not out and fault:
        raise ValueError(fault)
    return Inflated(bytes(out[:limit]), len(out) > limit, fault)


def _before_damage(data: bytes, limit: int, header: int, fault: str) -> Inflated:
    stream, out = zlib.decompressobj(header), bytearray()
    for start in range(0, len(data), _PIECE):
        before, piece = stream.copy(), data[start : start + _PIECE]
        try:
            out += stream.decompress(piece, limit - len(out))
        except zlib.error:
            with suppress(zlib.error):  # byte by byte up to the damage, which may be the checksum alone
                for at in range(len(piece)):
                    out += before.decompress(piece[at : at + 1])
            break
        if len(out) >= limit:
            return Inflated(bytes(out), cut=True)
    if not out:
        raise ValueError(fault)
    return Inflated(bytes(out[:limit]), fault=fault)


__all__ = ["ANY_HEADER", "MAX_RATIO", "RAW", "ZLIB", "Inflated", "inflate", "inflate_brotli"]
