"""Where a file holds Content Credentials (C2PA specification 2.2, "Embedding manifests"), without reading them.

Walks each container's own structure and looks only into the place that the specification names, so that the same bytes
in a comment, in pixels or after the end of the image are not taken for credentials.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from dataclasses import dataclass

from nsfwforensics.formats import gif, isobmff, jpeg, png, riff, tiff
from nsfwforensics.formats.cbor import lying_length

C2PA_UUID = bytes.fromhex("6332706100110010800000aa00389b71")
"""Type of the JUMBF superbox (ISO/IEC 19566-5) that is a C2PA manifest store."""

BMFF_UUID = "d8fec3d61b0e483c92975828877ec481"

MAX_BOXES = 100_000
"""Most boxes of a manifest store that are looked at before it is handed on."""


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
        The store, or None. Where the walk met a limit, the metadata that was read of the same file says so: the
        walkers are the same. Time is linear in the number of the container's parts, not in the file size; never raises.
    """
    finder = _FINDERS.get(media_type or "")
    return finder(data) if finder else None


def fault(store: bytes) -> str:
    """What makes a store unfit for careless readers, which a length far beyond its end makes fill the memory.

    Returns:
        What is wrong with it, or empty. Compressed boxes are not looked into. Never raises.
    """
    waiting = [(0, len(store))]
    for _ in range(MAX_BOXES):
        if not waiting:
            return ""
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
                return f"a length at offset {position + header + place} of it is far longer than the credentials are"
    return f"it has more than {MAX_BOXES:,} boxes, more than are read"


def _jpeg(data: bytes) -> ManifestStore | None:
    """APP11 segments with a JPEG XT ``JP`` box (ISO/IEC 18477-3), which may be split; they stand before the scans."""
    found: list[bytes] = []
    first, instance = -1, b""
    for segment in jpeg.read_jpeg(data, scans=False).segments:
        body = segment.data
        # common identifier, box instance, packet number; then the box, whose header every further packet repeats
        if segment.name != "APP11" or body[:2] != b"JP":
            continue
        if not found and b"jumb" in body[8:24] and C2PA_UUID in body[:64]:
            first, instance = segment.offset, body[2:4]
            found.append(body[8:])
        elif found and body[2:4] == instance:
            found.append(body[24:] if body[8:12] == b"\0\0\0\1" else body[16:])
    return ManifestStore(first, b"".join(found)) if found else None


def _png(data: bytes) -> ManifestStore | None:
    chunks = png.read_png(data).chunks
    return next((ManifestStore(chunk.offset, chunk.data) for chunk in chunks if chunk.type == "caBX"), None)


def _riff(data: bytes) -> ManifestStore | None:
    chunks = riff.read_riff(data).chunks
    return next((ManifestStore(chunk.offset, chunk.data) for chunk in chunks if chunk.fourcc == "C2PA"), None)


def _bmff(data: bytes) -> ManifestStore | None:
    for box in isobmff.read_boxes(data):
        if box.uuid == BMFF_UUID:
            # version and flags, purpose, then for a manifest the offset of the first Merkle box
            return ManifestStore(box.offset, data[box.start + 4 : box.end].partition(b"\0")[2][8:])
        if box.type == "jumb" and C2PA_UUID in data[box.start : min(box.end, box.start + 64)]:  # JPEG XL
            return ManifestStore(box.offset, data[box.offset : box.end])
    return None


def _gif(data: bytes) -> ManifestStore | None:
    if b"C2PA_GIF" not in data:  # cheaper than walking the blocks of a long animation
        return None
    for part in gif.read_gif(data).extensions:
        if part.identifier == "C2PA_GIF\x01\x00\x00":
            return ManifestStore(part.offset, part.data)
    return None


def _tiff(data: bytes) -> ManifestStore | None:
    tree = tiff.walk(data) if tiff.is_tiff(data) else None
    for entry in tree.embedded(tiff.C2PA_TAG) if tree else ():
        if entry.directory == "IFD0":
            return ManifestStore(entry.place, data[entry.offset : entry.offset + entry.length])
    return None


def _svg(data: bytes) -> ManifestStore | None:
    start = data.find(b"<c2pa:manifest")
    first, last = data.find(b">", start) + 1, data.find(b"</c2pa:manifest", start)
    if start < 0 or not first <= last:
        return None
    letters = b"".join(data[first:last].split())
    try:
        store = base64.b64decode(letters[: len(letters) // 4 * 4])
    except ValueError:
        return None
    return ManifestStore(start, store) if C2PA_UUID in store[:64] else None


_FINDERS: dict[str, Callable[[bytes], ManifestStore | None]] = {
    "image/jpeg": _jpeg, "image/png": _png, "image/webp": _riff, "image/heif": _bmff, "image/avif": _bmff,
    "image/jxl": _bmff, "image/avci": _bmff, "image/x-canon-cr3": _bmff, "video/mp4": _bmff, "video/quicktime": _bmff,
    "video/3gpp": _bmff, "video/x-msvideo": _riff, "image/gif": _gif, "image/tiff": _tiff, "image/x-adobe-dng": _tiff,
    "image/x-nikon-nef": _tiff, "image/x-sony-arw": _tiff, "image/svg+xml": _svg,
}  # fmt: skip

__all__ = ["ManifestStore", "fault", "find_manifest_store"]
