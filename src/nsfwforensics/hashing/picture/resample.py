"""Lanczos reductions of one grey picture to many small sizes at once, equal to Pillow's to the last bit.

Perceptual hashes look at a picture of 8 × 8 to 32 × 32 pixels, and reducing twelve megapixels to that is nearly all
their cost: Pillow walks over the picture once for every size. Here each band of rows is read once and multiplied with
the coefficients of all sizes. Pillow's resampling works in fixed point (22 fractional bits, columns first, rounded to
8 bits between the two passes); every product and sum of it fits a double exactly, so matrix products give its values.
Pillow 13 takes rows first in tall pictures; those, and everything if a future Pillow turns out to round otherwise, are
left to Pillow itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOBES = 3.0
_UNIT = float(1 << 22)
_BAND_VALUES = 1 << 17
_LONGEST = 1 << 15

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are just outside."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """One reduction that is wanted.

    Attributes:
        width: Columns of the result, at least 1.
        height: Rows of the result, at least 1.
        box: Part of the picture to reduce: left, top, right, bottom in pixels; None for all of it.
    """

    width: int
    height: int
    box: Box | None = None


def reduce_many(grey: NDArray[np.uint8], wanted: Sequence[Reduction]) -> list[NDArray[np.uint8]]:
    """Makes all reductions in one walk over the picture.

    Args:
        grey: uint8 (height, width), 0–255.
        wanted: What to make; boxes must lie inside the picture and hold at least one pixel.

    Returns:
        For each of ``wanted`` a uint8 array (its height, its width), the same values as
        ``Image.fromarray(grey).crop(box).resize((width, height), Image.Resampling.LANCZOS)``.

    Raises:
        ValueError: The picture or a box is empty, or a box reaches outside.
    """
    height, width = grey.shape
    boxes = [job.box or (0, 0, width, height) for job in wanted]
    for left, top, right, bottom in boxes:
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise ValueError(f"box {(left, top, right, bottom)} is empty or outside a picture of {width} × {height}")
    ours = [_is_ours(job, box) and _agrees_with_pillow() for job, box in zip(wanted, boxes, strict=True)]
    quick = iter(_walk(grey, *_only(ours, wanted, boxes)))
    slow = iter(_by_pillow(grey, *_only([not mine for mine in ours], wanted, boxes)))
    return [next(quick if mine else slow) for mine in ours]


def _only(
    chosen: Sequence[bool], wanted: Sequence[Reduction], boxes: Sequence[Box]
) -> tuple[list[Reduction], list[Box]]:
    return list(compress(wanted, chosen)), list(compress(boxes, chosen))


def _is_ours(job: Reduction, box: Box) -> bool:
    """Whether every version of Pillow takes the columns first here, and the coefficients are a reasonable matrix."""
    columns, rows = box[2] - box[0], box[3] - box[1]
    columns_first = rows <= job.height or rows - job.height <= 2 * (columns - job.width)
    return columns_first and max(columns, rows) <= _LONGEST


def _by_pillow(grey: NDArray[np.uint8], wanted: Sequence[Reduction], boxes: Sequence[Box]) -> list[NDArray[np.uint8]]:
    from PIL import Image

    if not wanted:
        return []
    picture = Image.fromarray(grey)
    return [
        np.asarray(picture.crop(box).resize((job.width, job.height), Image.Resampling.LANCZOS))
        for job, box in zip(wanted, boxes, strict=True)
    ]


@lru_cache(maxsize=1)
def _agrees_with_pillow() -> bool:
    """Compares both ways once per process, on noise of full contrast that leaves no rounding untouched."""
    noise = np.random.default_rng(0).integers(0, 2, (61, 97), np.uint8) * 255
    wanted = [Reduction(8, 8), Reduction(32, 32), Reduction(9, 8), Reduction(100, 70)]
    boxes = [(0, 0, 97, 61)] * len(wanted)
    pairs = zip(_walk(noise, wanted, boxes), _by_pillow(noise, wanted, boxes), strict=True)
    return all(np.array_equal(ours, theirs) for ours, theirs in pairs)


def _walk(grey: NDArray[np.uint8], wanted: Sequence[Reduction], boxes: Sequence[Box]) -> list[NDArray[np.uint8]]:
    height, width = grey.shape
    across = [_coefficients(right - left, job.width) for job, (left, _, right, _) in zip(wanted, boxes, strict=True)]
    narrow = [np.empty((box[3] - box[1], job.width)) for job, box in zip(wanted, boxes, strict=True)]
    step = max(1, _BAND_VALUES // width)
    for start in range(0, height, step):
        stop = min(start + step, height)
        if not any(top < stop and bottom > start for _, top, _, bottom in boxes):
            continue
        band = grey[start:stop].astype(np.float64)
        for (left, top, right, bottom), weights, target in zip(boxes, across, narrow, strict=True):
            low, high = max(start, top), min(stop, bottom)
            if low < high:
                np.matmul(band[low - start : high - start, left:right], weights, out=target[low - top : high - top])
    return [
        _eight_bit(_coefficients(len(columns), job.height).T @ _eight_bit(columns).astype(np.float64))
        for job, columns in zip(wanted, narrow, strict=True)
    ]


def _eight_bit(sums: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Rounds fixed-point sums half up and clips them to 0–255, as Pillow does between and after its passes."""
    return np.clip(np.floor(sums / _UNIT + 0.5), 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def _coefficients(length: int, target: int) -> NDArray[np.float64]:
    """Pillow's fixed-point Lanczos coefficients as whole numbers: float64 (length, target), columns sum to about 2²².

    Follows the definition of Lanczos-3 resampling with a support that grows with the reduction.
    """
    matrix = np.zeros((length, target))
    if length == target:
        np.fill_diagonal(matrix, _UNIT)
        return matrix
    scale = length / target
    stretch = max(scale, 1.0)
    support = _LOBES * stretch
    centre = (np.arange(target) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(np.intp), 0)
    last = np.minimum((centre + support + 0.5).astype(np.intp), length)
    positions = first[:, None] + np.arange(int((last - first).max()))[None, :]
    inside = positions < last[:, None]
    raw = np.where(inside, _lanczos((positions - centre[:, None] + 0.5) * (1.0 / stretch)), 0.0)
    scaled = raw * (1.0 / np.cumsum(raw, axis=1)[:, -1:]) * _UNIT
    rounded = np.trunc(np.where(scaled < 0, scaled - 0.5, scaled + 0.5))
    matrix.T[np.nonzero(inside)[0], positions[inside]] = rounded[inside]
    return matrix


def _lanczos(x: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = (x >= -_LOBES) & (x < _LOBES)
    return np.where(inside, np.sinc(x) * np.sinc(x / _LOBES), 0.0)
