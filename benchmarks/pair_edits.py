"""Content edits: a region of a picture is replaced by something else, and the mask of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.pair_steps import Draft

LEAST_SHARE, MOST_SHARE = 0.05, 0.60
"""Share of the picture that an edit covers."""


def edit(
    draft: Draft, way: str, rng: np.random.Generator, other: NDArray[np.uint8], share: float | None = None
) -> None:
    """Replaces the content of one region.

    Args:
        draft: Changed in place.
        way: One of :data:`EDITS`.
        rng: Draws place, shape and, if not given, share.
        other: Another picture, the material of splices; uint8 RGB.
        share: Share of the picture to cover, 0–1.
    """
    share = float(rng.uniform(LEAST_SHARE, MOST_SHARE)) if share is None else share
    mask = _blob(draft.rgb.shape[0], draft.rgb.shape[1], share, rng)
    new = EDITS[way](draft.rgb, mask, rng, other)
    feather = max(1.0, max(mask.shape) / 300)
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), feather)[..., None]
    draft.rgb = np.round(draft.rgb * (1 - alpha) + new * alpha).astype(np.uint8)
    draft.edited = np.maximum(draft.edited, mask * np.uint8(255))
    draft.steps.append(f"{way} over {share:.0%}")


def _blob(height: int, width: int, share: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A lump of exactly this share of the picture: the highest values of a hill with smooth noise on it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centre = rng.uniform(0.25, 0.75, 2) * (width, height)
    stretch = float(np.exp(rng.uniform(-0.5, 0.5)))
    hill = -np.hypot((x - centre[0]) / width * stretch, (y - centre[1]) / height / stretch)
    coarse = rng.normal(0, float(rng.choice([0.0, 0.08, 0.15])), (6, 6)).astype(np.float32)
    hill += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(hill >= np.quantile(hill, 1 - share), np.uint8)


def _splice(
    rgb: NDArray[np.uint8], _: NDArray[np.uint8], rng: np.random.Generator, other: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Another photo's content at the same place, at a drawn zoom."""
    height, width = rgb.shape[:2]
    scale = max(width / other.shape[1], height / other.shape[0]) * float(rng.uniform(1.0, 1.6))
    size = (max(width, round(other.shape[1] * scale)), max(height, round(other.shape[0] * scale)))
    large = cv2.resize(other, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = int(rng.integers(size[1] - height + 1)), int(rng.integers(size[0] - width + 1))
    return np.asarray(large[top : top + height, left : left + width], np.uint8)


def _inpaint(
    rgb: NDArray[np.uint8], mask: NDArray[np.uint8], _: np.random.Generator, __: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Telea's inpainting, at a reduced size because its time grows with the region."""
    height, width = rgb.shape[:2]
    scale = min(1.0, 360 / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    hole = cv2.dilate(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.ones((3, 3), np.uint8))
    filled = cv2.inpaint(small, hole, 4, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _blur(
    rgb: NDArray[np.uint8], _: NDArray[np.uint8], __: np.random.Generator, ___: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), max(rgb.shape[:2]) / 40), np.uint8)


def _paint(
    rgb: NDArray[np.uint8], _: NDArray[np.uint8], rng: np.random.Generator, __: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """One colour with a light gradient, as a brush or a drawn garment."""
    height, width = rgb.shape[:2]
    shade = np.linspace(-20, 20, width, dtype=np.float32)[None, :, None]
    colour = rng.integers(30, 226, 3).astype(np.float32)
    return np.clip(np.broadcast_to(colour + shade, (height, width, 3)), 0, 255).astype(np.uint8)


def _texture(
    rgb: NDArray[np.uint8], _: NDArray[np.uint8], rng: np.random.Generator, __: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Re-synthesised texture: overlapping patches of the picture, blended in drawn order over its blurred colours."""
    height, width = rgb.shape[:2]
    side = max(8, min(height, width) // 10)
    window = np.hanning(side + 2)[1:-1]
    weight = np.outer(window, window).astype(np.float32)[..., None]
    total = np.zeros((height + side, width + side, 3), np.float32)
    weights = np.full((height + side, width + side, 1), 1e-6, np.float32)
    for top in range(0, height, side // 2):
        for left in range(0, width, side // 2):
            y, x = int(rng.integers(max(1, height - side))), int(rng.integers(max(1, width - side)))
            patch = rgb[y : y + side, x : x + side].astype(np.float32)
            if patch.shape[:2] != (side, side):
                continue
            total[top : top + side, left : left + side] += patch * weight
            weights[top : top + side, left : left + side] += weight
    made = (total / weights)[:height, :width]
    base = cv2.GaussianBlur(rgb, (0, 0), side).astype(np.float32)
    detail = made - cv2.GaussianBlur(made, (0, 0), side)
    return np.clip(base + detail, 0, 255).astype(np.uint8)


EDITS: Mapping[
    str,
    Callable[
        [NDArray[np.uint8], NDArray[np.uint8], np.random.Generator, NDArray[np.uint8]],
        NDArray[np.uint8],
    ],
] = {"splice": _splice, "inpaint": _inpaint, "blur": _blur, "paint": _paint, "texture": _texture}
"""Each gives a whole picture of new content, of which the mask is used: picture, mask, generator, other → uint8 RGB."""
