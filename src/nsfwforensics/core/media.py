"""Which picture or video format some bytes are, told by the bytes alone.

The signatures are those of the formats' own specifications; names and extensions are the usual IANA media types, and
for cameras' raw files those that Debian's shared MIME database uses.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

SNIFF_BYTES = 1024
"""How many leading bytes tell a picture from anything else; raw files of cameras need all of them to be named."""

EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".jps"),
    "image/png": (".png", ".apng"),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "image/tiff": (".tif", ".tiff"),
    "image/bmp": (".bmp", ".dib"),
    "image/heif": (".heic", ".heif", ".hif", ".heics", ".heifs"),
    "image/avif": (".avif", ".avifs"),
    "image/avci": (".avci", ".avcs", ".heif", ".hif"),
    "image/jxl": (".jxl",),
    "image/jp2": (".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc", ".jpm"),
    "image/vnd.adobe.photoshop": (".psd", ".psb"),
    "image/svg+xml": (".svg",),
    "image/x-adobe-dng": (".dng",),
    "image/x-nikon-nef": (".nef", ".nrw"),
    "image/x-canon-cr2": (".cr2",),
    "image/x-canon-cr3": (".cr3",),
    "image/x-sony-arw": (".arw", ".sr2", ".srf"),
    "image/x-fuji-raf": (".raf",),
    "image/x-olympus-orf": (".orf", ".ori"),
    "image/x-panasonic-rw2": (".rw2", ".raw"),
    "image/x-pentax-pef": (".pef",),
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov", ".qt"),
    "video/3gpp": (".3gp", ".3g2"),
    "video/webm": (".webm", ".mkv"),
    "video/x-msvideo": (".avi",),
    "video/mpeg": (".mpg", ".mpeg", ".vob"),
    "video/mp2t": (".ts", ".mts", ".m2ts"),
    "video/x-flv": (".flv",),
    "video/x-ms-wmv": (".wmv", ".asf"),
}
"""File name extensions that each media type is expected to carry, the usual one first."""

RAW: Mapping[str, str] = {
    "image/x-adobe-dng": "DNG", "image/x-nikon-nef": "NEF (Nikon)", "image/x-canon-cr2": "CR2 (Canon)",
    "image/x-canon-cr3": "CR3 (Canon)", "image/x-sony-arw": "ARW (Sony)", "image/x-fuji-raf": "RAF (Fujifilm)",
    "image/x-olympus-orf": "ORF (Olympus)", "image/x-panasonic-rw2": "RW2 (Panasonic)",
    "image/x-pentax-pef": "PEF (Pentax)",
}  # fmt: skip
"""What cameras' raw formats are called."""

NAMES: Mapping[str, str] = {
    **RAW, "image/jxl": "JPEG XL", "image/jp2": "JPEG 2000", "image/vnd.adobe.photoshop": "Photoshop (PSD)",
    "image/svg+xml": "SVG", "image/avci": "AVCI", "video/mp4": "MP4", "video/quicktime": "QuickTime",
    "video/webm": "Matroska/WebM", "video/x-msvideo": "AVI", "video/mpeg": "MPEG", "video/mp2t": "MPEG-TS",
    "video/x-flv": "FLV", "video/x-ms-wmv": "WMV/ASF", "video/3gpp": "3GP",
}  # fmt: skip
"""What formats are called that have a name other than the second part of their media type."""

DECODED = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/bmp", "image/heif", "image/avif"}
)
"""The formats whose pixels are decoded here."""

IMAGE_EXTENSIONS: frozenset[str] = frozenset(
    extension for kind, extensions in EXTENSIONS.items() if kind.startswith("image/") for extension in extensions
)

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_AVCI_BRANDS = frozenset({b"avci", b"avcs"})
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"), (b"\xff\x0a", "image/jxl"), (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"), (b"\xff\x4f\xff\x51", "image/jp2"),
    (b"8BPS", "image/vnd.adobe.photoshop"), (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"), (b"IIRO", "image/x-olympus-orf"),
    (b"IIRS", "image/x-olympus-orf"), (b"MMOR", "image/x-olympus-orf"), (b"IIU\0", "image/x-panasonic-rw2"),
    (b"\x1aE\xdf\xa3", "video/webm"), (b"\0\0\x01\xba", "video/mpeg"), (b"\0\0\x01\xb3", "video/mpeg"),
    (b"FLV\x01", "video/x-flv"), (b"0&\xb2u\x8ef\xcf\x11", "video/x-ms-wmv"),
)  # fmt: skip
_BOXES_OF_QUICKTIME = (b"moov", b"mdat", b"wide")
_MAKERS = ((b"NIKON", "image/x-nikon-nef"), (b"SONY", "image/x-sony-arw"), (b"PENTAX", "image/x-pentax-pef"))
_SUBFILE, _MAKE, _SUB_DIRECTORIES, _DNG_VERSION = 0x00FE, 0x010F, 0x014A, 0xC612


