"""Local features for folders of very many pictures: the same kind as those of comparison, found in less time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nsfwforensics.signals.matching import quick_keypoints as quick
from nsfwforensics.signals.matching.keypoints import _root, keypoints
from nsfwforensics.signals.matching.near_match import near_match
from nsfwforensics.signals.matching.quick_keypoints import quick_keypoints
from tests.pictures import natural

PICTURE = natural(400, 300)


def test_descriptors_are_those_of_opencv_at_the_same_places():
    found = quick_keypoints(PICTURE, 150, 400)
    assert len(found) > 50
    octaves = np.maximum(np.floor(np.log2(found.scales / 3.2) - 1 / 6), 0).astype(int)
    layers = np.clip(np.round((np.log2(found.scales / 3.2) - octaves) * 3), 1, 3).astype(int)
    asked = [
        cv2.KeyPoint(float(x), float(y), float(size), float(angle), 1.0, int(octave | layer << 8))
        for (x, y), size, angle, octave, layer in zip(
            found.points, found.scales, found.angles, octaves, layers, strict=True
        )
    ]
    _, theirs = cv2.SIFT.create().compute(cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY), asked)
    ours, theirs = found.descriptors.astype(float), _root(theirs).astype(float)
    alike = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert np.median(alike) > 0.97


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("turned", lambda picture: np.rot90(picture)),
        ("mirrored", lambda picture: picture[:, ::-1]),
        ("cropped", lambda picture: picture[30:250, 60:360]),
        ("smaller", lambda picture: cv2.resize(picture, (240, 180), interpolation=cv2.INTER_AREA)),
    ],
)
def test_a_changed_picture_is_the_same_by_its_keypoints(name, change):
    changed = quick_keypoints(np.ascontiguousarray(change(PICTURE)), 150, 384)
    aligned = near_match(quick_keypoints(PICTURE, 150, 384), changed)
    assert aligned is not None
    assert aligned.mirrored == (name == "mirrored")
    assert aligned.inliers >= 0.5 * aligned.matches


def test_the_two_kinds_can_be_compared():
    assert near_match(keypoints(PICTURE, 150, 384), quick_keypoints(PICTURE, 150, 384)) is not None


@pytest.mark.parametrize("shape", [(300, 400, 3), (300, 400), (5, 9, 3), (1, 700)])
def test_pictures_without_structure_have_none(shape):
    assert len(quick_keypoints(np.full(shape, 90, np.uint8), 150, 384)) == 0


def test_no_more_are_kept_than_asked_for():
    assert len(quick_keypoints(PICTURE, 20, 384)) == 20


def test_they_are_the_same_however_many_are_described_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    some, every = quick_keypoints(PICTURE, 1000, 400), []
    assert len(some) > 2 * quick._AT_ONCE
    for number in (1, 10_000):
        monkeypatch.setattr(quick, "_AT_ONCE", number)
        every.append(quick_keypoints(PICTURE, 1000, 400))
    for other in every:
        assert np.array_equal(some.angles, other.angles)
        assert np.array_equal(some.descriptors, other.descriptors)


def test_extrema_are_those_of_each_difference_beside_its_neighbours() -> None:
    grey = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY)
    layers = 3
    blurred, found = quick._extrema(grey, layers)
    for octave, blurs in enumerate(blurred):
        differences = np.abs(np.diff(np.stack(blurs), axis=0))
        around = np.stack([cv2.dilate(each, np.ones((3, 3), np.uint8)) for each in differences])
        for layer in range(1, layers + 1):
            greatest = differences[layer] >= around[layer - 1 : layer + 2].max(axis=0)
            here = (found.octave == octave) & (found.layer == layer)
            # The place itself is moved by less than a pixel, each way.
            near = cv2.dilate(greatest.astype(np.uint8), np.ones((3, 3), np.uint8))
            assert near[np.round(found.y[here]).astype(int), np.round(found.x[here]).astype(int)].all()
    assert len(found.x) > 100
