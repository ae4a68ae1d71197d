"""Whether pictures that may be one are: what joining needs nothing but signatures for, so that workers can do it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nsfwforensics.execution.base import Lost
from nsfwforensics.signals.matching.alignment import SCORE
from nsfwforensics.signals.matching.near_match import near_match
from nsfwforensics.signals.matching.signature import decode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.clustering.workers import Looking

AGREEING, AGREEING_IF_SUPPORTED, SUPPORTED = 0.7, 0.5, 0.3
"""Of the matches between two pictures 0.7 must agree on the alignment, or 0.5 where so much of the overlap supports it.

Where two photos share a caption, its matches agree and others do not: of 9,000 pairs of photos with one caption 20 were
aligned, at most 0.62 of the matches agreeing, and one passes here. Of 600 pairs of true copies 0.61 agreed at least."""

TOGETHER = 16
"""Most pictures that are compared with one in one task of a worker."""


class Suspect(NamedTuple):
    """A picture to compare with another.

    Attributes:
        signature: Of its local features.
        ways: Whether it is mirrored, in the order in which that is tried.
    """

    signature: bytes
    ways: tuple[bool, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Lying:
    """How a picture lies on another that it is one with: what joining asks of an alignment.

    Attributes:
        matrix: float64 (3, 3), its pixels → the other's pixels.
        size: Its width and height in pixels.
        onto: Those of the other.
        score: Of the alignment.
        shown: Share of the other's area inside its frame, 0–1.
        mirrored: Whether it is mirrored.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]
    onto: tuple[int, int]
    score: float
    shown: float
    mirrored: bool


def verified(original: bytes, suspects: Sequence[Suspect], least: float = SCORE) -> list[Lying | None]:
    """Compares pictures with one by their signatures; the same signatures give the same answer anywhere.

    Args:
        original: Signature of the one.
        suspects: The others.
        least: Least score.

    Returns:
        For each how it lies on the one; None where they are not one picture as far as geometry can tell.
    """
    found: list[Lying | None] = []
    one = decode(original)
    for suspect in suspects:
        aligned = near_match(one, decode(suspect.signature), least, suspect.ways)
        if aligned is not None:
            share = AGREEING_IF_SUPPORTED if aligned.support >= SUPPORTED else AGREEING
            if aligned.inliers < share * aligned.matches:
                aligned = None
        found.append(
            None
            if aligned is None
            else Lying(
                matrix=aligned.matrix,
                size=aligned.suspect_size,
                onto=aligned.original_size,
                score=aligned.score,
                shown=aligned.shown,
                mirrored=aligned.mirrored,
            )
        )
    return found


Task = tuple[bytes, list[Suspect]]
"""What :func:`verified` is called with."""


def verified_here(tasks: Iterable[Task | None]) -> Iterator[list[Lying | None]]:
    """The answers to tasks, one by one, in this process."""
    return (verified(*task) for task in tasks if task is not None)


@dataclass(frozen=True, slots=True)
class VerifiedApart:
    """The answers to tasks as they come, in order, from worker processes.

    Attributes:
        looking: How they work.
        jobs: How many.
    """

    looking: Looking
    jobs: int

    def __call__(self, tasks: Iterable[Task | None]) -> Iterator[list[Lying | None]]:
        """Answers them; None among them stands for: no further one until an answer was taken."""
        for task, seen in self.looking.answers(verified, tasks, self.jobs):
            yield verified(*task) if isinstance(seen, Lost) else seen
