"""Brings the shown part of the original and the suspect picture into one small frame, pixel on pixel.

The estimated alignment is refined by direct alignment over a pyramid: Gauss–Newton steps on a homography (Lucas–Kanade
with the composition of Baker and Matthews, IJCV 56, 2004), on pictures normalised by their local mean and deviation,
which no colour filter changes, with Tukey's weights, which leave what was edited out of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float32]
    Matrix = NDArray[np.float64]
    Pixels = NDArray[np.uint8]

CELL = 8
"""Side of one cell in working pixels; frames are whole numbers of cells."""

LEAST_SIDE = 32
"""Fewest working pixels of the shorter side in which anything is compared."""

MOST_STRETCH = 4.0
"""Largest ratio of the sizes of one pixel across the frame at which a homography is still taken for a photo's."""

_MOST_POINTS = 40_000
_LEVELS = ((128, 6), (256, 4), (512, 3))  # pyramid: longest edge, Gauss–Newton steps


@dataclass(frozen=True, slots=True)
class WorkingFrame:
    """A working frame over the part of the suspect picture where the original may be seen.

    Attributes:
        to_suspect: float64 (3, 3), working pixels to suspect pixels (a scaling and a shift).
        scale: Suspect pixels per working pixel.
        suspect: The suspect there, float32 (rows, columns, 3), 0–255.
        source: The original, reduced to about the frame's resolution, uint8.
        to_source: float64 (3, 3), working pixels to pixels of ``source``.
    """

    to_suspect: Matrix
    scale: float
    suspect: Float
    source: Pixels
    to_source: Matrix

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the frame."""
        return self.suspect.shape[0], self.suspect.shape[1]


def frame(original: Pixels, suspect: Pixels, matrix: Matrix, longest: int) -> WorkingFrame | None:
    """Brings both pictures into one frame in which they are compared.

    Args:
        original: uint8 (height, width, 3), RGB.
        suspect: uint8 (height, width, 3), RGB.
        matrix: float64 (3, 3), suspect pixels to original pixels, centres of pixels at whole numbers.
        longest: Longest edge of the frame in working pixels.

    Returns:
        The frame; None where the matrix shows too little of the original in the suspect, or is no view of it.
    """
    box = _footprint(original.shape, suspect.shape, matrix)
    if box is None:
        return None
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    sizes = np.array([_size(matrix, x, y) for x in (left, right) for y in (top, bottom)])
    middle = _size(matrix, left + width / 2, top + height / 2)
    if not np.isfinite(sizes).all() or min(sizes.min(), middle) <= 0 or sizes.max() > MOST_STRETCH * sizes.min():
        return None
    factor = min(1.0, longest / max(width, height), float(middle))
    columns, rows = (max(CELL, round(side * factor / CELL) * CELL) for side in (width, height))
    if min(columns, rows) < LEAST_SIDE:
        return None
    part = cv2.resize(suspect[top:bottom, left:right], (columns, rows), interpolation=cv2.INTER_AREA)
    to_suspect = _resizing(columns, rows, width, height)
    to_suspect[:2, 2] += left, top
    to_source = matrix @ to_suspect
    reduce = min(1.0, factor / float(middle))
    source = original
    if reduce < 0.9:
        size = max(1, round(original.shape[1] * reduce)), max(1, round(original.shape[0] * reduce))
        source = np.asarray(cv2.resize(original, size, interpolation=cv2.INTER_AREA), np.uint8)
        to_source = np.linalg.inv(_resizing(*size, original.shape[1], original.shape[0])) @ to_source
    return WorkingFrame(to_suspect, max(width / columns, height / rows), part.astype(np.float32), source, to_source)


def warped(view: WorkingFrame) -> tuple[Float, NDArray[np.bool_]]:
    """The original as the frame sees it: float32 (rows, columns, 3), and where it covers the frame: bool."""
    rows, columns = view.shape
    size, flags = (columns, rows), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpPerspective(
        view.source, view.to_source, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    whole = np.full(view.source.shape[:2], 255, np.uint8)
    covered = cv2.warpPerspective(whole, view.to_source, size, flags=flags, borderValue=0)
    return picture.astype(np.float32), np.asarray(covered == 255)


def luma(picture: Float | Pixels) -> Float:
    """Luma of Rec. 601, float32, 0–255."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)


def normalised(plane: Float, radius: float) -> Float:
    """Local mean taken away, divided by the local deviation (and a floor of three grey levels)."""
    mean = cv2.GaussianBlur(plane, (0, 0), radius)
    square = cv2.GaussianBlur(plane * plane, (0, 0), radius)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0.0) + 9.0)
    return np.asarray((plane - mean) / deviation, np.float32)


def refine(view: WorkingFrame) -> tuple[WorkingFrame, float]:
    """Refines the alignment of a frame.

    Returns:
        The frame with a better ``to_source`` (or the same one, where no step agreed better), and by how many working
        pixels the corners moved at most.
    """
    suspect, source = luma(view.suspect), luma(view.source)
    rows, columns = view.shape
    best = view.to_source
    longest = max(rows, columns)
    done = 0.0
    for edge, steps in _LEVELS:
        factor = min(1.0, edge / longest)
        size = max(1, round(columns * factor)), max(1, round(rows * factor))
        if min(size) < LEAST_SIDE * 3 // 4 or factor == done:
            continue
        done = factor
        small = np.asarray(cv2.resize(suspect, size, interpolation=cv2.INTER_AREA), np.float32)
        shrunk = max(1, round(source.shape[1] * factor)), max(1, round(source.shape[0] * factor))
        base = np.asarray(cv2.resize(source, shrunk, interpolation=cv2.INTER_AREA), np.float32)
        down = _resizing(*size, columns, rows)
        up = np.linalg.inv(_resizing(*shrunk, source.shape[1], source.shape[0]))
        best = np.linalg.inv(up) @ _aligned(small, base, up @ best @ down, steps) @ np.linalg.inv(down)
    corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]], np.float64).T
    back = np.linalg.inv(view.to_source) @ best @ corners
    moved = float(np.abs(back[:2] / back[2] - corners[:2]).max())
    if not np.isfinite(moved) or moved > 0.03 * max(rows, columns):
        return view, 0.0
    return WorkingFrame(view.to_suspect, view.scale, view.suspect, view.source, best), moved


