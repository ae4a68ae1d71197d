"""Which keypoints of two pictures look alike, and which of those matches propose the same similarity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.signals.matching.keypoints import DESCRIPTOR_NORM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.matching.keypoints import Keypoints

RATIO = 0.85
"""Most a match's distance may be of the distance to the next similar place elsewhere in the original."""

_NEAR = 6.0  # keypoints closer than this, in pixels at working size, are the same place to the ratio test
_ONE_PLACE = 3.0  # matches so close together, in pixels at working size, count once
_LOOSE = 0.12  # a proposal may miss a place by so much of its distance: one keypoint's scale and turn are only rough
_LOOSE_PIXELS = 8.0  # and by so many pixels at working size
_LOOSE_TURN = 25.0  # degrees
_LOOSE_OCTAVES = 0.7


@dataclass(frozen=True, slots=True)
class MatchedKeypoints:
    """Matched keypoints of an original and a suspect.

    Attributes:
        original: float32 (n, 2), places in the original in pixels.
        suspect: float32 (n, 2), places in the suspect in pixels.
        turns: float32 (n,), angle in the original less angle in the suspect, degrees, 0–360.
        octaves: float32 (n,), log2 of scale in the original by scale in the suspect.
        sizes: float32 (n,), diameter of the feature in the original in pixels.
        cells: Two of int64 (n,), in which small cell of the original, and of the suspect, each lies: those in one cell
            count once.
        order: int (n,), the matches from most to least distinctive.
        original_reduction: Pixels of the original per pixel at working size.
        suspect_reduction: Pixels of the suspect per pixel at working size.
        original_area: Of the original in square pixels.
        original_diagonal: Of the original in pixels.
        suspect_diagonal: Of the suspect in pixels.
        suspect_size: Width and height of the suspect in pixels.
    """

    original: NDArray[np.float32]
    suspect: NDArray[np.float32]
    turns: NDArray[np.float32]
    octaves: NDArray[np.float32]
    sizes: NDArray[np.float32]
    cells: tuple[NDArray[np.int64], NDArray[np.int64]]
    order: NDArray[np.intp]
    original_reduction: float
    suspect_reduction: float
    original_area: float
    original_diagonal: float
    suspect_diagonal: float
    suspect_size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.original)


def match(original: Keypoints, suspect: Keypoints) -> MatchedKeypoints:
    """Matches keypoints by the ratio test, each keypoint of the original at most once."""
    mine = theirs = np.zeros(0, np.intp)
    ratios = np.zeros(0, np.float32)
    if len(original) > 1 and len(suspect):
        likeness = suspect.descriptors.astype(np.float32) @ original.descriptors.astype(np.float32).T
        theirs = np.arange(len(suspect))
        mine, first, second = _two_best(likeness, original)
        ratios = np.sqrt(_distance(first) / np.maximum(_distance(second), 1e-3))
        passing = ratios < RATIO
        mine, theirs, ratios = mine[passing], theirs[passing], ratios[passing]
        order = np.argsort(ratios, kind="stable")
        _, firsts = np.unique(mine[order], return_index=True)
        chosen = np.sort(order[firsts])
        mine, theirs, ratios = mine[chosen], theirs[chosen], ratios[chosen]
    return MatchedKeypoints(
        original=original.points[mine],
        suspect=suspect.points[theirs],
        turns=(original.angles[mine] - suspect.angles[theirs]) % 360,
        octaves=np.log2(original.scales[mine] / suspect.scales[theirs]),
        sizes=original.scales[mine],
        cells=(_cells(original.points[mine], original.reduction), _cells(suspect.points[theirs], suspect.reduction)),
        order=np.argsort(ratios, kind="stable"),
        original_reduction=original.reduction,
        suspect_reduction=suspect.reduction,
        original_area=float(original.width * original.height),
        original_diagonal=math.hypot(original.width, original.height),
        suspect_diagonal=math.hypot(suspect.width, suspect.height),
        suspect_size=(suspect.width, suspect.height),
    )


def candidates(matches: MatchedKeypoints, proposals: int, best: int) -> list[NDArray[np.intp]]:
    """Groups of matches that roughly agree on one similarity, largest first, each led by a match of no larger group.

    Args:
        matches: All matches.
        proposals: How many of the most distinctive matches propose a similarity.
        best: Most groups to return.
    """
    lead = matches.order[:proposals]
    turn = np.radians(matches.turns[lead])[:, None]
    scale = np.exp2(matches.octaves[lead])[:, None]
    x, y = (matches.suspect[None, :, axis] - matches.suspect[lead, axis][:, None] for axis in (0, 1))
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    aimed_x = cos * x - sin * y + matches.original[lead, 0][:, None] - matches.original[None, :, 0]
    aimed_y = sin * x + cos * y + matches.original[lead, 1][:, None] - matches.original[None, :, 1]
    allowed = _LOOSE_PIXELS * matches.original_reduction + _LOOSE * scale * np.hypot(x, y)
    agrees = aimed_x**2 + aimed_y**2 < allowed**2
    agrees &= np.abs((matches.turns[None] - matches.turns[lead][:, None] + 180) % 360 - 180) < _LOOSE_TURN
    agrees &= np.abs(matches.octaves[None] - matches.octaves[lead][:, None]) < _LOOSE_OCTAVES
    left = agrees.sum(axis=1)
    found: list[NDArray[np.intp]] = []
    while len(found) < best:
        index = int(left.argmax())
        if left[index] < 4:
            break
        found.append(np.flatnonzero(agrees[index]))
        left[agrees[index][lead]] = 0
        left[index] = 0
    return found


def _two_best(
    likeness: NDArray[np.float32], original: Keypoints
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """For each row its best column, that value, and the best value at another place."""
    rows = np.arange(len(likeness))
    best = likeness.argmax(axis=1)
    first = likeness[rows, best]
    likeness[rows, best] = -1
    # Three further looks: a corner often has keypoints of two or three sizes or directions at one place.
    second = first.copy()
    open_ = np.ones(len(rows), bool)
    for _ in range(3):
        where = np.flatnonzero(open_)
        if not len(where):
            break
        part = likeness if open_.all() else likeness[where]
        column = part.argmax(axis=1)
        second[where] = part[np.arange(len(where)), column]
        apart = np.abs(original.points[column] - original.points[best[where]]).max(axis=1)
        likeness[where, column] = -1
        open_[where] = apart < _NEAR * original.reduction
    return best, first, second


def _cells(places: NDArray[np.float32], reduction: float) -> NDArray[np.int64]:
    cells = np.round(places / (_ONE_PLACE * reduction)).astype(np.int64)
    return np.asarray(cells[:, 0] * (1 << 32) + cells[:, 1], np.int64)


def _distance(likeness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared Euclidean distance of two descriptors from their dot product."""
    squared: NDArray[np.float32] = np.maximum(2 * DESCRIPTOR_NORM**2 - 2 * likeness, 0.0)
    return squared


__all__ = ["RATIO", "MatchedKeypoints", "candidates", "match"]
