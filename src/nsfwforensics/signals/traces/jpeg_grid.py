"""JPEG grids: is there one, does it begin at the corner, and does some area follow another or none?

After ZERO: Nikoukhah, Anger, Colom, Morel, Grompone von Gioi, "ZERO: a Local JPEG Grid Origin Detector Based on the
Number of DCT Zeros and its Applications in Image Forensics", Image Processing On Line 11 (2021). Pixels vote for the
grid whose block has most zero coefficients (:mod:`nsfwforensics.signals.traces.jpeg_votes`). In a picture without any
grid a vote falls on each of the 64 grids alike; the 64 pixels of a block vote together, so they make one independent
vote. The number of false alarms (NFA) of a box is the expected number of boxes with as many votes for one grid by
chance; below :data:`EPSILON` it is detected. An area that does not follow the picture's grid, but does after another
save, never had it: that finds what was pasted from a source without a grid.

What differs from the paper: votes are taken twice, the second time with a wider zero, which sees grids from before the
last save; regions grow over cells of 8×8 pixels where a grid is dense; the binomial tail is bounded (Chernoff) instead
of approximated; and a grid that is also common *outside* a region is part of the history of the whole picture (cropped
and saved again, scaled by half), never a pasted part. The grid at the corner is the file's own and never foreign.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.messages import say
from nsfwforensics.signals.traces.jpeg_regions import (
    CELL,
    CHANCE,
    EPSILON,
    Area,
    GridAreas,
    absent_areas,
    dense_grids,
    dense_places,
    dense_rows,
    grid_areas,
    nfa,
    strongest,
)
from nsfwforensics.signals.traces.jpeg_votes import GRIDS, NEAR_ZERO, NO_VOTE, ZERO, counts, histogram, tally, votes
from nsfwforensics.signals.traces.trace import Trace, TraceRegion

LEAST_SIDE = 64
"""Pictures with a shorter side are not judged."""

MOST_PIXELS = 24_000_000
"""Pixels analysed. Of larger pictures, bands of full width spread evenly from top to bottom make up as many."""

LEAST_RATE = 0.06
"""Least share of all votes for a grid of the whole picture that does not begin at the corner."""

LEAST_LEAD = 2.0
"""How many times as many votes it needs as the next such grid: after scaling by half there are several alike."""

LEAST_PRESENT = 0.65
"""Least share of all votes for the grid at the corner of a picture in which areas without it are looked for."""

GLANCE_PIXELS = 800_000
"""Of larger pictures that are glanced at, one row of pixels in :data:`GLANCE_STEP` votes first, because the transform
of all blocks costs most of the time. Only where some grid is dense, or may be one of the whole picture, does every
pixel vote: a glance adds no finding."""

GLANCE_STEP = 24
"""Rows from one that votes to the next, in a glance: a row of blocks in three is seen, whatever its grid."""

_GLANCE_FIRST = 12  # row of a cell's row and the next that votes first: half way down a block of the grid at the corner
_GLANCE_SHARE = 0.5  # of the least votes for a grid of the whole picture, where only some rows were asked
_GLANCE_LEAD = 1.4  # times as many votes as the next such grid: the least of 43 pictures with one have 2.9
_GLANCE_EPSILON = 1.0  # a third of the votes says less
_GLANCE_AROUND = 24  # pixels around a place that is looked at again
_GLANCE_MOST = 0.3  # of the picture: if more is to be looked at again, all of it is
_BAND = 128
_RECOMPRESSION = 95


def grid(luma: NDArray[np.uint8], *, missing: bool = True, glance: bool = False) -> Trace:
    """Looks for the grid of the whole picture, and for areas that follow another grid or lack it.

    Args:
        luma: uint8 (height, width), the picture as stored, never resized or turned.
        missing: Whether to look for areas that lack the picture's grid too, which takes most of as long again. In a
            JPEG there are none: its last save gave all of it the grid at the corner.
        glance: Whether a glance at a large picture may be enough. If it is, there is no ``map``, and ``rate`` and
            ``analysed_share`` are those of the rows that voted, each for its row of blocks.

    Returns:
        The trace in pixels of the picture given. ``regions`` have ``score`` −log10 NFA and ``data`` with ``kind``
        (``foreign`` or ``missing``), ``origin`` (x, y of the grid, 0–7), ``density`` (share of pixels that vote for
        the foreign grid, or of votes that are not for the missing one) and ``chance`` (the same elsewhere). ``data``
        has ``origin`` of the grid that most pixels follow (None where none is significant), ``rate``, its share of
        votes; ``offset``, the origin of a grid of the whole picture that does not begin at the corner, or None; and
        ``analysed_share`` of the pixels. ``map`` is the share of pixels (0–1) that vote for a grid other than the main.
    """
    height, width = luma.shape
    if min(height, width) < LEAST_SIDE:
        return Trace(cell=CELL, reason=say("smaller than {least} pixels on a side", least=LEAST_SIDE))
    bands = _Bands(_rows(height, width), height)
    seen = _glance(luma, bands, missing) if glance and luma.size > GLANCE_PIXELS else None
    if seen is not None:
        return seen
    strict, wide = (_Cells(each) for each in votes(luma, bands.rows, (ZERO, NEAR_ZERO)))
    main = strict.main()
    found = [*strict.areas(main), *wide.areas(main)]
    absent: tuple[Area, ...] = ()
    if missing and main == 0 and strict.totals[0] >= LEAST_PRESENT * strict.totals.sum():
        absent = _missing(luma, strict, bands)
    spread = {g for g, areas in found if areas.history}
    foreign = [area for g, areas in found if g not in spread for area in areas.areas]
    kept = strongest([*foreign, *absent], strict.shape)
    offset = _offset(strict, wide, main, spread)
    data = {**_whole(strict, main, height), "offset": None if offset is None else _origin(offset)}
    return Trace(
        score=kept[0].score if kept else max((areas.best for g, areas in found if g not in spread), default=0.0),
        regions=tuple(_region(area, bands) for area in kept),
        mask=bands.spread(_mask(kept, strict.shape), False) if kept else None,
        map=bands.spread(strict.others(main), np.nan),
        cell=CELL,
        data=data,
    )


def _glance(luma: NDArray[np.uint8], bands: _Bands, missing: bool) -> Trace | None:
    """What is said of a picture in which some rows of pixels see nothing, or None where they may see something."""
    rows = [row for first, last in bands.rows for row in range(first + _GLANCE_FIRST, last - CELL + 1, GLANCE_STEP)]
    strict, wide = (_Cells(each, 1) for each in votes(luma, [(row, row + 1) for row in rows], (ZERO, NEAR_ZERO)))
    main = strict.main()
    if missing and main == 0 and strict.totals[0] >= _GLANCE_SHARE * LEAST_PRESENT * strict.totals.sum():
        return None
    for each in (strict, wide):
        first, second = (1 + int(grid) for grid in np.argsort(-each.totals[1:], kind="stable")[:2])
        least = max(_GLANCE_SHARE * LEAST_RATE * each.totals.sum(), _GLANCE_LEAD * each.totals[second])
        if each.totals[first] >= least and each.significant(first, _GLANCE_EPSILON):
            return None
    places = [each.dense_places(main) for each in (strict, wide)]
    boxes = [
        (x * CELL, rows[y], (x + across) * CELL, rows[y + down - 1])
        for x, y, across, down, _ in cv2.connectedComponentsWithStats(places[0] | places[1])[2][1:].tolist()
    ]
    around = 2 * _GLANCE_AROUND
    if sum((x1 - x0 + around) * (y1 - y0 + around) for x0, y0, x1, y1 in boxes) > _GLANCE_MOST * luma.size:
        return None
    if any(_dense_within(luma, box, main) for box in boxes):
        return None
    return Trace(cell=CELL, data={**_whole(strict, main, luma.shape[0]), "offset": None})


def _dense_within(luma: NDArray[np.uint8], box: tuple[int, int, int, int], main: int | None) -> bool:
    """Whether a grid is dense somewhere around a box (left, top, right, bottom in pixels) if every pixel votes."""
    left, top = (max(0, (each - _GLANCE_AROUND) // CELL * CELL) for each in box[:2])
    part = luma[top : box[3] + _GLANCE_AROUND, left : box[2] + _GLANCE_AROUND]
    found = votes(part, [(0, part.shape[0] // CELL * CELL)], (ZERO, NEAR_ZERO))
    return any(g not in (0, main) for each in found for g in np.flatnonzero(_Cells(each).dense(main)))


def _whole(strict: _Cells, main: int | None, height: int) -> dict[str, Any]:
    """What is said of the grid of the whole picture."""
    return {
        "origin": None if main is None else _origin(main),
        "rate": None if main is None else round(float(strict.totals[main] / strict.totals.sum()), 4),
        "analysed_share": round(strict.shape[0] * CELL / (height // CELL * CELL), 4),
        "epsilon": EPSILON,
    }


@dataclass(frozen=True, slots=True)
class _Bands:
    """Which rows of the picture the cells' rows are: all of them, or bands of a large picture, closed up."""

    rows: Sequence[tuple[int, int]]
    height: int

    def top(self, cell: int) -> int:
        """The picture's row at which a row of cells begins."""
        for first, last in self.rows:
            size = (last - first) // CELL
            if cell < size:
                return first + cell * CELL
            cell -= size
        raise IndexError(cell)

    def spread(self, values: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Puts rows of cells back to where they lie in the picture."""
        whole = np.full((self.height // CELL, values.shape[1]), fill, values.dtype)
        at = 0
        for first, last in self.rows:
            size = (last - first) // CELL
            whole[first // CELL : last // CELL] = values[at : at + size]
            at += size
        return whole


def _rows(height: int, width: int) -> list[tuple[int, int]]:
    """The rows to analyse: all, or bands of 128 spread evenly over a picture that has too many pixels."""
    usable = height // CELL * CELL
    number = max(1, MOST_PIXELS // (width * _BAND))
    if usable * width <= MOST_PIXELS or number * _BAND >= usable:
        return [(0, usable)]
    starts = np.linspace(0, usable - _BAND, number).astype(int) // CELL * CELL
    return [(int(start), int(start) + _BAND) for start in starts]


class _Cells:
    """Votes, uint8 (rows, columns) of pixels, counted per cell only as far as somebody asks.

    Cells are 8 pixels high, or 1 where each row that votes stands for a row of blocks.

    Attributes:
        shape: Rows and columns of cells.
        voters: Votes per cell for any grid, uint8 (rows, columns), 0–64.
        totals: Votes for each grid, in blocks, float64 (64,).
    """

    def __init__(self, found: NDArray[np.uint8], high: int = CELL) -> None:
        self.shape = (found.shape[0] // high, found.shape[1] // CELL)
        self._high, self._pixels = high, high * CELL
        self._found = found[: self.shape[0] * high, : self.shape[1] * CELL]
        self.voters = tally(self._found != NO_VOTE, high)
        self.totals: NDArray[np.float64] = histogram(self._found)[:GRIDS] / self._pixels
        self._typical = float(np.median(self.totals)) / max(float(self.totals.sum()), 1.0)
        self._own: dict[int, NDArray[np.uint8]] = {}

    def main(self) -> int | None:
        """The grid that most pixels follow, or None where that may be chance."""
        best = int(self.totals.argmax())
        return best if self.significant(best) else None

    def significant(self, grid: int, epsilon: float = EPSILON) -> bool:
        """Whether the picture follows a grid more than by chance: it is one place, on which 64 grids are tried."""
        chance = nfa(self.voters.size, float(self.totals[grid]), CHANCE, math.log10(GRIDS))
        return chance < math.log10(epsilon)

    def own(self, grid: int) -> NDArray[np.uint8]:
        """Votes for one grid per cell, uint8 (rows, columns), 0–64."""
        if grid not in self._own:
            self._own[grid] = tally(self._found == grid, self._high)
        return self._own[grid]

    def of(self, grid: int) -> GridAreas:
        """What one grid does."""
        return grid_areas(self.own(grid), grid, self.voters, self._typical)

    def dense(self, main: int | None) -> NDArray[np.bool_]:
        """Which grids may be dense somewhere, of those that are not the main one or the one at the corner: bool (64,).

        All the others' votes together bound each of theirs, so that most rows are never counted grid by grid.
        """
        found = np.zeros(GRIDS, np.bool_)
        known = {0} if main is None else {0, main}
        others = self.voters.copy()
        for grid in known:
            others -= self.own(grid)
        for first, last in dense_rows(others, self._pixels):
            part = self._found[first * self._high : last * self._high]
            found |= dense_grids(counts(part, self._high), self._pixels)
        return found

    def dense_places(self, main: int | None) -> NDArray[np.uint8]:
        """Cells in windows in which a grid may be dense other than the main one and the one at the corner, 0 or 1."""
        cells = counts(self._found, self._high)
        for grid in {0} if main is None else {0, main}:
            cells[..., grid] = 0
        return dense_places(cells, self._pixels)

    def areas(self, main: int | None) -> list[tuple[int, GridAreas]]:
        """What every grid does that is dense somewhere, but for the main one and the one at the corner, the file's."""
        return [(int(g), self.of(int(g))) for g in np.flatnonzero(self.dense(main)) if g not in (0, main)]

    def others(self, main: int | None) -> NDArray[np.float32]:
        """Share of each cell's pixels that vote for a grid other than the main one: float32 (rows, columns)."""
        voting = self.voters if main is None else self.voters - self.own(main)
        found: NDArray[np.float32] = np.divide(voting, 64.0, dtype=np.float32)
        return found


def _missing(luma: NDArray[np.uint8], now: _Cells, bands: _Bands) -> tuple[Area, ...]:
    """Areas that do not follow the grid at the corner, but would if they had ever been saved on it."""
    height = bands.height // CELL * CELL
    again = luma[:height].copy()
    for first, last in bands.rows:
        low, high = max(0, first - CELL), min(height, last + CELL)
        for top in range(low, high, 8 * CELL):  # block rows are independent: strips bound the memory
            part = luma[top : min(top + 8 * CELL, high)]
            _, data = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, _RECOMPRESSION])
            saved: Any = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
            again[top : top + part.shape[0]] = saved
    (after,) = votes(again, bands.rows)
    return absent_areas(now.own(0), now.voters, tally(after == 0))


