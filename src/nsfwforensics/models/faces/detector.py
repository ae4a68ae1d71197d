"""Finding faces and their five landmarks with MTCNN, on a reduced copy of the picture.

Detection runs on a copy of bounded area, because the cost grows with the area while a face that is worth comparing is
found well below full size; boxes and landmarks are given in pixels of the full picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from nsfwforensics.models.faces.mtcnn import Mtcnn
from nsfwforensics.models.faces.upright import stand_upright

if TYPE_CHECKING:
    from nsfwforensics.core.analyzer import Resources
    from nsfwforensics.core.evidence import Evidence

MAX_PIXELS = 1024 * 768
"""Area of the copy on which faces are sought, in pixels."""

MIN_FACE = 20
"""Smallest face sought, in pixels of that copy; the first network's window is 12 pixels."""

MIN_CONFIDENCE = 0.9
"""Smallest confidence of the last network for a face that is reported."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """One face, in pixels of the picture it was found in.

    Attributes:
        box: Left, top, width and height, within the picture.
        confidence: The detector's own score that this is a face, 0–1; not a calibrated probability.
        landmarks: float32 (5, 2): x and y of left eye, right eye, nose, left and right corner of the mouth, as seen
            when the face stands upright.
        upright: Whether the face could be stood upright. Where it could not, it is a face that lies or hangs, and its
            landmarks mean nothing.
    """

    box: tuple[float, float, float, float]
    confidence: float
    landmarks: NDArray[np.float32]
    upright: bool = True

    @property
    def size(self) -> float:
        """The shorter side of the box in pixels."""
        return min(self.box[2], self.box[3])


class FaceDetector:
    """Multi-task cascaded convolutional networks (Zhang et al. 2016, arXiv 1604.02878).

    Args:
        device: A resolved device name.
        weights: A folder to look for the weights in before the installed one.
        max_pixels: Area of the copy on which faces are sought.
        min_face: Smallest face sought, in pixels of the copy.
        min_confidence: Smallest confidence of a face that is returned.

    Raises:
        WeightsError: The weights are missing, or others than those that were measured.
    """

    def __init__(
        self,
        device: str = "cpu",
        weights: Path | None = None,
        *,
        max_pixels: int = MAX_PIXELS,
        min_face: int = MIN_FACE,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> None:
        self._network = Mtcnn(device, min_face, weights)
        self._max_pixels = max_pixels
        self._min_face = min_face
        self._min_confidence = min_confidence

    def detect(self, rgb: NDArray[np.uint8]) -> tuple[DetectedFace, ...]:
        """Finds the faces of one picture.

        Args:
            rgb: uint8 (height, width, 3), RGB, 0–255.

        Returns:
            The faces, largest first; none for a picture too small to hold one.
        """
        height, width = rgb.shape[:2]
        copy = _reduced(rgb, self._max_pixels)
        if min(copy.shape[:2]) < self._min_face:
            return ()
        found = stand_upright(self._network, copy, self._network.detect(copy), self._min_confidence)
        scale = np.array([width / copy.shape[1], height / copy.shape[0]])
        corners = np.clip((found.boxes.reshape(-1, 2, 2) + 0.5) * scale - 0.5, 0.0, [width, height])
        landmarks = (found.landmarks + 0.5) * scale - 0.5
        faces = [
            _face(corner, float(score), marks, bool(upright))
            for corner, score, marks, upright in zip(corners, found.scores, landmarks, found.upright, strict=True)
            if (corner[1] - corner[0] >= 1.0).all()
        ]
        return tuple(sorted(faces, key=lambda face: (-face.box[2] * face.box[3], face.box)))


@cache
def cached_detector(device: str, threads: int, weights: Path | None = None) -> FaceDetector:
    """The process's one detector for a device, made at first use.

    Args:
        device: A resolved device name.
        threads: How many threads torch may use in this process.
        weights: A folder to look for the weights in before the installed one.
    """
    torch.set_num_threads(threads)
    return FaceDetector(device, weights)


def shared_faces(evidence: Evidence, resources: Resources) -> tuple[DetectedFace, ...]:
    """The faces of an evidence picture, found once whoever asks first.

    Raises:
        EvidenceError: The picture cannot be decoded.
    """

    def build() -> tuple[DetectedFace, ...]:
        detector = cached_detector(resources.device, resources.threads, resources.weights)
        return detector.detect(evidence.rgb)

    return evidence.derive("faces.detected", build)


def _face(corners: NDArray[np.float64], score: float, landmarks: NDArray[np.float64], upright: bool) -> DetectedFace:
    (left, top), (right, bottom) = corners.tolist()
    return DetectedFace((left, top, right - left, bottom - top), score, landmarks.astype(np.float32), upright)


def _reduced(rgb: NDArray[np.uint8], max_pixels: int) -> NDArray[Any]:
    """A contiguous copy of at most ``max_pixels``, averaged down (no aliasing); the picture itself if it is smaller."""
    height, width = rgb.shape[:2]
    scale = math.sqrt(max_pixels / (height * width))
    if scale >= 1.0:
        return np.ascontiguousarray(rgb)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
