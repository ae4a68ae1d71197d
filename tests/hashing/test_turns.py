from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.hashing.picture.orientations import turned_hashes
from nsfwforensics.hashing.picture.pdq import DIHEDRAL_NAMES, pdq, pdq_dihedral


@pytest.mark.parametrize("name", ["camera-original.jpg", "no-face.jpg"])
def test_hashes_of_turned_samples_are_near_those_of_turned_pictures(samples, name):
    with Image.open(samples / name) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    quick, exact = turned_hashes(pixels), pdq_dihedral(pixels)
    assert quick[0] == pdq(pixels)
    apart = [one.distance(other) for one, other in zip(quick, exact, strict=True)]
    assert len(apart) == len(DIHEDRAL_NAMES)
    assert max(apart) < 20


def test_a_flat_picture_has_no_usable_hash():
    assert not any(one.usable for one in turned_hashes(np.full((90, 60), 7, np.uint8)))


def test_an_empty_array_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        turned_hashes(np.zeros((0, 5, 3), np.uint8))
