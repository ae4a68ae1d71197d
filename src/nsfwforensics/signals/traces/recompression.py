"""Whether a JPEG was compressed once before on the same grid, from the histograms of its DCT coefficients.

A second quantisation leaves some bins of a coefficient's histogram too full and others too empty (Lukáš & Fridrich
2003; Popescu & Farid 2004). What the histogram would look like without it is estimated from the picture itself: the
decoded picture, cut by four pixels both ways, holds the same content and no memory of the first grid (Fridrich et al.
2002). Every earlier table of the Independent JPEG Group's scale is tried and compared by likelihood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
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
    gains: dict[int, float] = {}
    agreeing: dict[int, int] = {}
    models: dict[int, Floats] = {}
    single = np.stack([_once(content[i], table[mode]) for i, mode in enumerate(MODES)])
    weights = observed.copy()
    weights[:, REACH] = 0  # zeros say how smooth the picture is, not how it was saved
    total = int(weights.sum())
    if total < LEAST_BLOCKS:
        return History(reason=say("too plain to compare histograms"))
    # A histogram that is flat, because the content is stronger than the reach, speaks for no earlier saving either.
    flat = -math.log(2 * REACH)
    plain = np.maximum((weights * np.log(single)).sum(axis=1), weights.sum(axis=1) * flat)
    ascending = [np.sort(each) for each in content]
    made: dict[tuple[int, int], Floats] = {}  # many qualities share a step
    for quality in QUALITIES:
        earlier = ijg_table(quality)
        for i, mode in enumerate(MODES):
            if (i, int(earlier[mode])) not in made:
                made[i, int(earlier[mode])] = _twice(ascending[i], int(earlier[mode]), int(table[mode]))
        twice = np.stack([made[i, int(earlier[mode])] for i, mode in enumerate(MODES)])
        models[quality] = twice
        by_mode = (weights * np.log(twice)).sum(axis=1) - plain
        gains[quality], agreeing[quality] = float(by_mode.sum() / total), int((by_mode > 0).sum())
    best = max(gains, key=lambda quality: gains[quality])
    return History(gains[best], best, gains, total, agreeing[best], single, models[best])


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
    for band in bands:
        blocks = band.astype(np.float32) * table.astype(np.float32)
        pixels = _DCT.T.astype(np.float32) @ blocks @ _DCT.astype(np.float32)
        pixels = np.clip(np.rint(pixels + 128), 0, 255) - 128
        plane = pixels.transpose(0, 2, 1, 3).reshape(band.shape[0] * 8, band.shape[1] * 8)[4:-4, 4:-4]
        moved = plane.reshape(plane.shape[0] // 8, 8, plane.shape[1] // 8, 8).transpose(0, 2, 1, 3)
        again = _DCT.astype(np.float32) @ moved @ _DCT.T.astype(np.float32)
        for i, (u, v) in enumerate(MODES):
            found[i].append(again[:, :, u, v].ravel().astype(np.float64))
    return [np.concatenate(each) for each in found]


def _once(content: Floats, step: float) -> Floats:
    values = np.rint(content / step)
    return _shares(values)


def _twice(ascending: Floats, first: int, step: int) -> Floats:
    """Sorted content quantised by ``first``, decoded to rounded pixels, quantised by ``step``."""
    limit = _limit(first, step)
    # How many values each level takes, those beyond the outermost counted there. A value between two levels goes to
    # the even one.
    lower = np.arange(-limit, limit)
    edges = (lower + 0.5) * first
    below = np.where(
        lower % 2 == 0, np.searchsorted(ascending, edges, "right"), np.searchsorted(ascending, edges, "left")
    )
    mass = np.diff(below, prepend=0, append=len(ascending))
    moved = _moved(first, step) if step <= _KEPT_RATIO * first else _moved.__wrapped__(first, step)
    return _smoothed(mass @ moved)


def _limit(first: int, step: int) -> int:
    return int((REACH + 2) * step / first) + 2


@lru_cache(maxsize=256)
def _moved(first: int, step: int) -> Floats:
    """Where what one step left goes by the next: shares of each of its levels (rows) that get each value."""
    limit = _limit(first, step)
    centres = (np.arange(2 * limit + 1) - limit) * float(first)
    edges = (np.arange(-REACH, REACH + 2) - 0.5) * step
    below = 0.5 * (1 + _erf((edges[None, :] - centres[:, None]) / (ROUNDING * math.sqrt(2))))
    return np.diff(below, axis=1)


def _shares(values: Floats) -> Floats:
    clipped = np.clip(values, -REACH - 1, REACH + 1).astype(np.int64) + REACH + 1
    return _smoothed(np.bincount(clipped, minlength=2 * REACH + 3)[1:-1].astype(np.float64))


def _smoothed(counts: Floats) -> Floats:
    """Probabilities of the values other than zero, none of which is nought: a small share is spread over all."""
    counts[REACH] = 0
    shares = (counts / (counts.sum() + 1e-9)) * 0.98 + 0.02 / (counts.size - 1)
    return np.asarray(shares)


def _erf(x: Floats) -> Floats:
    """The error function to 1.5e-7 (Abramowitz & Stegun 7.1.26)."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(np.sign(x) * (1 - poly * np.exp(-x * x)))
