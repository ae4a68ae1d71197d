"""GIF87a and GIF89a: comment and application extensions, and where the image ends."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nsfwforensics.formats.parts import Walk, past_copies

_XMP_MAGIC_TRAILER = 257


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension block.

    Attributes:
        label: ``0xFE`` comment, ``0xFF`` application, ``0x01`` plain text, ``0xF9`` graphic control.
        offset: Where its introducer stands.
        identifier: For an application extension its eleven-byte identifier, else empty.
        data: Its sub-blocks joined; for XMP, whose specification wants it unblocked, the packet.
    """

    label: int
    offset: int
    identifier: str
    data: bytes


@dataclass(frozen=True, slots=True)
class GifFile:
    """The structure of one GIF.

    Attributes:
        extensions: Its extension blocks in order, but for graphic controls.
        end: Offset just past the trailer byte; None where there is none.
        notes: What was wrong with the structure.
        limits: Which limits were reached; extensions that were not kept for them are not among ``extensions``.
    """

    extensions: tuple[Extension, ...]
    end: int | None
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


COMMENT, _APPLICATION, _CONTROL = 0xFE, 0xFF, 0xF9
_BLOCK = re.compile(rb"[!,;]")
XMP = "XMP DataXMP"
_READ = frozenset({XMP, "ICCRGBG1012", "C2PA_GIF\x01\x00\x00", "NETSCAPE2.0"})


def read_gif(data: bytes) -> GifFile:
    """Walks the blocks of a GIF file, by the rules of :mod:`nsfwforensics.formats.parts`. Never raises."""
    extensions: list[Extension] = []
    walk = Walk("The GIF file")
    position, end = 13 + _colour_table(data[10:11]), None
    while walk.step():
        introducer = data[position : position + 1]
        if introducer == b";":
            end = position + 1
            break
        if introducer == b"!":
            extension, after = _extension(data, position)
            if extension.label != _CONTROL:
                if walk.take(_kind(extension)):
                    extensions.append(extension)
                after = past_copies(data, position, after)
            position = after
        elif introducer == b",":
            position += 10 + _colour_table(data[position + 9 : position + 10])
            _, position = _sub_blocks(data, position + 1, keep=False)
        elif found := _BLOCK.search(data, position):
            walk.fault("There are bytes that belong to no GIF block", position)
            position = found.start()
        else:
            walk.fault("The GIF data ends before its trailer")
            break
    return GifFile(tuple(extensions), end, walk.notes, walk.limits)


def _kind(extension: Extension) -> str:
    """What an extension is counted as: by its identifier where that is read."""
    if extension.label == COMMENT:
        return "comment"
    return extension.identifier if extension.identifier in _READ else "other"


def _colour_table(packed: bytes) -> int:
    return 3 << ((packed[0] & 7) + 1) if packed and packed[0] & 0x80 else 0


def _extension(data: bytes, position: int) -> tuple[Extension, int]:
    label = data[position + 1] if position + 1 < len(data) else 0
    identifier, start = "", position + 2
    if label == _APPLICATION and data[start : start + 1] == b"\x0b":
        identifier = data[start + 1 : start + 12].decode("latin-1")
        start += 12
    blocks, after = _sub_blocks(data, start)
    if identifier == XMP and not blocks.startswith((b"<", b"\xef\xbb\xbf<")):  # else it was blocked like other data
        # XMP specification part 3: raw packet and a 258-byte magic trailer
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
