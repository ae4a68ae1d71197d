"""From a map of significance to regions: hysteresis, closing, number of false alarms, outlines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.signals.changes.residual import Residual

    Float = NDArray[np.float32]
    Bool = NDArray[np.bool_]

SEED = 1.7
"""Score at which a cell starts a region, natural logarithm of energy above what agreeing cells reach."""

GROW = 0.9
"""Score down to which a region grows."""

LEAST_SHARE = 0.004
"""Smallest region, as a share of the visible photo."""

LEAST_CELLS = 8
MOST_LOG_NFA = -10.0

_INDEPENDENT = 6.0  # cells that share one window
# Decades of probability per unit of score: an assumed exponential tail, not a fitted one. The false alarms that result
# are counted on pictures without an edit (the "changes" bench), and MOST_LOG_NFA leaves a margin for it.
_DECADES = 1.0
_STRONGEST = 300.0


@dataclass(frozen=True, slots=True)
class Found:
    """One connected region in cells: its mask (bool, cell rows × cell columns), median score, -log10 of its NFA."""

    mask: Bool
    score: float
    strength: float


def score(residual: Residual, inside: Bool) -> tuple[Float, Float]:
    """How far each cell lies above what the pair's own agreeing cells reach; float32, 0 where nothing is visible.

    Returns:
        With the cell's neighbours, which is what is tested; and of the cell alone, which is sharper at edges.
    """
    agree = inside & residual.likeness.alike
    limits = []
    for plane, least, most, factor in ((residual.structure, 0.5, 2.0, 2.5), (residual.colour, 0.0, 2.0, 1.0)):
        values = plane[agree & (plane < 4.0)]
        high = factor * float(np.quantile(values, 0.8 if factor > 1 else 0.95)) if values.size >= 20 else most
        limits.append(float(np.clip(high, least, most)))
    above = np.maximum(residual.structure - limits[0], residual.colour - limits[1])
    sharp = np.maximum(residual.sharp_structure - limits[0], residual.sharp_colour - limits[1])
    return np.where(inside, above, 0.0).astype(np.float32), np.where(inside, sharp, 0.0).astype(np.float32)


def regions(scores: Float, sharp: Float, inside: Bool) -> list[Found]:
    """Connected regions whose number of false alarms is small, largest first."""
    visible = int(inside.sum())
    if visible < LEAST_CELLS:
        return []
    grown = _hysteresis(scores > GROW, scores > SEED)
    # What is thinner than three cells is an edge, not a region.
    eroded = cv2.erode(grown.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0)
    thick = cv2.dilate(eroded, np.ones((3, 3), np.uint8)) > 0
    kept = _hysteresis(grown, thick) & (cv2.dilate(thick.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    side = 2 * max(1, round(0.012 * max(scores.shape))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    padded = cv2.copyMakeBorder(kept.astype(np.uint8), side, side, side, side, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)[side:-side, side:-side] > 0
    closed = _trimmed(_filled(closed & inside) & inside, sharp > GROW)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed.astype(np.uint8), connectivity=8)
    found = []
    for index in range(1, count):
        area = int(stats[index, cv2.CC_STAT_AREA])
        if area < max(LEAST_CELLS, LEAST_SHARE * visible):
            continue
        mask = labels == index
        values = scores[mask & kept]
        if values.size < LEAST_CELLS:
            continue
        middle = float(np.median(values))
        log_nfa = 2 * np.log10(visible) - values.size / _INDEPENDENT * _DECADES * middle
        if log_nfa < MOST_LOG_NFA:
            found.append(Found(mask, middle, min(_STRONGEST, -float(log_nfa))))
    return sorted(found, key=lambda region: -int(region.mask.sum()))


def _hysteresis(wide: Bool, narrow: Bool) -> Bool:
    """Components of ``wide`` that hold something of ``narrow``."""
    _, labels = cv2.connectedComponents(wide.astype(np.uint8), connectivity=8)
    touched = np.unique(labels[narrow & wide])
    return np.asarray(np.isin(labels, touched[touched > 0]))


def _trimmed(mask: Bool, sharp: Bool) -> Bool:
    """Without those of its two outermost cells that only their neighbours raised."""
    for _ in range(2):
        core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0
        mask = mask & (core | sharp)
    return mask


def _filled(mask: Bool) -> Bool:
    """Holes smaller than a quarter of the region around them belong to it: flat places agree by accident."""
    contours, hierarchy = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = mask.astype(np.uint8)
    for index, contour in enumerate(contours):
        parent = int(hierarchy[0][index][3])
        if parent >= 0 and cv2.contourArea(contour) < 0.25 * cv2.contourArea(contours[parent]):
            cv2.drawContours(filled, contours, index, 1, thickness=cv2.FILLED)
    return np.asarray(filled > 0)


__all__ = ["Found", "regions", "score"]