def _offset(strict: _Cells, wide: _Cells, main: int | None, spread: set[int]) -> int | None:
    """A grid of the whole picture that does not begin at the corner, or None."""
    for each in (strict, wide):
        order = [int(g) for g in np.argsort(-each.totals, kind="stable") if g != 0]
        first, second = order[0], order[1]
        lead = max(LEAST_RATE * each.totals.sum(), LEAST_LEAD * each.totals[second])
        if not each.significant(first) or each.totals[first] < lead:
            continue
        # A grid that is dense nowhere may still be common everywhere; only here does anything hang on it.
        if first == main or first in spread or strict.of(first).history or wide.of(first).history:
            return first
    return None


def _mask(areas: Sequence[Area], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    for area in areas:
        x, y, width, height = area.box
        mask[y : y + height, x : x + width] |= area.cells
    return mask


def _region(area: Area, bands: _Bands) -> TraceRegion:
    x, y, width, height = area.box
    top, bottom = bands.top(y), bands.top(y + height - 1) + CELL
    return TraceRegion(
        x=x * CELL,
        y=top,
        width=width * CELL,
        height=bottom - top,
        score=round(area.score, 2),
        data={
            "kind": "missing" if area.grid == 0 else "foreign",
            "origin": _origin(area.grid),
            "density": round(area.density, 3),
            "chance": round(area.chance, 4),
            "nfa_log10": -round(area.score, 2),
        },
    )


def _origin(number: int) -> tuple[int, int]:
    return number % CELL, number // CELL


__all__ = ["EPSILON", "LEAST_SIDE", "MOST_PIXELS", "grid"]
