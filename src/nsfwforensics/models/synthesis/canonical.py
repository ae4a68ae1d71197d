"""The one chain that every picture goes through, in training and in use, before the network sees it.

Whatever its size, format and history, a picture is reduced to the same size, saved once as the same JPEG, and reduced
again: what distinguishes a PNG of 4,000 pixels from a JPEG of 700 is mostly gone after that, and a classifier cannot
mistake it for what distinguishes generated pictures from photographs.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nsfwforensics.models.synthesis.preprocess import recompressed

CANONICAL = 448
"""Shorter side, in pixels, to which larger pictures are reduced."""

QUALITY = 80
"""JPEG quality of the one saving."""

AGAIN = 60
"""JPEG quality at which the recompressed copy is saved first."""

SIDE = 224
"""Side of the square that the network sees."""


def reduced(rgb: NDArray[np.uint8], shorter: int) -> NDArray[np.uint8]:
    """Reduces a picture to a shorter side; smaller ones stay as they are.

    Args:
        rgb: uint8 (height, width, 3).
        shorter: In pixels.
    """
    height, width = rgb.shape[:2]
    scale = shorter / min(height, width)
    if scale >= 1:
        return rgb
    size = max(shorter, round(width * scale)), max(shorter, round(height * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def middle(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The square in the middle."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return rgb[top : top + side, left : left + side]


def square(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What views are made of, the middle square reduced: uint8 (side, side, 3), side at most :data:`CANONICAL`."""
    return np.ascontiguousarray(reduced(middle(rgb), CANONICAL))


def fitted(rgb: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """A square picture in the size that the network sees: uint8 (224, 224, 3)."""
    from PIL import Image

    image = Image.fromarray(rgb).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image, np.uint8)


def whole(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The whole picture (its middle square) as the network sees it: uint8 (224, 224, 3)."""
    return view(square(rgb))


def view(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What :func:`square` made as the network sees it: uint8 (224, 224, 3)."""
    return fitted(recompressed(pixels, QUALITY))


def copies(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two mildly changed copies of a picture as the network sees them: uint8 (2, 224, 224, 3).

    The first was saved once more at a lower quality, the second made a little smaller. Where the answer turns between
    the picture and them it is none.

    Args:
        pixels: As :func:`square` makes them.
    """
    smaller = reduced(pixels, max(SIDE, round(0.875 * min(CANONICAL, len(pixels)))))
    return np.stack([view(recompressed(pixels, AGAIN)), view(smaller)])


def changed(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture and two mildly changed copies of it as the network sees them: uint8 (3, 224, 224, 3)."""
    pixels = square(rgb)
    return np.concatenate([view(pixels)[None], copies(pixels)])
