"""Whether one picture derives from another, by geometry: the same features in the same arrangement.

Features are matched (Lowe's ratio test, mirrored and not), every match proposes a similarity, the best proposals are
refined to an affine map and, where that explains more, a homography. What counts is how unlikely so many agreeing
matches would be by chance: -log10 of the number of false alarms, as in Moisan & Stival, "A probabilistic criterion to
detect rigid point matches" (IJCV 2004).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.signals._maps import affine, area, corners, derivative, hull_area, overlap, project
from nsfwforensics.signals._matching import Matches, candidates, match

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.keypoints import Keypoints

SCORE = 12.0
"""Least score at which :func:`align` reports an alignment; its measured false-positive rate is in docs/compare.md."""

LEAST_INLIERS = 8
"""Fewest agreeing matches at which :func:`align` reports an alignment."""

_TOLERANCE = 4.0  # between where a map puts a point and where it was found, in pixels at working size
_ANGLE = 25.0  # between the turn of a match and that of the map, degrees
_OCTAVES = 0.6  # between the scale of a match and that of the map, in octaves
_PROPOSALS = 400  # matches that propose a similarity
_REFINED = 6  # proposals that are refined
_LEAST_SPREAD = 0.015  # standard deviation of the inliers across their long axis, share of the picture's diagonal
_MOST_SCALE = 16.0  # in either direction, at full size
_MOST_STRETCH = 3.0  # ratio of the two singular values of the map
_HOMOGRAPHY_GAIN = 1.15  # a homography must explain so many more matches than the affine map


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a suspect picture lies on an original.

    Attributes:
        matrix: float64 (3, 3), suspect pixels → original pixels at full size, pixel centres at whole numbers.
        mirrored: Whether the suspect is mirrored.
        model: ``affine`` or ``homography``.
        inliers: How many matches agree with the map, each place counted once.
        matches: How many matches there were.
        score: -log10 of the expected number of chance agreements as good as this one.
        residual: Median distance between mapped and found places, in pixels of the original.
        support: Share of the suspect's distinctive places that agree with the map, among those inside the hull of all
            that do; 0–1. Low where only a mark, a caption or a user interface is common to both.
        original_size: Width and height of the original in pixels.
        suspect_size: Width and height of the suspect in pixels.
        original_points: float32 (inliers, 2), the agreeing places in the original.
        suspect_points: float32 (inliers, 2), the same places in the suspect.
    """

    matrix: NDArray[np.float64]
    mirrored: bool
    model: str
    inliers: int
    matches: int
    score: float
    residual: float
    support: float
    original_size: tuple[int, int]
    suspect_size: tuple[int, int]
    original_points: NDArray[np.float32]
    suspect_points: NDArray[np.float32]

    @property
    def scale(self) -> float:
        """Size of the photo in the suspect by its size in the original: 0.5 where it was halved."""
        return float(abs(np.linalg.det(self._linear)) ** -0.5)

    @property
    def rotation(self) -> float:
        """By how many degrees the photo was turned clockwise (after mirroring left to right, if mirrored); ±180."""
        linear = self._linear @ np.diag([-1.0, 1.0]) if self.mirrored else self._linear
        return float(-math.degrees(math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])))

    @property
    def outline_in_original(self) -> NDArray[np.float64]:
        """Polygon (k, 2) in original pixels: the part of the original that lies inside the suspect's frame.

        An upper bound where the photo was cropped before it was framed: the frame may hold something else there.
        """
        return overlap(corners(self.original_size), project(self.matrix, corners(self.suspect_size)))

    @property
    def outline_in_suspect(self) -> NDArray[np.float64]:
        """Polygon (k, 2) in suspect pixels: where the suspect would show the original; see above for its limits."""
        inverse = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return overlap(corners(self.suspect_size), project(inverse, corners(self.original_size)))

    @property
    def shown(self) -> float:
        """Share of the original's area inside the suspect's frame, 0–1: what a crop has left of it."""
        return area(self.outline_in_original) / max(1.0, float(np.prod(self.original_size)))

    @property
    def matched(self) -> float:
        """Share of the original's area inside the hull of the agreeing places, 0–1: a lower bound of what is shown."""
        return hull_area(self.original_points) / max(1.0, float(np.prod(self.original_size)))

    @property
    def filled(self) -> float:
        """Share of the suspect's area where it would show the original, 0–1; low for screenshots and borders."""
        return area(self.outline_in_suspect) / max(1.0, float(np.prod(self.suspect_size)))

    @property
    def _linear(self) -> NDArray[np.float64]:
        """The map's derivative at the middle of the agreeing places."""
        x, y = self.suspect_points.mean(axis=0)
        return np.asarray(derivative(self.matrix, np.array([[x, y]]))[0], np.float64)


