"""Self-blended faces for training and self-made swaps for tests, from photographs of real faces only.

Self-blended images (Shiohara and Yamasaki 2022, arXiv 2204.08376): a face is blended into another view of itself, so
that all that tells it from the photograph are the traces of blending. Swaps between different people use Poisson
blending (Pérez et al. 2003) and are kept for tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.evaluation.states import resized
from nsfwforensics.models.synthesis.face_statistics import face_features
from nsfwforensics.models.synthesis.preprocess import recompressed
from training import augment

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

CONTEXT = 0.7
"""Picture kept around a face's box on every side, as a share of its longer side."""

MIN_FACE = 56.0
"""Shorter side of the smallest face used, in pixels."""


LARGEST_FACE = 240.0
"""Longer side to which larger faces are reduced before they are blended."""

SURROUNDINGS = 400.0
"""Least side of what is cut out around a face, in pixels: it may be halved and still fills what is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class FacePatch:
    """A face with its surroundings, native up to :data:`LARGEST_FACE`.

    Attributes:
        pixels: uint8 (height, width, 3).
        box: Left, top, width, height of the face in it.
        landmarks: float32 (5, 2): eyes, nose, corners of the mouth.
        person: Who, or the picture's key where unknown.
    """

    pixels: Pixels
    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    person: str


def cut(rgb: Pixels, box: tuple[float, float, float, float], landmarks: NDArray[np.float32], person: str) -> FacePatch:
    """Cuts a face with its surroundings out of a photograph."""
    left, top, width, height = box
    side = max(width, height)
    room = max(CONTEXT * side, (SURROUNDINGS * max(1.0, side / LARGEST_FACE) - side) / 2)
    x0, y0 = max(0, int(left - room)), max(0, int(top - room))
    x1, y1 = min(rgb.shape[1], int(left + width + room) + 1), min(rgb.shape[0], int(top + height + room) + 1)
    pixels = np.ascontiguousarray(rgb[y0:y1, x0:x1])
    moved = landmarks - np.array([x0, y0])
    scale = min(1.0, LARGEST_FACE / max(width, height))
    if scale < 1.0:
        pixels = resized(pixels, scale, cv2.INTER_AREA)
    box = ((left - x0) * scale, (top - y0) * scale, width * scale, height * scale)
    return FacePatch(pixels, box, (moved * scale).astype(np.float32), person)


def face_mask(patch: FacePatch, rng: Generator) -> NDArray[np.float32]:
    """A soft mask over the inner face: an ellipse or the hull of the enlarged landmarks, deformed and feathered.

    Returns:
        float32 (height, width), 0–1.
    """
    height, width = patch.pixels.shape[:2]
    marks = patch.landmarks.astype(np.float64)
    eyes, mouth = marks[:2].mean(0), marks[3:].mean(0)
    centre = (eyes + mouth) / 2
    span = max(float(np.hypot(*(mouth - eyes))), float(np.hypot(*(marks[1] - marks[0]))) * 0.8, 4.0)
    angle = float(np.degrees(np.arctan2(*(marks[1] - marks[0])[::-1])))
    mask = np.zeros((height, width), np.float32)
    if rng.random() < 0.5:
        axes = (int(span * rng.uniform(0.75, 1.1)), int(span * rng.uniform(0.9, 1.4)))
        cv2.ellipse(mask, (int(centre[0]), int(centre[1])), axes, angle, 0, 360, 1.0, -1)
    else:
        around = centre + (marks - centre) * rng.uniform(1.3, 1.9, (5, 1))
        chin, brow = centre + (mouth - eyes) * rng.uniform(0.9, 1.3), centre - (mouth - eyes) * rng.uniform(0.8, 1.2)
        hull = cv2.convexHull(np.vstack([around, chin, brow]).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 1.0)
    mask = _warped(mask, rng, span * 0.12)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), float(span * rng.uniform(0.03, 0.14)) + 0.5), np.float32)
    return np.asarray(mask * rng.choice([0.25, 0.5, 0.75, 1.0, 1.0, 1.0]), np.float32)


def _warped(mask: NDArray[np.float32], rng: Generator, strength: float) -> NDArray[np.float32]:
    """Elastic deformation by a smooth random field."""
    height, width = mask.shape
    field = rng.normal(0, strength, (2, 4, 4)).astype(np.float32)
    dx, dy = (cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC) for part in field)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(cv2.remap(mask, x + dx, y + dy, cv2.INTER_LINEAR), np.float32)


def view(pixels: Pixels, rng: Generator) -> Pixels:
    """Another view of the same pixels: colour, sharpness, resolution or compression differ a little."""
    table = np.clip(np.arange(256)[:, None] * rng.uniform(0.9, 1.1, 3) + rng.uniform(-12, 12, 3), 0, 255)
    changed = np.asarray(cv2.LUT(pixels, np.rint(table).astype(np.uint8)[None]), np.uint8)
    draw = rng.random()
    if draw < 0.3:
        changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), float(rng.uniform(0.4, 1.4))), np.uint8)
    elif draw < 0.5:
        soft = cv2.GaussianBlur(changed, (0, 0), 1.0).astype(np.float32)
        sharp = changed + rng.uniform(0.3, 1.0) * (changed - soft)
        changed = np.clip(np.rint(sharp), 0, 255).astype(np.uint8)
    elif draw < 0.8:
        small = resized(changed, float(rng.uniform(0.4, 0.85)), int(rng.choice(augment.KERNELS)))
        changed = np.asarray(cv2.resize(small, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    if rng.random() < 0.4:
        changed = recompressed(changed, int(rng.integers(40, 95)))
    return changed


def self_blended(patch: FacePatch, rng: Generator) -> Pixels:
    """The face blended into another view of itself, slightly moved."""
    source, target = view(patch.pixels, rng), patch.pixels
    if rng.random() < 0.5:
        source, target = target, source
    height, width = target.shape[:2]
    size = max(patch.box[2:])
    moved = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-2, 2)), float(rng.uniform(0.97, 1.03)))
    moved = np.asarray(moved, np.float64) + np.outer(rng.uniform(-0.015, 0.015, 2) * size, [0.0, 0.0, 1.0])
    source = np.asarray(cv2.warpAffine(source, moved, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    return mixed(target, source, face_mask(patch, rng))


def mixed(target: Pixels, source: Pixels, mask: NDArray[np.float32]) -> Pixels:
    """``source`` where the mask is 1, ``target`` where it is 0."""
    blend = target + mask[..., None] * (source.astype(np.float32) - target)
    return np.clip(np.rint(blend), 0, 255).astype(np.uint8)


def swapped(target: FacePatch, donor: FacePatch, rng: Generator) -> Pixels:
    """Puts another person's face onto ``target``: aligned by landmarks, colour-matched, feathered or Poisson-blended.

    Returns:
        uint8, the shape of ``target.pixels``.
    """
    height, width = target.pixels.shape[:2]
    matrix, _ = cv2.estimateAffinePartial2D(donor.landmarks, target.landmarks, method=cv2.LMEDS)
    if matrix is None:
        return target.pixels
    warped = cv2.warpAffine(
        donor.pixels, matrix, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    mask = np.minimum(face_mask(target, rng) * 4.0, 1.0)
    inside = mask > 0.5
    if inside.sum() < 64:
        return target.pixels
    matched = warped.astype(np.float32)
    for channel in range(3):
        ours, theirs = target.pixels[..., channel][inside], matched[..., channel][inside]
        gain = (ours.std() + 1.0) / (theirs.std() + 1.0)
        matched[..., channel] = (matched[..., channel] - theirs.mean()) * gain + ours.mean()
    laid = np.clip(np.rint(matched), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        return mixed(target.pixels, laid, mask.astype(np.float32))
    hard = inside.astype(np.uint8) * 255
    hard[[0, -1]] = 0
    hard[:, [0, -1]] = 0
    x, y, w, h = cv2.boundingRect(hard)
    middle = (x + w // 2, y + h // 2)
    return np.asarray(cv2.seamlessClone(laid, target.pixels, hard, middle, cv2.NORMAL_CLONE), np.uint8)


def features_after(patch: FacePatch, pixels: Pixels, rng: Generator | None) -> NDArray[np.float32]:
    """The features of a patch's face after a random chain (none without ``rng``)."""
    height, width = pixels.shape[:2]
    if rng is not None:
        pixels = augment.degrade(pixels, rng, least=min(height, width, 120))
    sx, sy = pixels.shape[1] / width, pixels.shape[0] / height
    left, top, w, h = patch.box
    return face_features(pixels, (left * sx, top * sy, w * sx, h * sy))
