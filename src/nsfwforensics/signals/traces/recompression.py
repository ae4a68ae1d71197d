"""Whether a JPEG was compressed once before on the same grid, from the histograms of its DCT coefficients.

A second quantisation leaves some bins of a coefficient's histogram too full and others too empty (Lukáš & Fridrich
2003; Popescu & Farid 2004). What the histogram would look like without it is estimated from the picture itself: the
decoded picture, cut by four pixels both ways, holds the same content and no memory of the first grid (Fridrich et al.
2002). Every earlier table of the Independent JPEG Group's scale is tried and compared by likelihood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.core.messages import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MODES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2), (0, 3), (3, 0), (1, 3), (3, 1))
"""The frequencies looked at: the lowest, whose histograms are wide enough to show a pattern."""

QUALITIES = tuple(range(40, 100))
"""Earlier qualities tried."""

LEAST_SCORE = 0.03
"""Least score at which a picture is said to have been saved before."""

LEAST_AGREEING = 9
"""Least number of the twelve :data:`MODES` that must favour it."""

LEAST_BLOCKS = 400
"""A picture with fewer usable blocks is not judged: about 160 × 160 pixels."""

MOST_BLOCKS = 16_384
"""How many blocks are looked at in a large picture, in bands spread over it."""

REACH = 24
"""Histograms hold the quantised values from −REACH to REACH."""

ROUNDING = 0.6
"""Standard deviation of what rounding and clipping pixels adds to a coefficient between two savings."""

_KEPT_RATIO = 8
"""Of steps further apart no table is kept: with 256 of them, what is kept stays below 45 MB whatever files hold."""

# ITU-T T.81 table K.1, natural order.
_BASE = np.array(
    [[16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
     [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
     [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99]], np.int64,
)  # fmt: skip

_k = np.arange(8)
_DCT = np.cos((2 * _k[None, :] + 1) * _k[:, None] * np.pi / 16) * np.where(_k[:, None] == 0, math.sqrt(1 / 8), 0.5)


@dataclass(frozen=True, slots=True)
class History:
    """What the histograms say about an earlier compression.

    Attributes:
        score: Log-likelihood ratio of the best earlier quality against none, per non-zero coefficient, in nats.
        quality: The earlier quality that explains the histograms best.
        gains: The same ratio for every quality tried.
        coefficients: How many non-zero coefficients were compared.
        agreeing: How many of :data:`MODES` favour ``quality`` over no earlier saving.
        single: Per mode, the probabilities of the values −REACH … REACH but 0 if saved once, float64 (modes, values).
        double: The same if saved at ``quality`` before.
        reason: Why the picture could not be judged, or None.
    """

    score: float = 0.0
    quality: int | None = None
    gains: dict[int, float] = field(default_factory=dict)
    coefficients: int = 0
    agreeing: int = 0
    single: Floats | None = None
    double: Floats | None = None
    reason: str | None = None


def ijg_table(quality: int) -> NDArray[np.int64]:
    """The luminance table of the Independent JPEG Group's library for a quality (1–100), natural order (8, 8)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((_BASE * scale + 50) // 100, 1, 255)


def history(coefficients: NDArray[np.int16], steps: NDArray[np.uint16]) -> History:
    """Tries to explain the histograms of a picture by an earlier compression.

    Args:
        coefficients: Quantised luma coefficients, int16 (rows, columns, 8, 8).
        steps: Their quantisation table, natural order (8, 8).

    Returns:
        The best explanation, whether it is good or not: compare its ``score`` with a threshold.
    """
    bands = _bands(coefficients)
    if bands is None:
        return History(reason=say("too small to compare histograms"))
    table = steps.astype(np.float64)
    observed, content = _histograms(bands), _content(bands, table)
    if observed is None or content is None:
        return History(reason=say("too plain to compare histograms"))
    single = np.stack([_once(content[i], table[mode]) for i, mode in enumerate(MODES)])
    weights = observed.copy()
    weights[:, REACH] = 0  # zeros say how smooth the picture is, not how it was saved
    total = int(weights.sum())
    if total < LEAST_BLOCKS:
        return History(reason=say("too plain to compare histograms"))
    # A histogram that is flat, because the content is stronger than the reach, speaks for no earlier saving either.
    flat = -math.log(2 * REACH)
    plain = np.maximum((weights * np.log(single)).sum(axis=1), weights.sum(axis=1) * flat)
    firsts = _first_steps()
    models = np.empty((len(QUALITIES), *single.shape))
    by_mode = np.empty((len(QUALITIES), len(MODES)))
    for i, mode in enumerate(MODES):
        steps_tried, back = firsts[i]  # many qualities share a step
        twice = _twice(np.sort(content[i]), steps_tried, int(table[mode]))
        models[:, i] = twice[back]
        by_mode[:, i] = ((weights[i] * np.log(twice)).sum(axis=1) - plain[i])[back]
    gains = dict(zip(QUALITIES, (by_mode.sum(axis=1) / total).tolist(), strict=True))
    best = int(by_mode.sum(axis=1).argmax())
    agreeing = int((by_mode[best] > 0).sum())
    quality = QUALITIES[best]
    return History(gains[quality], quality, gains, total, agreeing, single, models[best])


@cache
def _first_steps() -> list[tuple[tuple[int, ...], NDArray[np.intp]]]:
    """For each of :data:`MODES` the steps of the qualities tried, and which of them each quality has."""
    tables = np.stack([ijg_table(quality) for quality in QUALITIES])
    found = []
    for u, v in MODES:
        steps, back = np.unique(tables[:, u, v], return_inverse=True)
        found.append((tuple(steps.tolist()), back.ravel()))
    return found


