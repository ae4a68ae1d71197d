"""JPEG ghosts: places that were once saved at another quality than the rest (Farid 2009).

A place that was saved before with coarser steps loses hardly anything when quantised with those steps again, where the
rest loses as much as any content does. Each block is quantised again with a ladder of tables and the loss is compared
with the loss of content that never saw them. Only ghosts on the picture's own grid are seen: a paste keeps it by
chance once in 64 times, an in-place repair always.

The loss also depends on the content, so that a threshold which keeps false alarms rare is not known: the result is a
map for people who can read it, and never has regions. For places with a known error rate see
:mod:`nsfwforensics.signals.traces.double_quantisation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.core.messages import say
from nsfwforensics.signals.traces.recompression import MODES, ijg_table
from nsfwforensics.signals.traces.trace import Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

CELL = 8
WINDOW = 7
"""Side of the window that losses are summed over, in blocks."""

QUALITIES = tuple(range(50, 100, 5))
"""The ladder of tables, qualities of the Independent JPEG Group."""

LEAST_VALUES = 24
"""A window with fewer usable coefficients says nothing."""

BAND = 64
"""Rows of blocks handled at a time."""


def ghosts(coefficients: NDArray[np.int16], steps: NDArray[np.uint16]) -> Trace:
    """Maps where the picture was once saved at another quality than most of it.

    Args:
        coefficients: Quantised luma coefficients, int16 (rows, columns, 8, 8).
        steps: Their quantisation table, natural order (8, 8).

    Returns:
        The trace, in pixels of the picture **as stored**. Its ``map`` holds how far the loss at some quality stays
        below that of the median window, as a share of what content without a past loses: about 0 to 1. ``score`` is
        its 99.5th percentile. It has no regions.
    """
    rows, columns = coefficients.shape[:2]
    if rows < WINDOW or columns < WINDOW:
        return Trace(cell=CELL, reason=say("too small for JPEG ghosts"))
    strongest = np.zeros((rows, columns), np.float32)
    at: dict[int, float] = {}
    for quality in QUALITIES:
        depth = _depth(coefficients, steps, ijg_table(quality))
        known = depth[np.isfinite(depth)]
        if not known.size:
            continue
        gain = np.nan_to_num(depth - np.median(known), nan=0.0)
        at[quality] = round(float(np.percentile(gain, 99.5)), 3)
        np.maximum(strongest, gain, out=strongest)
    if not at:
        return Trace(cell=CELL, reason=say("too plain for JPEG ghosts"))
    score = float(np.percentile(strongest, 99.5))
    return Trace(score, map=strongest, cell=CELL, data={"depth_by_quality": at})


def _depth(coefficients: NDArray[np.int16], steps: NDArray[np.uint16], table: NDArray[np.int64]) -> Plane:
    """Per window, one less the loss over the loss expected of content without a past; NaN where too little is known."""
    import cv2

    rows, columns = coefficients.shape[:2]
    lost, expected = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.float32)
    count = np.zeros((rows, columns), np.float32)
    for top in range(0, rows, BAND):
        band = slice(top, top + BAND)
        for u, v in MODES:
            step, value = float(table[u, v]), coefficients[band, :, u, v].astype(np.float32) * float(steps[u, v])
            level = np.rint(value / step)
            used = level != 0
            lost[band] += np.square(value - level * step) * used
            expected[band] += used * (step * step / 12)
            count[band] += used
    size, depth = (WINDOW, WINDOW), cv2.CV_32F
    summed = [
        np.asarray(cv2.boxFilter(each, depth, size, normalize=False, borderType=cv2.BORDER_CONSTANT), np.float32)
        for each in (lost, expected, count)
    ]
    ratio = np.full((rows, columns), np.nan, np.float32)
    usable = summed[2] >= LEAST_VALUES
    ratio[usable] = 1 - summed[0][usable] / summed[1][usable]
    return ratio


__all__ = ["ghosts"]