def sniff(data: bytes) -> str | None:
    """Names the media type of a picture or a video from its bytes.

    Args:
        data: The file, or its first :data:`SNIFF_BYTES` bytes, by which some raw files are taken for plain TIFF.

    Returns:
        A key of :data:`EXTENSIONS`, or None where the bytes are no format known here.
    """
    for start, media_type in _STARTS:
        if data.startswith(start):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] in (b"WEBP", b"AVI "):
        return "image/webp" if data[8:12] == b"WEBP" else "video/x-msvideo"
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return _sniff_tiff(data)
    if data[:4] in (b"II+\x00", b"MM\x00+"):
        return "image/tiff"
    if data[:2] == b"BM" and len(data) >= 26 and data[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if data[4:8] == b"ftyp":
        return _sniff_iso(data[:SNIFF_BYTES])
    if data[4:8] in _BOXES_OF_QUICKTIME and int.from_bytes(data[:4], "big") >= 8:
        return "video/quicktime"
    if len(data) > 376 and data[0] == data[188] == data[376] == 0x47:
        return "video/mp2t"
    return "image/svg+xml" if _is_svg(data[:SNIFF_BYTES]) else None


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in text)


def _sniff_iso(head: bytes) -> str | None:
    """Tells pictures from videos by the brands of an ISO base media ``ftyp`` box (ISO/IEC 14496-12)."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {major, *(head[i : i + 4] for i in range(16, end - 3, 4))}
    if major == b"crx ":
        return "image/x-canon-cr3"
    if brands & _AVIF_BRANDS:
        return "image/avif"
    if brands & _AVCI_BRANDS and not brands & (_HEIF_BRANDS - {b"mif1", b"msf1"}):
        return "image/avci"
    if brands & _HEIF_BRANDS:
        return "image/heif"
    if len(head) < 12 or major[:3] == b"M4A" or not major.strip().isalnum():
        return None
    if major == b"qt  ":
        return "video/quicktime"
    return "video/3gpp" if major[:2] == b"3g" else "video/mp4"


def _sniff_tiff(data: bytes) -> str:
    """Tells cameras' raw files from plain TIFF by the first directory (TIFF 6.0; DNG 1.7; TIFF/EP)."""
    if data[8:10] == b"CR":
        return "image/x-canon-cr2"
    order = "<" if data[:2] == b"II" else ">"
    start = int.from_bytes(data[4:8], "little" if order == "<" else "big")
    if start + 2 > len(data):
        return "image/tiff"
    (count,) = struct.unpack_from(order + "H", data, start)
    tags: dict[int, tuple[int, int]] = {}
    for place in range(start + 2, min(start + 2 + 12 * min(count, 512), len(data) - 11), 12):
        tag, _, number, value = struct.unpack_from(order + "HHII", data, place)
        tags.setdefault(tag, (number, value))
    if _DNG_VERSION in tags:
        return "image/x-adobe-dng"
    if _MAKE not in tags or _SUB_DIRECTORIES not in tags or tags.get(_SUBFILE, (0, 0))[1] != 1:
        return "image/tiff"  # a camera's raw file begins with a reduced picture and has the full one in a directory
    make = data[tags[_MAKE][1] : tags[_MAKE][1] + 16].upper()
    return next((kind for name, kind in _MAKERS if make.startswith(name)), "image/tiff")


def name_of(media_type: str) -> str:
    """What a format is called: ``JPEG``, ``NEF (Nikon)``, ``MP4``."""
    return NAMES.get(media_type, media_type.partition("/")[2].upper())


def is_video(media_type: str | None) -> bool:
    """Whether this is a video, whose frames are not examined here."""
    return media_type is not None and media_type.startswith("video/")


def extension_matches(media_type: str, suffix: str) -> bool:
    """Whether a file name's suffix (with its dot, any case) is usual for the media type."""
    return suffix.lower() in EXTENSIONS.get(media_type, ())
