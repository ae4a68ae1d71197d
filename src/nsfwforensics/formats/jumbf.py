"""Where a file holds Content Credentials (C2PA specification 2.2, "Embedding manifests"), without reading them.

Walks each container's own structure and looks only into the place that the specification names, so that the same bytes
in a comment, in pixels or after the end of the image are not taken for credentials.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nsfwforensics.formats import gif, isobmff
from nsfwforensics.formats.cbor import lying_length

C2PA_UUID = bytes.fromhex("6332706100110010800000aa00389b71")
"""Type of the JUMBF superbox (ISO/IEC 19566-5) that is a C2PA manifest store."""

BMFF_UUID = "d8fec3d61b0e483c92975828877ec481"
TIFF_TAG = 0xCD41

_MAX_STEPS = 100_000
_SOS, _EOI, _APP11 = 0xDA, 0xD9, 0xEB
_JPEG_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))


@dataclass(frozen=True, slots=True)
class ManifestStore:
    """A manifest store in its container.

    Attributes:
        offset: Where the first segment, chunk, box, extension or directory entry that holds it begins in the file.
        data: Its JUMBF boxes.
    """

    offset: int
    data: bytes


def find_manifest_store(data: bytes, media_type: str | None) -> ManifestStore | None:
    """Finds the C2PA manifest store of a file.

    Args:
        data: The whole file.
        media_type: What the bytes are, as :func:`nsfwforensics.core.media.sniff` names it.

    Returns:
        The store, or None. Time is linear in the number of the container's parts, not in the file size; never raises.
    """
    finder = _FINDERS.get(media_type or "")
    return finder(data) if finder else None


def unsafe_length(store: bytes) -> int | None:
    """Looks for a length inside a store that is far beyond its end, which makes careless readers fill the memory.

    Returns:
        The offset of the first such value in the store, or None. Compressed boxes are not looked into. Never raises.
    """
    waiting = [(0, len(store))]
    for _ in range(_MAX_STEPS):
        if not waiting:
            return None
        position, stop = waiting.pop()
        if position + 8 > stop:
            continue
        size, kind = struct.unpack_from(">I4s", store, position)
        header = 8
        if size == 1 and position + 16 <= stop:
            (size,), header = struct.unpack_from(">Q", store, position + 8), 16
        end = stop if size == 0 else min(position + size, stop)
        if size != 0 and size < header:
            continue
        waiting.append((end, stop))
        if kind == b"jumb":
            waiting.append((position + header, end))
        elif kind == b"cbor":
            place = lying_length(store[position + header : end])
            if place is not None:
                return position + header + place
    return 0


def _jpeg(data: bytes) -> ManifestStore | None:
    """APP11 segments with a JPEG XT ``JP`` box (ISO/IEC 18477-3), which may be split; they stand before the scans."""
    found: list[bytes] = []
    first, instance = -1, b""
    for position, body in _app11(data):
        # common identifier, box instance, packet number; then the box, whose header every further packet repeats
        if body[:2] != b"JP":
            continue
        if not found and b"jumb" in body[8:24] and C2PA_UUID in body[:64]:
            first, instance = position, body[2:4]
            found.append(body[8:])
        elif found and body[2:4] == instance:
            found.append(body[24:] if body[8:12] == b"\0\0\0\1" else body[16:])
    return ManifestStore(first, b"".join(found)) if found else None


def _app11(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 2
    for _ in range(_MAX_STEPS):
        if position + 4 > len(data) or data[position] != 0xFF:
            return
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _JPEG_STANDALONE:
            position += 2
        elif marker in (_SOS, _EOI):
            return
        else:
            size = int.from_bytes(data[position + 2 : position + 4], "big")
            if size < 2:
                return
            if marker == _APP11:
                yield position, data[position + 4 : position + 2 + size]
            position += 2 + size


def _png(data: bytes) -> ManifestStore | None:
    position = 8
    for _ in range(_MAX_STEPS):
        head = data[position : position + 8]
        if len(head) < 8 or head[4:] == b"IEND":
            return None
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"caBX":
            return ManifestStore(position, data[position + 8 : position + 8 + length])
        position += 12 + length
    return None


def _webp(data: bytes) -> ManifestStore | None:
    position, stop = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for _ in range(_MAX_STEPS):
        if position + 8 > stop:
            return None
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"C2PA":
            return ManifestStore(position, data[position + 8 : min(position + 8 + length, stop)])
        position += 8 + length + (length & 1)
    return None


def _bmff(data: bytes) -> ManifestStore | None:
    for box in isobmff.boxes(data):
        if box.uuid == BMFF_UUID:
            body = data[box.start : box.end]
            # version and flags, purpose, then for a manifest the offset of the first Merkle box
            return ManifestStore(box.offset, body[4:].partition(b"\0")[2][8:])
    return None


def _gif(data: bytes) -> ManifestStore | None:
    if b"C2PA_GIF" not in data:  # cheaper than walking the blocks of a long animation
        return None
    for part in gif.read_gif(data).extensions:
        if part.identifier == "C2PA_GIF\x01\x00\x00":
            return ManifestStore(part.offset, part.data)
    return None


def _tiff(data: bytes) -> ManifestStore | None:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8 or data[2:4] not in (b"*\0", b"\0*"):
        return None
    (start,) = struct.unpack_from(order + "I", data, 4)
    if start + 2 > len(data):
        return None
    (count,) = struct.unpack_from(order + "H", data, start)
    for position in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        tag, _, length, offset = struct.unpack_from(order + "HHII", data, position)
        if tag == TIFF_TAG:
            return ManifestStore(position, data[offset : offset + length])
    return None


_FINDERS: dict[str, Callable[[bytes], ManifestStore | None]] = {
    "image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp, "image/heif": _bmff, "image/avif": _bmff,
    "image/gif": _gif, "image/tiff": _tiff,
}  # fmt: skip

__all__ = ["ManifestStore", "find_manifest_store", "unsafe_length"]