def align(original: Keypoints, suspect: Keypoints, least: float = SCORE) -> Alignment | None:
    """Finds how a suspect picture lies on an original, if it derives from it.

    Args:
        original: Keypoints of the original.
        suspect: Keypoints of the suspect.
        least: Least score.

    Returns:
        The better of the plain and the mirrored alignment; None where neither passes. The same input gives the same
        answer.
    """
    found = [
        aligned
        for mirrored, points in ((False, suspect), (True, suspect.mirrored()))
        if (aligned := _align(original, points, mirrored)) is not None and aligned.score >= least
    ]
    return max(found, key=lambda aligned: aligned.score, default=None)


def _align(original: Keypoints, suspect: Keypoints, mirrored: bool) -> Alignment | None:
    matches = match(original, suspect)
    if len(matches) < LEAST_INLIERS:
        return None
    best: tuple[int, NDArray[np.float64], NDArray[np.intp], str] | None = None
    for chosen in candidates(matches, _PROPOSALS, _REFINED):
        refined = _refine(matches, chosen)
        if refined is not None and (best is None or len(refined[1]) > best[0]):
            best = (len(refined[1]), *refined)
    if best is None:
        return None
    count, matrix, inliers, model = best
    score = _score(count, matches, model)
    if count < LEAST_INLIERS or not _spread(matches, inliers) or not _plausible(matrix, matches.suspect[inliers]):
        return None
    distances = np.linalg.norm(project(matrix, matches.suspect[inliers]) - matches.original[inliers], axis=1)
    support = _support(suspect, matches.suspect[inliers])
    points = matches.suspect[inliers].copy()
    if mirrored:
        flip = np.array([[-1.0, 0.0, suspect.width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        matrix = matrix @ flip
        points[:, 0] = suspect.width - 1 - points[:, 0]
    return Alignment(
        matrix=matrix / matrix[2, 2],
        mirrored=mirrored,
        model=model,
        inliers=count,
        matches=len(matches),
        score=score,
        residual=float(np.median(distances)),
        support=support,
        original_size=(original.width, original.height),
        suspect_size=(suspect.width, suspect.height),
        original_points=matches.original[inliers],
        suspect_points=points,
    )


def _refine(matches: Matches, chosen: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.intp], str] | None:
    """Map and agreeing matches from those that one proposal gathered."""
    import cv2

    tolerance = _TOLERANCE * matches.original_reduction
    first, _ = cv2.estimateAffinePartial2D(
        matches.suspect[chosen], matches.original[chosen], method=cv2.RANSAC, ransacReprojThreshold=2 * tolerance
    )
    if first is None:
        return None
    matrix = np.vstack([first, [0.0, 0.0, 1.0]])
    inliers = _inliers(matches, matrix, 2 * tolerance)
    for factor in (2.0, 1.0, 1.0):
        if len(inliers) < 4:
            return None
        step = affine(matches.suspect[inliers], matches.original[inliers])
        again = _inliers(matches, step, factor * tolerance)
        if len(again) < 4:
            break
        matrix, inliers = step, again
    if len(inliers) < 12:
        return matrix, inliers, "affine"
    wide = _inliers(matches, matrix, 4 * tolerance)
    guess, _ = cv2.findHomography(matches.suspect[wide], matches.original[wide], cv2.USAC_MAGSAC, tolerance, None, 2000)
    if guess is not None and np.isfinite(guess).all() and abs(guess[2, 2]) > 1e-9:
        bent = np.asarray(guess, np.float64)
        more = _inliers(matches, bent, tolerance)
        if len(more) > _HOMOGRAPHY_GAIN * len(inliers):
            return bent, more, "homography"
    return matrix, inliers, "affine"


def _inliers(matches: Matches, matrix: NDArray[np.float64], tolerance: float) -> NDArray[np.intp]:
    """Matches that agree with a map in place, turn and scale; of several at one place only the closest."""
    distance = np.linalg.norm(project(matrix, matches.suspect) - matches.original, axis=1)
    near = np.flatnonzero(distance < tolerance)
    if not len(near):
        return near
    linear = derivative(matrix, matches.suspect[near])
    determinant = linear[:, 0, 0] * linear[:, 1, 1] - linear[:, 0, 1] * linear[:, 1, 0]
    turn = np.degrees(np.arctan2(linear[:, 1, 0] - linear[:, 0, 1], linear[:, 0, 0] + linear[:, 1, 1]))
    octaves = 0.5 * np.log2(np.maximum(determinant, 1e-12))
    agrees = np.abs((matches.turns[near] - turn + 180) % 360 - 180) < _ANGLE
    agrees &= np.abs(matches.octaves[near] - octaves) < _OCTAVES
    near = near[agrees]
    near = near[np.argsort(distance[near], kind="stable")]
    for places, cell in (
        (matches.original[near], matches.original_reduction),
        (matches.suspect[near], matches.suspect_reduction),
    ):
        cells = np.round(places / (3 * cell)).astype(np.int64)
        _, firsts = np.unique(cells[:, 0] * (1 << 32) + cells[:, 1], return_index=True)
        keep = np.zeros(len(near), bool)
        keep[firsts] = True
        if not keep.all():
            near = near[keep]
            break
    return np.sort(near)


def _score(count: int, matches: Matches, model: str) -> float:
    """-log10 of the number of false alarms of that many agreeing matches.

    A chance match agrees when it falls within the tolerance, with the right turn and scale: the product of the three
    shares. The tests are all ways to choose the matches that fix the map, for every number of agreeing matches.
    """
    sample = 3 if model == "affine" else 4
    total = len(matches)
    place = math.pi * (_TOLERANCE * matches.original_reduction) ** 2 / matches.original_area
    chance = min(0.5, place) * (2 * _ANGLE / 360) * min(1.0, _OCTAVES / 2)
    if count <= sample:
        return 0.0
    tests = math.log10(2 * (total - sample)) + _log10_choose(total, count) + _log10_choose(count, sample)
    return -(tests + (count - sample) * math.log10(chance))


def _log10_choose(total: int, chosen: int) -> float:
    return (math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)) / math.log(10)


def _spread(matches: Matches, inliers: NDArray[np.intp]) -> bool:
    """Whether the agreeing places cover an area, not a line or a spot, in both pictures."""
    for places, diagonal in (
        (matches.original[inliers], matches.original_diagonal),
        (matches.suspect[inliers], matches.suspect_diagonal),
    ):
        across = np.linalg.eigvalsh(np.cov(places.T.astype(np.float64)))[0]
        if math.sqrt(max(0.0, float(across))) < _LEAST_SPREAD * diagonal:
            return False
    return True


def _plausible(matrix: NDArray[np.float64], places: NDArray[np.float32]) -> bool:
    """Whether the map is one that editing makes, at every agreeing place."""
    values = np.linalg.svd(derivative(matrix, places), compute_uv=False)
    if not np.isfinite(values).all() or (np.linalg.det(derivative(matrix, places)) <= 0).any():
        return False
    largest, smallest = values[:, 0], values[:, 1]
    within = (largest < _MOST_SCALE) & (smallest > 1 / _MOST_SCALE) & (largest < _MOST_STRETCH * smallest)
    return bool(within.all())


def _support(suspect: Keypoints, places: NDArray[np.float32]) -> float:
    """Cells of the suspect with agreeing places by cells with any keypoints, inside the hull of the agreeing places."""
    import cv2

    hull = cv2.convexHull(places)
    cell = max(suspect.width, suspect.height) / 24
    inside = np.array([cv2.pointPolygonTest(hull, (float(x), float(y)), False) >= 0 for x, y in suspect.points])
    every = {(int(x), int(y)) for x, y in suspect.points[inside] // cell}
    agreeing = {(int(x), int(y)) for x, y in places // cell}
    return len(agreeing) / max(1, len(every | agreeing))


__all__ = ["LEAST_INLIERS", "SCORE", "Alignment", "align"]
