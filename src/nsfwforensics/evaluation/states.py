"""The three states in which every figure of a detector is measured: as the file is, and after two ways of sharing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from nsfwforensics.models.synthesis.preprocess import recompressed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

Tier = Literal["as_is", "768_q60", "512_q40"]

TIERS: Mapping[Tier, str] = {
    "as_is": "as the file is",
    "768_q60": "at most 768 px, JPEG quality 60",
    "512_q40": "at most 512 px, JPEG quality 40",
}
"""The states, and how they are called where people read of them."""

SHARED: Mapping[Tier, tuple[int, int]] = {"768_q60": (768, 60), "512_q40": (512, 40)}
"""Longest side in pixels and JPEG quality of the states after sharing."""


def at_tier(rgb: Pixels, tier: Tier) -> Pixels:
    """Brings a picture, uint8 (height, width, 3), into one of the three measured states."""
    if tier == "as_is":
        return rgb
    longest, quality = SHARED[tier]
    return recompressed(within(rgb, longest), quality)


def within(rgb: Pixels, longest: int, kernel: int = cv2.INTER_AREA) -> Pixels:
    """Reduces so that no side is longer than ``longest`` pixels; smaller pictures stay."""
    scale = longest / max(rgb.shape[:2])
    return resized(rgb, scale, kernel) if scale < 1 else rgb


def resized(rgb: Pixels, scale: float, kernel: int) -> Pixels:
    """Scales both sides; never below one pixel."""
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=kernel), np.uint8)
