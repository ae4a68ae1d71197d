"""Where a file holds Content Credentials (C2PA specification 2.2, "Embedding manifests"), without reading them.

Walks each container's own structure and looks only into the place that the specification names, so that the same bytes
in a comment, in pixels or after the end of the image are not taken for credentials.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from nsfwforensics.formats import gif, isobmff

C2PA_UUID = bytes.fromhex("6332706100110010800000aa00389b71")
"""Type of the JUMBF superbox (ISO/IEC 19566-5) that is a C2PA manifest store."""

BMFF_UUID = "d8fec3d61b0e483c92975828877ec481"
TIFF_TAG = 0xCD41

_MAX_STEPS = 100_000
_SOS, _EOI, _APP11 = 0xDA, 0xD9, 0xEB
_JPEG_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))


def find_manifest_store(data: bytes, media_type: str | None) -> int | None:
    """Finds the part of a container that holds a C2PA manifest store.

    Args:
        data: The whole file.
        media_type: What the bytes are, as :func:`nsfwforensics.core.media.sniff` names it.

    Returns:
        The offset of the segment, chunk, box, extension or directory entry; None where there is none. Time is linear
        in the number of parts, not in the file size; never raises.
    """
    finder = _FINDERS.get(media_type or "")
    return finder(data) if finder else None


def _jpeg(data: bytes) -> int | None:
    """APP11 segments with a JPEG XT ``JP`` box (ISO/IEC 18477-3); they stand before the first scan."""
    position = 2
    for _ in range(_MAX_STEPS):
        if position + 4 > len(data) or data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _JPEG_STANDALONE:
            position += 2
        elif marker in (_SOS, _EOI):
            return None
        else:
            size = int.from_bytes(data[position + 2 : position + 4], "big")
            if size < 2:
                return None
            head = data[position + 4 : position + 2 + min(size, 64)]
            # common identifier, box instance, packet number, then the superbox and its description box
            if marker == _APP11 and head[:2] == b"JP" and b"jumb" in head[8:24] and C2PA_UUID in head:
                return position
            position += 2 + size
    return None


def _png(data: bytes) -> int | None:
    position = 8
    for _ in range(_MAX_STEPS):
        head = data[position : position + 8]
        if len(head) < 8 or head[4:] == b"IEND":
            return None
        if head[4:] == b"caBX":
            return position
        position += 12 + int.from_bytes(head[:4], "big")
    return None


def _webp(data: bytes) -> int | None:
    position, stop = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for _ in range(_MAX_STEPS):
        if position + 8 > stop:
            return None
        if data[position : position + 4] == b"C2PA":
            return position
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + length + (length & 1)
    return None


def _bmff(data: bytes) -> int | None:
    return next((box.offset for box in isobmff.boxes(data) if box.uuid == BMFF_UUID), None)


def _gif(data: bytes) -> int | None:
    if b"C2PA_GIF" not in data:  # cheaper than walking the blocks of a long animation
        return None
    parts = gif.read_gif(data).extensions
    return next((part.offset for part in parts if part.identifier == "C2PA_GIF\x01\x00\x00"), None)


def _tiff(data: bytes) -> int | None:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8 or data[2:4] not in (b"*\0", b"\0*"):
        return None
    (start,) = struct.unpack_from(order + "I", data, 4)
    if start + 2 > len(data):
        return None
    (count,) = struct.unpack_from(order + "H", data, start)
    for position in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        if struct.unpack_from(order + "H", data, position)[0] == TIFF_TAG:
            return position
    return None


_FINDERS: dict[str, Callable[[bytes], int | None]] = {
    "image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp, "image/heif": _bmff, "image/avif": _bmff,
    "image/gif": _gif, "image/tiff": _tiff,
}  # fmt: skip

__all__ = ["find_manifest_store"]