def _bands(coefficients: NDArray[np.int16]) -> list[NDArray[np.int16]] | None:
    """Bands of block rows spread over the picture, at least two rows each."""
    rows, columns = coefficients.shape[:2]
    if rows < 3 or columns < 3 or rows * columns < LEAST_BLOCKS:
        return None
    wanted = max(3, MOST_BLOCKS // columns)
    if rows <= wanted:
        return [coefficients]
    number = max(1, min(6, wanted // 6))
    height = wanted // number
    return [coefficients[top : top + height] for top in np.linspace(0, rows - height, number).astype(int)]


def _histograms(bands: list[NDArray[np.int16]]) -> Floats | None:
    counts = np.zeros((len(MODES), 2 * REACH + 1))
    for band in bands:
        for i, (u, v) in enumerate(MODES):
            values = band[:, :, u, v].ravel()
            counts[i] += np.bincount(np.clip(values, -REACH - 1, REACH + 1) + REACH + 1, minlength=2 * REACH + 3)[1:-1]
    return counts if counts.sum() else None


def _content(bands: list[NDArray[np.int16]], table: Floats) -> list[Floats] | None:
    """Per mode, the coefficients of the decoded picture on a grid moved by (4, 4): not quantised by any step."""
    found: list[list[Floats]] = [[] for _ in MODES]
    dct = _DCT.astype(np.float32)
    low = 1 + max(max(mode) for mode in MODES)
    for band in bands:
        rows, columns = band.shape[:2]
        # Row by row of all blocks at once: thousands of products of 8×8 would spend their time on being called.
        blocks = np.multiply(band.transpose(2, 0, 1, 3), table[:, None, None, :], dtype=np.float32, casting="unsafe")
        pixels = (dct.T @ blocks.reshape(8, -1)).reshape(-1, 8) @ dct
        pixels = np.clip(np.rint(pixels + 128), 0, 255) - 128
        plane = pixels.reshape(8, rows, columns, 8).transpose(1, 0, 2, 3).reshape(rows * 8, columns * 8)[4:-4, 4:-4]
        moved = plane.reshape(rows - 1, 8, columns - 1, 8).transpose(1, 0, 2, 3)
        again = (dct[:low] @ moved.reshape(8, -1)).reshape(low, -1, 8) @ dct[:low].T
        for i, (u, v) in enumerate(MODES):
            found[i].append(again[u, :, v].astype(np.float64))
    return [np.concatenate(each) for each in found]


def _once(content: Floats, step: float) -> Floats:
    values = np.rint(content / step)
    return _shares(values)


def _twice(ascending: Floats, firsts: tuple[int, ...], step: int) -> Floats:
    """Sorted content quantised by each of some steps, decoded to rounded pixels, quantised by ``step``.

    Returns:
        float64 (firsts, values).
    """
    each = [_moved(first, step) if step <= _KEPT_RATIO * first else _moved.__wrapped__(first, step) for first in firsts]
    below = np.searchsorted(ascending, np.concatenate([edges for edges, _ in each]))
    counts = np.empty((len(firsts), 2 * REACH + 1))
    at = 0
    for row, (edges, moved) in zip(counts, each, strict=True):
        # How many values each level takes, those beyond the outermost counted there.
        mass = np.empty(len(edges) + 1)
        mass[:-1], mass[-1] = below[at : at + len(edges)], len(ascending)
        mass[1:] -= below[at : at + len(edges)]
        at += len(edges)
        np.matmul(mass, moved, out=row)
    return _smoothed(counts)


def _limit(first: int, step: int) -> int:
    return int((REACH + 2) * step / first) + 2


@lru_cache(maxsize=256)
def _moved(first: int, step: int) -> tuple[Floats, Floats]:
    """Edges between the levels of one step, and where what it left goes by the next.

    Returns:
        The edges, ascending; a value between two levels goes to the even one. For each level (rows) the shares of it
        that get each value.
    """
    limit = _limit(first, step)
    lower = np.arange(-limit, limit)
    edges = (lower + 0.5) * first
    centres = (np.arange(2 * limit + 1) - limit) * float(first)
    bounds = (np.arange(-REACH, REACH + 2) - 0.5) * step
    below = 0.5 * (1 + _erf((bounds[None, :] - centres[:, None]) / (ROUNDING * math.sqrt(2))))
    return np.where(lower % 2 == 0, np.nextafter(edges, np.inf), edges), np.diff(below, axis=1)


def _shares(values: Floats) -> Floats:
    clipped = np.clip(values, -REACH - 1, REACH + 1).astype(np.int64) + REACH + 1
    return _smoothed(np.bincount(clipped, minlength=2 * REACH + 3)[1:-1].astype(np.float64))


def _smoothed(counts: Floats) -> Floats:
    """Probabilities of the values other than zero, none of which is nought: a small share is spread over all."""
    counts[..., REACH] = 0
    shares = (counts / (counts.sum(axis=-1, keepdims=True) + 1e-9)) * 0.98 + 0.02 / (counts.shape[-1] - 1)
    return np.asarray(shares)


def _erf(x: Floats) -> Floats:
    """The error function to 1.5e-7 (Abramowitz & Stegun 7.1.26)."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(np.sign(x) * (1 - poly * np.exp(-x * x)))
