"""One file of an index of known hashes: sorted arrays behind a checked header, read through a memory map.

A file is written once and never changed. Its header names the arrays, and holds the SHA-256 of itself and of everything
after it. Hashes stand sorted and once each; which entries of the list they belong to stands beside them, and the
entries' details are JSON objects in a row. The same content gives the same bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.documents import DocumentError, read_json
from nsfwforensics.hashing.index.arrays import damaged, map_arrays, write_arrays
from nsfwforensics.hashing.index.hamming import (
    PIECES,
    TABLES_FROM,
    VALUES,
    Hits,
    Tables,
    build_tables,
    search,
    tables_fit,
)
from nsfwforensics.hashing.lists.items import HashKind

MAGIC = b"NSFWFHX1"

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.uint32]


@dataclass(slots=True)
class Columns:
    """What a segment is made of, before sorting.

    Attributes:
        values: For each kind the hashes, uint8 (n, bytes of the kind).
        owners: For each kind the number of the entry that each hash belongs to, uint32 (n,).
        ends: Where each entry's details end in ``details``, uint64 (entries,).
        details: JSON objects, one after the other, uint8.
    """

    values: dict[HashKind, Bytes]
    owners: dict[HashKind, Numbers]
    ends: NDArray[np.uint64]
    details: Bytes

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """Puts several one after the other."""
        entries = np.cumsum([0, *(len(part.ends) for part in parts)])
        lengths = np.cumsum([0, *(len(part.details) for part in parts)])
        return cls(
            {kind: np.concatenate([part.values[kind] for part in parts]) for kind in HashKind},
            {
                kind: np.concatenate(
                    [part.owners[kind] + np.uint32(first) for part, first in zip(parts, entries, strict=False)]
                )
                for kind in HashKind
            },
            np.concatenate([part.ends + np.uint64(first) for part, first in zip(parts, lengths, strict=False)]),
            np.concatenate([part.details for part in parts]),
        )


def write_segment(columns: Columns, path: Path) -> str:
    """Writes a segment and returns the SHA-256 of the file. The file appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {"ends": columns.ends, "details": columns.details}
    for kind in HashKind:
        values, first, owners = _grouped(columns.values[kind], columns.owners[kind])
        arrays |= {kind.value: values, f"{kind}.first": first, f"{kind}.owners": owners}
    if len(arrays["pdq"]) >= TABLES_FROM:
        tables = build_tables(arrays["pdq"].view(np.uint64))
        arrays |= {"pdq.bounds": tables.bounds, "pdq.rows": tables.rows}
    return write_arrays(arrays, path, MAGIC)


