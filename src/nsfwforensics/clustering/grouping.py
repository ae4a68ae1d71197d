"""Which pictures belong together: stars around a representative, never chains.

Pictures are taken from the best (most pixels) to the least. One that is in no cluster yet becomes a representative, and
others join it only by being compared with it directly: first by PDQ within the usual distance, in all eight turns; then
the representatives that are left are compared by local features and geometry. One exception: a picture that does not
match a representative may join through one member that does (two crops that share little), and only where the two
alignments, one after the other, lay it onto the representative itself. Two photos in one collage are so kept apart.
On request what is left after that is compared by how alike it looks to a network: likely the same scene, no copy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.clustering.fingerprint import Fingerprint, Unread
from nsfwforensics.clustering.model import Link, Stage, Sureness
from nsfwforensics.clustering.verifying import TOGETHER, Lying, Suspect, Task, verified, verified_here
from nsfwforensics.core.hashes import MATCH_DISTANCE
from nsfwforensics.hashing.index import hamming
from nsfwforensics.hashing.picture.pdq import DIHEDRAL_NAMES
from nsfwforensics.signals.matching.alignment import SCORE_IN_COMMON
from nsfwforensics.signals.matching.near_index import Candidate, NearIndex
from nsfwforensics.signals.matching.near_match import common_share
from nsfwforensics.signals.matching.signature import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.models.scene import SceneFigures

SURE_DISTANCE = 16
"""PDQ distance, in bits, up to which a link by hashes is called very likely."""

CANDIDATES = 400
"""Most pictures that are compared with one representative by local features."""

ASKED = 100
"""Keypoints of a picture by which candidates are looked up: what that costs grows with them."""

LEAST_VOTES = 4.0
"""Fewest votes of a picture that is compared, the one that it is compared with having as many as keypoints.

Of 4,207 pairs that were joined 14 have fewer, and of 3,447 that were compared in vain 2,021."""

THROUGH = 5
"""Most members of other clusters through which a picture may try to join."""

LEAST_COMMON = 0.25
"""A picture that joins through a member must lie over so much of the representative, or hold so much of it, 0–1."""

_LEAST_POINTS = 8

Signatures = Callable[[Sequence[int]], Iterator[bytes | Unread]]
"""Gives the signatures, or the embeddings, of the pictures of these numbers, in their order."""

Verify = Callable[[Iterable[Task | None]], Iterator[list[Lying | None]]]
"""Answers tasks in their order; None among them says that there is no further one until an answer is in."""


@dataclass(slots=True)
class Clusters:
    """The result over some files, by their numbers.

    Attributes:
        parents: For every picture the one that it joined; itself for a representative and for one that is alone.
        links: Why, for those that joined another.
        plain: Pictures whose hashes and features could not be compared.
        lost: Files that could not be read again, with the reason.
    """

    parents: list[int]
    links: dict[int, Link]
    plain: set[int]
    lost: dict[int, Unread]

    def root(self, number: int) -> int:
        """The representative of a picture's cluster."""
        while self.parents[number] != number:
            number = self.parents[number]
        return number


def grouped(
    prints: Sequence[Fingerprint],
    signatures: Signatures,
    embeddings: Signatures | None = None,
    figures: SceneFigures | None = None,
    verify: Verify = verified_here,
) -> Clusters:
    """Groups pictures.

    Args:
        prints: What was taken from each file.
        signatures: Makes the signatures of those that neither bytes nor hashes have joined to another.
        embeddings: Makes the embeddings of those that features have joined to no other either; where it is given,
            these are compared too.
        figures: How alike two embeddings must be.
        verify: Compares signatures; what is joined is the same whoever does it.
    """
    groups = Clusters(list(range(len(prints))), {}, set(), {})
    order = sorted(range(len(prints)), key=lambda number: _rank(prints[number]))
    left = _by_hashes(prints, _by_bytes(prints, order, groups), groups)
    _by_features(prints, left, groups, signatures, verify)
    if embeddings is not None and figures is not None:
        left = [number for number in left if groups.parents[number] == number and number not in groups.lost]
        _by_likeness(prints, left, groups, embeddings, figures)
    return groups


def _rank(one: Fingerprint) -> tuple[int, int, str, str]:
    """Best first: most pixels, most bytes, earliest, then by name."""
    return -one.width * one.height, -one.size, one.modified or "~", str(one.path)


def _by_bytes(prints: Sequence[Fingerprint], order: Sequence[int], groups: Clusters) -> list[int]:
    firsts: dict[str, int] = {}
    for number in order:
        first = firsts.setdefault(prints[number].sha256, number)
        if first != number:
            groups.parents[number] = first
            groups.links[number] = Link(stage=Stage.BYTES, to=str(prints[first].path), sureness=Sureness.CERTAIN)
    return list(firsts.values())


def _by_hashes(prints: Sequence[Fingerprint], order: Sequence[int], groups: Clusters) -> list[int]:
    numbers = np.array([number for number in order if prints[number].hashes], np.intp)
    if not len(numbers):
        return list(order)
    turned = np.frombuffer(b"".join(prints[number].hashes for number in numbers), np.uint64).reshape(-1, 8, 4)
    hashes = np.ascontiguousarray(turned[:, 0])
    tables = hamming.build_tables(hashes) if len(hashes) >= hamming.TABLES_FROM else None
    joined = np.zeros(len(numbers), bool)
    for row, number in enumerate(numbers.tolist()):
        if joined[row]:
            continue
        hits = hamming.search(hashes, tables, turned[row], MATCH_DISTANCE)
        best = _nearest(hits, row, joined)
        for other, (distance, turn) in best.items():
            joined[other] = True
            member = int(numbers[other])
            groups.parents[member] = number
            groups.links[member] = Link(
                stage=Stage.LOOKS,
                to=str(prints[number].path),
                sureness=Sureness.VERY_LIKELY if distance <= SURE_DISTANCE else Sureness.LIKELY,
                distance=distance,
                transform=DIHEDRAL_NAMES[turn],
            )
    return [number for number in order if groups.parents[number] == number]


