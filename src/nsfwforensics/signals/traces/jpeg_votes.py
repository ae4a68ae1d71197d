"""Which grid of 8×8 blocks each pixel votes for: the first half of :mod:`nsfwforensics.signals.traces.jpeg_grid`.

A block that a JPEG encoder cut out and quantised has more DCT coefficients near zero than a block cut elsewhere. So
each of the 64 blocks that cover a pixel is transformed, and the pixel votes for the origin of the one with most zeros.
A tie is no vote. Nor does a pixel vote whose best block is constant along its rows or columns: such a block (flat,
saturated or drawn areas) has its zeros from what it shows, not from a quantiser.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
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
_TILE = 800  # most columns of coefficients made at a time; numbers of columns that are powers of two are slower
_ROWS = 8  # rows of blocks whose horizontal frequencies are kept at a time
_AT_ONCE = 2  # rows of coefficients made at a time: with so many columns, what fits a processor's cache

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
    for first, last in rows:
        low, high = max(first, _REACH), min(last, height - _REACH)
        numbers = zeros(luma[low - _REACH : high + _REACH], thresholds)
        constant = _constant(luma[low - _REACH : high + _REACH])
        for top in range(low, high, _STRIP):
            bottom = min(top + _STRIP, high)
            part = slice(top - low, bottom - low + _REACH)
            strips = _strip_votes(numbers[:, part], constant[part], top - _REACH)
            for whole, strip in zip(found, strips, strict=True):
                whole[at + top - first : at + bottom - first, _REACH : width - _REACH] = strip
        at += last - first
    return found


def counts(found: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Votes per cell of 8×8 pixels.

    Args:
        found: uint8 (rows, columns) as :func:`votes` gives them.

    Returns:
        uint8 (rows // 8, columns // 8, 64): how many of a cell's 64 pixels vote for each grid.
    """
    rows, columns = found.shape[0] // _BLOCK, found.shape[1] // _BLOCK
    cells = np.empty((rows, columns, GRIDS), np.uint8)
    base = np.repeat(np.arange(columns, dtype=np.intp) * (GRIDS + 1), _BLOCK)
    places = np.empty((_BLOCK, columns * _BLOCK), np.intp)
    for row in range(rows):
        np.add(found[row * _BLOCK : (row + 1) * _BLOCK, : columns * _BLOCK], base, out=places)
        tally = np.bincount(places.ravel(), minlength=columns * (GRIDS + 1))
        cells[row] = tally.reshape(columns, GRIDS + 1)[:, :GRIDS]
    return cells


