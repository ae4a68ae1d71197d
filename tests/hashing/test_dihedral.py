from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.hashing.picture.dihedral import dihedral_hashes
from nsfwforensics.hashing.picture.pdq import DIHEDRAL_NAMES, pdq, pdq_dihedral
from tests.pictures import photo_like


@pytest.mark.parametrize("shape", [(520, 771), (1_030, 640), (513, 513), (600, 4_000), (2_049, 601)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_equals_hashing_eight_transformed_pictures(shape: tuple[int, int], mode: str) -> None:
    pixels = np.asarray(Image.fromarray(photo_like(*shape, seed=shape[1])).convert(mode))
    ours, one_by_one = dihedral_hashes(pixels), pdq_dihedral(pixels)
    assert len(ours) == len(DIHEDRAL_NAMES) == 8
    assert ours[0] == pdq(pixels)
    distances = [mine.distance(theirs) for mine, theirs in zip(ours, one_by_one, strict=True)]
    assert max(distances) <= 2 and distances.count(0) >= 7
    assert [one.quality for one in ours] == pytest.approx([one.quality for one in one_by_one], abs=1)


@pytest.mark.parametrize("shape", [(1, 1), (4, 30), (300, 200), (30_000, 10), (40, 30_000)])
def test_small_pictures_and_strips_are_hashed_one_by_one(shape: tuple[int, int]) -> None:
    pixels = photo_like(*shape)
    assert dihedral_hashes(pixels) == pdq_dihedral(pixels)


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        dihedral_hashes(np.zeros((0, 5, 3), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        dihedral_hashes(np.zeros((9, 9), np.float32))  # type: ignore[arg-type]