def _nearest(hits: hamming.Hits, row: int, joined: NDArray[np.bool_]) -> dict[int, tuple[int, int]]:
    """Of every hash that was found and is not joined yet: the least distance, and in which turn."""
    best: dict[int, tuple[int, int]] = {}
    for query, other, distance in zip(hits.queries.tolist(), hits.rows.tolist(), hits.distances.tolist(), strict=True):
        # What comes before the representative is a representative itself: otherwise it would have been joined to it.
        if other > row and not joined[other]:
            best[other] = min(best.get(other, (distance, query)), (distance, query))
    return best


def _by_features(
    prints: Sequence[Fingerprint], left: Sequence[int], groups: Clusters, signatures: Signatures, verify: Verify
) -> None:
    index = NearIndex()
    numbers: list[int] = []
    for number, made in zip(left, signatures(left), strict=True):
        if isinstance(made, Unread):
            groups.lost[number] = made
            continue
        numbers.append(number)
        if len(index.keypoints(index.add(made))) < _LEAST_POINTS and not prints[number].hashes:
            groups.plain.add(number)
    _Joining(prints, numbers, index, groups).join(verify)


def _by_likeness(
    prints: Sequence[Fingerprint], left: Sequence[int], groups: Clusters, embeddings: Signatures, figures: SceneFigures
) -> None:
    from nsfwforensics.models.scene import decode

    numbers, made = [], []
    for number, kept in zip(left, embeddings(left), strict=True):
        if isinstance(kept, Unread):
            groups.lost[number] = kept
        elif kept:
            numbers.append(number)
            made.append(decode(kept))
    joined = np.zeros(len(numbers), bool)
    rows = np.stack(made) if made else np.zeros((0, 1), np.float32)
    for row, number in enumerate(numbers):
        if joined[row] or row + 1 == len(numbers):
            continue
        alike = figures.similarities(rows[row : row + 1], rows[row + 1 :])[0]
        for other in (row + 1 + np.flatnonzero((alike >= figures.sure_from) & ~joined[row + 1 :])).tolist():
            joined[other] = True
            groups.parents[numbers[other]] = number
            groups.links[numbers[other]] = Link(
                stage=Stage.SEMANTIC,
                to=str(prints[number].path),
                sureness=Sureness.LIKELY,
                similarity=round(float(alike[other - row - 1]), 3),
            )


class _Joining:
    """The last stage, entry by entry of the index; entries stand in the order of their rank.

    What is joined is what going through them one after the other would join, however many are compared at a time: an
    entry waits for whatever is under way that might join it, or join one of its candidates.
    """

    def __init__(
        self, prints: Sequence[Fingerprint], numbers: Sequence[int], index: NearIndex, groups: Clusters
    ) -> None:
        self.prints = prints
        self.numbers = numbers
        self.index = index
        self.groups = groups
        self.onto: dict[int, Lying] = {}  # entries that joined a representative directly, and how they lie on it
        self.sent: deque[tuple[int, list[Candidate]]] = deque()
        self.under_way: set[int] = set()  # entries that are being compared with a representative

    def join(self, verify: Verify) -> None:
        """Joins every entry to a cluster, or makes it a representative and joins to it what matches."""
        for answers in verify(self._tasks()):
            entry, part = self.sent.popleft()
            for (other, _), lying in zip(part, answers, strict=True):
                self.under_way.discard(other)
                if lying is not None:
                    self.onto[other] = lying
                    self._link(other, entry, lying)

    def _tasks(self) -> Iterator[Task | None]:
        for entry in range(len(self.numbers)):
            while entry in self.under_way:
                yield None
            if entry in self.onto:
                continue
            signature = self.index.signature(entry)
            found = [
                candidate
                for candidate in self.index.candidates(decode(signature).first(ASKED), CANDIDATES, entry, LEAST_VOTES)
                if candidate.number != entry
            ]
            while not self.under_way.isdisjoint(candidate.number for candidate in found):
                yield None
            members = [candidate for candidate in found if candidate.number in self.onto][:THROUGH]
            if any(self._joins_through(entry, signature, member) for member in members):
                continue
            others = [one for one in found if one.number > entry and one.number not in self.onto]
            self.under_way.update(other.number for other in others)
            for begin in range(0, len(others), TOGETHER):
                part = others[begin : begin + TOGETHER]
                self.sent.append((entry, part))
                yield signature, [Suspect(self.index.signature(other.number), other.ways) for other in part]

    def _joins_through(self, entry: int, signature: bytes, member: Candidate) -> bool:
        number, ways = member
        (lying,) = verified(self.index.signature(number), [Suspect(signature, ways)], SCORE_IN_COMMON)
        if lying is None:
            return False
        first = self.onto[number]
        if common_share(first.matrix @ lying.matrix, first.onto, lying.size) < LEAST_COMMON:
            return False
        self._link(entry, number, lying)
        return True

    def _link(self, entry: int, other: int, lying: Lying) -> None:
        number, target = self.numbers[entry], self.numbers[other]
        self.groups.parents[number] = target
        self.groups.links[number] = Link(
            stage=Stage.FEATURES,
            to=str(self.prints[target].path),
            sureness=Sureness.VERY_LIKELY if lying.score >= SCORE_IN_COMMON else Sureness.LIKELY,
            score=round(lying.score, 1),
            shown=round(min(1.0, lying.shown), 3),
            mirrored=lying.mirrored,
        )
