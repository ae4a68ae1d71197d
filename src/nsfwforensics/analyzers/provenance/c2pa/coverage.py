"""What a content hash leaves out, where that is not exactly the place of the credentials themselves.

A signer chooses which bytes the hash of a file skips (C2PA 2.2, "Data hash", exclusions). The library reports
``assertion.dataHash.mismatch`` both where the hash differs and where the hash agrees but the skipped bytes are not
those of the manifest store. The second is common in genuine files: some cameras skip everything before the picture. It
can also be made on purpose, with another picture in the skipped bytes; so what lies there is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nsfwforensics.analyzers.provenance.c2pa.read import Reading
from nsfwforensics.formats.jpeg import read_jpeg
from nsfwforensics.formats.jumbf import ManifestStore
from nsfwforensics.formats.png import read_png
from nsfwforensics.formats.riff import read_riff

MAX_RANGES = 200

_METADATA_MARKERS = frozenset((*range(0xE0, 0xF0), 0xFE))
"""JPEG: application segments and comments; every other segment decides what is seen."""

_SEEN_CHUNKS = frozenset(("acTL", "fcTL", "fdAT", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "cICP"))
"""PNG: ancillary chunks that change what is seen; all critical chunks do."""

_METADATA_FOURCC = frozenset(("EXIF", "XMP ", "C2PA", "ICCP"))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The bytes that the content hash of the latest manifest skips.

    Attributes:
        ranges: Start and end in the file, in bytes.
        before: How many of them stand before the credentials.
        after: How many stand behind them.
        picture: Whether parts of the picture are among them; None where that cannot be told.
    """

    ranges: tuple[tuple[int, int], ...]
    before: int
    after: int
    picture: bool | None


def left_out(data: bytes, media_type: str, stored: ManifestStore, reading: Reading) -> LeftOut:
    """Finds what the content hash of the latest manifest skips, other than the credentials.

    Args:
        data: The whole file.
        media_type: What the bytes are.
        stored: Where the credentials stand.
        reading: What the library read.

    Returns:
        The skipped bytes. Never raises for any bytes of the file.
    """
    ranges = tuple(_ranges(reading, len(data)))
    parts = list(_picture_parts(data, media_type))
    known = media_type in ("image/jpeg", "image/png", "image/webp") and bool(parts) and bool(ranges)
    inside = any(start < stop and begin < end for begin, stop in ranges for start, end in parts)
    before = sum(max(0, min(stop, stored.offset) - begin) for begin, stop in ranges)
    behind = _store_end(data, media_type, stored)
    after = sum(max(0, stop - max(begin, behind)) for begin, stop in ranges if stop > behind)
    return LeftOut(ranges, before, after, inside if known else None)


def _store_end(data: bytes, media_type: str, stored: ManifestStore) -> int:
    """Where the credentials end in the file, the overhead of their segments or chunks included."""
    if media_type == "image/jpeg":
        held = [s for s in read_jpeg(data).segments if s.offset >= stored.offset and s.data[:2] == b"JP"]
        return max((s.offset + 4 + len(s.data) for s in held), default=stored.offset)
    overhead = {"image/png": 12, "image/webp": 8 + len(stored.data) % 2}
    return stored.offset + len(stored.data) + overhead.get(media_type, 0)


def _ranges(reading: Reading, size: int) -> Iterator[tuple[int, int]]:
    active = reading.store.get("active_manifest")
    for manifest in reading.detail.get("manifests") or ():
        if not isinstance(manifest, dict) or manifest.get("label") != active:
            continue
        assertions = manifest.get("assertions")
        for label, assertion in assertions.items() if isinstance(assertions, dict) else ():
            if not str(label).startswith("c2pa.hash.data") or not isinstance(assertion, dict):
                continue
            given = assertion.get("exclusions")
            for each in given[:MAX_RANGES] if isinstance(given, list) else ():
                start, length = _number(each, "start"), _number(each, "length")
                if start is not None and length is not None and start < size:
                    yield start, min(size, start + length)


def _number(entry: Any, key: str) -> int | None:
    value = entry.get(key) if isinstance(entry, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _picture_parts(data: bytes, media_type: str) -> Iterable[tuple[int, int]]:
    """Start and end of the parts of a file that decide what is seen."""
    if media_type == "image/jpeg":
        jpeg = read_jpeg(data)
        begin = next((s.offset for s in jpeg.segments if s.marker not in _METADATA_MARKERS), None)
        # From the first table on everything is the picture; what stands behind its end is no part of it.
        return [] if begin is None else [(begin, jpeg.end or len(data))]
    if media_type == "image/png":
        chunks = read_png(data).chunks
        return [(c.offset, c.offset + c.length + 12) for c in chunks if c.type[:1].isupper() or c.type in _SEEN_CHUNKS]
    if media_type == "image/webp":
        riff = read_riff(data).chunks
        return [(c.offset, c.offset + c.length + 8) for c in riff if c.fourcc not in _METADATA_FOURCC]
    return []


__all__ = ["LeftOut", "left_out"]
