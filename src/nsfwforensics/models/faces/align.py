"""Bringing a face into the pose and size that the embedders were trained on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

TEMPLATE = np.array([(47.1, 45.6), (102.1, 45.5), (75.2, 79.5), (47.7, 99.9), (101.2, 100.3)])
"""Where left eye, right eye, nose and corners of the mouth lie in a chip of :data:`TEMPLATE_SIDE` pixels."""

TEMPLATE_SIDE = 150

_MARGIN = 2


def similarity_transform(points: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation, uniform scale and shift that bring points closest to targets (least squares).

    Args:
        points: float (N, 2).
        targets: float (N, 2).

    Returns:
        float64 (2, 3), as :func:`cv2.warpAffine` takes it.
    """
    centre, goal = points.mean(axis=0), targets.mean(axis=0)
    x, y = (points - centre).T
    u, v = (targets - goal).T
    spread = max(float((x * x + y * y).sum()), 1e-9)
    a = float((x * u + y * v).sum()) / spread
    b = float((x * v - y * u).sum()) / spread
    linear = np.array([(a, -b), (b, a)])
    return np.column_stack([linear, goal - linear @ centre])


def pose_error(landmarks: NDArray[np.float32]) -> float:
    """How far five landmarks are, after the best similarity transform, from a face seen from the front.

    Turned and tilted heads, and things that are no faces, lie far off.

    Args:
        landmarks: float32 (5, 2).

    Returns:
        Root mean square distance in pixels of a chip of :data:`TEMPLATE_SIDE`.
    """
    points = landmarks.astype(np.float64)
    transform = similarity_transform(points, TEMPLATE)
    residuals = points @ transform[:, :2].T + transform[:, 2] - TEMPLATE
    return float(np.sqrt((residuals**2).sum(axis=1).mean()))


def roll(landmarks: NDArray[np.float32]) -> float:
    """By how many degrees a face is turned clockwise from upright, as its landmarks have it; ±180.

    Args:
        landmarks: float32 (5, 2).
    """
    transform = similarity_transform(landmarks.astype(np.float64), TEMPLATE)
    return float(np.degrees(np.arctan2(-transform[1, 0], transform[0, 0])))


def align(rgb: NDArray[np.uint8], landmarks: NDArray[np.float32], side: int = TEMPLATE_SIDE) -> NDArray[np.uint8]:
    """Cuts out a face, upright and of standard size.

    A face larger than the chip is first averaged down, because sampling it directly would alias.

    Args:
        rgb: uint8 (height, width, 3), RGB.
        landmarks: float32 (5, 2), as in :class:`~.face_detector.DetectedFace`.
        side: Side of the chip in pixels.

    Returns:
        uint8 (side, side, 3); what lies outside the picture is black.
    """
    transform = similarity_transform(landmarks.astype(np.float64), TEMPLATE * (side / TEMPLATE_SIDE))
    corners = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float64)
    found = (corners - transform[:, 2]) @ np.linalg.pinv(transform[:, :2]).T
    height, width = rgb.shape[:2]
    left, top = np.clip(np.floor(found.min(axis=0)) - _MARGIN, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(found.max(axis=0)) + _MARGIN, [left + 1, top + 1], [width, height]).astype(int)
    crop = np.asarray(rgb[top:bottom, left:right])
    offset = np.array([left, top], np.float64)
    scale = float(np.hypot(*transform[:, 0]))
    factors = np.ones(2)
    if scale < 1.0:
        size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
        factors = np.array([crop.shape[1] / size[0], crop.shape[0] / size[1]])
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Pixel i of the reduced crop is centred on (i + 0.5) * factor - 0.5 of the crop.
    shift = offset + 0.5 * factors - 0.5
    reduced = np.column_stack([transform[:, :2] * factors, transform[:, :2] @ shift + transform[:, 2]])
    chip = cv2.warpAffine(np.ascontiguousarray(crop), reduced, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(chip, np.uint8)
