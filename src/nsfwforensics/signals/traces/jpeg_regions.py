"""Where votes for one grid are too dense for chance: the second half of :mod:`nsfwforensics.signals.traces.jpeg_grid`.

Works on cells of 8×8 pixels. Of the 64 pixels of a block nearly all vote alike, so votes are counted in blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

CELL = 8
GRIDS = 64
CHANCE = 1.0 / GRIDS

EPSILON = 1e-3
"""Most expected false alarms per picture for which a grid or a region is reported."""

LEAST_SCORE = -math.log10(EPSILON)
"""The same as −log10."""

LEAST_BLOCKS = 24.0
"""Least votes of a region, in blocks: blocks beside one another show similar things, so few of them are no evidence."""

LEAST_DENSITY = 0.35
"""Least share of the pixels of a region's cells that vote for its grid."""

HISTORY_RATE = 0.004
"""In a tile of the picture without any of its blocks, a grid gets no more than this share of votes, or than ..."""

HISTORY_RATIO = 3.0
"""... this many times the median of the other grids."""

HISTORY_SHARE = 0.4
"""Share of tiles with more than that from which on a grid belongs to the history of the whole picture."""

_TILES = 6  # along each side
_LEAST_VOTERS = 4.0  # blocks in a tile
LEAST_ABSENT = 48.0
"""Least votes, in blocks, of an area that lacks the grid of the picture."""

LEAST_ABSENT_SCORE = 12.0
"""Least −log10 NFA of such an area: at very high qualities fine texture hides the grid too."""

_ABSENT_INNER = 0.08
_ABSENT_VOTERS = 0.35
_ABSENT_SHARE = 0.15
_ABSENT_WOULD = 0.4
_DENSE = 0.2
_SPARSE = 0.16  # the same where few rows of pixels voted; every pixel is asked before anything hangs on it
_WINDOW = 5  # cells
_MOST_REGIONS = 20


@dataclass(frozen=True, slots=True)
class Area:
    """Some cells whose votes for one grid are not chance.

    Attributes:
        grid: Number of the grid, ``8·y + x``.
        box: Left, top, width, height, in cells.
        cells: bool (height, width) of the box: which of its cells belong.
        score: −log10 of the number of false alarms.
        density: Share of the pixels of these cells that vote for the grid, 0–1.
        chance: Share of votes expected without an area, 0–1.
    """

    grid: int
    box: tuple[int, int, int, int]
    cells: NDArray[np.bool_]
    score: float
    density: float
    chance: float


@dataclass(frozen=True, slots=True)
class GridAreas:
    """What one grid does in one picture.

    Attributes:
        areas: Where it is too dense for chance; empty where it belongs to the whole picture.
        history: Whether it is common outside those areas too.
        rate: Its share of all votes outside them, 0–1.
        best: Greatest −log10 NFA of any place, reported or not; for ranking pictures only.
    """

    areas: tuple[Area, ...]
    history: bool
    rate: float
    best: float = 0.0


def nfa(blocks: float, hits: float, chance: float, tests: float) -> float:
    """log10 of a bound on the number of false alarms (Chernoff's bound of the binomial tail).

    Args:
        blocks: How many could have voted for the grid.
        hits: How many did.
        chance: With what probability each does, 0–1, exclusive.
        tests: log10 of how many places were tried.
    """
    share = min(hits / blocks, 1.0 - 1e-12)
    if share <= chance:
        return tests
    distance = share * math.log(share / chance) + (1 - share) * math.log((1 - share) / (1 - chance))
    return tests - blocks * distance / math.log(10)


def box_tests(cells: int) -> float:
    """log10 of the number of boxes and grids that are tried in a picture of so many cells."""
    return math.log10(GRIDS) + 2 * math.log10(max(cells, 2))


