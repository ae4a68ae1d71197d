"""Joins vectors of faces into groups: agglomerative clustering with average linkage over a graph of near neighbours.

Vectors have length 1, so the mean likeness (cosine) of all pairs between two groups is the product of the groups' mean
vectors: exact average linkage without a table of all pairs. Two groups are only ever compared where a face of one is
among the nearest of a face of the other. Two faces in one picture are two people, and so never come into one group.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAREST = 64
"""So many nearest neighbours of each face are looked at: enough to reach all of a large group step by step."""

_AT_ONCE = 1024  # rows of likenesses in memory: 40 MB of float32 for 10,000 faces

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Joining:
    """How alike faces must be.

    Attributes:
        join_from: Mean likeness (cosine, -1 to 1) from which two groups become one.
        attach_from: Mean likeness to a group from which a face that is not fit to be compared is put into it.
        lead: By how much that group must be nearer than any other.
    """

    join_from: float
    attach_from: float
    lead: float


def joined(vectors: Vectors, pictures: Sequence[int], rules: Joining) -> NDArray[np.int64]:
    """Joins faces that are fit to be compared.

    Args:
        vectors: float32 (N, dimensions), each of length 1.
        pictures: N numbers: faces of the same number stand in one picture.
        rules: How alike they must be.

    Returns:
        int64 (N,): the number of each face's group, from 0; a face that is alone is a group of its own.
    """
    sums: dict[int, Vectors] = dict(enumerate(vectors))
    sizes = dict.fromkeys(sums, 1)
    shown = {number: {picture} for number, picture in enumerate(pictures)}
    beside: dict[int, set[int]] = {number: set() for number in sums}
    waiting: list[tuple[float, int, int]] = []
    for one, other, likeness in _near(vectors, rules.join_from):
        beside[one].add(other)
        beside[other].add(one)
        waiting.append((-likeness, one, other))
    heapq.heapify(waiting)
    into = np.arange(2 * len(vectors))
    made = len(vectors)
    while waiting:
        _, one, other = heapq.heappop(waiting)
        if one not in sums or other not in sums:  # has become a part of another group meanwhile
            continue
        if not shown[one].isdisjoint(shown[other]):
            continue
        sums[made] = sums.pop(one) + sums.pop(other)
        sizes[made] = sizes.pop(one) + sizes.pop(other)
        large, small = sorted((shown.pop(one), shown.pop(other)), key=len, reverse=True)
        shown[made] = large | small
        into[[one, other]] = made
        around = (beside.pop(one) | beside.pop(other)) - {one, other}
        beside[made] = around
        if around:
            others = sorted(around)
            means = np.stack([sums[each] for each in others]) @ sums[made]
            for each, mean in zip(others, means.tolist(), strict=True):
                beside[each] -= {one, other}
                beside[each].add(made)
                if (mean := mean / (sizes[each] * sizes[made])) >= rules.join_from:
                    heapq.heappush(waiting, (-mean, each, made))
        made += 1
    for number in range(made - 1, -1, -1):  # what a group went into has a higher number than the group
        into[number] = into[into[number]]
    return np.unique(into[: len(vectors)], return_inverse=True)[1]


def attached(vectors: Vectors, pictures: Sequence[int], groups: Groups, rules: Joining) -> NDArray[np.int64]:
    """Puts faces that are not fit to be compared into groups that are sure without them.

    Args:
        vectors: float32 (M, dimensions), each of length 1.
        pictures: M numbers, as the groups' faces have them.
        groups: Groups of at least two faces.
        rules: How alike they must be.

    Returns:
        int64 (M,): the number of the group that each face seems to belong to; -1 where there is none, or where two are
        about as near.
    """
    found = np.full(len(vectors), -1, np.int64)
    if not len(vectors) or not len(groups.means):
        return found
    taken = [set(shown) for shown in groups.shown]
    likeness = vectors @ groups.means.T
    # The most alike first: of two faces in one picture the more alike one has the group.
    for face in np.argsort(-likeness.max(axis=1), kind="stable").tolist():
        order = np.argsort(-likeness[face], kind="stable")[:2].tolist()
        best = likeness[face, order[0]]
        second = likeness[face, order[1]] if len(order) > 1 else -1.0
        free = pictures[face] not in taken[order[0]]
        if free and best >= rules.attach_from and best - second >= rules.lead:
            found[face] = order[0]
            taken[order[0]].add(pictures[face])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of at least two faces, as others are compared with them.

    Attributes:
        numbers: Of each group, as :func:`joined` numbers them.
        means: float32 (groups, dimensions): the mean vector of each.
        shown: The pictures in which each has a face.
    """

    numbers: list[int]
    means: Vectors
    shown: list[set[int]]

    @classmethod
    def of(cls, vectors: Vectors, pictures: Sequence[int], labels: NDArray[np.int64]) -> Groups:
        """The groups that faces were joined into, but for those of one face."""
        sizes = np.bincount(labels) if len(labels) else np.zeros(0, np.int64)
        numbers = np.flatnonzero(sizes > 1).tolist()
        place = {number: row for row, number in enumerate(numbers)}
        means = np.zeros((len(numbers), vectors.shape[1]), np.float32)
        shown: list[set[int]] = [set() for _ in numbers]
        for face, label in enumerate(labels.tolist()):
            if (row := place.get(label)) is not None:
                means[row] += vectors[face]
                shown[row].add(pictures[face])
        return cls(numbers, means / np.maximum(sizes[numbers], 1)[:, None].astype(np.float32), shown)


def _near(vectors: Vectors, least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of faces at least so alike, each once: of each face the nearest ones."""
    most = min(NEAREST, len(vectors) - 1)
    if most < 1:
        return
    pairs: dict[tuple[int, int], float] = {}
    for start in range(0, len(vectors), _AT_ONCE):
        block = vectors[start : start + _AT_ONCE] @ vectors.T
        rows = np.arange(len(block))
        block[rows, rows + start] = -2.0
        near = np.argpartition(-block, most - 1, axis=1)[:, :most]
        likeness = np.take_along_axis(block, near, axis=1)
        for row, column in np.argwhere(likeness >= least).tolist():
            one, other = sorted((row + start, int(near[row, column])))
            pairs[one, other] = float(likeness[row, column])
    for (one, other), value in pairs.items():
        yield one, other, value
