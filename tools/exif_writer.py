"""A small writer of EXIF blocks for the samples: IFD0, Exif, GPS and a thumbnail, little-endian.

Pillow writes no IFD1, and the samples need one: an embedded thumbnail that fits its picture, and one that does not.
Layout after TIFF 6.0 and CIPA DC-008 (Exif 2.32).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

Value = str | bytes | int | tuple[int, ...] | list[tuple[int, int]]

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, BYTE = 2, 3, 4, 5, 7, 1
_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202


def exif_block(
    ifd0: Mapping[int, Value],
    exif: Mapping[int, Value] | None = None,
    gps: Mapping[int, Value] | None = None,
    thumbnail: bytes | None = None,
) -> bytes:
    """Builds the body of an APP1 segment, starting with ``Exif`` and two zero bytes.

    Args:
        ifd0: Tags of the main directory. Text is ASCII, bytes are UNDEFINED, a number is SHORT (LONG above 65,535), a
            tuple of numbers is BYTE, a list of pairs is RATIONAL.
        exif: Tags of the Exif directory.
        gps: Tags of the GPS directory.
        thumbnail: A small JPEG.
    """
    main = dict(ifd0)
    if exif:
        main[_EXIF_POINTER] = 1 << 16
    if gps:
        main[_GPS_POINTER] = 1 << 16
    exif_at = 8 + len(_directory(main, 0, 0))
    gps_at = exif_at + (len(_directory(exif, 0, 0)) if exif else 0)
    thumbnail_at = gps_at + (len(_directory(gps, 0, 0)) if gps else 0)
    if exif:
        main[_EXIF_POINTER] = (1 << 32) + exif_at
    if gps:
        main[_GPS_POINTER] = (1 << 32) + gps_at
    body = b"II*\0" + struct.pack("<I", 8) + _directory(main, 8, thumbnail_at if thumbnail else 0)
    body += _directory(exif, exif_at, 0) if exif else b""
    body += _directory(gps, gps_at, 0) if gps else b""
    if thumbnail:
        ifd1: dict[int, Value] = {0x0103: 6, _THUMBNAIL_OFFSET: 1 << 32, _THUMBNAIL_LENGTH: (1 << 32) + len(thumbnail)}
        ifd1[_THUMBNAIL_OFFSET] = (1 << 32) + thumbnail_at + len(_directory(ifd1, 0, 0))
        body += _directory(ifd1, thumbnail_at, 0) + thumbnail
    return b"Exif\0\0" + body


def _directory(tags: Mapping[int, Value], start: int, following: int) -> bytes:
    """One directory with its values behind it; ``following`` is the offset of the next one or 0."""
    entries, values = b"", b""
    values_at = start + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        kind, count, data = _encoded(value)
        if len(data) > 4:
            field = struct.pack("<I", values_at + len(values))
            values += data + b"\0" * (len(data) % 2)
        else:
            field = data.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, count) + field
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", following) + values


def _encoded(value: Value) -> tuple[int, int, bytes]:
    """Type, count and bytes of a value. Numbers from 2³² on stand for offsets and lengths, always LONG."""
    if isinstance(value, str):
        data = value.encode("ascii") + b"\0"
        return ASCII, len(data), data
    if isinstance(value, bytes):
        return UNDEFINED, len(value), value
    if isinstance(value, tuple):
        return BYTE, len(value), bytes(value)
    if isinstance(value, list):
        return RATIONAL, len(value), b"".join(struct.pack("<II", *pair) for pair in value)
    if value >= 1 << 16:
        return LONG, 1, struct.pack("<I", value & 0xFFFFFFFF)
    return SHORT, 1, struct.pack("<H", value)
