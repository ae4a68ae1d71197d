"""What happens to a picture after it was made or edited: how it is saved, and what messengers do to it."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """Baseline JPEG with the standard tables and 4:2:0 chroma, as most programs write it."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()


def png(pixels: Pixels) -> bytes:
    """Lossless."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def decoded(data: bytes) -> Pixels:
    """Pixels as stored in the file (EXIF orientation not applied)."""
    with Image.open(io.BytesIO(data)) as opened:
        return np.asarray(opened.convert("RGB"))


def smaller(pixels: Pixels, longest: int) -> Pixels:
    """Scaled down to the given longest side; smaller pictures stay as they are."""
    height, width = pixels.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def sent(pixels: Pixels, longest: int, quality: int) -> bytes:
    """As a messenger sends it on: scaled down and saved as JPEG 4:2:0 without metadata."""
    return jpeg(smaller(pixels, longest), quality)


def sent_twice(pixels: Pixels) -> bytes:
    """Through two messengers: 1600 pixels at quality 80, then 1080 at quality 72."""
    return sent(decoded(sent(pixels, 1600, 80)), 1080, 72)


def save(pixels: Pixels, saving: str) -> bytes:
    """Saves by the name of a saving.

    Args:
        pixels: uint8 (height, width, 3), RGB.
        saving: One of :data:`SAVINGS`.

    Returns:
        The file.
    """
    if saving == "PNG":
        return png(pixels)
    if saving.startswith("JPEG "):
        return jpeg(pixels, int(saving.removeprefix("JPEG ")))
    if saving == "sent twice":
        return sent_twice(pixels)
    longest, quality = MESSENGERS[saving]
    return sent(pixels, longest, quality)


MESSENGERS = {"sent, 1600": (1600, 80), "sent, 1280": (1280, 75)}
"""Longest side in pixels and JPEG quality."""

QUALITIES = ("JPEG 95", "JPEG 90", "JPEG 80", "JPEG 70")
SENT = (*MESSENGERS, "sent twice")
SAVINGS = ("PNG", *QUALITIES, "sent, 1280", "sent twice")
"""How manipulated pictures, and their untouched counterparts, are saved."""
