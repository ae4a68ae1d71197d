"""Regional statistics of faces: where the regions lie, what they react to, and what cancels out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nsfwforensics.models.synthesis.face_statistics import SIDE, WIDTH, face_features, face_view, regions
from tests.training import synthetic

BOX = (150.0, 140.0, 100.0, 116.0)
DIFFERENCES = WIDTH // 2


def textured(seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0, 6, (400, 400, 3))
    return np.clip(np.rint(synthetic.picture(seed, 400, 400) + noise), 0, 255).astype(np.uint8)


def softened(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The inside of the face made softer, with a soft edge."""
    mask = np.zeros(rgb.shape[:2], np.float32)
    cv2.ellipse(mask, (200, 198), (45, 52), 0, 0, 360, 1.0, -1)
    share = np.asarray(cv2.GaussianBlur(mask, (0, 0), 4), np.float32)[..., None]
    soft = cv2.GaussianBlur(rgb, (0, 0), 1.5)
    return np.rint(rgb * (1 - share) + soft * share).astype(np.uint8)


def test_native_faces_stay_native_and_in_the_middle() -> None:
    rgb = textured()
    view = face_view(rgb, BOX)
    assert view.pixels.shape == (SIDE, SIDE, 3)
    left, top, width, height = view.box
    assert (width, height) == BOX[2:]
    x, y = round(BOX[0] - left), round(BOX[1] - top)
    assert np.array_equal(view.pixels, rgb[y : y + SIDE, x : x + SIDE])


def test_large_faces_are_reduced_with_their_surroundings() -> None:
    view = face_view(synthetic.picture(1, 1000, 1200), (300.0, 200.0, 400.0, 480.0))
    assert view.pixels.shape == (SIDE, SIDE, 3)
    assert max(view.box[2:]) == pytest.approx(120, abs=1)
    assert 0 < view.box[0] < SIDE - view.box[2]


def test_a_face_at_the_border_keeps_its_place() -> None:
    view = face_view(textured(), (0.0, 0.0, 80.0, 90.0))
    assert view.box[:2] == (0.0, 0.0)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 260),
    st.integers(1, 260),
    st.floats(-50, 250),
    st.floats(-50, 250),
    st.floats(0, 900),
    st.floats(0, 900),
)
def test_any_picture_and_box_gives_finite_features(
    height: int, width: int, left: float, top: float, across: float, down: float
) -> None:
    rgb = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    values = face_features(rgb, (left, top, across, down))
    assert values.shape == (WIDTH,)
    assert np.isfinite(values).all()


def test_flat_pictures_differ_nowhere() -> None:
    values = face_features(np.full((300, 300, 3), 90, np.uint8), (100.0, 100.0, 80.0, 90.0))
    assert np.abs(values).max() < 1e-3


def test_regions_do_not_overlap_and_leave_a_gap() -> None:
    inside, edge, outside = regions((50.0, 40.0, 90.0, 110.0))
    assert not (inside & edge).any()
    assert not (edge & outside).any()
    assert inside[96, 95]
    assert outside[0, 0]
    assert (inside | edge | outside).mean() < 1.0
    assert all(part.all() for part in regions((-2000.0, -2000.0, 9000.0, 9000.0))[1:]), "not shown: the whole square"


def test_a_softened_face_differs_from_its_surroundings_and_a_softened_picture_does_not() -> None:
    rgb = textured(3)
    plain, pasted = (face_features(pixels, BOX)[:DIFFERENCES] for pixels in (rgb, softened(rgb)))
    whole = face_features(np.asarray(cv2.GaussianBlur(rgb, (0, 0), 1.5), np.uint8), BOX)[:DIFFERENCES]
    inside = slice(0, 11)
    assert pasted[inside][:4].max() < plain[inside][:4].min() - 0.2
    assert np.abs(whole[inside] - plain[inside]).max() < 0.5 * np.abs(pasted[inside] - plain[inside]).max()
