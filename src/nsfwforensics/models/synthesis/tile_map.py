"""The trace network's scores over tiles of one picture: where in it pixels score differently from the rest.

Every tile is judged alone, as a crop is (nothing outside it is seen, its border is padded with zeros), so a tile's
score is exactly that of the network on the same pixels. At most :data:`MOST` tiles are judged: the larger the
picture, the wider apart they lie, with gaps between them in very large ones. Time and memory are bounded by that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TILE = 128
"""Side of a tile in native pixels: the size of the crops that the trace network was trained on."""

STRIDE = 96
"""Least distance of neighbouring tiles, in pixels."""

MOST = 80
"""Most tiles judged per picture."""

LEAST_SIDE = 320
"""Shorter side of the smallest picture that gets a map, in pixels."""

_GRID = 16
_FLAT = 0.6
_CLIPPED = 0.3


@dataclass(frozen=True, slots=True)
class Tiles:
    """Where the tiles of a picture lie, and which can be judged.

    Attributes:
        xs: int64 (columns,), left of each column of tiles, in pixels.
        ys: int64 (rows,), top of each row.
        usable: bool (rows, columns): tiles that show texture. Flat and clipped ones carry no trace.
        texture: float64 (rows, columns): log of the mean absolute difference of neighbouring pixels.
    """

    xs: NDArray[np.int64]
    ys: NDArray[np.int64]
    usable: NDArray[np.bool_]
    texture: NDArray[np.float64]


def steps(length: int, stride: int) -> NDArray[np.int64]:
    """Starts of tiles along one side: evenly spread, on the picture's 16-pixel grid, about ``stride`` apart."""
    room = max(0, length - TILE)
    starts = np.linspace(0, room, room // stride + 1) if room >= stride else np.zeros(1)
    return np.unique(starts.astype(np.int64) // _GRID * _GRID)


def layout(height: int, width: int, stride: int = STRIDE, most: int = MOST) -> tuple[NDArray[np.int64], ...]:
    """Tops and lefts of the tiles: as close as ``stride``, or as far apart as ``most`` tiles require.

    Args:
        height: Of the picture in pixels, at least one tile.
        width: The same.
        stride: Least distance in pixels.
        most: Most tiles.
    """
    while True:
        ys, xs = steps(height, stride), steps(width, stride)
        if len(ys) * len(xs) <= most:
            return ys, xs
        stride += max(_GRID, stride // 16)


def tiles(rgb: NDArray[np.uint8], stride: int = STRIDE, most: int = MOST) -> Tiles | None:
    """Lays tiles over a picture, or None where it is too small for a map.

    Args:
        rgb: uint8 (height, width, 3).
        stride: Least distance in pixels.
        most: Most tiles.
    """
    height, width = rgb.shape[:2]
    if min(height, width) < LEAST_SIDE:
        return None
    ys, xs = layout(height, width, stride, most)
    looks = [[_look(rgb[y : y + TILE, x : x + TILE]) for x in xs] for y in ys]
    usable = np.array([[usable for usable, _ in row] for row in looks], bool)
    return Tiles(xs, ys, usable, np.array([[texture for _, texture in row] for row in looks], np.float64))


def cut(rgb: NDArray[np.uint8], found: Tiles) -> NDArray[np.uint8]:
    """The pixels of the usable tiles, row by row: uint8 (N, 128, 128, 3)."""
    places = [(found.ys[row], found.xs[column]) for row, column in np.argwhere(found.usable)]
    if not places:
        return np.zeros((0, TILE, TILE, 3), np.uint8)
    return np.stack([rgb[y : y + TILE, x : x + TILE] for y, x in places])


def on_grid(found: Tiles, logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Puts the scores of the usable tiles in their places: float64 (rows, columns), NaN elsewhere."""
    scores = np.full(found.usable.shape, np.nan)
    scores[found.usable] = logits
    return scores


def _look(tile: NDArray[np.uint8]) -> tuple[bool, float]:
    """Whether a tile carries traces at all, and its texture, both from green (which luma mostly is)."""
    green = tile[..., 1]
    cells = green.reshape(TILE // 8, 8, TILE // 8, 8)
    flat = float((cells.max((1, 3)).astype(np.int16) - cells.min((1, 3)) <= 2).mean())
    clipped = float(((tile >= 253).all(2) | (tile <= 2).all(2)).mean())
    change = float(np.abs(np.diff(green.astype(np.int16), axis=1)).mean())
    return flat <= _FLAT and clipped <= _CLIPPED, float(np.log(change + 0.25))
