"""Joins vectors of faces into groups: agglomerative clustering with average linkage over a graph of near neighbours.

How far two groups lie apart is the root of the mean squared distance over all pairs of their faces. That follows from
the groups' mean vectors and mean squared lengths alone: exact average linkage without a table of all pairs. Two groups
are only ever compared where a face of one is among the nearest of a face of the other. Two faces in one picture are two
people, and so never come into one group.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAREST = 64
"""So many nearest neighbours of each face are looked at: enough to reach all of a large group step by step."""

_AT_ONCE = 1024  # rows of distances in memory: 40 MB of float32 for 10,000 faces

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Joining:
    """How near faces must be.

    Attributes:
        join_within: Distance up to which two groups become one.
        attach_within: Distance to a group up to which a face that is not fit to be compared is put into it.
        lead: By how much that group must be nearer than any other.
    """

    join_within: float
    attach_within: float
    lead: float


def joined(vectors: Vectors, pictures: Sequence[int], rules: Joining) -> NDArray[np.int64]:
    """Joins faces that are fit to be compared.

    Args:
        vectors: float32 (N, dimensions).
        pictures: N numbers: faces of the same number stand in one picture.
        rules: How near they must be.

    Returns:
        int64 (N,): the number of each face's group, from 0; a face that is alone is a group of its own.
    """
    most = rules.join_within**2
    means: dict[int, Vectors] = dict(enumerate(vectors))
    squares = dict(enumerate((vectors * vectors).sum(axis=1).tolist()))  # mean squared length
    sizes = dict.fromkeys(means, 1)
    shown = {number: {picture} for number, picture in enumerate(pictures)}
    beside: dict[int, set[int]] = {number: set() for number in means}
    waiting: list[tuple[float, int, int]] = []
    for one, other, squared in _near(vectors, most):
        beside[one].add(other)
        beside[other].add(one)
        waiting.append((squared, one, other))
    heapq.heapify(waiting)
    into = np.arange(2 * len(vectors))
    made = len(vectors)
    while waiting:
        _, one, other = heapq.heappop(waiting)
        if one not in means or other not in means:  # has become a part of another group meanwhile
            continue
        if not shown[one].isdisjoint(shown[other]):
            continue
        share = sizes[one] / (sizes[one] + sizes[other])
        means[made] = share * means.pop(one) + (1 - share) * means.pop(other)
        squares[made] = share * squares.pop(one) + (1 - share) * squares.pop(other)
        sizes[made] = sizes.pop(one) + sizes.pop(other)
        small, large = sorted((shown.pop(one), shown.pop(other)), key=len)
        large.update(small)
        shown[made] = large
        into[[one, other]] = made
        around = (beside.pop(one) | beside.pop(other)) - {one, other}
        beside[made] = around
        if around:
            others = sorted(around)
            products = np.stack([means[each] for each in others]) @ means[made]
            for each, product in zip(others, products.tolist(), strict=True):
                beside[each] -= {one, other}
                beside[each].add(made)
                squared = squares[each] + squares[made] - 2 * product
                if squared <= most:
                    heapq.heappush(waiting, (squared, each, made))
        made += 1
    for number in range(made - 1, -1, -1):  # what a group went into has a higher number than the group
        into[number] = into[into[number]]
    return np.asarray(np.unique(into[: len(vectors)], return_inverse=True)[1], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of at least two faces, as others are compared with them.

    Attributes:
        numbers: Of each group, as :func:`joined` numbers them.
        means: float32 (groups, dimensions): the mean vector of each.
        squares: float32 (groups,): the mean squared length of its vectors.
        shown: The pictures in which each has a face.
    """

    numbers: list[int]
    means: Vectors
    squares: Vectors
    shown: list[set[int]]

    @classmethod
    def of(cls, vectors: Vectors, pictures: Sequence[int], labels: NDArray[np.int64]) -> Groups:
        """The groups that faces were joined into, but for those of one face."""
        sizes = np.bincount(labels) if len(labels) else np.zeros(0, np.int64)
        numbers = np.flatnonzero(sizes > 1)
        place = {number: row for row, number in enumerate(numbers.tolist())}
        means = np.zeros((len(numbers), vectors.shape[1]), np.float32)
        squares = np.zeros(len(numbers), np.float32)
        shown: list[set[int]] = [set() for _ in place]
        for face, label in enumerate(labels.tolist()):
            if (row := place.get(label)) is not None:
                means[row] += vectors[face]
                squares[row] += vectors[face] @ vectors[face]
                shown[row].add(pictures[face])
        many = np.maximum(sizes[numbers], 1).astype(np.float32)
        return cls(numbers.tolist(), means / many[:, None], squares / many, shown)

    def distances(self, vectors: Vectors) -> Vectors:
        """How far faces lie from the groups: float32 (faces, groups)."""
        lengths = (vectors * vectors).sum(axis=1, keepdims=True)
        squared = lengths + self.squares[None] - 2 * vectors @ self.means.T
        return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float32)


def attached(vectors: Vectors, pictures: Sequence[int], groups: Groups, rules: Joining) -> NDArray[np.int64]:
    """Puts faces that are not fit to be compared into groups that are sure without them.

    Args:
        vectors: float32 (M, dimensions).
        pictures: M numbers, as the groups' faces have them.
        groups: Groups of at least two faces.
        rules: How near they must be.

    Returns:
        int64 (M,): the place among the groups of the one that each face seems to belong to; -1 where there is none, or
        where two are about as near.
    """
    found = np.full(len(vectors), -1, np.int64)
    if not len(vectors) or not groups.numbers:
        return found
    taken = [set(shown) for shown in groups.shown]
    distances = groups.distances(vectors)
    # The nearest first: of two faces in one picture the nearer one has the group.
    for face in np.argsort(distances.min(axis=1), kind="stable").tolist():
        order = np.argsort(distances[face], kind="stable")[:2].tolist()
        best = distances[face, order[0]]
        second = distances[face, order[1]] if len(order) > 1 else np.inf
        free = pictures[face] not in taken[order[0]]
        if free and best <= rules.attach_within and second - best >= rules.lead:
            found[face] = order[0]
            taken[order[0]].add(pictures[face])
    return found


def _near(vectors: Vectors, most: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of faces at most so far apart (squared), each once: of each face the nearest ones."""
    many = min(NEAREST, len(vectors) - 1)
    if many < 1:
        return
    lengths = (vectors * vectors).sum(axis=1)
    pairs: dict[tuple[int, int], float] = {}
    for start in range(0, len(vectors), _AT_ONCE):
        block = vectors[start : start + _AT_ONCE]
        squared = lengths[start : start + len(block), None] + lengths[None] - 2 * block @ vectors.T
        rows = np.arange(len(block))
        squared[rows, rows + start] = np.inf
        near = np.argpartition(squared, many - 1, axis=1)[:, :many]
        least = np.take_along_axis(squared, near, axis=1)
        for row, column in np.argwhere(least <= most).tolist():
            one, other = sorted((row + start, int(near[row, column])))
            pairs[one, other] = float(least[row, column])
    for (one, other), value in pairs.items():
        yield one, other, value
