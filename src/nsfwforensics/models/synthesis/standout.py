"""How far a region of a picture stands out of the rest in a map of scores over tiles.

Three measures, each with the scores as they are and with what texture explains taken away. Which one is used was
chosen on photographs and edits that neither trained nor tested anything, and is named in the calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

FEWEST = 9
"""Fewest judged tiles of a map that is read."""

LARGEST = 0.45
"""Largest share of the judged tiles that may stand out: what covers more is the picture itself."""

_FLOOR = 0.35
_SOFT = 2.0

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standout:
    """The region that stands out most.

    Attributes:
        value: How far; no unit.
        region: bool, the shape of the map.
    """

    value: float
    region: NDArray[np.bool_]


def standout(statistic: str, scores: Scores, texture: Scores) -> Standout | None:
    """Reads a map.

    Args:
        statistic: A key of :data:`STATISTICS`.
        scores: float64 (rows, columns), NaN where no tile was judged.
        texture: The same shape: log of the tiles' texture.

    Returns:
        The region, or None where fewer than :data:`FEWEST` tiles were judged.

    Raises:
        KeyError: There is no such statistic.
    """
    read = STATISTICS[statistic]
    return read(scores, texture) if np.isfinite(scores).sum() >= FEWEST else None


def rectangle(scores: Scores, texture: Scores, *, corrected: bool = False) -> Standout:
    """The rectangle whose mean lies highest above the mean outside, in deviations of the tiles outside.

    A rectangle of few tiles counts for less: its mean is that of a sample.
    """
    plane = _without_texture(scores, texture) if corrected else scores
    known = np.isfinite(plane)
    filled = np.where(known, plane - np.median(plane[known]), 0.0)
    sums, squares, counts = (_integral(part) for part in (filled, filled**2, known.astype(np.float64)))
    rows, columns = plane.shape
    tops, bottoms = np.triu_indices(rows + 1, 1)
    lefts, rights = np.triu_indices(columns + 1, 1)

    def inside(total: Scores) -> Scores:
        upper, lower = total[tops], total[bottoms]
        found: Scores = lower[:, rights] - lower[:, lefts] - upper[:, rights] + upper[:, lefts]
        return found

    n, s, q = inside(counts), inside(sums), inside(squares)
    total = float(counts[-1, -1])
    allowed = (n >= 1) & (n <= max(1.0, LARGEST * total))
    n_in, n_out = np.maximum(n, 1), np.maximum(total - n, 1)
    mean_out = (sums[-1, -1] - s) / n_out
    spread = np.sqrt(np.maximum((squares[-1, -1] - q) / n_out - mean_out**2, 0)) + _FLOOR
    value = np.where(allowed, (s / n_in - mean_out) / spread * np.sqrt(n_in / (n_in + _SOFT)), -np.inf)
    best = int(np.argmax(value))
    row, column = divmod(best, len(lefts))
    region = np.zeros(plane.shape, bool)
    region[tops[row] : bottoms[row], lefts[column] : rights[column]] = True
    return Standout(float(value.flat[best]), region & known)


def group(scores: Scores, texture: Scores, *, corrected: bool = False) -> Standout:
    """The connected group of tiles above the bulk that stands highest above it: median and MAD of the picture."""
    plane = _without_texture(scores, texture) if corrected else scores
    known = np.isfinite(plane)
    z = _robust(plane)
    best = Standout(0.0, np.zeros(plane.shape, bool))
    for least in (0.75, 1.25, 2.0):
        count, labels = cv2.connectedComponents((np.nan_to_num(z, nan=-9.0) >= least).astype(np.uint8), connectivity=4)
        for label in range(1, count):
            region = labels == label
            n = int(region.sum())
            value = float(z[region].mean() * np.sqrt(n / (n + _SOFT)))
            if n <= max(1.0, LARGEST * known.sum()) and value > best.value:
                best = Standout(value, region)
    return best


def highest(scores: Scores, texture: Scores, *, corrected: bool = False) -> Standout:
    """The highest place of the map smoothed over 3 × 3 tiles, above the picture's median in MADs."""
    plane = _without_texture(scores, texture) if corrected else scores
    known = np.isfinite(plane)
    z = _robust(plane)
    weight = cv2.blur(known.astype(np.float64), (3, 3), borderType=cv2.BORDER_CONSTANT)
    smooth = cv2.blur(np.where(known, z, 0.0), (3, 3), borderType=cv2.BORDER_CONSTANT) / np.maximum(weight, 1 / 3)
    place = np.unravel_index(int(np.argmax(np.where(known, smooth, -np.inf))), plane.shape)
    value = float(smooth[place])
    _, labels = cv2.connectedComponents((known & (smooth >= 0.5 * value)).astype(np.uint8), connectivity=4)
    return Standout(value, (labels == labels[place]) & (labels > 0))


STATISTICS: Mapping[str, Callable[[Scores, Scores], Standout]] = {
    "rectangle": rectangle,
    "rectangle-texture": partial(rectangle, corrected=True),
    "group": group,
    "group-texture": partial(group, corrected=True),
    "highest": highest,
    "highest-texture": partial(highest, corrected=True),
}
"""By name, in the order in which a tie is broken."""


def _robust(plane: Scores) -> Scores:
    known = plane[np.isfinite(plane)]
    middle = float(np.median(known))
    spread = 1.4826 * float(np.median(np.abs(known - middle))) + _FLOOR
    return np.asarray((plane - middle) / spread, np.float64)


def _without_texture(scores: Scores, texture: Scores) -> Scores:
    """Scores less a line through texture, fitted to the picture's own tiles; flat lines where textures are alike."""
    known = np.isfinite(scores)
    x = texture - texture[known].mean()
    y = scores - scores[known].mean()
    slope = float((x[known] * y[known]).mean() / ((x[known] ** 2).mean() + 0.1))
    return np.asarray(scores - slope * x, np.float64)


def _integral(plane: Scores) -> Scores:
    return np.asarray(np.pad(np.cumsum(np.cumsum(plane, 0), 1), ((1, 0), (1, 0))), np.float64)
