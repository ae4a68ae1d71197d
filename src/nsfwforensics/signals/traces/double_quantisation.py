"""Places of a twice-saved JPEG that were saved only once: what was put there between the two savings.

Most of such a picture carries the double quantisation of its two savings; what was pasted, painted or moved off the
grid in between carries only the last one (Lin et al. 2009; Bianchi & Piva 2012). For each block, the likelihood of its
low-frequency coefficients if saved once is compared with that if saved twice, with the two models of
:mod:`nsfwforensics.signals.traces.recompression`, which are estimated from the picture itself.

The likelihood ratio bounds its own false alarms: if every block was saved twice, the sum of log ratios over a window
exceeds t with a probability of at most exp(−t), whatever the content. Thresholds stand far above that bound, because
neighbouring coefficients are not independent and the models are estimates; ``docs/jpeg.md`` has what was measured.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.core.messages import say
from nsfwforensics.signals.traces.recompression import MODES, REACH, History, history
from nsfwforensics.signals.traces.trace import Trace, TraceRegion

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL = 8
WINDOW = 7
"""Side of the window that evidence is summed over, in blocks."""

LEAST_SCORE = 0.10
"""Least :attr:`History.score` of a picture that is searched at all: clearly saved twice."""

LEAST_EVIDENCE = 120.0
"""Least sum of log-likelihood ratios (nats) in a window around a block that is marked."""

LEAST_VALUES = 40
"""Least number of non-zero coefficients in such a window."""

LEAST_BLOCKS = 36
"""Fewest blocks of a region."""

CLIPPED = 4
"""Pixels this near to black or white count as clipped: a later saving moves them a little."""

MOST_SHARE = 0.60
"""Above this share of marked blocks the picture as a whole does not fit the model, and nothing is marked."""

MOST_REGIONS = 8


def double_quantisation(
    coefficients: NDArray[np.int16],
    steps: NDArray[np.uint16],
    unclipped: NDArray[np.bool_] | None = None,
    known: History | None = None,
) -> Trace:
    """Looks for places without the double quantisation that the rest of the picture has.

    Args:
        coefficients: Quantised luma coefficients, int16 (rows, columns, 8, 8).
        steps: Their quantisation table, natural order (8, 8).
        unclipped: Which blocks :func:`unclipped_blocks` leaves in; None if unknown, then nothing is marked.
        known: What :func:`recompression.history` said of them, if that was asked before.

    Returns:
        The trace, in pixels of the picture **as stored** (EXIF orientation not applied). ``score`` is the largest sum
        of evidence in a window, 0 where the picture was not seen to be saved twice. A region's ``score`` is the sum
        over its blocks in units of log10.
    """
    past = known or history(coefficients, steps)
    data: dict[str, Any] = {"score": round(past.score, 4), "earlier_quality": past.quality, "threshold": LEAST_SCORE}
    if past.reason or past.single is None or past.double is None:
        return Trace(cell=CELL, data=data, reason=past.reason)
    if past.score < LEAST_SCORE:
        return Trace(
            cell=CELL, data=data, reason=say("no sign that the whole picture was saved twice on the same grid")
        )
    evidence, values = _evidence(coefficients, past)
    if unclipped is not None:
        evidence, values = evidence * unclipped, values * unclipped
    around, count = _windows(evidence), _windows(values)
    mask = _cleaned((around > LEAST_EVIDENCE) & (count >= LEAST_VALUES))
    data["share"] = round(float(mask.mean()), 4)
    score = float(around.max(initial=0.0))
    if unclipped is None:
        return Trace(score, map=around, cell=CELL, data=data, reason=say("it is not known where pixels are clipped"))
    if data["share"] > MOST_SHARE:
        return Trace(
            score, map=around, cell=CELL, data=data, reason=say("too little of the picture fits one earlier saving")
        )
    regions, kept = _regions(mask, evidence, coefficients.shape[:2])
    return Trace(score, regions, kept if regions else None, around, CELL, data)


def unclipped_blocks(rgb: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Finds the blocks in which no pixel is nearly black or white in any colour.

    Cutting off what lies beyond black and white after the first saving wipes out its quantisation, in the luma of
    strongly coloured places too.

    Args:
        rgb: The picture as stored (EXIF orientation not applied), uint8 (height, width, 3).
        shape: Rows and columns of blocks.

    Returns:
        bool (rows, columns).
    """
    rows, columns = shape[:2]
    found = np.zeros((rows, columns), np.bool_)
    starts = np.arange(0, rgb.shape[1], CELL)
    for row in range(min(rows, -(-rgb.shape[0] // CELL))):
        band = rgb[row * CELL : (row + 1) * CELL]
        low = np.minimum.reduceat(band.min(axis=(0, 2)), starts)
        high = np.maximum.reduceat(band.max(axis=(0, 2)), starts)
        inside = (low > CLIPPED) & (high < 255 - CLIPPED)
        found[row, : min(columns, inside.size)] = inside[:columns]
    return found


def _evidence(coefficients: NDArray[np.int16], past: History) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Per block, the log ratio (once over twice) of its non-zero low-frequency values, and how many there are."""
    rows, columns = coefficients.shape[:2]
    evidence, values = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.float32)
    assert past.single is not None and past.double is not None  # noqa: S101 - history() gives both or neither
    for i, (u, v) in enumerate(MODES):
        ratios = np.zeros(2 * REACH + 3, np.float32)  # beyond the reach at either end: no evidence
        ratios[1:-1] = np.log(past.single[i]) - np.log(past.double[i])
        ratios[REACH + 1] = 0
        levels = np.clip(coefficients[:, :, u, v], -REACH - 1, REACH + 1) + REACH + 1
        evidence += ratios[levels]
        values += (levels > 0) & (levels < 2 * REACH + 2) & (levels != REACH + 1)
    return evidence, values


def _windows(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    summed = cv2.boxFilter(plane, cv2.CV_32F, (WINDOW, WINDOW), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(summed, np.float32)


def _cleaned(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    import cv2

    kernel = np.ones((3, 3), np.uint8)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.bool_)


def _regions(
    mask: NDArray[np.bool_], evidence: NDArray[np.float32], shape: tuple[int, ...]
) -> tuple[tuple[TraceRegion, ...], NDArray[np.bool_]]:
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sums = np.bincount(labels.ravel(), weights=evidence.ravel(), minlength=count)
    found: list[tuple[float, int]] = []
    for label in range(1, count):
        nats = float(sums[label])
        if stats[label, cv2.CC_STAT_AREA] >= LEAST_BLOCKS and nats > LEAST_EVIDENCE:
            found.append((nats / math.log(10), label))
    found = sorted(found, reverse=True)[:MOST_REGIONS]
    kept = np.isin(labels, [label for _, label in found])
    regions = []
    for score, label in found:
        x, y, width, height, blocks = (int(each) for each in stats[label])
        place = (x * CELL, y * CELL, width * CELL, height * CELL)
        regions.append(TraceRegion(*place, round(score, 1), {"blocks": blocks}))
    return tuple(regions), kept
