"""The face head: who is in which role, what is made of whom, and what its figures say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.classifier import Ensemble
from nsfwforensics.models.synthesis.face_statistics import WIDTH
from tests.training import synthetic
from training import blend, card, evaluate, faces
from training.data import Item, screened_faces
from training.fit import FitSettings, fit

MARKS = np.array([[130, 130], [170, 132], [150, 155], [135, 180], [168, 181]], np.float32)
BOX = (105.0, 95.0, 90.0, 110.0)


def face(seed: int, person: str = "") -> blend.FacePatch:
    return blend.cut(synthetic.picture(seed, 400, 400), BOX, MARKS, person or f"p{seed}")


def item(folder: Path, source: str, group: str, seed: int = 1) -> Item:
    path = folder / group / f"{seed}.png"
    synthetic.save(synthetic.picture(seed, 400, 400), path)
    return Item(path, 0, source, group, "train", "none")


def test_known_places_are_cut_small_and_screened_ones_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = item(tmp_path, "imagenet", "imagenet"), item(tmp_path, "portraits", "somebody", 2)
    row = [*BOX, *MARKS.ravel().tolist()]
    small = [10.0, 10.0, 40.0, 60.0, *row[4:]]
    cache = tmp_path / "faces.json"
    cache.write_text(json.dumps({one.key: [row, row, small], two.key: [row]}))
    monkeypatch.setattr(faces, "screened_faces", lambda: frozenset({f"{one.key}#0"}))
    found = faces.found_in([one, two], cache)
    assert [patch.person for patch in found[one.key]] == [f"{one.key}#1"]
    assert [patch.person for patch in found[two.key]] == ["somebody"]


def test_the_screening_names_single_faces() -> None:
    assert screened_faces()
    assert all(name.rpartition("#")[2].isdigit() for name in screened_faces())


def test_labelled_people_never_train(tmp_path: Path) -> None:
    assert faces.role_of(item(tmp_path, "imagenet", "imagenet")) == "train"
    assert faces.role_of(replace(item(tmp_path, "bsds", "bsds"), role="test")) == "test"
    people = [item(tmp_path, "portraits", group) for group in ("groups", "a", "b", "c", "d", "e")]
    assert {faces.role_of(person) for person in people} == {"calibrate", "test"}


def test_swaps_are_between_different_people() -> None:
    known = [face(1, "a"), face(2, "a"), face(3, "b")]
    made = faces.swaps(known, 4)
    assert [target.person for target, _ in made] == ["a", "a", "b", "b"]
    assert all(not np.array_equal(pixels, target.pixels) for target, pixels in made)
    assert not any(target.person == "a" for target, _ in faces.swaps(known[:2], 4))


def test_training_rows_hold_reals_blends_and_paint() -> None:
    values, labels, people = faces.training_set([face(1), face(2)], 3, [lambda pixels: pixels // 2])
    assert values.shape == (14, 2, WIDTH)
    assert labels.tolist() == [0, 1, 1, 0, 1, 0, 1] * 2
    assert set(people) == {"p1", "p2"}
    assert np.isfinite(values).all()


def test_paint_stays_near_the_face() -> None:
    patch = face(1)
    again = faces.painted(patch, lambda pixels: 255 - pixels)
    changed = np.nonzero((again != patch.pixels).any(axis=2))
    left, top, width, height = patch.box
    assert changed[0].min() >= int(top - 0.25 * height)
    assert changed[1].max() <= left + 1.35 * width


def test_the_interval_is_drawn_over_people() -> None:
    rng = np.random.default_rng(0)
    people = [f"p{n // 10}" for n in range(60)]
    shift = np.repeat(rng.normal(0, 2, 6), 10)
    real = faces.Scores(shift + rng.normal(0, 0.1, 60), people)
    same = faces.auc_over_people(real, faces.Scores(real.values + 0.05, people))
    alone = [f"q{n}" for n in range(60)]
    apart = faces.auc_over_people(faces.Scores(real.values, alone), faces.Scores(real.values + 0.05, alone))
    assert same.value == pytest.approx(apart.value)
    assert 0.4 < same.value < 0.65
    assert same.low <= same.value <= same.high
    certain = faces.auc_over_people(real, faces.Scores(real.values + 50, people))
    assert (certain.value, certain.low, certain.high) == (1.0, 1.0, 1.0)


def test_a_head_fitted_on_blends_is_measured_and_claims_nothing_on_few_people() -> None:
    groups = {
        role: [face(start + n) for n in range(5)] for role, start in (("train", 0), ("calibrate", 20), ("test", 40))
    }
    values, labels, _ = faces.training_set(groups["train"], 4, [])
    head = Ensemble(fit(values, labels, np.ones(len(labels)), FitSettings(members=1, hidden=8, epochs=20)))
    branch, figures = faces.measured(head, groups)
    assert not branch.claims
    assert branch.reals == 5
    assert figures["faces"] == {"train": 5, "calibrate": 5, "test": 5}
    assert figures["people_in_test"] == 5
    for tier in TIERS:
        assert 0 <= figures["swaps_auc"][tier].low <= figures["swaps_auc"][tier].high <= 1
        assert figures["rates"][tier]["swap_called"].total == 20
        assert figures["swaps_auc_calibrate"][tier].positives == 5
    text = card._faces(evaluate.plain(figures))
    assert "5 of 5 people in training" in text
    assert "only ever says *inconclusive*" in text
    assert "swaps above the line" in text
