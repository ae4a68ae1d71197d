from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training import synthetic
from training import augment


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([(256, 256), (352, 300), (257, 352)]))
def test_every_chain_keeps_room_for_a_crop(seed: int, shape: tuple[int, int]) -> None:
    out = augment.degrade(synthetic.picture(1, *shape), np.random.default_rng(seed), least=256)
    assert out.dtype == np.uint8
    assert out.shape[2] == 3
    assert min(out.shape[:2]) >= 256


def test_chains_are_repeatable_and_blind_to_content() -> None:
    a = augment.degrade(synthetic.picture(1), np.random.default_rng(3), least=256)
    b = augment.degrade(synthetic.picture(1), np.random.default_rng(3), least=256)
    assert np.array_equal(a, b)
    other = augment.degrade(synthetic.picture(2), np.random.default_rng(3), least=256)
    assert other.shape == a.shape


def test_history_draws_the_same_numbers_either_way() -> None:
    one, two = np.random.default_rng(0), np.random.default_rng(0)
    rgb = synthetic.picture(2)
    assert np.array_equal(augment.equalise_history(rgb, one, lossless=False), rgb)
    assert not np.array_equal(augment.equalise_history(rgb, two, lossless=True), rgb)
    assert one.random() == two.random()


def test_random_crop_stays_inside() -> None:
    rgb = synthetic.picture(4, 256, 300)
    for seed in range(20):
        assert augment.random_crop(rgb, np.random.default_rng(seed), 256).shape == (256, 256, 3)
