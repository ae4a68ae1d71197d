"""Pictures saved in the formats that photographs at hand do not come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.analyzers.deepfake.words import STATES
from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.circumstances import FORMS, circumstances
from tests.training.synthetic import picture
from training import formats
from training.data import Item


@pytest.mark.parametrize("state", formats.SAVINGS)
def test_a_picture_is_saved_in_the_format_and_read_again(state: str) -> None:
    rgb = picture(1, 300, 400)
    made = [formats.saved(rgb, state, np.random.default_rng(seed)) for seed in (5, 5, 6, 7, 8)]
    assert {one.shape for one in made} == {rgb.shape}
    assert (made[0] == made[1]).all()
    difference = np.abs(made[0].astype(int) - rgb).mean()
    assert difference == 0 if state == "lossless" else 0.1 < difference < 20
    if state != "lossless":
        assert any((one != made[0]).any() for one in made[2:]), "one quality for all"


@pytest.mark.parametrize(("state", "size"), [("lossless", (1600, 600)), ("webp", (1600, 600)), ("heic", (2000, 750))])
def test_large_pictures_are_reduced_as_on_the_web(tmp_path: Path, state: str, size: tuple[int, int]) -> None:
    Image.fromarray(picture(2, 750, 2000)).save(tmp_path / "photo.jpg")
    item = Item(tmp_path / "photo.jpg", 0, "s", "s", "test", "none")

    def taken(crops: np.ndarray) -> np.ndarray:
        return crops.reshape(len(crops), -1)[:, :3].astype(np.float32)

    subjects = {one.tier: one for one in formats.pictures([item], taken, tmp_path / "cache")}
    assert list(subjects) == list(formats.SAVINGS)
    assert subjects[state].side == size[1]
    assert formats.saved(picture(2, 750, 2000), state, np.random.default_rng(0)).shape == (size[1], size[0], 3)


def test_each_format_that_is_read_has_its_state_and_words(tmp_path: Path) -> None:
    assert set(STATES) == {*TIERS, *formats.SAVINGS}
    assert set(FORMS.values()) == set(formats.SAVINGS)
    for name, state in (
        ("a.png", "lossless"),
        ("a.webp", "webp"),
        ("a.tif", "lossless"),
        ("a.avif", "avif"),
        ("a.jpg", None),
    ):
        Image.fromarray(picture(3)).save(tmp_path / name)
        with Image.open(tmp_path / name) as original:
            assert circumstances(picture(3), original).form == state
