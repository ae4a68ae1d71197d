"""Windows over a picture, for a map of the classifier's score: each is judged as if it were a picture of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.models.synthesis.canonical import SIDE, whole

LEAST_SIDE = 336
"""Shorter side of the smallest picture that gets a map, in pixels."""

MOST = 36
"""Most windows per picture."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Where the windows of a picture lie.

    Attributes:
        xs: int64 (columns,), left of each column, in pixels.
        ys: int64 (rows,), top of each row.
        side: Of the square windows, in pixels.
    """

    xs: NDArray[np.int64]
    ys: NDArray[np.int64]
    side: int


def windows(height: int, width: int) -> Windows | None:
    """Lays windows of half the shorter side over a picture, half overlapping; None where it is too small for a map.

    Args:
        height: Of the picture in pixels.
        width: The same.
    """
    if min(height, width) < LEAST_SIDE:
        return None
    side = max(SIDE, min(height, width) // 2)
    rows, columns = (max(2, 2 * (length // side) - 1) for length in (height, width))
    while rows * columns > MOST:  # very long pictures: gaps between the windows
        rows, columns = (rows, columns - 1) if columns > rows else (rows - 1, columns)
    starts = (
        np.linspace(0, length - side, count).astype(np.int64) for length, count in ((height, rows), (width, columns))
    )
    ys, xs = starts
    return Windows(xs, ys, side)


def cut(rgb: NDArray[np.uint8], found: Windows) -> NDArray[np.uint8]:
    """What the network sees of the windows, row by row: uint8 (N, 224, 224, 3)."""
    side = found.side
    return np.stack([whole(rgb[y : y + side, x : x + side]) for y in found.ys for x in found.xs])
