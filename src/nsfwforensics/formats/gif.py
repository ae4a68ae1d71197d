"""GIF87a and GIF89a: comment and application extensions, and where the image ends."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BLOCKS = 200_000
_XMP_MAGIC_TRAILER = 257


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension block.

    Attributes:
        label: ``0xFE`` comment, ``0xFF`` application, ``0x01`` plain text, ``0xF9`` graphic control.
        offset: Where its introducer stands.
        identifier: For an application extension its eleven-byte identifier, else empty.
        data: Its sub-blocks joined; for XMP, which is stored unblocked, the packet.
    """

    label: int
    offset: int
    identifier: str
    data: bytes


@dataclass(frozen=True, slots=True)
class GifFile:
    """The extensions of one GIF; ``end`` is the offset just past the trailer byte, or None."""

    extensions: tuple[Extension, ...]
    end: int | None
    notes: tuple[str, ...]


def read_gif(data: bytes) -> GifFile:
    """Walks the blocks of a GIF file. Never raises."""
    extensions: list[Extension] = []
    position = 13 + _colour_table(data[10:11])
    for _ in range(MAX_BLOCKS):
        introducer = data[position : position + 1]
        if introducer == b";":
            return GifFile(tuple(extensions), position + 1, ())
        if introducer == b"!":
            extension, position = _extension(data, position)
            if extension.label != 0xF9:
                extensions.append(extension)
        elif introducer == b",":
            position += 10 + _colour_table(data[position + 9 : position + 10])
            _, position = _sub_blocks(data, position + 1, keep=False)
        else:
            break
    else:
        return GifFile(tuple(extensions), None, (f"The GIF data has more than {MAX_BLOCKS:,} blocks.",))
    why = "ends before its trailer" if position >= len(data) else f"has no valid block at offset {position}"
    return GifFile(tuple(extensions), None, (f"The GIF data {why}.",))


def _colour_table(packed: bytes) -> int:
    return 3 << ((packed[0] & 7) + 1) if packed and packed[0] & 0x80 else 0


def _extension(data: bytes, position: int) -> tuple[Extension, int]:
    label = data[position + 1] if position + 1 < len(data) else 0
    identifier, start = "", position + 2
    if label == 0xFF and data[start : start + 1] == b"\x0b":
        identifier = data[start + 1 : start + 12].decode("latin-1")
        start += 12
    blocks, after = _sub_blocks(data, start)
    if identifier == "XMP DataXMP":  # XMP specification part 3: raw packet and a 258-byte magic trailer
        blocks = data[start : max(start, after - _XMP_MAGIC_TRAILER - 1)]
    return Extension(label, position, identifier, blocks), after


def _sub_blocks(data: bytes, position: int, *, keep: bool = True) -> tuple[bytes, int]:
    """Joins sub-blocks up to the terminator; returns them and the offset behind it."""
    parts = bytearray()  # a list of tiny parts would take many times the bytes they hold
    while position < len(data):
        size = data[position]
        position += 1
        if not size:
            break
        if keep:
            parts += data[position : position + size]
        position += size
    return bytes(parts), position
