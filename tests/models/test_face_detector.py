from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import numpy as np
import pytest

from nsfwforensics.core.analyzer import Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.models.faces.detector import MAX_PIXELS, DetectedFace, FaceDetector, cached_detector, shared_faces
from nsfwforensics.models.faces.files import DETECTOR, model_record
from nsfwforensics.models.weights import weights_folder


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return cached_detector("cpu", 1)


@pytest.mark.parametrize("shape", [(1, 1), (10, 30_000), (30_000, 10), (19, 400), (20, 20), (64, 64), (900, 1400)])
def test_pictures_without_a_face_give_none_and_no_warning(detector: FaceDetector, shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert detector.detect(np.full((*shape, 3), 128, np.uint8)) == ()
        assert detector.detect(generator.integers(0, 256, (*shape, 3), dtype=np.uint8)) == ()


def _portrait(samples: Path) -> np.ndarray:
    return Evidence.open(samples / "reference.jpg").rgb


def test_the_face_of_a_portrait_is_found_the_same_every_time(detector: FaceDetector, samples: Path) -> None:
    rgb = _portrait(samples)
    first, second = detector.detect(rgb), detector.detect(rgb)
    assert len(first) == 1
    assert first[0].confidence > 0.99
    assert first[0].box == second[0].box
    np.testing.assert_array_equal(first[0].landmarks, second[0].landmarks)
    _plausible(first[0], rgb)


def _plausible(face: DetectedFace, rgb: np.ndarray) -> None:
    x, y, width, height = face.box
    assert x >= 0 and y >= 0 and x + width <= rgb.shape[1] and y + height <= rgb.shape[0]
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert face.landmarks.dtype == np.float32
    assert left_eye[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    assert (face.landmarks >= [x, y]).all() and (face.landmarks <= [x + width, y + height]).all()


def test_boxes_are_given_in_pixels_of_the_full_picture(detector: FaceDetector, samples: Path) -> None:
    rgb = _portrait(samples)
    factor = 2 + int((4 * MAX_PIXELS / (rgb.shape[0] * rgb.shape[1])) ** 0.5)
    large = np.repeat(np.repeat(rgb, factor, axis=0), factor, axis=1)
    assert large.shape[0] * large.shape[1] > 4 * MAX_PIXELS
    (small_face,), (large_face,) = detector.detect(rgb), detector.detect(large)
    assert large_face.size / factor == pytest.approx(small_face.size, rel=0.1)
    distance = np.abs(large_face.landmarks / factor - small_face.landmarks).max()
    assert distance < 0.05 * small_face.size
    _plausible(large_face, large)


def test_the_faces_of_a_file_are_sought_once(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = Evidence.open(samples / "reference.jpg")
    calls: list[tuple[int, ...]] = []
    detect = FaceDetector.detect

    def counting(self: FaceDetector, rgb: np.ndarray) -> tuple[DetectedFace, ...]:
        calls.append(rgb.shape)
        return detect(self, rgb)

    monkeypatch.setattr(FaceDetector, "detect", counting)
    assert shared_faces(evidence, Resources()) is shared_faces(evidence, Resources())
    assert len(calls) == 1


def test_the_record_names_the_weights_that_are_installed() -> None:
    record = model_record(DETECTOR, "faces", None)
    assert (record.name, record.used_by) == ("face-detector", "faces")
    assert record.sha256 == hashlib.sha256((weights_folder() / record.file).read_bytes()).hexdigest()


@pytest.mark.shared_data
def test_every_person_of_a_group_is_found(detector: FaceDetector, shared_data: Path) -> None:
    found = detector.detect(Evidence.open(shared_data / "faces" / "groups" / "multiface.jpg").rgb)
    assert len(found) == 6
    assert all(face.confidence > 0.99 for face in found)
