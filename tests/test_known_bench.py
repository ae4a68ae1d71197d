"""The changes that the bench of known images makes are what its table says."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.known_recall import WAYS, Tally, changed

from tests.pictures import natural

PHOTO = natural(180, 240, 5)


@pytest.mark.parametrize(
    ("way", "share"),
    [("JPEG 30", 1), ("resize 25 %", 0.0625), ("crop 2 %", 0.98), ("crop 30 %", 0.70), ("rotate 3°", 1),
     ("border 10 %", 228 * 288 / 180 / 240), ("text overlay", 1)],
)  # fmt: skip
def test_the_size_is_what_the_change_makes_of_it(way: str, share: float) -> None:
    made = changed(PHOTO, way, np.random.default_rng(1))
    assert made.shape[0] * made.shape[1] == pytest.approx(share * 180 * 240, rel=0.02)


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_makes_the_same_picture_and_the_photo_is_not_touched(way: str) -> None:
    before = PHOTO.copy()
    first, second = (changed(PHOTO, way, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second) and np.array_equal(PHOTO, before)
    assert first.shape != PHOTO.shape or not np.array_equal(first, PHOTO)


def test_false_positives_are_counted_per_pair_of_different_scenes() -> None:
    tally = Tally()
    tally.add("crop", np.array([True, True, False]), 0, np.array([False, True, True]))
    tally.add("crop", np.array([False, False, False]), 1, np.array([True, False, True]))
    assert (tally.recall("crop"), tally.wrong, tally.pairs) == (0.5, 1, 4)
    assert tally.rate() == "2.5e-01 (1 of 4)"
