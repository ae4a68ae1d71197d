"""How alike pictures look to the network: figures that were measured, embeddings that are kept, pictures left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import scene
from nsfwforensics.models.weights import weights_folder


def test_an_edit_looks_like_its_original_and_another_picture_does_not(samples: Path) -> None:
    views = [
        scene.view(Evidence.open(samples / name)) for name in ("camera-original.jpg", "edited-copy.jpg", "no-face.jpg")
    ]
    made = scene.embeddings([view for view in views if not isinstance(view, str)])
    figures = scene.scene_figures()
    edit, other = figures.similarities(made[:1], made[1:])[0]
    assert other < figures.alike_from < figures.sure_from < edit <= 1


def test_what_is_kept_of_an_embedding_is_as_good_as_the_embedding() -> None:
    rows = scene.unit(np.random.default_rng(1).normal(size=(2, scene.LENGTH)).astype(np.float32))
    kept = [scene.encode(row) for row in rows]
    assert [len(each) for each in kept] == [1024, 1024]
    found = dict(scene.similar(rows[0], zip("ab", kept, strict=True)))
    expected = scene.scene_figures().similarities(rows[:1], rows)[0]
    assert [found["a"], found["b"]] == pytest.approx(expected.tolist(), abs=1e-3)
    with pytest.raises(WeightsError, match="cannot be used"):
        list(scene.similar(rows[0], [("short", kept[0][:-2])]))


def test_pages_and_small_pictures_are_left_out(tmp_path: Path) -> None:
    page = Image.new("RGB", (600, 800), "white")
    for line in range(20, 780, 24):
        ImageDraw.Draw(page).text((30, line), "the quick brown fox jumps over the lazy dog " * 2, fill="black")
    page.save(tmp_path / "page.png")
    Image.effect_noise((150, 400), 60).convert("RGB").save(tmp_path / "small.png")
    assert "page of text" in scene.view(Evidence.open(tmp_path / "page.png"))
    assert "smaller than 200 pixels" in scene.view(Evidence.open(tmp_path / "small.png"))


def test_figures_that_cannot_be_understood_are_refused(tmp_path: Path) -> None:
    text = (weights_folder() / scene.FILE).read_text("utf-8")
    for broken in (text.replace('centre = "', 'centre = "AAAA'), text.replace("[missed]", "[lost]"), "alike_from ="):
        (tmp_path / scene.FILE).write_text(broken, "utf-8")
        scene.scene_figures.cache_clear()
        with pytest.raises(WeightsError, match=r"scene\.toml"):
            scene.scene_figures(tmp_path)
    scene.scene_figures.cache_clear()