def dense_rows(others: NDArray[np.uint8], pixels: int = CELL * CELL) -> list[tuple[int, int]]:
    """Rows of cells outside of which no grid can be dense, with those that the windows in them reach.

    Args:
        others: Votes per cell for the grids in question together, uint8 (rows, columns), 0–64.
        pixels: How many pixels of a cell could vote.

    Returns:
        First and last (exclusive) row of each run, in order.
    """
    rows = (_windows(others).max(axis=1, keepdims=True) >= _least(pixels)).astype(np.uint8)
    rows = np.asarray(cv2.dilate(rows, np.ones((_WINDOW, 1), np.uint8)))
    edges = np.flatnonzero(np.diff(rows[:, 0], prepend=0, append=0)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def dense_grids(cells: NDArray[np.uint8], pixels: int = CELL * CELL) -> NDArray[np.bool_]:
    """Which grids may be dense somewhere; of any other :func:`grid_areas` finds no area, at thirty times the cost.

    Args:
        cells: Votes per cell for each grid, uint8 (rows, columns, 64), 0–64.
        pixels: How many pixels of a cell could vote.

    Returns:
        bool (64,).
    """
    most: Any = cv2.reduce(_windows(cells).reshape(-1, GRIDS), 0, cv2.REDUCE_MAX)
    found: NDArray[np.bool_] = most[0] >= _least(pixels)
    return found


def dense_places(cells: NDArray[np.uint8], pixels: int = CELL * CELL) -> NDArray[np.uint8]:
    """Which cells are in a window in which a grid may be dense, where few rows of pixels voted.

    Args:
        cells: Votes per cell for each grid, uint8 (rows, columns, grids), 0–64.
        pixels: How many pixels of a cell could vote.

    Returns:
        uint8 (rows, columns), 0 or 1.
    """
    dense = (_windows(cells).max(axis=2) >= int(_SPARSE * pixels * _WINDOW**2)).astype(np.uint8)
    return np.asarray(cv2.dilate(dense, np.ones((_WINDOW, _WINDOW), np.uint8)), np.uint8)


def _least(pixels: int) -> int:
    """Votes in a window from which on a grid may be dense; one below, because a mean of fractions is rounded."""
    return int(_DENSE * pixels * _WINDOW**2) - 1


def _windows(cells: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Sums of the windows around each cell, without what lies outside."""
    window = (_WINDOW, _WINDOW)
    sums: Any = cv2.boxFilter(cells, cv2.CV_16U, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
    found: NDArray[np.uint16] = sums
    return found


def grid_areas(own: NDArray[np.uint8], grid: int, voters: NDArray[np.uint8], typical: float) -> GridAreas:
    """Finds the areas in which one grid is too dense for chance.

    Args:
        own: Votes for the grid per cell, uint8 (rows, columns), 0–64.
        grid: Its number.
        voters: Votes for any grid per cell, uint8 (rows, columns), 0–64.
        typical: What grids that nobody used get of all votes in this picture, 0–1.
    """
    blocks = own.astype(np.float32) / 64.0
    dense = cv2.blur(blocks, (_WINDOW, _WINDOW), borderType=cv2.BORDER_CONSTANT) >= _DENSE
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dense.astype(np.uint8), connectivity=8)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:_MOST_REGIONS] + 1
    outside = np.isin(labels, order, invert=True)
    votes_outside = float(voters[outside].sum(dtype=np.int64)) / 64.0
    rate = float(blocks[outside].sum(dtype=np.float64)) / max(votes_outside, 1.0)
    everywhere = float(voters.sum(dtype=np.int64)) / 64.0
    beyond = cv2.dilate((~outside).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    usual = max(HISTORY_RATE, HISTORY_RATIO * typical)
    if votes_outside < 0.5 * everywhere or _spread(blocks * beyond, voters * beyond, usual):
        return GridAreas((), True, rate)
    chance = max(CHANCE, rate)
    near = cv2.blur(blocks, (3, 3), borderType=cv2.BORDER_CONSTANT)
    found = []
    for label in order:
        x, y, width, height = (int(value) for value in stats[label, :4])
        part = (slice(y, y + height), slice(x, x + width))
        area = _area(blocks[part], near[part], labels[part] == label, chance, box_tests(own.size))
        left, top, across, down = area.box
        found.append(replace(area, grid=grid, box=(x + left, y + top, across, down)))
    areas = tuple(area for area in found if _counts(area) and area.density * area.cells.sum() <= votes_outside)
    return GridAreas(areas, False, rate, max((area.score for area in found), default=0.0))


def _area(
    blocks: NDArray[np.float32], near: NDArray[Any], component: NDArray[np.bool_], chance: float, tests: float
) -> Area:
    """Measures one place where a grid is dense: cells trimmed to half of its inner density, then its box tested."""
    cells = component & (near >= 0.5 * float(np.median(near[component])))
    x, y, width, height = (int(value) for value in cv2.boundingRect(cells.astype(np.uint8)))
    hits = float(blocks[cells].sum(dtype=np.float64))
    density = hits / max(float(cells.sum()), 1.0)
    score = max(0.0, -nfa(width * height, hits, chance, tests))
    return Area(0, (x, y, width, height), cells[y : y + height, x : x + width], score, density, chance)


def _counts(area: Area) -> bool:
    """Whether a place is strong, large and dense enough to be reported."""
    enough = area.density * area.cells.sum() >= LEAST_BLOCKS and area.density >= LEAST_DENSITY
    return bool(enough and area.score > LEAST_SCORE)


def _spread(blocks: NDArray[np.float32], voters: NDArray[np.uint8], usual: float) -> bool:
    """Whether a grid gets more than its usual share of votes in tiles all over the picture."""
    tiles = (min(_TILES, blocks.shape[1]), min(_TILES, blocks.shape[0]))
    size = blocks.size / (tiles[0] * tiles[1])
    own = cv2.resize(blocks, tiles, interpolation=cv2.INTER_AREA) * size
    number = cv2.resize(voters.astype(np.float32), tiles, interpolation=cv2.INTER_AREA) * (size / 64.0)
    telling = number >= _LEAST_VOTERS
    if not telling.any():
        return True  # nothing to compare with
    return float((own > usual * number)[telling].mean()) >= HISTORY_SHARE


def absent_areas(main: NDArray[np.uint8], voters: NDArray[np.uint8], would: NDArray[np.uint8]) -> tuple[Area, ...]:
    """Finds areas that lack the grid at the corner, which the rest of the picture follows.

    Args:
        main: Votes for that grid per cell, uint8 (rows, columns), 0–64.
        voters: Votes for any grid.
        would: Votes for that grid after the picture was saved on it once more: where there are few even then (smooth,
            clipped or very dark areas), that there are few now says nothing.
    """
    own, all_votes, new = (
        cv2.blur(each.astype(np.float32) / 64.0, (_WINDOW, _WINDOW), borderType=cv2.BORDER_CONSTANT)
        for each in (main, voters, would)
    )
    lacking = (all_votes >= _ABSENT_VOTERS) & (own <= _ABSENT_SHARE * all_votes) & (new >= _ABSENT_WOULD)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lacking.astype(np.uint8), connectivity=8)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:_MOST_REGIONS] + 1
    outside = np.isin(labels, order, invert=True)
    rate = float(main[outside].sum(dtype=np.int64)) / max(float(voters[outside].sum(dtype=np.int64)), 1.0)
    areas = []
    for label in order:
        x, y, width, height = (int(value) for value in stats[label, :4])
        part = (slice(y, y + height), slice(x, x + width))
        cells = labels[part] == label
        votes = float(voters[part][cells].sum(dtype=np.int64)) / 64.0
        others = votes - float(main[part][cells].sum(dtype=np.int64)) / 64.0
        if votes < LEAST_ABSENT or others < (1.0 - _ABSENT_INNER) * votes:
            continue
        score = -nfa(votes, others, min(max(1.0 - rate, CHANCE), 1.0 - CHANCE), box_tests(main.size))
        if score > LEAST_ABSENT_SCORE:
            areas.append(Area(0, (x, y, width, height), cells, score, others / votes, 1.0 - rate))
    return tuple(areas)


def strongest(areas: Sequence[Area], shape: tuple[int, ...]) -> list[Area]:
    """Areas by falling strength, without those whose cells mostly lie in a stronger one."""
    taken = np.zeros(shape, bool)
    kept: list[Area] = []
    for area in sorted(areas, key=lambda each: (-each.score, each.grid, each.box)):
        x, y, width, height = area.box
        view: NDArray[Any] = taken[y : y + height, x : x + width]
        if (view & area.cells).sum() * 2 <= area.cells.sum():
            kept.append(area)
            view |= area.cells
    return kept[:_MOST_REGIONS]


__all__ = [
    "CELL",
    "CHANCE",
    "EPSILON",
    "Area",
    "GridAreas",
    "absent_areas",
    "box_tests",
    "dense_grids",
    "dense_places",
    "dense_rows",
    "grid_areas",
    "nfa",
    "strongest",
]
