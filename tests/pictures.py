"""Pictures for tests: made photographs and noise, and pictures as bytes of a file."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def natural(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Coloured noise whose power falls with frequency as it does in nature: uint8 (height, width, 3)."""
    generator = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]) + 1 / width
    waves = generator.normal(size=(2, 3, *frequency.shape)) / frequency**1.2
    plane = np.fft.irfft2(waves[0] + 1j * waves[1], (height, width)).transpose(1, 2, 0)
    return np.clip(128 + 40 * plane / plane.std(), 0, 255).astype(np.uint8)


def photo_like(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Soft shapes at all scales with some noise: uint8 (height, width, 3)."""
    random = np.random.default_rng(seed)
    pixels = np.zeros((height, width, 3))
    for side in (2, 4, 9, 20, 45):
        small = Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8))
        pixels += np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), dtype=float) / side**0.7
    pixels += random.normal(0, 2, pixels.shape)
    pixels -= pixels.min()
    return (pixels * (255 / max(pixels.max(), 1e-9))).astype(np.uint8)


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Nothing but noise, every value as likely: uint8 (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def saved(picture: Image.Image | NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a file that holds a picture, or an array (height, width[, 3]) as one."""
    buffer = io.BytesIO()
    # a copy, because saving leaves its options on a picture
    image = picture.copy() if isinstance(picture, Image.Image) else Image.fromarray(np.ascontiguousarray(picture))
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def resaved(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """What is left of grey or colour pixels, uint8, after they were saved as JPEG by OpenCV."""
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR if pixels.ndim == 3 else cv2.IMREAD_GRAYSCALE), np.uint8)
