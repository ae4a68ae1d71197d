"""Comparing faces: what is measured of a face, and how far two faces lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from nsfwforensics.models.faces.align import align, pose_error
from nsfwforensics.models.faces.detector import DetectedFace
from nsfwforensics.models.faces.template import FaceTemplate

_INNER = slice(25, 125)
_FLAT = 1e-3


class Embedder(Protocol):
    """What turns faces into vectors."""

    def crop(self, rgb: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
        """The face as the network wants it: uint8 (side, side, 3)."""

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Crops, uint8 (N, side, side, 3), to float32 (N, dimensions)."""


def templates(embedder: Embedder, rgb: NDArray[np.uint8], faces: Sequence[DetectedFace]) -> tuple[FaceTemplate, ...]:
    """Makes the templates of faces of one picture, in their order.

    Args:
        embedder: A face embedder.
        rgb: uint8 (height, width, 3), RGB.
        faces: Faces found in it.
    """
    if not faces:
        return ()
    crops = [embedder.crop(rgb, face) for face in faces]
    vectors = embedder.embed(np.stack([*crops, *(crop[:, ::-1] for crop in crops)]))
    return tuple(
        FaceTemplate(
            vectors=vectors[[index, index + len(faces)]],
            size=face.size,
            pose_error=pose_error(face.landmarks),
            sharpness=sharpness(align(rgb, face.landmarks)),
            upright=face.upright,
        )
        for index, face in enumerate(faces)
    )


def distances(probes: Sequence[FaceTemplate], references: Sequence[FaceTemplate]) -> NDArray[np.float64]:
    """Distances between faces; smaller is more alike.

    The faces are paired as they are and mirrored, or each with the other's mirror image; of the two pairings the nearer
    counts, as the mean of its two Euclidean distances. A mirrored copy therefore compares as the original does, a
    picture lies at 0 from itself, and the mean of two errs less than a single comparison.

    Args:
        probes: N templates.
        references: M templates of the same embedder.

    Returns:
        float64 (N, M).
    """
    if not (probes and references):
        return np.zeros((len(probes), len(references)))
    a = np.stack([probe.vectors for probe in probes]).astype(np.float64)[:, None]
    b = np.stack([reference.vectors for reference in references]).astype(np.float64)[None]
    straight = np.linalg.norm(a - b, axis=-1).mean(axis=-1)
    crossed = np.linalg.norm(a - b[:, :, ::-1], axis=-1).mean(axis=-1)
    return np.asarray(np.minimum(straight, crossed))


def sharpness(chip: NDArray[np.uint8]) -> float:
    """How much fine detail an aligned face holds, relative to its own contrast.

    The mean magnitude of the Laplacian of Gaussian (sigma 1 pixel) over the inner face, divided by the standard
    deviation of its brightness. Blur and enlargement from few pixels both lower it.

    Args:
        chip: uint8 (150, 150, 3), aligned.
    """
    inner = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)[_INNER, _INNER].astype(np.float32)
    contrast = float(inner.std())
    if contrast < _FLAT:
        return 0.0
    return float(np.abs(cv2.Laplacian(cv2.GaussianBlur(inner, (0, 0), 1.0), cv2.CV_32F)).mean()) / contrast
