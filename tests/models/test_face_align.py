from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.models.faces.align import TEMPLATE, TEMPLATE_SIDE, align, pose_error, similarity_transform


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.05, 20.0),
    shift=st.tuples(st.floats(-4000, 4000), st.floats(-4000, 4000)),
)
def test_a_similarity_is_recovered_exactly(angle: float, scale: float, shift: tuple[float, float]) -> None:
    linear = scale * np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    points = TEMPLATE @ linear.T + np.array(shift)
    transform = similarity_transform(points, TEMPLATE)
    np.testing.assert_allclose(points @ transform[:, :2].T + transform[:, 2], TEMPLATE, atol=1e-5)


def test_coinciding_landmarks_do_not_divide_by_zero() -> None:
    landmarks = np.full((5, 2), 7.0, np.float32)
    assert np.isfinite(similarity_transform(landmarks.astype(np.float64), TEMPLATE)).all()
    assert align(np.zeros((20, 20, 3), np.uint8), landmarks).shape == (TEMPLATE_SIDE, TEMPLATE_SIDE, 3)


def test_pose_error_is_nothing_for_a_face_from_the_front_and_large_for_a_profile() -> None:
    frontal = (TEMPLATE * 3 + 40).astype(np.float32)
    profile = frontal.copy()
    profile[[1, 4], 0] = profile[[0, 3], 0] + 15  # the far eye and corner of the mouth close to the near ones
    assert pose_error(frontal) < 1e-3
    assert pose_error(profile) > 10.0


def _smooth(size: int) -> np.ndarray:
    y, x = np.mgrid[0:size, 0:size] / size
    return np.stack([255 * x, 255 * y, 255 * (x + y) / 2], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 6.0])
def test_the_chip_shows_the_same_at_every_size(scale: float) -> None:
    picture = _smooth(round(200 * scale))
    chip = align(picture, ((TEMPLATE + 25) * scale).astype(np.float32))
    expected = _smooth(200)[25:175, 25:175]
    assert np.abs(chip.astype(int) - expected.astype(int)).max() <= 6


def test_what_lies_outside_the_picture_is_black() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    chip = align(white, (TEMPLATE - 75).astype(np.float32))
    assert not chip[:70, :70].any()
    assert (chip[80:, 80:] == 255).all()


def test_a_face_wholly_outside_the_picture_gives_a_black_chip() -> None:
    chip = align(np.full((50, 50, 3), 255, np.uint8), (TEMPLATE + 5000).astype(np.float32))
    assert not chip.any()


def test_a_large_face_is_averaged_not_sampled() -> None:
    checks = (np.indices((1500, 1500)).sum(axis=0) % 2 * 255).astype(np.uint8)
    chip = align(np.repeat(checks[..., None], 3, axis=2), (TEMPLATE * 10).astype(np.float32))
    assert np.abs(chip[5:-5, 5:-5].astype(int) - 127).max() <= 3
