"""Very many known pictures, searched for the few that a suspect could derive from, by signatures of local features.

Every keypoint of the suspect, mirrored and not, is looked up by its binary code (:mod:`._codes`) in sorted tables over
slices of the code (locality-sensitive hashing: Indyk & Motwani, STOC 1998), the least certain bits of a slice flipped
too (multi-probe: Lv et al., VLDB 2007). Codes within a Hamming distance vote for their picture; the pictures with most
votes are verified with :func:`nsfwforensics.signals.matching.near_match.near_match`.

The tables are rebuilt from the signatures; the same signatures give the same answers. Signatures, codes and, where they
are large, tables lie in temporary files that are mapped into memory: a million pictures need room on the disk, not in
memory. What a lookup costs grows far slower than their number: keys get longer as tables grow, and only pictures that
got a vote are counted.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nsfwforensics.signals.matching.alignment import SCORE, Alignment
from nsfwforensics.signals.matching.codes import BITS, Codes, codes
from nsfwforensics.signals.matching.near_match import near_match
from nsfwforensics.signals.matching.signature import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.matching.keypoints import Keypoints

VERIFIED = 5
"""Most known pictures that are verified for one suspect."""

LEAST_VOTES = 3.0
"""Fewest votes of a picture that is verified."""

_TABLES = 6
_SLICE = BITS // _TABLES  # bits that a table has to itself
_LONGEST_KEY = 26  # bits that a table sorts by at most; from many pictures on it takes some of the next slice too
_RADIUS = 24  # most bits of 128 by which codes may differ that vote
_FLIPPED = 2  # uncertain bits of a slice that are tried both ways
_MOST_ALIKE = 400  # entries of a table under one value beyond which the value is too common to tell pictures apart …
_ALIKE_SHARE = 1 << 14  # … or one in so many of all, whichever is more: a picture may have copies in proportion
_COMPARED = 1 << 15  # entries compared in one lookup, those under the rarest values first: they tell the most
_ROWS = 1 << 20  # entries compared at a time, which bounds memory
_32 = np.uint64(32)
_IN_MEMORY = 1 << 25  # numbers of a table that are held in memory, 128 MiB


class Candidate(NamedTuple):
    """A known picture that is worth verifying.

    Attributes:
        number: Of the known picture.
        ways: Which way round the suspect got votes enough for it: False as it is, True mirrored; the likelier first.
    """

    number: int
    ways: tuple[bool, ...]


class NearIndex:
    """Signatures to search among, numbered from 0 in the order in which they were added."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="nsfwforensics-")  # noqa: SIM115 - lives as long as the index
        self._places = [0]
        self._codes = tempfile.TemporaryFile(prefix="nsfwforensics-")  # noqa: SIM115 - likewise
        self._counts: list[int] = []
        self._tables: _Tables | None = None

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, signature: bytes) -> int:
        """Adds a known picture and returns its number.

        Args:
            signature: As made by :func:`nsfwforensics.signals.matching.signature.encode`.

        Raises:
            ValueError: It is no signature, or damaged.
        """
        points = decode(signature)
        self._file.seek(self._places[-1])
        self._file.write(signature)
        self._places.append(self._places[-1] + len(signature))
        self._codes.seek(0, os.SEEK_END)
        self._codes.write(codes(points.descriptors).bits.tobytes())
        self._counts.append(len(points))
        self._tables = None
        return len(self) - 1

    def signature(self, number: int) -> bytes:
        """The signature of a known picture."""
        self._file.seek(self._places[number])
        return self._file.read(self._places[number + 1] - self._places[number])

    def keypoints(self, number: int) -> Keypoints:
        """The keypoints of a known picture, from its signature."""
        return decode(self.signature(number))

    def candidates(
        self, suspect: Keypoints, most: int = VERIFIED, known: int | None = None, least: float = LEAST_VOTES
    ) -> list[Candidate]:
        """The known pictures that are worth verifying, likeliest first.

        Args:
            suspect: Keypoints of a picture or of a signature.
            most: How many at most.
            known: The number of the suspect itself, where it is among the known pictures. A keypoint that many have
                counts less for each, and of a picture with many copies that holds for all its keypoints: so votes are
                then compared with those of the suspect itself.
            least: Fewest votes.
        """
        if not len(self) or not len(suspect):
            return []
        if self._tables is None:
            self._codes.flush()
            shape = (sum(self._counts), BITS // 64)
            bits = (
                _plain(np.memmap(self._codes, np.uint64, "r", shape=shape)) if shape[0] else np.zeros(shape, np.uint64)
            )
            self._tables = _Tables(bits, np.array(self._counts))
        asked = [self._tables.votes(codes(one.descriptors)) for one in (suspect, suspect.mirrored())]
        every = _once(np.concatenate([names for names, _ in asked]))
        votes = np.zeros((2, len(every)))
        for way, (names, counted) in enumerate(asked):
            votes[way, np.searchsorted(every, names)] = counted
        most_votes = votes.max(axis=0)
        own = most_votes[every == known].sum() or len(suspect)
        least *= min(1.0, own / len(suspect))
        enough = np.flatnonzero(most_votes >= least)
        chosen = enough[np.argsort(-most_votes[enough], kind="stable")[:most]]
        found = []
        for number, (plain, mirrored) in zip(every[chosen].tolist(), votes[:, chosen].T.tolist(), strict=True):
            ways = (True, False) if mirrored > plain else (False, True)
            found.append(Candidate(number, ways if min(plain, mirrored) >= least else ways[:1]))
        return found

    def search(self, suspect: Keypoints, least: float = SCORE, most: int = VERIFIED) -> list[tuple[int, Alignment]]:
        """The known pictures that a suspect is one with, as far as geometry can tell: numbers and alignments.

        Args:
            suspect: Keypoints of a picture or of a signature.
            least: Least score, as for :func:`~nsfwforensics.signals.matching.near_match.near_match`.
            most: How many known pictures are verified at most.

        Returns:
            Best score first.
        """
        found = [
            (number, aligned)
            for number, ways in self.candidates(suspect, most)
            if (aligned := near_match(self.keypoints(number), suspect, least, ways)) is not None
        ]
        return sorted(found, key=lambda pair: (-pair[1].score, pair[0]))


class _Tables:
    """The sorted tables.

    Attributes:
        bits: uint64 (n, 2), codes of all keypoints, picture after picture.
        counts: int (pictures,), how many keypoints each picture has.
    """

    def __init__(self, bits: NDArray[np.uint64], counts: NDArray[np.int_]) -> None:
        self.bits = bits
        self.ends = np.cumsum(counts)
        self.used = min(_LONGEST_KEY, max(8, len(bits).bit_length() - 1))
        self.most_alike = max(_MOST_ALIKE, len(bits) // _ALIKE_SHARE)
        self.rows = _room((_TABLES, len(bits)))
        self.bounds = _room((_TABLES, (1 << self.used) + 1))
        for table in range(_TABLES):
            # Key and row in one number: sorting these is several times as fast as sorting keys and keeping their rows.
            both = np.empty(len(bits), np.uint64)
            for row in range(0, len(bits), _ROWS):
                both[row : row + _ROWS] = self._keys(bits[row : row + _ROWS], table) << _32
            both |= np.arange(len(bits), dtype=np.uint64)
            both.sort()
            self.rows[table] = both & np.uint64(0xFFFFFFFF)
            both >>= _32
            self.bounds[table, 0] = 0
            np.cumsum(np.bincount(both.view(np.int64), minlength=1 << self.used), out=self.bounds[table, 1:])

    def votes(self, asked: Codes) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The sum, over the keypoints asked for that a picture has alike, of their rarity.

        Returns:
            Numbers of the pictures that have any, ascending, and their sums.
        """
        points, tables, starts, lengths = self._probes(asked)
        total = np.cumsum(lengths)
        pairs: list[NDArray[np.int64]] = []
        begin = 0
        while begin < len(points):
            done = total[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(total, done + _ROWS, side="right")))
            part = slice(begin, end)
            places = np.repeat(starts[part] - (total[part] - lengths[part] - done), lengths[part])
            places += np.arange(len(places))
            rows = self.rows[np.repeat(tables[part], lengths[part]), places]
            point = np.repeat(points[part], lengths[part])
            apart = np.bitwise_count(self.bits[rows] ^ asked.bits[point])
            near = apart[:, 0] + apart[:, 1] <= _RADIUS
            owners = np.searchsorted(self.ends, rows[near], side="right")
            pairs.append(_once(point[near].astype(np.int64) << 32 | owners))
            begin = end
        if not pairs:
            return np.zeros(0, np.intp), np.zeros(0)
        found = _once(np.concatenate(pairs)) if len(pairs) > 1 else pairs[0]
        point, owner = found >> 32, found & 0xFFFFFFFF
        shared = np.bincount(point, minlength=len(asked.bits))
        names = _once(owner)
        votes = np.bincount(np.searchsorted(names, owner), weights=1 / np.sqrt(shared[point]), minlength=len(names))
        return names.astype(np.intp, copy=False), votes.astype(np.float64, copy=False)

    def _probes(self, asked: Codes) -> tuple[NDArray[np.intp], ...]:
        """What to look up: number of the keypoint, number of the table, where its entries begin there, how many."""
        point = np.arange(len(asked.bits))
        found = []
        for table in range(_TABLES):
            margins = asked.margins[:, self._slice(table)]
            keys = _packed(margins > 0)
            uncertain = np.argsort(np.abs(margins), axis=1, kind="stable")[:, :_FLIPPED]
            for flips in range(1 << _FLIPPED):
                value = keys.copy()
                for number in range(_FLIPPED):
                    if flips >> number & 1:
                        value ^= 1 << uncertain[:, number]
                start = self.bounds[table, value].astype(np.intp)
                length = self.bounds[table, value + 1] - start
                few = (length > 0) & (length <= self.most_alike)
                found.append((point[few], np.full(few.sum(), table), start[few], length[few]))
        columns = [np.concatenate(column) for column in zip(*found, strict=True)]
        if columns[3].sum() > _COMPARED:
            rarest = np.argsort(columns[3], kind="stable")
            columns = [column[rarest[: np.searchsorted(columns[3][rarest].cumsum(), _COMPARED)]] for column in columns]
        return tuple(columns)

    def _slice(self, table: int) -> NDArray[np.intp]:
        return (table * _SLICE + np.arange(self.used)) % BITS

    def _keys(self, bits: NDArray[np.uint64], table: int) -> NDArray[np.uint64]:
        """The bits of a table's slice as numbers: uint64 (n,)."""
        word, begin = divmod(table * _SLICE, 64)
        keys = bits[:, word] >> np.uint64(begin)
        if begin:
            keys |= bits[:, 1 - word] << np.uint64(64 - begin)
        return np.asarray(keys & np.uint64((1 << self.used) - 1), np.uint64)


def _room(shape: tuple[int, ...]) -> NDArray[np.uint32]:
    """Room for numbers: in memory where they are few, else in a temporary file that goes with it."""
    if np.prod(shape) < _IN_MEMORY:
        return np.empty(shape, np.uint32)
    with tempfile.TemporaryFile(prefix="nsfwforensics-") as file:
        return _plain(np.memmap(file, np.uint32, "w+", shape=shape))


def _plain(mapped: np.memmap[Any, Any]) -> NDArray[Any]:
    """A mapped array without the class of its own, which makes every access to a part of it slow."""
    return np.asarray(mapped).view(np.ndarray)


def _once(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each number once, ascending: several times as fast as ``np.unique`` on so few."""
    ordered = np.sort(numbers)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def _packed(flags: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Bits (n, k) to numbers, the first column the lowest bit."""
    return np.asarray(flags @ (1 << np.arange(flags.shape[1], dtype=np.int64)), np.int64)


__all__ = ["LEAST_VOTES", "VERIFIED", "Candidate", "NearIndex"]
