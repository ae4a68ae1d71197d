"""What a method's answer about one picture is worth: formulas only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsfwforensics.signals.traces.trace import Trace

Mask = NDArray[np.bool_]


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Chance that a positive scores higher than a negative, ties counting half (Mann–Whitney).

    Returns:
        0 to 1; not a number where either is empty.
    """
    if not len(positive) or not len(negative):
        return math.nan
    high, low = np.asarray(positive, float), np.sort(np.asarray(negative, float))
    below = np.searchsorted(low, high, "left")
    equal = np.searchsorted(low, high, "right") - below
    return float((below + equal / 2).sum() / (len(high) * len(low)))


def upper_bound(hits: int, trials: int, confidence: float = 0.95) -> float:
    """One-sided Clopper–Pearson bound of a rate: 3 divided by the number of trials where nothing was hit, about.

    Args:
        hits: How many.
        trials: Out of how many independent ones.
        confidence: 0 to 1.

    Returns:
        The rate at which as few hits have a chance of 1 - ``confidence``; 1 where there were no trials.
    """
    if trials == 0 or hits >= trials:
        return 1.0
    low, high = hits / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(hits, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(hits: int, trials: int, rate: float) -> float:
    logs = [
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        + k * math.log(rate) + (trials - k) * math.log1p(-rate)
        for k in range(hits + 1)
    ]  # fmt: skip
    return sum(math.exp(value) for value in logs)


def marked(trace: Trace, height: int, width: int) -> Mask:
    """Where a method points, in pixels: its mask, else the boxes of its regions.

    Returns:
        bool (height, width).
    """
    canvas = np.zeros((height, width), bool)
    if not trace.regions:
        return canvas
    if trace.mask is None:
        for region in trace.regions:
            canvas[max(0, region.y) : region.y + region.height, max(0, region.x) : region.x + region.width] = True
        return canvas
    cells = np.kron(trace.mask, np.ones((trace.cell, trace.cell), bool))[:height, :width]
    canvas[: cells.shape[0], : cells.shape[1]] = cells
    return canvas


def overlap(found: Mask, true: Mask) -> dict[str, float]:
    """How well two masks agree.

    Returns:
        ``f1`` and ``iou``, and ``inside``: the share of what was found that is true (0 where nothing was found).
    """
    both, either = float((found & true).sum()), float((found | true).sum())
    total = float(found.sum() + true.sum())
    return {
        "f1": 2 * both / total if total else 0.0,
        "iou": both / either if either else 0.0,
        "inside": both / float(found.sum()) if found.any() else 0.0,
    }


def map_auc(trace: Trace, true: Mask) -> float | None:
    """Whether changed cells stand out in the raw map: AUC of the distance from the map's median.

    The distance, because an eye sees what is darker as well as what is brighter than the rest.

    Returns:
        0 to 1, 0.5 is chance; None where there is no map or it lies wholly inside or outside.
    """
    if trace.map is None or trace.map.size < 2:
        return None
    rows, columns = trace.map.shape
    height, width = min(true.shape[0], rows * trace.cell), min(true.shape[1], columns * trace.cell)
    canvas = np.zeros((rows * trace.cell, columns * trace.cell), np.float32)
    canvas[:height, :width] = true[:height, :width]
    cells = cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA) > 0.5
    known = np.isfinite(trace.map)
    values, cells = trace.map[known], cells[known]
    if not cells.any() or cells.all():
        return None
    distance = np.abs(values - np.median(values))
    return auc(distance[cells].tolist(), distance[~cells].tolist())


def judged(trace: Trace, truths: Sequence[Mask], height: int, width: int) -> dict[str, Any]:
    """One row of the results.

    Args:
        trace: What the method said.
        truths: Acceptable masks (one, or for copy-moves also the one with the place copied from); empty where clean.
            The one that suits the method better counts.
        height: Of the picture, in pixels.
        width: Likewise.

    Returns:
        Score, number of regions, share of the area marked, reason, and for manipulated pictures the overlap.
    """
    found = marked(trace, height, width)
    row: dict[str, Any] = {
        "score": float(trace.score),
        "regions": len(trace.regions),
        "area": round(float(found.mean()), 5),
        "reason": trace.reason,
    }
    if truths:
        best = max((overlap(found, true) for true in truths), key=lambda each: each["f1"])
        row |= {name: round(value, 4) for name, value in best.items()}
        value = map_auc(trace, truths[0])
        row["map"] = None if value is None else round(value, 4)
    return row
