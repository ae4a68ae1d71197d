"""Faces that lie, hang or lean: they are stood upright before they are compared, or not compared at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.models.faces.align import roll
from nsfwforensics.models.faces.compare import distances, templates
from nsfwforensics.models.faces.detector import DetectedFace, FaceDetector
from nsfwforensics.models.faces.embedder import cached_embedder
from nsfwforensics.models.faces.rates import load_rates, unfit_reason
from nsfwforensics.models.faces.template import FaceTemplate

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector("cpu")


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    with Image.open(SAMPLES / "reference.jpg") as picture:
        return np.asarray(picture.convert("RGB"))


def template(rgb: NDArray[np.uint8], face: DetectedFace) -> FaceTemplate:
    (made,) = templates(cached_embedder("resnet29", "cpu", None), rgb, [face])
    return made


def leaning(rgb: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """The picture on a grey square that holds it at any angle, turned clockwise about its middle."""
    height, width = rgb.shape[:2]
    side = int(np.hypot(height, width)) + 2
    canvas = np.full((side, side, 3), 90, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = rgb
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(canvas, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_face_is_found_and_compares_as_the_upright_one(
    detector: FaceDetector, photo: NDArray[np.uint8], turns: int, mirrored: bool
) -> None:
    (upright,) = detector.detect(photo)
    picture = np.ascontiguousarray(np.rot90(photo[:, ::-1] if mirrored else photo, turns))
    (found,) = detector.detect(picture)
    assert found.upright
    assert abs((roll(found.landmarks) + 90 * turns + 180) % 360 - 180) < 20
    (row,) = distances([template(picture, found)], [template(photo, upright)])
    assert row[0] < 0.25


@pytest.mark.parametrize("degrees", [30, 60, 120, 150, 210, 240, 300, 330])
def test_a_leaning_face_is_never_taken_for_somebody_else(
    detector: FaceDetector, photo: NDArray[np.uint8], degrees: float
) -> None:
    (upright,) = detector.detect(photo)
    picture = leaning(photo, degrees)
    fitness = load_rates("face-resnet29")
    assert fitness is not None
    for face in detector.detect(picture):
        made = template(picture, face)
        if unfit_reason(made, fitness) is None:
            assert distances([made], [template(photo, upright)])[0, 0] <= fitness.unlike_above


def test_an_upright_face_is_found_as_the_network_finds_it(detector: FaceDetector, photo: NDArray[np.uint8]) -> None:
    (found,) = detector.detect(photo)
    plain = detector._network.detect(np.ascontiguousarray(photo))
    best = plain.boxes[plain.scores.argmax()]
    assert np.allclose(found.box[:2], np.clip(best[:2], 0, None), atol=1e-6)
    assert np.allclose(found.landmarks, plain.landmarks[plain.scores.argmax()], atol=1e-4)


def test_faces_are_found_in_the_part_of_the_picture_where_they_lie(
    detector: FaceDetector, photo: NDArray[np.uint8]
) -> None:
    lying = np.ascontiguousarray(np.rot90(photo))
    wide = np.full((lying.shape[0] + 200, lying.shape[1] + 600, 3), 128, np.uint8)
    wide[150 : 150 + lying.shape[0], 500 : 500 + lying.shape[1]] = lying
    (alone,) = detector.detect(lying)
    (found,) = detector.detect(wide)
    assert np.allclose(np.array(found.box[:2]) - (500, 150), alone.box[:2], atol=12)


def test_a_face_that_could_not_be_stood_upright_is_not_compared(photo: NDArray[np.uint8]) -> None:
    fitness = load_rates("face-resnet29")
    assert fitness is not None
    lying = FaceTemplate(np.zeros((2, 128), np.float32), 200.0, 1.0, 1.0, upright=False)
    assert "could not be stood upright" in str(unfit_reason(lying, fitness))


def test_no_face_is_made_out_of_noise_by_turning(detector: FaceDetector) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (300, 400, 3), np.uint8)
    assert detector.detect(cv2.GaussianBlur(noise, (0, 0), 6)) == ()
