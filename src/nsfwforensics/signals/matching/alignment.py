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

from nsfwforensics.signals.matching import agreement as _agreement
from nsfwforensics.signals.matching.agreement import ANGLE, OCTAVES, TOLERANCE, is_plausible, is_spread
from nsfwforensics.signals.matching.geometry import (
    affine,
    area,
    corners,
    derivative,
    hull_area,
    is_affine,
    overlap,
    project,
)
from nsfwforensics.signals.matching.matching import MatchedKeypoints, candidates, match

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.matching.keypoints import Keypoints

SCORE = 20.0
"""Least score at which :func:`align` reports an alignment. By the model of chance 1 would do, but matches in real
pictures are not independent; the rate of false alarms is measured (``python -m benchmarks compare``)."""

LEAST_INLIERS = 8
"""Fewest agreeing matches at which :func:`align` reports an alignment."""

SCORE_IN_COMMON = 40.0
"""Least score of an alignment with less support than one picture needs: letters of one typeface, windows of one house
agree more often than chance has it, because they are not independent."""

EXACTNESS = 0.7
"""Least exactness of a pair that is called one picture."""

SUPPORT = 0.12
"""Least support of a pair that is called one picture."""

EXTENT = 0.06
"""Least extent of a pair that is called one picture."""

_PROPOSALS = 400  # matches that propose a similarity
_REFINED = 6  # proposals that are refined
_MOST_DEPTH = 5.0  # ratio between the nearest and the farthest corner of a homography
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
        exactness: Of the matches that the map brings near their place, the share that it brings to it within about a
            pixel of the coarser picture; 0–1. High for a copy, which was only ever bent as a whole; low for a shot from
            another place, in which near things have moved against far ones.
        support: Share of the overlap, counted in cells where both pictures have keypoints, that holds agreeing matches;
            0–1. Low where only a mark, a caption or a user interface is common to both.
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
    exactness: float
    support: float
    original_size: tuple[int, int]
    suspect_size: tuple[int, int]
    original_points: NDArray[np.float32]
    suspect_points: NDArray[np.float32]

    @property
    def same_picture(self) -> bool:
        """Whether this is one and the same photograph, as far as geometry can tell, and not only something in common.

        False for most other shots of the same scene (things at different distances have moved) and for pictures that
        share a mark, a caption or a frame. A flat thing photographed twice, or twice from one spot, still passes.
        """
        return self.exactness >= EXACTNESS and self.support >= SUPPORT and self.extent >= EXTENT

    @property
    def scale(self) -> float:
        """Size of the photo in the suspect by its size in the original: 0.5 where it was halved."""
        return float(abs(np.linalg.det(self._linear)) ** -0.5)

    @property
    def rotation(self) -> float:
        """By how many degrees the photo was turned clockwise (after mirroring left to right, if mirrored); ±180."""
        linear = np.diag([-1.0, 1.0]) @ self._linear if self.mirrored else self._linear
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
    def extent(self) -> float:
        """Share of the original or of the suspect, whichever is larger, inside the hull of the agreeing places, 0–1.

        Low where the two have no more than a logo or a sticker in common.
        """
        return max(self.matched, hull_area(self.suspect_points) / max(1.0, float(np.prod(self.suspect_size))))

    @property
    def filled(self) -> float:
        """Share of the suspect's area where it would show the original, 0–1; low for screenshots and borders."""
        return area(self.outline_in_suspect) / max(1.0, float(np.prod(self.suspect_size)))

    @property
    def _linear(self) -> NDArray[np.float64]:
        """The map's derivative at the middle of the agreeing places."""
        x, y = self.suspect_points.mean(axis=0)
        return np.asarray(derivative(self.matrix, np.array([[x, y]]))[0], np.float64)


def align(original: Keypoints, suspect: Keypoints, least: float = SCORE, *, related: bool = False) -> Alignment | None:
    """Finds how a suspect picture lies on an original, if it derives from it.

    Args:
        original: Keypoints of the original.
        suspect: Keypoints of the suspect.
        least: Least score.
        related: Also return alignments of pictures that are not one (:attr:`Alignment.same_picture`): another shot of
            the same scene, or a logo, a caption or a frame in common.

    Returns:
        The better of the plain and the mirrored alignment; None where neither passes. The same input gives the same
        answer.
    """
    found = [
        aligned
        for mirrored, points in ((False, suspect), (True, suspect.mirrored()))
        if (aligned := _align(original, points, mirrored)) is not None
        and aligned.score >= least
        and (related or aligned.same_picture)
    ]
    return max(found, key=lambda aligned: (aligned.same_picture, aligned.score), default=None)


