"""Where a suspect picture shows the original at all: bars, borders and corners of rotation are not changes of the photo.

Where the photo was cropped before a frame was put around it, the frame lies inside of what the geometry alone would
call the photo. What is shown of a photo is then a convex polygon: each side along which everything beyond disagrees,
is mostly flat, and begins at one straight line, is cut away at that line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.signals._registration import CELL, luma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float32]
    Bool = NDArray[np.bool_]

_FLAT = 3.0  # grey levels per pixel
_FLAT_SHARE = 0.5
_CONTRAST = 6.0
_REACH = 20
_ANGLES = np.radians(np.linspace(-1.5, 1.5, 7))
_MARGIN = 2.0


def cut(visible: Bool, agreeing: Bool, predicted: Float, suspect: Float) -> Bool:
    """Cuts away the frame around the photo.

    Args:
        visible: bool (rows, columns), where the original could be seen by geometry.
        agreeing: bool (cell rows, cell columns), where the pictures agree.
        predicted: float32 (rows, columns, 3), the original in the suspect's colours.
        suspect: float32 (rows, columns, 3), 0–255.

    Returns:
        bool (rows, columns), what is left of ``visible``; the same array where nothing is cut.
    """
    hull = _hull(agreeing)
    if hull is None:
        return visible
    difference = np.minimum(cv2.GaussianBlur(np.abs(suspect - predicted).mean(axis=2), (0, 0), 0.7), 40.0)
    difference = np.where(visible, difference, np.nan).astype(np.float32)
    plane = cv2.GaussianBlur(luma(suspect), (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=0.125))
    flat = slope < _FLAT
    rows, columns = visible.shape
    xs, ys = np.arange(columns)[None, :], np.arange(rows)[:, None]
    centre = hull.mean(axis=0)
    left = visible
    for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        along = end - start
        length = float(np.hypot(*along))
        if length < 4 * CELL:
            continue
        along = along / length
        normal = np.array([along[1], -along[0]])
        if normal @ (start - centre) < 0:
            normal = -normal
        beyond = visible & (xs * normal[0] + ys * normal[1] > normal @ start)
        if beyond.sum() < 0.5 * CELL * length or flat[beyond].mean() < _FLAT_SHARE:
            continue
        line = _line(difference, (start + end) / 2, along, normal, length)
        if line is not None:
            direction, offset = line
            left = left & (xs * direction[0] + ys * direction[1] < offset - _MARGIN)
    return left


def _hull(agreeing: Bool) -> NDArray[np.float64] | None:
    """Corners (n, 2), x and y in pixels, of the convex hull of what agrees, specks aside."""
    opened = cv2.morphologyEx(agreeing.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    kept = [index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= 0.02 * agreeing.size]
    if not kept:
        return None
    ys, xs = np.nonzero(np.isin(labels, kept))
    corners = np.concatenate([np.stack([xs + dx, ys + dy], axis=1) for dx in (0, 1) for dy in (0, 1)])
    hull = cv2.approxPolyDP(cv2.convexHull(corners.astype(np.int32)), 1.0, True)
    return hull[:, 0].astype(np.float64) * CELL if len(hull) >= 3 else None


def _line(
    difference: Float,
    middle: NDArray[np.float64],
    along: NDArray[np.float64],
    normal: NDArray[np.float64],
    length: float,
) -> tuple[NDArray[np.float64], float] | None:
    """The straight line near one side of the hull at which the difference begins: its outward normal and offset.

    None where it does not begin along most of one line.
    """
    turns = _ANGLES
    # A frame is nearly always upright: a side of the hull that nearly is, is tried upright too.
    tilt = float(np.arctan2(min(abs(along[0]), abs(along[1])), max(abs(along[0]), abs(along[1]))))
    if tilt < np.radians(3):
        turns = np.append(turns, [tilt, -tilt])
    best: tuple[float, NDArray[np.float64], float] | None = None
    positions = np.linspace(-0.47, 0.47, 96) * length
    reach = np.arange(-_REACH, _REACH + 1)
    for turn in turns:
        cosine, sine = np.cos(turn), np.sin(turn)
        turned = np.array([[cosine, -sine], [sine, cosine]])
        a, n = turned @ along, turned @ normal
        points = middle + positions[None, :, None] * a + reach[:, None, None] * n
        sampled = cv2.remap(
            difference,
            points[..., 0].astype(np.float32),
            points[..., 1].astype(np.float32),
            cv2.INTER_NEAREST,
            borderValue=float("nan"),
        )
        for index in range(6, reach.size - 4):
            before, after = sampled[index - 6 : index], sampled[index : index + 6]
            with np.errstate(invalid="ignore"):
                known = np.isfinite(before).all(axis=0) & np.isfinite(after[:2]).all(axis=0)
            if known.sum() < 0.4 * positions.size:
                continue
            steps = np.nanmean(after[:, known], axis=0) - before[:, known].mean(axis=0)
            # The median asks that most of the line is such a step, wherever an edit may touch it.
            step = float(np.quantile(steps, 0.35))
            if step > _CONTRAST and (best is None or step > best[0]):
                best = (step, n, float(n @ (middle + reach[index] * n)))
    return None if best is None else (best[1], best[2])


__all__ = ["cut"]
