"""Which grid of 8×8 blocks each pixel votes for: the first half of :mod:`nsfwforensics.signals.traces.jpeg_grid`.

A block that a JPEG encoder cut out and quantised has more DCT coefficients near zero than a block cut elsewhere. So
each of the 64 blocks that cover a pixel is transformed, and the pixel votes for the origin of the one with most zeros.
A tie is no vote. Nor does a pixel vote whose best block is constant along its rows or columns: such a block (flat,
saturated or drawn areas) has its zeros from what it shows, not from a quantiser.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

GRIDS = 64
"""Origins of a grid of 8×8 blocks; number ``8·y + x`` for the grid with a block at (x, y)."""

NO_VOTE = 64

_BLOCK = 8
_REACH = _BLOCK - 1
_STRIP = 32  # rows of votes made at a time: with a picture's columns, what fits a processor's cache
_TILE = 1216  # most columns of coefficients made at a time: what one row of blocks makes of so many fits the cache too
_LINE = 64  # bytes that a processor reads at once; of rows that begin elsewhere it reads twice as many
_ROWS = 8  # rows of blocks whose horizontal frequencies are kept at a time

# Coefficients of whole numbers can be exact halves; which side rounding puts them on must not depend on the machine.
ZERO = 0.499
"""Magnitude below which a coefficient counts as zero: the paper's one half."""

NEAR_ZERO = 2.49
"""The same for a grid from before the last save, which spreads its zeros by some multiples of a rounding error."""


def votes(
    luma: NDArray[np.uint8], rows: Sequence[tuple[int, int]], thresholds: Sequence[float] = (ZERO,)
) -> list[NDArray[np.uint8]]:
    """The grid that every pixel of some bands of rows votes for.

    Args:
        luma: uint8 (height, width), at least 24 pixels each way, at full resolution.
        rows: First and last (exclusive) row of each band, in order.
        thresholds: Magnitudes below which a coefficient counts as zero.

    Returns:
        For each threshold uint8 (rows of all bands, width), 0–63, or :data:`NO_VOTE`; the 7 pixels along the picture's
        border, which are not covered by 64 blocks, have no vote.
    """
    height, width = luma.shape
    size = sum(last - first for first, last in rows)
    found = [np.full((size, width), NO_VOTE, np.uint8) for _ in thresholds]
    at = 0
    sliding = _Sliding(width)
    for first, last in rows:
        low, high = max(first, _REACH), min(last, height - _REACH)
        numbers = sliding.zeros(luma[low - _REACH : high + _REACH], thresholds)
        for top in range(low, high, _STRIP):
            bottom = min(top + _STRIP, high)
            part = slice(top - low, bottom - low + _REACH)
            constant = _constant(luma[top - _REACH : bottom + _REACH])
            strips = _strip_votes(numbers[:, part], constant, top - _REACH)
            for whole, strip in zip(found, strips, strict=True):
                whole[at + top - first : at + bottom - first, _REACH : width - _REACH] = strip
        at += last - first
    return found


def counts(found: NDArray[np.uint8], height: int = _BLOCK) -> NDArray[np.uint8]:
    """Votes per cell of 8×8 pixels.

    Args:
        found: uint8 (rows, columns) as :func:`votes` gives them.
        height: Of a cell in rows, 1–8.

    Returns:
        uint8 (rows // height, columns // 8, 64): how many of a cell's pixels vote for each grid.
    """
    rows, columns = found.shape[0] // height, found.shape[1] // _BLOCK
    cells = np.empty((rows, columns, GRIDS), np.uint8)
    base = np.repeat(np.arange(columns, dtype=np.intp) * (GRIDS + 1), _BLOCK)
    places = np.empty((height, columns * _BLOCK), np.intp)
    for row in range(rows):
        np.add(found[row * height : (row + 1) * height, : columns * _BLOCK], base, out=places)
        tally = np.bincount(places.ravel(), minlength=columns * (GRIDS + 1))
        cells[row] = tally.reshape(columns, GRIDS + 1)[:, :GRIDS]
    return cells


