"""Pictures made of noise, for running code end to end."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def picture(seed: int, height: int = 256, width: int = 256) -> NDArray[np.uint8]:
    """A colourful picture with structure at several scales."""
    rng = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((3, 90), (9, 50), (40, 30), (120, 20)):
        noise = rng.normal(0, strength, (cells, cells, 3)).astype(np.float32)
        layers += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + layers, 0, 255).astype(np.uint8)


def smooth(seed: int, height: int = 256, width: int = 256) -> NDArray[np.uint8]:
    """The same without its finest detail."""
    return np.asarray(cv2.GaussianBlur(picture(seed, height, width), (0, 0), 1.6), np.uint8)


def save(rgb: NDArray[np.uint8], path: Path, quality: int = 92) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, quality=quality)
