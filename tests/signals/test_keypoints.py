from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from nsfwforensics.signals.matching.keypoints import LIMIT, WORKING_EDGE, keypoints


@pytest.fixture(scope="module")
def photo(samples: Path) -> np.ndarray:
    with Image.open(samples / "reference.jpg") as opened:
        return np.asarray(opened.convert("RGB"))


def test_places_are_pixels_of_the_full_picture(photo):
    found = keypoints(photo)
    assert (found.width, found.height) == (photo.shape[1], photo.shape[0])
    assert 100 < len(found) <= LIMIT
    assert found.points.min() > -1
    assert (found.points < photo.shape[1::-1]).all()
    assert found.descriptors.dtype == np.uint8
    assert np.allclose(np.linalg.norm(found.descriptors.astype(float), axis=1), 512, atol=8)


def test_a_picture_enlarged_gives_the_same_places_enlarged(photo):
    large = np.asarray(
        Image.fromarray(photo).resize((photo.shape[1] * 5, photo.shape[0] * 5), Image.Resampling.BICUBIC)
    )
    one, five = keypoints(photo), keypoints(large)
    assert five.reduction == pytest.approx(max(large.shape) / WORKING_EDGE)
    expected = (one.points + 0.5) * 5 - 0.5
    likeness = one.descriptors.astype(np.float32) @ five.descriptors.astype(np.float32).T
    best = likeness.argmax(axis=1)
    alike = likeness.max(axis=1) > 0.97 * 512**2
    distance = np.linalg.norm(five.points[best] - expected, axis=1)[alike]
    assert alike.sum() > 100
    assert np.median(distance) < 1.5


def test_mirroring_the_keypoints_is_mirroring_the_picture(photo):
    turned = keypoints(photo).mirrored()
    real = keypoints(np.ascontiguousarray(photo[:, ::-1]))
    likeness = turned.descriptors.astype(np.float32) @ real.descriptors.astype(np.float32).T
    best = likeness.argmax(axis=1)
    near = np.linalg.norm(turned.points - real.points[best], axis=1) < 1
    assert near.mean() > 0.85
    assert np.median(likeness.max(axis=1)) > 0.99 * 512**2
    angles = np.abs((turned.angles - real.angles[best] + 180) % 360 - 180)[near]
    assert np.median(angles) < 1
    assert np.array_equal(turned.mirrored().descriptors, keypoints(photo).descriptors)


def test_inverting_the_keypoints_is_inverting_the_picture(photo):
    turned = keypoints(photo).inverted()
    real = keypoints(255 - photo)
    likeness = turned.descriptors.astype(np.float32) @ real.descriptors.astype(np.float32).T
    best = likeness.argmax(axis=1)
    near = np.linalg.norm(turned.points - real.points[best], axis=1) < 1
    assert near.mean() > 0.85
    assert np.median(likeness.max(axis=1)) > 0.99 * 512**2
    assert np.array_equal(turned.inverted().descriptors, keypoints(photo).descriptors)


def test_every_beginning_is_spread_over_the_picture(photo):
    first = keypoints(photo).first(120)
    assert len(first) == len(first.descriptors) == len(first.scales) == len(first.angles) == 120
    cells = {(int(x * 4 / photo.shape[1]), int(y * 4 / photo.shape[0])) for x, y in first.points}
    assert len(cells) >= 12


def test_the_same_picture_gives_the_same_keypoints_and_they_travel(photo):
    one, two = keypoints(photo), pickle.loads(pickle.dumps(keypoints(photo)))
    for name in ("points", "scales", "angles", "descriptors"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert len(pickle.dumps(one)) < 200 * len(one)


def test_a_limit_is_kept(photo):
    assert len(keypoints(photo, limit=50)) == 50


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (7, 7, 3), (1, 5000, 3), (5000, 1), (20, 20, 3), (300, 400, 3)])
def test_flat_and_tiny_pictures_have_none(shape):
    found = keypoints(np.full(shape, 130, np.uint8))
    assert len(found) == 0
    assert found.descriptors.shape == (0, 128)
    assert (found.height, found.width) == shape[:2]
    assert len(found.mirrored()) == 0


def test_noise_stays_within_the_limit():
    noise = np.random.default_rng(1).integers(0, 256, (500, 700, 3), np.uint8)
    assert 500 < len(keypoints(noise)) <= LIMIT


@settings(deadline=None, max_examples=25)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_any_small_picture_is_survived(picture):
    found = keypoints(picture)
    assert np.isfinite(found.points).all()
    assert (found.scales > 0).all()
