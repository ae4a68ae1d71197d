"""Whether two pictures are one by their signatures: the alignment of comparison, and a look at what lies between.

Signatures hold few points, and two screenshots of one application share a clock, a name and a row of buttons in the
same places: geometry alone calls them one picture. So agreeing points must lie in the middle of what the two would
have in common, too, and not only along its sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.signals.matching.alignment import SCORE, SCORE_IN_COMMON, Alignment, _align
from nsfwforensics.signals.matching.geometry import area, corners, overlap, project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nsfwforensics.signals.matching.keypoints import Keypoints

CORE_SUPPORT = 0.15
"""Least share of the cells in the middle of the overlap, of those where both pictures have keypoints, that agree."""

_MARGIN = 0.2  # of the overlap's width and height on each side: the middle is what is left
_CELLS = 24  # along the suspect's longer edge


def near_match(
    original: Keypoints, suspect: Keypoints, least: float = SCORE, ways: Sequence[bool] = (False, True)
) -> Alignment | None:
    """Aligns two signatures, and returns the alignment where they are one picture as far as geometry can tell.

    Args:
        original: Keypoints of a signature.
        suspect: Keypoints of a signature or of a picture.
        least: Least score, as for :func:`~nsfwforensics.signals.matching.alignment.align`.
        ways: Whether the suspect is mirrored, in the order in which that is tried.
    """
    best: Alignment | None = None
    for mirrored in ways:
        aligned = _align(original, suspect.mirrored() if mirrored else suspect, mirrored)
        if aligned is None or aligned.score < max(least, best.score if best else 0.0) or not aligned.same_picture:
            continue
        if core_support(aligned, original, suspect) >= CORE_SUPPORT:
            best = aligned
        if best is not None and best.score >= SCORE_IN_COMMON:  # the other way round would be chance
            break
    return best


def core_support(aligned: Alignment, original: Keypoints, suspect: Keypoints) -> float:
    """Of the cells in the middle of the overlap where both have keypoints the share with agreeing places, 0–1."""
    outline = aligned.outline_in_suspect
    if len(outline) < 3:
        return 0.0
    low, high = outline.min(axis=0), outline.max(axis=0)
    margin = _MARGIN * (high - low)
    mapped = project(np.asarray(np.linalg.inv(aligned.matrix), np.float64), original.points)
    cell = max(suspect.width, suspect.height) / _CELLS
    theirs, mine, agreeing = (
        _cells(np.asarray(places, np.float64), low + margin, high - margin, cell)
        for places in (suspect.points, mapped, aligned.suspect_points)
    )
    return len(agreeing) / max(1, len(theirs & mine | agreeing))


def common_share(matrix: NDArray[np.float64], original: tuple[int, int], suspect: tuple[int, int]) -> float:
    """How much two pictures have in common under a map: share of the smaller that lies over the other, 0–1.

    Args:
        matrix: float64 (3, 3), suspect pixels → original pixels.
        original: Width and height of the original in pixels.
        suspect: Width and height of the suspect in pixels.
    """
    outline, frame = project(matrix, corners(suspect)), corners(original)
    smaller = min(area(outline), area(frame))
    return area(overlap(frame, outline)) / max(1.0, smaller) if np.isfinite(outline).all() else 0.0


def _cells(places: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], cell: float) -> set[float]:
    """Numbers of the cells in which places between two corners lie."""
    inside = places[((places >= low) & (places <= high)).all(axis=1)]
    return set((np.floor(inside / cell) @ np.array([1.0, 1e7])).tolist())


__all__ = ["CORE_SUPPORT", "common_share", "core_support", "near_match"]