@dataclass(slots=True)
class IndexSegment:
    """An open segment. Arrays are views of the memory-mapped file and read only when looked at."""

    path: Path
    arrays: Mapping[str, NDArray[Any]]
    tables: Tables | None
    _words: NDArray[np.uint64] = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> IndexSegment:
        """Maps a file after checking its header and size.

        Raises:
            HashListError: It cannot be read, is no such file, or is damaged.
        """
        arrays = map_arrays(path, MAGIC)
        try:
            words = arrays["pdq"].view(np.uint64)
            tables = Tables(arrays["pdq.bounds"], arrays["pdq.rows"]) if "pdq.rows" in arrays else None
        except (KeyError, ValueError) as error:
            raise damaged(path, "a header of an unknown shape") from error
        if tables is not None and tables.bounds.shape != (PIECES, VALUES + 1):
            raise damaged(path, "tables of an unknown shape")
        if (tables is None) != (len(words) < TABLES_FROM):
            raise damaged(path, "tables and hashes do not fit")
        return cls(path, arrays, tables, words)

    def check(self) -> None:
        """Reads all of it, and makes sure that what is in it can be found and what it names is there.

        Raises:
            HashListError: Hashes do not stand in order, tables lead elsewhere, or an entry lies outside.
        """
        try:
            sound = self._is_sound()
        except (IndexError, KeyError, TypeError, ValueError):
            sound = False
        if not sound:
            raise damaged(self.path, "its hashes are not where they would be looked for")

    def _is_sound(self) -> bool:
        arrays = self.arrays
        ends = arrays["ends"].astype(np.int64)
        if not _rising(ends) or (ends[-1] if len(ends) else 0) != len(arrays["details"]):
            return False
        for kind in HashKind:
            values, first, owners = (arrays[f"{kind}{part}"] for part in ("", ".first", ".owners"))
            words = _words(values)
            if values.shape != (len(words), kind.size) or first.shape != (len(words) + 1,):
                return False
            if not _rising(first.astype(np.int64)) or first[0] != 0 or first[-1] != len(owners):
                return False
            if len(words) and not (_after(words[1:], words[:-1]).all() and owners.max(initial=0) < len(ends)):
                return False
        return self.tables is None or tables_fit(self._words, self.tables)

    def size(self, kind: HashKind) -> int:
        """How many different hashes of a kind it holds."""
        return len(self.arrays[kind.value])

    @property
    def entries(self) -> int:
        """How many entries it holds."""
        return len(self.arrays["ends"])

    def near(self, queries: NDArray[np.uint64], distance: int) -> Hits:
        """Searches PDQ hashes; see :func:`nsfwforensics.hashing.index.hamming.search`."""
        return search(self._words, self.tables, queries, distance)

    def row_of(self, kind: HashKind, value: bytes) -> int | None:
        """The row of a hash, or None."""
        rows = self.arrays[kind.value]
        place = bisect_left(range(len(rows)), value, key=lambda row: rows[row].tobytes())
        return place if place < len(rows) and rows[place].tobytes() == value else None

    def value(self, kind: HashKind, row: int) -> bytes:
        """The hash of a row."""
        found: bytes = self.arrays[kind.value][row].tobytes()
        return found

    def owners(self, kind: HashKind, row: int) -> list[int]:
        """The entries that a hash belongs to."""
        first, last = self.arrays[f"{kind}.first"][row : row + 2].tolist()
        found: list[int] = self.arrays[f"{kind}.owners"][first:last].tolist()
        return found

    def details(self, entry: int) -> dict[str, Any]:
        """The details of an entry.

        Raises:
            HashListError: They are no JSON object.
        """
        try:
            ends = self.arrays["ends"]
            start = int(ends[entry - 1]) if entry else 0
            found = read_json(self.arrays["details"][start : int(ends[entry])].tobytes())
        except (DocumentError, LookupError) as error:
            raise damaged(self.path, "an entry that cannot be read") from error
        if not isinstance(found, dict):
            raise damaged(self.path, "an entry of an unknown shape")
        return found

    def pairs(self) -> Iterator[tuple[HashKind, bytes, int]]:
        """All hashes with one of their entries each, in the order of the file."""
        for kind in HashKind:
            values = self.arrays[kind.value]
            owners = self.arrays[f"{kind}.owners"]
            for row, (first, last) in enumerate(pairwise(self.arrays[f"{kind}.first"])):
                value = values[row].tobytes()
                for entry in owners[first:last].tolist():
                    yield kind, value, entry

    def columns(self) -> Columns:
        """Takes it apart again, for merging."""
        arrays = self.arrays
        counts = {kind: np.diff(arrays[f"{kind}.first"]) for kind in HashKind}
        return Columns(
            {kind: np.repeat(arrays[kind.value], counts[kind], axis=0) for kind in HashKind},
            {kind: np.asarray(arrays[f"{kind}.owners"]) for kind in HashKind},
            np.asarray(arrays["ends"]),
            np.asarray(arrays["details"]),
        )


def _words(values: Bytes) -> NDArray[np.uint64]:
    """Hashes as big numbers, whose order is that of their bytes: uint64 (n, words)."""
    padded = np.zeros((len(values), -(-values.shape[1] // 8) * 8), np.uint8)
    padded[:, : values.shape[1]] = values
    return padded.view(">u8").astype(np.uint64)


def _after(later: NDArray[np.uint64], earlier: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each row is greater than the one beside it, bool (n,)."""
    found = np.zeros(len(later), bool)
    for column in reversed(range(later.shape[1])):
        found = (later[:, column] > earlier[:, column]) | ((later[:, column] == earlier[:, column]) & found)
    return found


def _rising(numbers: NDArray[np.int64]) -> bool:
    return not len(numbers) or (int(numbers[0]) >= 0 and bool((np.diff(numbers) >= 0).all()))


def _grouped(values: Bytes, owners: Numbers) -> tuple[Bytes, Numbers, Numbers]:
    """Sorts hashes and keeps each once: hashes, where the owners of each begin, and all owners."""
    columns = _words(values)
    order = np.lexsort((owners, *columns.T[::-1]))
    columns, owners = columns[order], owners[order]
    other = np.ones(len(order), bool)
    other[1:] = (columns[1:] != columns[:-1]).any(axis=1)
    kept = other.copy()
    kept[1:] |= owners[1:] != owners[:-1]
    first = np.append(np.cumsum(kept)[other] - 1, kept.sum()).astype(np.uint32)
    return values[order[other]], first, owners[kept]
