"""The ways in which ``measure_faces.py`` spoils a picture before it compares the face again."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.models.faces.detector import DetectedFace

Picture = NDArray[np.uint8]
Change = Callable[[Picture, DetectedFace, float], Picture]


def jpeg(rgb: Picture, quality: int) -> Picture:
    """Compresses and decodes again."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def shrink(rgb: Picture, face: DetectedFace, size: float) -> Picture:
    """Averages the picture down until the face is ``size`` pixels; a smaller one stays."""
    scale = min(1.0, size / face.size)
    shape = (max(1, int(rgb.shape[1] * scale)), max(1, int(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA), np.uint8)


def enlarge(rgb: Picture, face: DetectedFace, size: float) -> Picture:
    """Shrinks and enlarges back to the old size."""
    small = shrink(rgb, face, size)
    return np.asarray(cv2.resize(small, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def blur(rgb: Picture, face: DetectedFace, share: float) -> Picture:
    """Gaussian blur whose sigma is a share of the face's size."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), face.size * share), np.uint8)


def rotate(rgb: Picture, face: DetectedFace, degrees: float) -> Picture:
    """Rotates about the face."""
    centre = (face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2)
    return np.asarray(cv2.warpAffine(rgb, cv2.getRotationMatrix2D(centre, degrees, 1.0), rgb.shape[1::-1]), np.uint8)


def _jpeg_at(size: float) -> Change:
    return lambda rgb, face, quality: jpeg(shrink(rgb, face, size), int(quality))


DEGRADATIONS: tuple[tuple[str, Change, tuple[float, ...]], ...] = (
    ("face {:.0f} px", shrink, (96, 64, 48, 40, 32, 24, 20)),
    ("face {:.0f} px, enlarged", enlarge, (48, 32, 24, 16)),
    ("blur {:.0%} of the face", blur, (0.01, 0.02, 0.03, 0.05)),
    ("face 120 px, JPEG {:.0f}", _jpeg_at(120), (50, 30, 10)),
    ("face 60 px, JPEG {:.0f}", _jpeg_at(60), (60, 30)),
    ("rotated {:.0f}°", rotate, (15, 30, 45, 60, 75, 90, 120, 135, 150, 180, 225, 270)),
)