def _align(original: Keypoints, suspect: Keypoints, mirrored: bool) -> Alignment | None:
    matches = match(original, suspect)
    if len(matches) < LEAST_INLIERS:
        return None
    best: tuple[int, NDArray[np.float64], NDArray[np.intp], str] | None = None
    for chosen in candidates(matches, _PROPOSALS, _REFINED):
        refined = _refine(matches, chosen)
        if refined is None or len(refined[1]) < max(LEAST_INLIERS, best[0] + 1 if best else 0):
            continue
        matrix, inliers, _ = refined
        if is_spread(matches, inliers) and is_plausible(matrix, matches.suspect[inliers]):
            best = (len(inliers), *refined)
    if best is None:
        return None
    count, matrix, inliers, model = best
    distances = np.linalg.norm(project(matrix, matches.suspect[inliers]) - matches.original[inliers], axis=1)
    strength = _agreement.score(count, matches, model)
    exact = _agreement.exactness(matches, matrix)
    supported = _agreement.support(original, suspect, matrix, matches.suspect[inliers])
    if supported < SUPPORT and strength < SCORE_IN_COMMON:
        return None
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
        score=strength,
        residual=float(np.median(distances)),
        exactness=exact,
        support=supported,
        original_size=(original.width, original.height),
        suspect_size=(suspect.width, suspect.height),
        original_points=matches.original[inliers],
        suspect_points=points,
    )


def _refine(
    matches: MatchedKeypoints, chosen: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.intp], str] | None:
    """Map and agreeing matches from those that one proposal gathered."""
    import cv2

    tolerance = TOLERANCE * matches.original_reduction
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
        settled = factor == 1.0 and np.array_equal(again, inliers)  # the next step would be this one
        matrix, inliers = step, again
        if settled:
            break
    if len(inliers) < 12 or _HOMOGRAPHY_GAIN * len(inliers) >= len(matches):
        return matrix, inliers, "affine"  # there is nothing to gain that would count
    wide = _inliers(matches, matrix, 4 * tolerance)
    guess, _ = cv2.findHomography(matches.suspect[wide], matches.original[wide], cv2.USAC_MAGSAC, tolerance, None, 2000)
    if guess is not None and np.isfinite(guess).all() and abs(guess[2, 2]) > 1e-9:
        bent = np.asarray(guess, np.float64)
        more = _inliers(matches, bent, tolerance)
        depth = np.column_stack([corners(matches.suspect_size), np.ones(4)]) @ bent[2]
        if depth.min() * depth.max() <= 0 or np.abs(depth).max() > _MOST_DEPTH * np.abs(depth).min():
            return matrix, inliers, "affine"
        if len(more) > _HOMOGRAPHY_GAIN * len(inliers):
            return bent, more, "homography"
    return matrix, inliers, "affine"


def _inliers(matches: MatchedKeypoints, matrix: NDArray[np.float64], tolerance: float) -> NDArray[np.intp]:
    """Matches that agree with a map in place, turn and scale; of several at one place only the closest."""
    away = project(matrix, matches.suspect) - matches.original
    distance = np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2)
    near = np.flatnonzero(distance < tolerance)
    if not len(near):
        return near
    # Of an affine map every place has the same turn and scale.
    (a, b), (c, d) = np.moveaxis(derivative(matrix, matches.suspect[near[:1] if is_affine(matrix) else near]), 0, -1)
    turn = np.degrees(np.arctan2(c - b, a + d))
    octaves = 0.5 * np.log2(np.maximum(a * d - b * c, 1e-12))
    agrees = np.abs((matches.turns[near] - turn + 180) % 360 - 180) < ANGLE
    agrees &= np.abs(matches.octaves[near] - octaves) < OCTAVES
    near = near[agrees]
    near = near[np.argsort(distance[near], kind="stable")]
    taken: tuple[set[int], set[int]] = set(), set()
    closest = []
    for number, mine, theirs in zip(near.tolist(), *(cells[near].tolist() for cells in matches.cells), strict=True):
        if mine not in taken[0]:
            taken[0].add(mine)
            if theirs not in taken[1]:
                taken[1].add(theirs)
                closest.append(number)
    return np.array(sorted(closest), np.intp)


__all__ = ["EXACTNESS", "EXTENT", "LEAST_INLIERS", "SCORE", "SCORE_IN_COMMON", "SUPPORT", "Alignment", "align"]
