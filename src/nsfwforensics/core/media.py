"""Which image format some bytes are, told by the bytes alone.

The signatures are those of the formats' own specifications; names and extensions are the usual
IANA media types.
"""

from __future__ import annotations

from collections.abc import Mapping

SNIFF_BYTES = 64
"""How many leading bytes :func:`sniff` needs."""

EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".jps"),
    "image/png": (".png", ".apng"),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "image/tiff": (".tif", ".tiff"),
    "image/bmp": (".bmp", ".dib"),
    "image/heif": (".heic", ".heif", ".hif", ".heics", ".heifs"),
    "image/avif": (".avif", ".avifs"),
}
"""File name extensions that each media type is expected to carry, the usual one first."""

IMAGE_EXTENSIONS: frozenset[str] = frozenset().union(*EXTENSIONS.values())

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


def sniff(head: bytes) -> str | None:
    """Names the media type of an image file from its first bytes.

    Args:
        head: The first :data:`SNIFF_BYTES` bytes of the file (fewer for a shorter file).

    Returns:
        A key of :data:`EXTENSIONS`, or None where the bytes are no image format known here.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return "image/tiff"
    if head[:2] == b"BM" and len(head) >= 26 and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if head[4:8] == b"ftyp":
        return _sniff_iso(head)
    return None


def _sniff_iso(head: bytes) -> str | None:
    """Tells HEIF from AVIF by the brands of an ISO base media ``ftyp`` box (ISO/IEC 14496-12)."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return "image/avif"
    if brands & _HEIF_BRANDS:
        return "image/heif"
    return None


def extension_matches(media_type: str, suffix: str) -> bool:
    """Whether a file name's suffix (with its dot, any case) is usual for the media type."""
    return suffix.lower() in EXTENSIONS.get(media_type, ())