def _aligned(suspect: Float, source: Float, matrix: Matrix, steps: int) -> Matrix:
    """Gauss–Newton on one level; the matrix of the step that agreed best."""
    rows, columns = suspect.shape
    target = normalised(suspect, 8.0)
    best, best_cost = matrix, np.inf
    unit = 2.0 / max(rows, columns)
    for step in range(steps + 1):
        seen = cv2.warpPerspective(
            source, matrix, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=-1e4
        )
        outside = cv2.dilate((seen < -1.0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        moving = normalised(np.where(outside, 0, seen).astype(np.float32), 8.0)
        rest = target - moving
        # What agrees locally may vote; what was edited may not.
        alike = cv2.GaussianBlur(target * moving, (0, 0), 6.0) / (
            np.sqrt(cv2.GaussianBlur(target**2, (0, 0), 6.0) * cv2.GaussianBlur(moving**2, (0, 0), 6.0)) + 1e-2
        )
        gx, gy = cv2.Sobel(moving, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(moving, cv2.CV_32F, 0, 1, scale=0.125)
        usable = ~outside & (alike > 0.3) & (np.hypot(gx, gy) > 0.05)
        ys, xs = np.nonzero(usable)
        if xs.size < 400:
            return best
        stride = max(1, xs.size // _MOST_POINTS)
        ys, xs = ys[::stride], xs[::stride]
        r, a, b = (plane[ys, xs].astype(np.float64) for plane in (rest, gx, gy))
        spread = max(0.1, float(np.quantile(np.abs(r), 0.4)) / 0.524)
        weight = np.clip(1.0 - (r / (4.0 * spread)) ** 2, 0.0, None) ** 2 * alike[ys, xs]
        # Cost of a robust kind over all of the frame, so that a step which merely drops points does not win.
        cost = -float(np.sum(np.clip(alike[~outside], 0.0, 1.0) ** 2))
        if cost < best_cost:
            best, best_cost = matrix, cost
        if step == steps:
            break
        x, y = (xs - columns / 2) * unit, (ys - rows / 2) * unit
        jacobian = np.stack([a * x, a * y, a, b * x, b * y, b, -(a * x + b * y) * x, -(a * x + b * y) * y], axis=1)
        # By OpenCV: BLAS would start threads for so few columns.
        normal = np.asarray(cv2.mulTransposed(jacobian * np.sqrt(weight)[:, None], True), np.float64)
        normal += np.eye(8) * (1e-4 * np.trace(normal) / 8)
        h = np.linalg.solve(normal, (jacobian * (weight * r)[:, None]).sum(axis=0))
        delta = np.array([[1 + h[0] * unit, h[1] * unit, h[2]], [h[3] * unit, 1 + h[4] * unit, h[5]], [0, 0, 1.0]])
        delta[2, :2] = h[6] * unit**2, h[7] * unit**2
        centre = np.array([[1, 0, columns / 2], [0, 1, rows / 2], [0, 0, 1.0]])
        matrix = matrix @ centre @ delta @ np.linalg.inv(centre)
    return best


def _footprint(original: tuple[int, ...], suspect: tuple[int, ...], matrix: Matrix) -> tuple[int, int, int, int] | None:
    """Box in the suspect, in whole pixels, of what the original covers; None where it covers next to nothing."""
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
        return None
    height, width = original[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64).T
    mapped = np.linalg.inv(matrix) @ corners
    if not np.isfinite(mapped).all() or (np.abs(mapped[2]) < 1e-9).any() or np.ptp(np.sign(mapped[2])) > 0:
        return None
    x, y = mapped[0] / mapped[2], mapped[1] / mapped[2]
    if min(x.max(), suspect[1]) - max(x.min(), 0) < 8 or min(y.max(), suspect[0]) - max(y.min(), 0) < 8:
        return None
    # A little more, so that the photo's own edges lie inside of the frame wherever the suspect goes on beyond them.
    beyond = 0.02 * min(max(np.ptp(x), np.ptp(y)), max(suspect[:2]))
    left, top = max(0, int(np.floor(x.min() - beyond))), max(0, int(np.floor(y.min() - beyond)))
    right, bottom = min(suspect[1], int(np.ceil(x.max() + beyond))), min(suspect[0], int(np.ceil(y.max() + beyond)))
    return left, top, right, bottom


def _size(matrix: Matrix, x: float, y: float) -> float:
    """Side, in original pixels, of one suspect pixel at a place; not positive behind the horizon."""
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    sign = np.sign(matrix[2, 2]) or 1.0
    if w * sign <= 1e-9:
        return 0.0
    return float(np.sqrt(abs(np.linalg.det(matrix) / w**3)))


def _resizing(columns: int, rows: int, width: int, height: int) -> Matrix:
    """Pixels of a picture resized to (columns, rows) to pixels of the one of (width, height), centre to centre."""
    x, y = width / columns, height / rows
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]], np.float64)


__all__ = ["CELL", "LEAST_SIDE", "WorkingFrame", "frame", "luma", "normalised", "refine", "warped"]
