"""Exact search within a Hamming distance over 256-bit hashes, by multi-index hashing in vectorised NumPy.

The method is that of Norouzi, Punjani and Fleet ("Fast Exact Search in Hamming Space with Multi-Index Hashing", 2014).
A hash is cut into 16 pieces of 16 bits, each with a table from its value to the hashes that hold it. Two hashes at most
31 bits apart have at least one piece in which they differ by at most one bit, since two bits in each of 16 pieces would
be 32; so looking up every piece as it is and with each of its bits flipped finds all of them. Whatever turns up is then
measured in full. Where that would be more work than measuring everything, because many hashes share their pieces,
everything is measured: the answer is the same, and the cost is bounded whatever the hashes are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PIECES = 16
VALUES = 1 << 16
WORDS = 4
LARGEST_DISTANCE = 2 * PIECES - 1
"""Largest distance that can be searched for, in bits."""

TABLES_FROM = 1 << 13
"""Fewer hashes than this are measured one by one: tables would be larger than the hashes."""

_BLOCK = 1 << 14
_WORTH = 3  # measuring a hash out of order costs about this many times as much as measuring it in passing

Words = NDArray[np.uint64]
Rows = NDArray[np.uint32]


class Tables(NamedTuple):
    """From the value of a piece to the rows that hold it.

    Attributes:
        bounds: Where the rows of each value begin within a piece's rows: uint32 (16, 65537).
        rows: Rows by piece, sorted by value and then by number: uint32 (16, n).
    """

    bounds: Rows
    rows: Rows


class Hits(NamedTuple):
    """Pairs within the distance, sorted by query, distance and row; all of one length.

    Attributes:
        queries: Row of the query, intp.
        rows: Row of the hash that was found, intp.
        distances: Hamming distance in bits, uint16.
    """

    queries: NDArray[np.intp]
    rows: NDArray[np.intp]
    distances: NDArray[np.uint16]


def build_tables(hashes: Words) -> Tables:
    """Makes the tables of some hashes: uint64 (n, 4), n below 2³²."""
    pieces = _pieces(hashes)
    bounds = np.zeros((PIECES, VALUES + 1), np.uint32)
    rows = np.empty((PIECES, len(hashes)), np.uint32)
    for piece in range(PIECES):
        values = np.ascontiguousarray(pieces[:, piece])
        rows[piece] = np.argsort(values, kind="stable")
        np.cumsum(np.bincount(values, minlength=VALUES), out=bounds[piece, 1:])
    return Tables(bounds, rows)


def tables_fit(hashes: Words, tables: Tables) -> bool:
    """Whether tables are those that :func:`build_tables` makes of some hashes: with others, a search misses some."""
    pieces = _pieces(hashes)
    if tables.rows.shape != (PIECES, len(hashes)) or tables.rows.max(initial=0) >= max(len(hashes), 1):
        return False
    for piece in range(PIECES):
        bounds, rows = tables.bounds[piece], tables.rows[piece]
        counts = np.cumsum(np.bincount(pieces[:, piece], minlength=VALUES))
        values = pieces[rows, piece]
        same = values[1:] == values[:-1]
        in_order = (values[1:] > values[:-1]) | (same & (rows[1:] > rows[:-1]))
        if bounds[0] or not np.array_equal(bounds[1:], counts) or not in_order.all():
            return False
    return True


def search(hashes: Words, tables: Tables | None, queries: Words, distance: int) -> Hits:
    """Finds every hash within a distance of any query.

    Args:
        hashes: uint64 (n, 4).
        tables: What :func:`build_tables` made of them, or None to measure all.
        queries: uint64 (m, 4), in the same order of words and bits.
        distance: 0 to :data:`LARGEST_DISTANCE` bits, inclusive.

    Raises:
        ValueError: The distance is out of range.
    """
    if not 0 <= distance <= LARGEST_DISTANCE:
        raise ValueError(f"distance {distance} is not within 0 and {LARGEST_DISTANCE}")
    if tables is None:
        found = [_measure_all(hashes, queries, number, distance) for number in range(len(queries))]
    else:
        found = _by_pieces(hashes, tables, queries, distance)
    none = np.empty(0, np.intp)
    query = np.concatenate([none, *(part.queries for part in found)])
    row = np.concatenate([none, *(part.rows for part in found)])
    bits = np.concatenate([np.empty(0, np.uint16), *(part.distances for part in found)])
    order = np.lexsort((row, bits, query))
    return Hits(query[order], row[order], bits[order])


def _pieces(hashes: Words) -> NDArray[np.uint16]:
    return np.ascontiguousarray(hashes).view(np.uint16)


def _flips(distance: int) -> NDArray[np.uint16]:
    """Which bits to flip, uint16 (probes, 2) of piece and mask.

    With a distance of 15 + k or less, only k pieces need their neighbours looked up: a hash that differs by two bits
    in each of these and by one in every other is 16 + k bits away.
    """
    with_neighbours = max(0, distance - PIECES + 1)
    masks = [0, *(1 << bit for bit in range(16))]
    probes = [(piece, mask) for piece in range(PIECES) for mask in (masks if piece < with_neighbours else [0])]
    return np.array(probes, np.uint16)


def _by_pieces(hashes: Words, tables: Tables, queries: Words, distance: int) -> list[Hits]:
    flips = _flips(distance)
    piece = flips[:, 0].astype(np.intp)
    value = (_pieces(queries)[:, piece] ^ flips[:, 1]).astype(np.intp)
    start = tables.bounds[piece, value].astype(np.intp)
    number = tables.bounds[piece, value + 1].astype(np.intp) - start
    start += piece * len(hashes)
    work = number.sum(axis=1)
    few = work * _WORTH <= len(hashes)
    chosen = np.flatnonzero(few)
    found = [_measure_all(hashes, queries, query, distance) for query in np.flatnonzero(~few).tolist()]
    if not len(chosen):
        return found
    lengths = number[chosen].ravel()
    ends = np.cumsum(lengths)
    places = np.repeat(start[chosen].ravel() - (ends - lengths), lengths)
    places += np.arange(len(places))
    rows = tables.rows.reshape(-1)[places]
    query = np.repeat(chosen, work[chosen])
    difference = np.take(hashes, rows, axis=0)
    difference ^= np.repeat(queries[chosen], work[chosen], axis=0)
    bits = _count(difference)
    near = np.flatnonzero(bits <= distance)
    # The same row turns up once for every piece that it shares.
    pairs, first = np.unique(query[near] * len(hashes) + rows[near], return_index=True)
    return [*found, Hits(pairs // len(hashes), pairs % len(hashes), bits[near][first])]


def _measure_all(hashes: Words, queries: Words, query: int, distance: int) -> Hits:
    rows: list[NDArray[np.intp]] = [np.empty(0, np.intp)]
    counts: list[NDArray[np.uint16]] = [np.empty(0, np.uint16)]
    for start in range(0, len(hashes), _BLOCK):  # a block stays in the processor's cache
        bits = _count(hashes[start : start + _BLOCK] ^ queries[query])
        near = np.flatnonzero(bits <= distance)
        if len(near):
            rows.append(near + start)
            counts.append(bits[near])
    row = np.concatenate(rows)
    return Hits(np.full(len(row), query, np.intp), row, np.concatenate(counts))


def _count(difference: Words) -> NDArray[np.uint16]:
    """Bits set in each row, 0–256: uint16 (n,)."""
    bits = np.bitwise_count(difference)
    three = bits[:, 0] + bits[:, 1] + bits[:, 2]  # at most 192
    return three.astype(np.uint16) + bits[:, 3]
