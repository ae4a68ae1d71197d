"""Very many known pictures, searched for the few that a suspect could derive from, by signatures of local features.

Every keypoint of the suspect, mirrored and not, is looked up by its binary code (:mod:`._codes`) in sorted tables over
slices of the code (locality-sensitive hashing: Indyk & Motwani, STOC 1998), the least certain bits of a slice flipped
too (multi-probe: Lv et al., VLDB 2007). Codes within a Hamming distance vote for their picture; the pictures with most
votes are verified with :func:`nsfwforensics.signals.matching.near_match.near_match`.

The tables are rebuilt from the signatures, which lie in a temporary file; the same signatures give the same answers.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

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
_SLICE = BITS // _TABLES  # bits that a table can sort by
_RADIUS = 24  # most bits of 128 by which codes may differ that vote
_FLIPPED = 2  # uncertain bits of a slice that are tried both ways
_MOST_ALIKE = 400  # entries of a table under one value beyond which the value is too common to tell pictures apart
_ROWS = 1 << 20  # entries compared at a time, which bounds memory


class NearIndex:
    """Signatures to search among, numbered from 0 in the order in which they were added."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="nsfwforensics-")  # noqa: SIM115 - lives as long as the index
        self._places = [0]
        self._parts: list[Codes] = []
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
        self._parts.append(Codes(codes(points.descriptors).bits, _NO_MARGINS))
        self._counts.append(len(points))
        self._tables = None
        return len(self) - 1

    def keypoints(self, number: int) -> Keypoints:
        """The keypoints of a known picture, from its signature."""
        self._file.seek(self._places[number])
        return decode(self._file.read(self._places[number + 1] - self._places[number]))

    def candidates(self, suspect: Keypoints, most: int = VERIFIED) -> list[int]:
        """Numbers of the known pictures that are worth verifying, likeliest first.

        Args:
            suspect: Keypoints of a picture or of a signature.
            most: How many at most.
        """
        if not len(self) or not len(suspect):
            return []
        if self._tables is None:
            self._tables = _Tables(np.concatenate([part.bits for part in self._parts]), np.array(self._counts))
            self._parts = [Codes(self._tables.bits, _NO_MARGINS)]
        votes = np.maximum(*(self._tables.votes(codes(one.descriptors)) for one in (suspect, suspect.mirrored())))
        order = np.argsort(-votes, kind="stable")[:most]
        return [int(number) for number in order if votes[number] >= LEAST_VOTES]

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
            for number in self.candidates(suspect, most)
            if (aligned := near_match(self.keypoints(number), suspect, least)) is not None
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
        self.counts = counts
        self.owners = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
        self.used = min(_SLICE, max(8, len(bits).bit_length() - 1))
        flags = _unpacked(bits) if len(bits) < _ROWS else None
        self.rows = np.empty(_TABLES * len(bits), np.uint32)  # one table after the other
        self.bounds: list[NDArray[np.intp]] = []
        for table in range(_TABLES):
            keys = self._keys(bits, table) if flags is None else _packed(flags[:, self._slice(table)])
            order = np.argsort(keys, kind="stable")
            self.rows[table * len(bits) : (table + 1) * len(bits)] = order
            found = np.searchsorted(keys[order], np.arange((1 << self.used) + 1))
            self.bounds.append(found + table * len(bits))

    def votes(self, asked: Codes) -> NDArray[np.float64]:
        """For every picture the sum, over the keypoints asked for that it has alike, of their rarity."""
        votes = np.zeros(len(self.counts))
        points, starts, lengths = self._probes(asked)
        total = np.cumsum(lengths)
        pairs: list[NDArray[np.int64]] = []
        begin = 0
        while begin < len(points):
            done = total[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(total, done + _ROWS, side="right")))
            part = slice(begin, end)
            places = np.repeat(starts[part] - (total[part] - lengths[part] - done), lengths[part])
            places += np.arange(len(places))
            rows = self.rows[places]
            point = np.repeat(points[part], lengths[part])
            apart = np.bitwise_count(self.bits[rows] ^ asked.bits[point]).sum(axis=1)
            near = apart <= _RADIUS
            pairs.append(np.unique(point[near].astype(np.int64) << 32 | self.owners[rows[near]]))
            begin = end
        if not pairs:
            return votes
        found = np.unique(np.concatenate(pairs))
        point, owner = found >> 32, found & 0xFFFFFFFF
        shared = np.bincount(point, minlength=len(asked.bits))
        votes += np.bincount(owner, weights=1 / np.sqrt(shared[point]), minlength=len(votes))
        return votes

    def _probes(self, asked: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """What to look up: number of the keypoint, where its entries begin in the table, how many."""
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
                start = self.bounds[table][value]
                length = self.bounds[table][value + 1] - start
                few = (length > 0) & (length <= _MOST_ALIKE)
                found.append((point[few], start[few], length[few]))
        points, starts, lengths = (np.concatenate(column) for column in zip(*found, strict=True))
        return points, starts, lengths

    def _slice(self, table: int) -> slice:
        return slice(table * _SLICE, table * _SLICE + self.used)

    def _keys(self, bits: NDArray[np.uint64], table: int) -> NDArray[np.int64]:
        parts = [
            _packed(_unpacked(bits[row : row + _ROWS])[:, self._slice(table)]) for row in range(0, len(bits), _ROWS)
        ]
        return np.concatenate(parts)


_NO_MARGINS = np.zeros((0, BITS), np.float32)


def _unpacked(bits: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.unpackbits(bits.astype("<u8").view(np.uint8).reshape(len(bits), BITS // 8), axis=1, bitorder="little")


def _packed(flags: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Bits (n, k) to numbers, the first column the lowest bit."""
    return np.asarray(flags @ (1 << np.arange(flags.shape[1], dtype=np.int64)), np.int64)


__all__ = ["LEAST_VOTES", "VERIFIED", "NearIndex"]
