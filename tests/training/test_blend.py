from __future__ import annotations

import numpy as np
import pytest

from nsfwforensics.models.synthesis.face_statistics import WIDTH
from tests.training import synthetic
from training import blend

MARKS = np.array([[120, 110], [180, 112], [150, 150], [128, 185], [175, 186]], np.float32)


def patch(seed: int, person: str = "a") -> blend.FacePatch:
    return blend.cut(synthetic.picture(seed, 300, 320), (95.0, 70.0, 110.0, 140.0), MARKS, person)


def test_cut_moves_box_and_landmarks_together() -> None:
    rgb = synthetic.picture(1, 300, 320)
    found = patch(1)
    x, y, _, _ = found.box
    left, top = 95.0 - x, 70.0 - y
    assert np.allclose(found.landmarks + np.array([left, top]), MARKS)
    height, width = found.pixels.shape[:2]
    assert np.array_equal(found.pixels, rgb[int(top) : int(top) + height, int(left) : int(left) + width])


def test_large_faces_are_reduced() -> None:
    big = blend.cut(synthetic.picture(1, 1200, 1200), (300.0, 300.0, 500.0, 600.0), MARKS * 4, "a")
    assert max(big.box[2:]) == pytest.approx(blend.LARGEST_FACE)


@pytest.mark.parametrize("seed", range(8))
def test_blends_change_the_face_and_leave_the_surroundings(seed: int) -> None:
    face = patch(2)
    rng = np.random.default_rng(seed)
    mask = blend.face_mask(face, rng)
    assert mask.shape == face.pixels.shape[:2]
    assert 0 <= mask.min() <= mask.max() <= 1.0001
    centre = MARKS[2] - MARKS[0] + face.landmarks[0]
    assert mask[int(centre[1]), int(centre[0])] > 0.1
    assert mask[0].max() < 0.05
    for made in (blend.self_blended(face, rng), blend.swapped(face, patch(3, "b"), rng)):
        assert made.shape == face.pixels.shape
        assert made.dtype == np.uint8
        assert not np.array_equal(made, face.pixels)


def test_features_follow_the_face_through_a_chain() -> None:
    face = patch(4)
    plain = blend.features_after(face, face.pixels, None)
    assert np.array_equal(plain, blend.features_after(face, face.pixels, None))
    chained = blend.features_after(face, face.pixels, np.random.default_rng(0))
    assert plain.shape == chained.shape == (WIDTH,)
    assert not np.array_equal(plain, chained)
