"""Many originals, indexed once: which few of them could a suspect picture derive from, and does it?

Every keypoint of a suspect votes for the originals that hold something much more like it than an ordinary original
does; the few with most votes are verified with :func:`nsfwforensics.signals.matching.alignment.align`. The search is
exact, one matrix product per suspect, which a hundred originals do not make worth approximating.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.signals.matching.alignment import SCORE, Alignment, align
from nsfwforensics.signals.matching.keypoints import DESCRIPTOR_NORM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.matching.keypoints import Keypoints

INDEXED = 600
"""Keypoints of each original that are searched; all of them take part in the verification."""

ASKED = 400
"""Keypoints of a suspect that vote."""

VERIFIED = 5
"""Most originals that are verified for one suspect."""

_CLOSER = (
    0.8  # a vote: the nearest keypoint lies at most so far, by the distance to the nearest in an ordinary original
)
_ORDINARY = 1.15 * DESCRIPTOR_NORM**2 * 0.5  # squared distance to the nearest keypoint of an unrelated picture
_ROWS = 100  # votes counted at a time, which bounds memory
_LEAST_VOTES = 3


@dataclass(slots=True)
class OriginalIndex:
    """Originals to search among; picklable.

    Attributes:
        originals: Their keypoints, in the order in which they were added.
    """

    originals: list[Keypoints] = field(default_factory=list)
    _matrix: NDArray[np.float32] | None = None
    _starts: NDArray[np.intp] | None = None
    _owners: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.originals)

    def add(self, original: Keypoints) -> int:
        """Adds an original and returns its number, from 0 up."""
        self.originals.append(original)
        self._matrix = None
        return len(self.originals) - 1

    def candidates(self, suspect: Keypoints, most: int = VERIFIED) -> list[int]:
        """Numbers of the originals that are worth verifying, likeliest first; all of them if there are no more."""
        if len(self) <= most:
            return list(range(len(self)))
        asked = suspect.first(ASKED)
        votes = np.maximum(self._votes(asked), self._votes(asked.mirrored()))
        order = np.argsort(-votes, kind="stable")[:most]
        return [int(number) for number in order if votes[number] >= _LEAST_VOTES]

    def search(self, suspect: Keypoints, least: float = SCORE, *, related: bool = False) -> list[tuple[int, Alignment]]:
        """The originals from which a suspect derives: their numbers and alignments, best score first.

        Args:
            suspect: Its keypoints.
            least: As for :func:`~nsfwforensics.signals.matching.alignment.align`.
            related: As for :func:`~nsfwforensics.signals.matching.alignment.align`.
        """
        found = [
            (number, aligned)
            for number in self.candidates(suspect)
            if (aligned := align(self.originals[number], suspect, least, related=related)) is not None
        ]
        return sorted(found, key=lambda pair: (-pair[1].score, pair[0]))

    def __getstate__(self) -> list[Keypoints]:
        return self.originals

    def __setstate__(self, state: list[Keypoints]) -> None:
        self.originals, self._matrix, self._starts, self._owners = state, None, None, None

    def _votes(self, asked: Keypoints) -> NDArray[np.float64]:
        matrix, starts, owners = self._prepared()
        votes = np.zeros(len(self))
        if not len(asked) or not len(owners):
            return votes
        descriptors = asked.descriptors.astype(np.float32)
        for row in range(0, len(asked), _ROWS):
            nearest = np.maximum.reduceat(descriptors[row : row + _ROWS] @ matrix, starts, axis=1)
            distance = np.maximum(2 * DESCRIPTOR_NORM**2 - 2 * nearest, 0)
            ordinary = np.minimum(np.median(distance, axis=1, keepdims=True), _ORDINARY)
            votes[owners] += (distance < _CLOSER**2 * ordinary).sum(axis=0)
        return votes

    def _prepared(self) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
        """Descriptors as columns, where each original's begin, and whose they are; made on first use."""
        if self._matrix is None or self._starts is None or self._owners is None:
            parts = [original.descriptors[:INDEXED] for original in self.originals]
            counts = np.array([len(part) for part in parts])
            self._owners = np.flatnonzero(counts)
            self._starts = np.cumsum(np.r_[0, counts[self._owners]])[:-1]
            self._matrix = np.ascontiguousarray(np.concatenate(parts).T, np.float32)
        return self._matrix, self._starts, self._owners


__all__ = ["ASKED", "INDEXED", "VERIFIED", "OriginalIndex"]
