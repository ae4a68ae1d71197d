from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.hashing.picture.orientations import turned_hashes
from nsfwforensics.hashing.picture.pdq import DIHEDRAL_NAMES, pdq, pdq_dihedral


@pytest.mark.parametrize("name", ["camera-original.jpg", "no-face.jpg"])
def test_hashes_of_turned_samples_are_those_of_turned_pictures_and_near_pdq(samples, name):
    with Image.open(samples / name) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    turned = [np.rot90(base, quarters) for base in (pixels, pixels[:, ::-1]) for quarters in range(4)]
    hashes = turned_hashes(pixels)
    assert len(hashes) == len(DIHEDRAL_NAMES)
    assert max(one.distance(turned_hashes(other)[0]) for one, other in zip(hashes, turned, strict=True)) <= 2
    assert max(one.distance(other) for one, other in zip(hashes, pdq_dihedral(pixels), strict=True)) < 20
    assert hashes[0].quality == pytest.approx(pdq(pixels).quality, abs=5)


def test_a_flat_picture_has_no_usable_hash():
    assert not any(one.usable for one in turned_hashes(np.full((90, 60), 7, np.uint8)))


def test_an_empty_array_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        turned_hashes(np.zeros((0, 5, 3), np.uint8))
