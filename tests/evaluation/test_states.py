"""A picture is brought into each of the measured states."""

from __future__ import annotations

import numpy as np
import pytest

from nsfwforensics.evaluation.states import Tier, at_tier


@pytest.mark.parametrize(("tier", "longest"), [("as_is", 1000), ("768_q60", 768), ("512_q40", 512)])
def test_large_pictures_are_reduced_and_small_ones_keep_their_size(tier: Tier, longest: int) -> None:
    rng = np.random.default_rng(3)
    large, small = (rng.integers(0, 256, (*shape, 3), np.uint8) for shape in ((500, 1000), (256, 256)))
    assert max(at_tier(large, tier).shape[:2]) == longest
    assert at_tier(small, tier).shape == small.shape
    assert np.array_equal(at_tier(small, tier), small) == (tier == "as_is"), "all others are saved again"
