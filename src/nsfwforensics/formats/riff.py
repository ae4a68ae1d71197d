"""RIFF containers, and WebP in particular: chunks with their offsets, and where the image ends."""

from __future__ import annotations

from dataclasses import dataclass

from nsfwforensics.formats.parts import Walk, past_copies


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk. ``fourcc`` is its type, ``offset`` where it begins; pixel chunks have empty ``data``."""

    fourcc: str
    offset: int
    length: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RiffFile:
    """The structure of one RIFF file.

    Attributes:
        form: What its header says it is: ``WEBP``.
        chunks: Its top-level chunks in order.
        end: The offset that the header names as its end; None where the file is shorter.
        notes: What was wrong with the structure.
        limits: Which limits were reached; chunks that were not kept for them are not among ``chunks``.
    """

    form: str
    chunks: tuple[Chunk, ...]
    end: int | None
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ANMF", b"ALPH", b"LIST"})  # the last one holds an AVI video's frames
_READ = _PIXELS | {b"VP8X", b"ANIM", b"EXIF", b"XMP ", b"XMP\0", b"ICCP", b"C2PA"}


def read_riff(data: bytes) -> RiffFile:
    """Walks the top-level chunks, by the rules of :mod:`nsfwforensics.formats.parts`. Never raises.

    Pixel chunks find places like everything else, but what of them finds none is no limit: it says nothing.
    """
    declared = 8 + int.from_bytes(data[4:8], "little")
    walk, pixels = Walk("The RIFF file"), Walk("The RIFF file's pixel data")
    if declared > len(data):
        walk.fault("The file ends before its RIFF header says it should")
    chunks: list[Chunk] = []
    position, stop = 12, min(declared, len(data))
    while position + 8 <= stop and walk.step():
        kind = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        after = position + 8 + length
        if length & 1 and not _begins_chunk(data, after + 1, stop) and _begins_chunk(data, after, stop):
            walk.fault("A RIFF chunk of odd length is not padded", position)
        else:
            after += length & 1
        if kind in _PIXELS:
            if pixels.take("pixels"):
                chunks.append(Chunk(kind.decode("latin-1"), position, length, b""))
            position = after
            continue
        if walk.take(kind.decode("latin-1") if kind in _READ else "other"):
            body = data[position + 8 : min(position + 8 + length, stop)]
            chunks.append(Chunk(kind.decode("latin-1"), position, length, body))
        if position + 8 + length > stop:
            walk.fault("A RIFF chunk is longer than its file", position)
            break
        position = past_copies(data, position, after, stop)
    return RiffFile(
        data[8:12].decode("latin-1"), tuple(chunks), declared if declared <= len(data) else None, walk.notes,
        walk.limits,
    )  # fmt: skip


def _begins_chunk(data: bytes, position: int, stop: int) -> bool:
    """Whether a chunk that is read may begin here."""
    return position + 8 <= stop and data[position : position + 4] in _READ
