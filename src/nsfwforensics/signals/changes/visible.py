"""Where a suspect picture shows the original at all: bars, borders and corners of rotation are no changes of the photo.

Where the photo was cropped before a frame was put around it, the frame lies inside of what the geometry alone would
call the photo. A frame is cut away where, from the edge up to one straight line, hardly anything agrees with the
original and most of it is flat, and where the picture changes along most of that line. Lines are looked for in the
directions of the suspect's edges (screenshots, borders) and of the original's (a photo that was cropped, then turned).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.signals.changes.registration import luma

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Float = NDArray[np.float32]
    Bool = NDArray[np.bool_]

_AGREES = 5.0, 12.0  # grey levels, least and most
_FLAT = 2.5  # grey levels per pixel
_FOR_FLAT, _FOR_AGREEING, _FOR_FLAT_AGREEING, _FOR_OTHER = 1.0, -3.0, -0.1, -0.2
_STEP = 8.0
_STEP_SHARE = 0.5
_REACH = 16
_NEAR = 5
_ENDS = 0.6
_STOPS = 0.4
_MARGIN = 3.0
_MOST_CUTS = 8
_LEAST_LEFT = 0.05


def cut(visible: Bool, predicted: Float, suspect: Float, axes: tuple[tuple[float, float], ...], spread: float) -> Bool:
    """Cuts away the frame around the photo.

    Args:
        visible: bool (rows, columns), where the original could be seen by geometry.
        predicted: float32 (rows, columns, 3), the original in the suspect's colours.
        suspect: float32 (rows, columns, 3), 0–255.
        axes: Directions (x, y) of the original's two edges in the frame.
        spread: Typical residual of colours that agree, in grey levels.

    Returns:
        bool (rows, columns), what is left of ``visible``; the same array where nothing is cut.
    """
    difference = cv2.GaussianBlur(np.abs(suspect - predicted).mean(axis=2), (0, 0), 0.7)
    agrees = difference < np.clip(4.0 * spread, *_AGREES)
    plane = cv2.GaussianBlur(luma(suspect), (0, 0), 0.7)
    slope = cv2.magnitude(
        cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=0.125)
    )
    flat = slope < _FLAT
    # Flat and alike may be chance: a black bar over a dark photo.
    for_agreeing = np.where(flat, _FOR_FLAT_AGREEING, _FOR_AGREEING)
    vote = np.where(agrees, for_agreeing, np.where(flat, _FOR_FLAT, _FOR_OTHER)).astype(np.float32)
    rows, columns = visible.shape
    xs, ys = np.arange(columns, dtype=np.float32)[None, :], np.arange(rows, dtype=np.float32)[:, None]
    left, whole = visible, float(visible.sum())
    for _ in range(_MOST_CUTS):
        best: tuple[float, Bool] | None = None
        for normal in _normals(axes):
            along = xs * np.float32(normal[0]) + ys * np.float32(normal[1])
            found = _prefix(along[left], vote[left])
            if found is None or (best is not None and found[0] <= best[0]):
                continue
            if _straight(suspect, agrees, left, normal, found[1]):
                best = found[0], left & (along < found[1] - _MARGIN)
        if best is None or best[1].sum() < _LEAST_LEFT * whole:
            return left
        left = best[1]
    return left


def _normals(axes: tuple[tuple[float, float], ...]) -> Iterator[tuple[float, float]]:
    directions = [(1.0, 0.0), (0.0, 1.0)]
    for x, y in axes:
        length = float(np.hypot(x, y))
        # Nearly upright is upright: the two would only compete.
        if length > 0 and min(abs(x), abs(y)) > 0.01 * length:
            directions.append((x / length, y / length))
    for x, y in directions:
        yield x, y
        yield -x, -y


def _prefix(along: Float, vote: Float) -> tuple[float, float] | None:
    """The offset beyond which votes for a frame sum up highest, counted from outside: that sum, and the offset."""
    if along.size < 64:
        return None
    lowest = float(along.min())
    bins = (along - lowest).astype(np.int32)
    sums = np.bincount(bins, weights=vote)[::-1]
    total = np.cumsum(sums)
    index = int(np.argmax(total))
    counts = np.bincount(bins)[::-1]
    # At least a strip of a few pixels, and a tenth of it in favour.
    if index < 2 or total[index] < 0.1 * counts[: index + 1].sum():
        return None
    return float(total[index]), lowest + sums.size - 1 - index


def _straight(suspect: Float, agrees: Bool, left: Bool, normal: tuple[float, float], offset: float) -> bool:
    """Whether the suspect changes, or agreement ends, along most of the line ``x · normal = offset``."""
    rows, columns = left.shape
    n = np.array(normal)
    a = np.array([-n[1], n[0]])
    start = np.array([columns / 2, rows / 2])
    start = start + n * (offset - n @ start)
    t = np.linspace(-0.75, 0.75, 256) * float(np.hypot(rows, columns))
    reach = np.arange(-_REACH - 2, _REACH + 3)
    points = start + t[None, :, None] * a + reach[:, None, None] * n
    x, y = points[..., 0].astype(np.float32), points[..., 1].astype(np.float32)
    inside = cv2.remap(left.astype(np.uint8), x, y, cv2.INTER_NEAREST, borderValue=0)
    known = inside[: _REACH + 3].all(axis=0)  # where the line's inner side may be photo
    if known.sum() < 8:
        return False
    sampled = cv2.remap(suspect, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, known]
    steps = np.abs(sampled[3:] - sampled[:-3]).mean(axis=2) > _STEP  # over three pixels across the line
    shares = steps.mean(axis=1)
    near = np.abs(reach[1:-2] + 0.5) <= _NEAR
    alike = cv2.remap(agrees.astype(np.uint8), x, y, cv2.INTER_NEAREST, borderValue=0)[:, known].mean(axis=1)
    if float(alike[reach < -_NEAR].mean() - alike[(reach > _NEAR - 2) & (reach <= _NEAR + 3)].mean()) > _ENDS:
        return True
    # A textured photo has such steps everywhere: the line must stand out from its inner side.
    usual = float(np.median(shares[reach[1:-2] < -_NEAR - 3]))
    beyond = float(np.median(shares[reach[1:-2] > _NEAR]))
    if usual - beyond > _STOPS:  # the photo's texture stops at the line
        return True
    return bool(shares[near].max() > max(_STEP_SHARE, min(0.85, 1.6 * usual)))


__all__ = ["cut"]