def histogram(found: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many pixels vote for each grid.

    Args:
        found: uint8 (rows, columns) as :func:`votes` gives them; an even number of columns.

    Returns:
        int64 (65,), those without a vote last.
    """
    pairs = np.zeros(1 << 16, np.int64)  # two neighbours at a time: half as many to count
    for top in range(0, len(found), _BLOCK * _STRIP):
        pairs += np.bincount(
            np.ascontiguousarray(found[top : top + _BLOCK * _STRIP]).view(np.uint16).ravel(), minlength=1 << 16
        )
    both = pairs.reshape(256, 256)[: GRIDS + 1, : GRIDS + 1]
    total: NDArray[np.int64] = both.sum(axis=0) + both.sum(axis=1)
    return total


def tally(which: NDArray[np.bool_], height: int = _BLOCK) -> NDArray[np.uint8]:
    """How many pixels of each cell of 8×8 are marked.

    Args:
        which: bool (rows, columns).
        height: Of a cell in rows, 1–8.

    Returns:
        uint8 (rows // height, columns // 8), 0–64.
    """
    rows, columns = which.shape[0] // height, which.shape[1] // _BLOCK
    whole = np.ascontiguousarray(which[: rows * height, : columns * _BLOCK]).view(np.uint8)
    down = np.add.reduce(whole.reshape(rows, height, columns * _BLOCK), axis=1, dtype=np.uint8)
    # The highest byte of the product is the sum of all eight, which no carry reaches: they are 64 at most.
    found: NDArray[np.uint8] = (down.view(np.uint64) * np.uint64(0x0101010101010101) >> np.uint64(56)).astype(np.uint8)
    return found


def zeros(luma: NDArray[np.uint8], thresholds: Sequence[float] = (ZERO,)) -> NDArray[np.uint8]:
    """How many AC coefficients are near zero in the block that begins at each pixel.

    Args:
        luma: uint8 (height, width), at least 8 each way.
        thresholds: Magnitudes below which a coefficient counts as zero.

    Returns:
        uint8 (thresholds, height − 7, width − 7), 0–63: coefficients of the orthonormal DCT-II below each magnitude.
    """
    return _Sliding(luma.shape[1]).zeros(luma, thresholds)


class _Sliding:
    """The transform of the blocks at all pixels of pictures of one width, in buffers made once and written over.

    What is allocated anew for every row costs more than the sums.
    """

    def __init__(self, width: int) -> None:
        self._width = width - _REACH
        columns = -(-self._width // -(-self._width // _TILE))
        # Rows of bytes are whole lines too, where that costs little.
        whole = _LINE if columns > _LINE * 4 else _LINE // 4
        self._columns = columns = -(-columns // whole) * whole
        self._pixels = np.zeros((_ROWS, columns + _REACH), np.float32)
        self._beside = np.lib.stride_tricks.sliding_window_view(self._pixels, _BLOCK, axis=1).transpose(0, 2, 1)
        self._shifted = _aligned(_ROWS, _BLOCK, columns)  # row, place in the block, column
        self._across = _aligned(_ROWS + _REACH, _BLOCK, columns)  # row, horizontal frequency, column
        below = np.lib.stride_tricks.sliding_window_view(self._across.reshape(len(self._across), -1), _BLOCK, axis=0)
        self._blocks = below.transpose(0, 2, 1)  # row, row in the block, horizontal frequency and column
        self._at_once = min(_ROWS, max(1, _TILE // columns))  # rows of narrow pictures
        self._coefficients = _aligned(self._at_once, _BLOCK, _BLOCK * columns)
        self._small = _aligned(self._at_once, _BLOCK * _BLOCK - 1, columns // 4).view(np.bool_)

    def zeros(self, luma: NDArray[np.uint8], thresholds: Sequence[float]) -> NDArray[np.uint8]:
        """What :func:`zeros` is asked for."""
        height, width, columns = luma.shape[0] - _REACH, self._width, self._columns
        found = np.empty((len(thresholds), height, -(-width // columns) * columns), np.uint8)
        pixels, across, coefficients, small = self._pixels, self._across, self._coefficients, self._small
        planes = coefficients.reshape(self._at_once, _BLOCK * _BLOCK, columns)[:, 1:]
        ones = small.view(np.uint8)
        matrix, least = _dct(), [np.float32(threshold) for threshold in thresholds]
        for left in range(0, width, columns):
            right = min(left + columns, width)
            for first in range(-_ROWS, height, _ROWS):  # of the blocks; before the first ones, the rows above are made
                rows = luma[max(0, first + _REACH) : first + _REACH + _ROWS, left : right + _REACH]
                if first >= 0:
                    across[:_REACH] = across[_ROWS:]
                pixels[_ROWS - len(rows) if first < 0 else 0 :][: len(rows), : rows.shape[1]] = rows
                np.copyto(self._shifted, self._beside)  # without overlaps it goes through the matrix library
                np.matmul(matrix, self._shifted, out=across[_REACH:])
                rows_here = min(_ROWS, height - first) if first >= 0 else 0
                for top in range(0, rows_here, self._at_once):
                    some = slice(min(self._at_once, rows_here - top))
                    np.matmul(matrix, self._blocks[top:][some], out=coefficients[some])
                    np.abs(planes[some], out=planes[some])
                    for each, under in zip(found, least, strict=True):
                        np.less(planes[some], under, out=small[some])
                        made = each[first + top :, left : left + columns][some]
                        np.add.reduce(ones[some], axis=1, dtype=np.uint8, out=made)
        return found[..., :width]


def _aligned(*shape: int) -> NDArray[np.float32]:
    """Zeros in memory that begins where a processor's reads do."""
    room = np.zeros(math.prod(shape) * 4 + _LINE, np.uint8)
    first = -room.ctypes.data % _LINE
    return room[first : room.size - _LINE + first].view(np.float32).reshape(shape)


@cache
def _dct() -> NDArray[np.float32]:
    """The 8-point DCT-II as an orthonormal matrix, one frequency per row."""
    index = np.arange(_BLOCK)
    matrix = 0.5 * np.cos((2 * index[None, :] + 1) * index[:, None] * np.pi / 16)
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _strip_votes(numbers: NDArray[np.uint8], constant: NDArray[np.bool_], top: int) -> list[NDArray[np.uint8]]:
    """Votes of the pixels of a strip that 64 blocks cover.

    Args:
        numbers: Zeros of the blocks by threshold, uint8 (thresholds, rows, columns).
        constant: Which of the blocks are constant.
        top: Their first row in the picture.
    """
    rows, columns = numbers.shape[1:]
    # Zeros in the high bits, then the grid, then whether the block is constant: the greatest value in a window names
    # the block with most zeros. Of blocks that tie, named upwards the last grid is found, named downwards the first.
    upwards, downwards = _named(top % _BLOCK, rows, columns)
    up, down = upwards + constant, downwards + constant
    found = []
    for number in numbers:
        high = number.astype(np.uint16)
        high <<= 7
        first = _greatest(high + up)
        high += down
        last = _greatest(high)
        # Below the zeros, one block that does not tie and is not constant makes 2·grid + 2·(63 − grid) of both values;
        # a grid that is greater upwards, or a constant block, makes more, which stays below 256.
        sole = (first + last).astype(np.uint8) == 2 * (GRIDS - 1)
        kept = np.negative(sole.view(np.uint8))  # all bits, or none
        named = first.astype(np.uint8)
        named >>= 1
        named &= kept & (GRIDS - 1)
        named |= ~kept & NO_VOTE
        found.append(named)
    return found


@lru_cache(maxsize=2)
def _named(top: int, rows: int, columns: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Twice the grid of each block of a strip, and the same named downwards: uint16 (rows, columns)."""
    down_rows = (np.arange(top, top + rows) % _BLOCK * (2 * _BLOCK)).astype(np.uint16)
    grid = down_rows[:, None] + (np.arange(columns) % _BLOCK * 2).astype(np.uint16)
    return grid, 2 * (GRIDS - 1) - grid


def _greatest(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Greatest value among the 64 blocks that cover a pixel: uint16 (rows − 7, columns − 7)."""
    if len(values) == _BLOCK:  # one row of pixels: not seven more for each of which nobody asks
        values = values.max(axis=0, keepdims=True)
    window = np.ones((min(_BLOCK, len(values)), _BLOCK), np.uint8)
    greatest: Any = cv2.dilate(values.astype(np.uint16, copy=False), window, anchor=(0, 0))
    found: NDArray[np.uint16] = greatest[: max(1, len(values) - _REACH), : values.shape[1] - _REACH]
    return found


def _constant(luma: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether the block that begins at each pixel is constant along its rows or along its columns."""
    rows, columns = luma.shape[0] - _REACH, luma.shape[1] - _REACH
    across = _any(_any(luma[:, 1:] != luma[:, :-1], _BLOCK, 0), _REACH, 1)[:rows, :columns]
    down = _any(_any(luma[1:] != luma[:-1], _REACH, 0), _BLOCK, 1)[:rows, :columns]
    return ~(across & down)


def _any(marked: NDArray[np.bool_], size: int, axis: int) -> NDArray[np.bool_]:
    """Whether any of so many places from each on is marked, along an axis: windows of 2, of 4, of ``size`` below 9."""
    reach = 1
    for step in (1, 2, size - 4):
        reach += step
        length = marked.shape[axis] - step
        low, high = (slice(None),) * axis + (slice(length),), (slice(None),) * axis + (slice(step, None),)
        marked = marked[low] | marked[high]
    return marked


__all__ = ["GRIDS", "NEAR_ZERO", "NO_VOTE", "ZERO", "counts", "histogram", "tally", "votes", "zeros"]
