"""Whether matches that agree with a map mean anything: against chance, by their spread, how exact, how complete."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.signals.matching.geometry import derivative, project

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.matching.keypoints import Keypoints
    from nsfwforensics.signals.matching.matching import MatchedKeypoints

TOLERANCE = 4.0
"""Most distance between where a map puts a point and where it was found, in pixels at working size."""

ANGLE = 25.0
"""Most difference between the turn of a match and that of the map, in degrees."""

OCTAVES = 0.6
"""Most difference between the scale of a match and that of the map, in octaves."""

_LEAST_SPREAD = 0.015  # standard deviation of the inliers across their long axis, share of the picture's diagonal
_MOST_SCALE = 16.0  # in either direction, at full size
_MOST_STRETCH = 3.0  # ratio of the two singular values of the map
_EXACT, _NEARLY = 1.0, 16.0  # pixels of the coarser picture at its working size
_EXACT_SIZE = 0.1  # large features are found less exactly: by so much of their diameter
_SUPPORT_CELLS = 24  # along the suspect's longer edge


def score(count: int, matches: MatchedKeypoints, model: str) -> float:
    """-log10 of the number of false alarms of that many agreeing matches.

    A chance match agrees when it falls within the tolerance, with the right turn and scale: the product of the three
    shares. The tests are all ways to choose the matches that fix the map, for every number of agreeing matches.
    """
    sample = 3 if model == "affine" else 4
    total = len(matches)
    place = math.pi * (TOLERANCE * matches.original_reduction) ** 2 / matches.original_area
    chance = min(0.5, place) * (2 * ANGLE / 360) * min(1.0, OCTAVES / 2)
    if count <= sample:
        return 0.0
    tests = math.log10(2 * (total - sample)) + _log10_choose(total, count) + _log10_choose(count, sample)
    return -(tests + (count - sample) * math.log10(chance))


def _log10_choose(total: int, chosen: int) -> float:
    return (math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)) / math.log(10)


def is_spread(matches: MatchedKeypoints, inliers: NDArray[np.intp]) -> bool:
    """Whether the agreeing places cover an area, not a line or a spot, in both pictures."""
    for places, diagonal in (
        (matches.original[inliers], matches.original_diagonal),
        (matches.suspect[inliers], matches.suspect_diagonal),
    ):
        x, y = (places - places.mean(axis=0, dtype=np.float64)).T
        xx, yy, xy = (float(one @ other) / (len(x) - 1) for one, other in ((x, x), (y, y), (x, y)))
        across = (xx + yy) / 2 - math.hypot((xx - yy) / 2, xy)  # the smaller eigenvalue
        if math.sqrt(max(0.0, across)) < _LEAST_SPREAD * diagonal:
            return False
    return True


def is_plausible(matrix: NDArray[np.float64], places: NDArray[np.float32]) -> bool:
    """Whether the map is one that editing makes, at every agreeing place."""
    (a, b), (c, d) = np.moveaxis(derivative(matrix, places), 0, -1)
    both, apart = np.hypot(a + d, b - c) / 2, np.hypot(a - d, b + c) / 2
    largest, smallest = both + apart, both - apart  # the singular values, where the determinant is positive
    if not np.isfinite(largest).all() or (a * d - b * c <= 0).any():
        return False
    within = (largest < _MOST_SCALE) & (smallest > 1 / _MOST_SCALE) & (largest < _MOST_STRETCH * smallest)
    return bool(within.all())


def exactness(matches: MatchedKeypoints, matrix: NDArray[np.float64]) -> float:
    """Matches within a pixel of their place by those within sixteen, in pixels of the coarser picture."""
    linear = derivative(matrix, matches.suspect.mean(axis=0, keepdims=True))[0]
    unit = max(matches.original_reduction, matches.suspect_reduction * abs(np.linalg.det(linear)) ** 0.5)
    distance = np.linalg.norm(project(matrix, matches.suspect) - matches.original, axis=1) / unit
    exact = np.maximum(_EXACT, _EXACT_SIZE * matches.sizes / unit)
    return float((distance < exact).sum() / max(1, (distance < _NEARLY).sum()))


def support(original: Keypoints, suspect: Keypoints, matrix: NDArray[np.float64], places: NDArray[np.float32]) -> float:
    """Cells of the suspect with agreeing places by cells in which both pictures have keypoints."""
    mapped = project(np.asarray(np.linalg.inv(matrix), np.float64), original.points)
    cell = max(suspect.width, suspect.height) / _SUPPORT_CELLS
    theirs, mine, agreeing = (_cells(part, cell) for part in (suspect.points, mapped, places))
    return len(agreeing) / len(theirs & mine | agreeing)


def _cells(points: NDArray[np.floating], cell: float) -> set[float]:
    """Numbers of the cells in which points lie."""
    return set((np.floor(np.clip(points.astype(np.float64), -1e6, 1e6) / cell) @ np.array([1.0, 1e7])).tolist())


__all__ = ["ANGLE", "OCTAVES", "TOLERANCE", "exactness", "is_plausible", "is_spread", "score", "support"]
