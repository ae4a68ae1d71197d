"""Does the inside of a face carry the same fine detail as what lies around it? Statistics of three regions, compared.

What is pasted into a face, or painted there, has its own sharpness, noise, scaling and compression. So the residuals
of high-pass filters (in the manner of the steganalysis rich models, Fridrich and Kodovský 2012) are measured in
native pixels inside the face, along its edge and around it, and only differences between the regions are judged: what
the whole picture went through cancels out.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 192
"""Side of the square that is measured, in pixels."""

LARGEST = 120.0
"""Longer side to which larger faces are reduced, so that what surrounds the face is seen as well; smaller ones stay."""

INSIDE, OUTSIDE = 0.62, 1.4
"""The face is inside the first radius and its surroundings outside the second, where the box's ellipse has radius 1."""

EDGE = 1.25
"""Outer radius of the edge; its inner one is :data:`INSIDE`."""

_LEAST = 64
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SECOND = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / 4
_KERNELS = (
    np.array([[0, 0, 0], [1, -2, 1], [0, 0, 0]], np.float32) / 2,
    np.array([[0, 1, 0], [0, -2, 0], [0, 1, 0]], np.float32) / 2,
    _SECOND,
    np.array(
        [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]], np.float32
    )
    / 12,
)
_BLURS = (0.8, 1.6, 3.2)
_LAGS = ((0, 1), (1, 0), (0, 2), (2, 0))
_PLANES = len(_KERNELS) + len(_BLURS) + 4

WIDTH = 4 * (2 * _PLANES + len(_LAGS))
"""Number of features of a face."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceView:
    """A face with its surroundings.

    Attributes:
        pixels: uint8 (192, 192, 3), native unless the face is larger than :data:`LARGEST`.
        box: Left, top, width, height of the face in it.
    """

    pixels: NDArray[np.uint8]
    box: tuple[float, float, float, float]


def face_view(rgb: NDArray[np.uint8], box: tuple[float, float, float, float]) -> FaceView:
    """Cuts the square around a face, moved so that it stays within the picture.

    Args:
        rgb: uint8 (height, width, 3).
        box: Left, top, width, height of the face in pixels.
    """
    left, top, width, height = box
    scale = min(1.0, LARGEST / max(width, height, 1.0))
    side = round(SIDE / scale)
    x = int(np.clip(round(left + width / 2 - side / 2), 0, max(0, rgb.shape[1] - side)))
    y = int(np.clip(round(top + height / 2 - side / 2), 0, max(0, rgb.shape[0] - side)))
    part = rgb[y : y + side, x : x + side]
    if scale < 1.0:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    below, right = SIDE - part.shape[0], SIDE - part.shape[1]
    above, before = max(0, below // 2), max(0, right // 2)
    if below > 0 or right > 0:
        room = (above, max(0, below) - above, before, max(0, right) - before)
        part = np.asarray(cv2.copyMakeBorder(part, *room, cv2.BORDER_REFLECT), np.uint8)
    moved = ((left - x) * scale + before, (top - y) * scale + above, width * scale, height * scale)
    return FaceView(np.ascontiguousarray(part[:SIDE, :SIDE]), moved)


def face_features(rgb: NDArray[np.uint8], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """Measures one face.

    Args:
        rgb: uint8 (height, width, 3).
        box: Left, top, width, height of the face in pixels.

    Returns:
        float32 (:data:`WIDTH`,): for each statistic inside less outside, and the edge less the mean of both; then the
        sizes of these differences.
    """
    view = face_view(rgb, box)
    inside, edge, outside = regional_statistics(view.pixels, regions(view.box))
    differences = np.concatenate([inside - outside, edge - (inside + outside) / 2])
    return np.concatenate([differences, np.abs(differences)]).astype(np.float32)


def regions(box: tuple[float, float, float, float], side: int = SIDE) -> NDArray[np.bool_]:
    """Where the inside, the edge and the surroundings of a face lie: bool (3, side, side).

    A region that the square hardly shows is the whole square.
    """
    left, top, width, height = box
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) + 0.5
    across, down = (x - left - width / 2) / max(width / 2, 1.0), (y - top - height * 0.52) / max(height / 2, 1.0)
    radius = np.hypot(across, down)
    found = np.stack([radius < INSIDE, (radius >= INSIDE) & (radius < EDGE), radius >= OUTSIDE])
    found[found.sum(axis=(1, 2)) < _LEAST] = True
    return found


def regional_statistics(pixels: NDArray[np.uint8], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Statistics of high-pass residuals in regions of a picture.

    Args:
        pixels: uint8 (height, width, 3).
        where: bool (regions, height, width), none of them empty.

    Returns:
        float32 (regions, :data:`WIDTH` / 4): log mean size and log sparsity of eleven residuals (four kernels and
        three bands of luma, two each of the chroma differences), and the luma residual's autocorrelation at four lags.
    """
    colour = pixels.astype(np.float32)
    luma = np.asarray(colour @ _LUMA, np.float32)
    bands = [luma, *(cv2.GaussianBlur(luma, (0, 0), sigma) for sigma in _BLURS)]
    residuals = [cv2.filter2D(luma, -1, kernel) for kernel in _KERNELS]
    residuals += [bands[i] - bands[i + 1] for i in range(len(_BLURS))]
    for plane in (colour[..., 2] - luma, colour[..., 0] - luma):
        residuals += [cv2.filter2D(plane, -1, _SECOND), plane - cv2.GaussianBlur(plane, (0, 0), 1.6)]
    shares = where.reshape(len(where), -1).astype(np.float32)
    shares /= shares.sum(axis=1, keepdims=True)
    every = np.stack(residuals).reshape(len(residuals), -1)
    mean, spread = np.abs(every) @ shares.T, np.sqrt((every * every) @ shares.T)
    one = residuals[2]
    energy = (one * one).ravel() @ shares.T + 1e-2
    lagged = [(one * np.roll(one, lag, (0, 1))).ravel() @ shares.T / energy for lag in _LAGS]
    rows = [np.log(mean + 0.05), np.log((mean + 0.05) / (spread + 0.05)), np.stack(lagged)]
    return np.asarray(np.concatenate(rows).T, np.float32)
