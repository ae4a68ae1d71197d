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
_STRIP = 128  # rows of votes made at a time; bounds the memory together with _TILE
_TILE = 800  # most columns of coefficients made at a time; numbers of columns that are powers of two are slower
_ROWS = 2  # rows of coefficients made at a time: with so many columns, what fits a processor's cache

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
        for top in range(first, last, _STRIP):
            bottom = min(top + _STRIP, last)
            low, high = max(top, _REACH), min(bottom, height - _REACH)
            if high > low:
                strips = _strip_votes(luma[low - _REACH : high + _REACH], low - _REACH, thresholds)
                for whole, strip in zip(found, strips, strict=True):
                    whole[at + low - top : at + high - top, _REACH : width - _REACH] = strip
            at += bottom - top
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
    base = np.repeat(np.arange(columns, dtype=np.int64) * (GRIDS + 1), _BLOCK)
    for row in range(rows):
        part = found[row * _BLOCK : (row + 1) * _BLOCK, : columns * _BLOCK]
        tally = np.bincount((part + base).ravel(), minlength=columns * (GRIDS + 1))
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
    rows = -(-height // _ROWS) * _ROWS
    # Made once and written over: what is allocated anew for every tile costs more than the sums.
    pixels = np.zeros((rows + _REACH, columns + _REACH), np.float32)
    across = np.empty((rows + _REACH, _BLOCK, columns), np.float32)  # row, horizontal frequency, column
    coefficients = np.empty((_ROWS, _BLOCK, _BLOCK * columns), np.float32)  # row, vertical, horizontal · column
    planes = coefficients.reshape(_ROWS, _BLOCK * _BLOCK, columns)[:, 1:]
    small = np.empty(planes.shape, np.bool_)
    number = np.empty((_ROWS, columns), np.uint8)
    beside = np.lib.stride_tricks.sliding_window_view(pixels, _BLOCK, axis=1).transpose(0, 2, 1)
    below = np.lib.stride_tricks.sliding_window_view(across.reshape(rows + _REACH, -1), _BLOCK, axis=0).transpose(
        0, 2, 1
    )
    for left in range(0, width, columns):
        right = min(left + columns, width)
        pixels[: height + _REACH, : right - left + _REACH] = luma[:, left : right + _REACH]
        np.matmul(_dct(), beside, out=across)
        for top in range(0, height, _ROWS):
            np.matmul(_dct(), below[top : top + _ROWS], out=coefficients)
            np.abs(coefficients, out=coefficients)
            bottom = min(top + _ROWS, height)
            for index, least in enumerate(thresholds):
                np.less(planes, np.float32(least), out=small)
                np.add.reduce(small.view(np.uint8), axis=1, dtype=np.uint8, out=number)
                found[index, top:bottom, left:right] = number[: bottom - top, : right - left]
    return found


@cache
def _dct() -> NDArray[np.float32]:
    """The 8-point DCT-II as an orthonormal matrix, one frequency per row."""
    index = np.arange(_BLOCK)
    matrix = 0.5 * np.cos((2 * index[None, :] + 1) * index[:, None] * np.pi / 16)
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _strip_votes(luma: NDArray[np.uint8], top: int, thresholds: Sequence[float]) -> list[NDArray[np.uint8]]:
    """Votes of the pixels of a strip that 64 blocks cover; ``top`` is the strip's first row in the picture."""
    numbers = zeros(luma, thresholds)
    rows, columns = numbers.shape[1:]
    grid = ((np.arange(top, top + rows) % _BLOCK)[:, None] * _BLOCK + np.arange(columns) % _BLOCK).astype(np.uint16)
    # Zeros in the high bits, the grid below them: the greatest value in a window names the block with most zeros.
    # Naming grids upwards and downwards tells a tie, in which the two greatest values name different grids.
    low = _constant(luma).astype(np.uint16)
    up, down = (grid << 1) + low, ((GRIDS - 1 - grid) << 1) + low
    found = []
    for number in numbers:
        high = number.astype(np.uint16) << 7
        first, second = _greatest(high + up), _greatest(high + down)
        named, other = (first >> 1) & (GRIDS - 1), GRIDS - 1 - ((second >> 1) & (GRIDS - 1))
        found.append(np.where((named == other) & ((first & 1) == 0), named, NO_VOTE).astype(np.uint8))
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
