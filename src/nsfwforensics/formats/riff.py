"""RIFF containers, and WebP in particular: chunks with their offsets, and where the image ends."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CHUNKS = 50_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk. ``fourcc`` is its type, ``offset`` where it begins; pixel chunks have empty ``data``."""

    fourcc: str
    offset: int
    length: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RiffFile:
    """The chunks of one RIFF file; ``end`` is the offset its header names, or None where the file is shorter."""

    form: str
    chunks: tuple[Chunk, ...]
    end: int | None
    notes: tuple[str, ...]


_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ANMF", b"ALPH"})


def read_riff(data: bytes) -> RiffFile:
    """Walks the top-level chunks. Never raises."""
    form = data[8:12].decode("latin-1")
    declared = 8 + int.from_bytes(data[4:8], "little")
    end = declared if declared <= len(data) else None
    notes: tuple[str, ...] = () if end else ("The file ends before its RIFF header says it should.",)
    chunks: list[Chunk] = []
    position, stop = 12, min(declared, len(data))
    while position + 8 <= stop:
        kind = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if len(chunks) >= MAX_CHUNKS:
            return RiffFile(
                form, tuple(chunks), end, (*notes, "There are too many RIFF chunks; the rest was not read.")
            )
        body = b"" if kind in _PIXELS else data[position + 8 : min(position + 8 + length, stop)]
        chunks.append(Chunk(kind.decode("latin-1"), position, length, body))
        position += 8 + length + (length & 1)
    return RiffFile(form, tuple(chunks), end, notes)