def zeros(luma: NDArray[np.uint8], thresholds: Sequence[float] = (ZERO,)) -> NDArray[np.uint8]:
    """How many AC coefficients are near zero in the block that begins at each pixel.

    Args:
        luma: uint8 (height, width), at least 8 each way.
        thresholds: Magnitudes below which a coefficient counts as zero.

    Returns:
        uint8 (thresholds, height − 7, width − 7), 0–63: coefficients of the orthonormal DCT-II below each magnitude.
    """
    height, width = luma.shape[0] - _REACH, luma.shape[1] - _REACH
    found = np.empty((len(thresholds), height, width), np.uint8)
    columns = -(-width // -(-width // _TILE))
    # Made once and written over: what is allocated anew for every tile costs more than the sums.
    pixels = np.zeros((_ROWS, columns + _REACH), np.float32)
    beside = np.lib.stride_tricks.sliding_window_view(pixels, _BLOCK, axis=1).transpose(0, 2, 1)
    shifted = np.empty((_ROWS, _BLOCK, columns), np.float32)  # row, place in the block, column
    across = np.zeros((_ROWS + _REACH, _BLOCK, columns), np.float32)  # row, horizontal frequency, column
    below = np.lib.stride_tricks.sliding_window_view(across.reshape(len(across), -1), _BLOCK, axis=0)
    below = below.transpose(0, 2, 1)
    coefficients = np.empty((_AT_ONCE, _BLOCK, _BLOCK * columns), np.float32)  # row, vertical, horizontal · column
    planes = coefficients.reshape(_AT_ONCE, _BLOCK * _BLOCK, columns)[:, 1:]
    small = np.empty((len(thresholds), *planes.shape), np.bool_)
    number = np.empty((len(thresholds), _AT_ONCE, columns), np.uint8)
    for left in range(0, width, columns):
        right = min(left + columns, width)
        for first in range(-_ROWS, height, _ROWS):  # of the blocks; before the first ones, the rows above are made
            rows = luma[max(0, first + _REACH) : first + _REACH + _ROWS, left : right + _REACH]
            across[:_REACH] = across[_ROWS:]
            pixels[_ROWS - len(rows) if first < 0 else 0 :][: len(rows), : rows.shape[1]] = rows
            np.copyto(shifted, beside)  # without overlaps it goes through the matrix library
            np.matmul(_dct(), shifted, out=across[_REACH:])
            for top in range(0, min(_ROWS, height - first) if first >= 0 else 0, _AT_ONCE):
                np.matmul(_dct(), below[top : top + _AT_ONCE], out=coefficients)
                np.abs(coefficients, out=coefficients)
                for least, under in zip(thresholds, small, strict=True):
                    np.less(planes, np.float32(least), out=under)
                np.add.reduce(small.view(np.uint8), axis=2, dtype=np.uint8, out=number)
                part = found[:, first + top : first + top + _AT_ONCE, left:right]
                part[:] = number[:, : part.shape[1], : right - left]
    return found


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
    down_rows = (np.arange(top, top + rows) % _BLOCK * (2 * _BLOCK)).astype(np.uint16)
    grid = down_rows[:, None] + (np.arange(columns) % _BLOCK * 2).astype(np.uint16)
    up, down = grid + constant, 2 * (GRIDS - 1) - grid + constant
    found = []
    for number in numbers:
        high = np.multiply(number, 128, dtype=np.uint16)
        first, last = _greatest(high + up), _greatest(np.add(high, down, out=high))
        # Below the zeros, one block that does not tie and is not constant makes 2·grid + 2·(63 − grid) of both values;
        # a grid that is greater upwards, or a constant block, makes more, which stays below 256.
        sole = np.add(first, last, dtype=np.uint16).astype(np.uint8) == 2 * (GRIDS - 1)
        named = first.astype(np.uint8)
        named >>= 1
        named &= GRIDS - 1
        np.copyto(named, NO_VOTE, where=~sole)
        found.append(named)
    return found


def _greatest(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Greatest value among the 64 blocks that cover a pixel: uint16 (rows − 7, columns − 7)."""
    window = np.ones((_BLOCK, _BLOCK), np.uint8)
    greatest: Any = cv2.dilate(values.astype(np.uint16, copy=False), window, anchor=(0, 0))
    found: NDArray[np.uint16] = greatest[: values.shape[0] - _REACH, : values.shape[1] - _REACH]
    return found


def _constant(luma: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether the block that begins at each pixel is constant along its rows or along its columns."""
    rows, columns = luma.shape[0] - _REACH, luma.shape[1] - _REACH
    across = (luma[:, 1:] != luma[:, :-1]).view(np.uint8)
    down = (luma[1:] != luma[:-1]).view(np.uint8)
    varies_across = cv2.dilate(across, np.ones((_BLOCK, _REACH), np.uint8), anchor=(0, 0))[:rows, :columns]
    varies_down = cv2.dilate(down, np.ones((_REACH, _BLOCK), np.uint8), anchor=(0, 0))[:rows, :columns]
    constant: NDArray[np.bool_] = (varies_across == 0) | (varies_down == 0)
    return constant


__all__ = ["GRIDS", "NEAR_ZERO", "NO_VOTE", "ZERO", "counts", "votes", "zeros"]
