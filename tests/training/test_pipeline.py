"""The training code end to end on a tiny folder of made pictures: train, calibrate, save, load, judge."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nsfwforensics.evaluation.metrics import auc
from nsfwforensics.models.synthesis.calibration import Calibration
from nsfwforensics.models.synthesis.classifier import SynthesisClassifier
from nsfwforensics.models.synthesis.features import columns
from nsfwforensics.models.synthesis.preprocess import crop
from tests.training import synthetic
from training import calibrate, export, formats, model_card, train
from training.data import Item
from training.fit import FitSettings, balanced_weights, fit
from training.traces import TraceSettings
from training.workshop import TrainSettings, Workshop

SETTINGS = TrainSettings(
    photo_regions=1,
    fake_regions=1,
    copies=2,
    resynthesised_regions=1,
    tiny_steps=2,
    relative_steps=2,
    trace_regions=1,
    trace=TraceSettings(steps=3, pairs=2, others=1, widths=(4, 4, 8, 8)),
    blind=TraceSettings(steps=2, pairs=2, others=1, widths=(4, 4, 8, 8)),
    blend=(1.0, 0.1),
    taps=(-1, 0, 2),
    fit=FitSettings(members=2, hidden=8, epochs=60),
    threads=2,
)

MANIFEST = """
[[model]]
name = "synthesis"
version = "1"
file = "synthesis.safetensors"
sha256 = ""
license = "Apache-2.0"

[[model]]
name = "synthesis-calibration"
version = "1"
file = "synthesis.calibration.json"
sha256 = "0123"
license = "Apache-2.0"
"""


@pytest.mark.slow
def test_train_calibrate_save_load_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "LEAST_SIDE", 256)  # the made pictures are small and few
    monkeypatch.setattr(calibrate, "ALPHA", 0.5)
    data = synthetic.data_folder(tmp_path / "data")
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "manifest.toml").write_text(MANIFEST)
    said: list[str] = []
    result = export.run(Workshop(data, tmp_path / "out", SETTINGS, say=said.append), weights)

    assert json.loads(json.dumps(result)) == result
    assert set(result["content_matched"]) == {"taef2", "trans4-c8"}
    assert set(result["content_matched_left_out"]) == {"taef2"}
    assert result["content_matched"]["taef2"]["as_is"]["negatives"] == 6
    assert set(result["generators"]["as_is"]["families"]) == {"flux"}
    assert result["rates"]["as_is"]["real_called"]["total"] == 2
    assert result["left_aside"]["untestable"]["as_is"]["real"] == 4, "without their only source nothing is left"
    assert result["rates"]["as_is"]["real_called"]["count"] == 0, "six photographs cannot carry a claim"
    assert len(result["probes"]) == 7
    assert result["probes"]["chroma subsampling"]["positives"] == result["generators"]["as_is"]["pooled"]["positives"]
    same = result["saved_alike"]["as_is"]["pooled"]
    assert same["positives"] == result["generators"]["as_is"]["pooled"]["positives"]
    assert same["negatives"] == result["generators"]["as_is"]["pooled"]["negatives"]
    assert result["criteria"][0]["name"].startswith("content-matched")
    assert list(result["rates"]) == [*result["by_make"], *formats.SAVINGS], "tiers, then formats"
    assert len(result["plots"]["generators"]["as_is"]) > 2

    card = (weights / "synthesis.md").read_text()
    assert "{{" not in card
    assert card.index("Content-matched") < card.index("Across generators")
    assert "trans4-c8, never trained on" in card
    assert card.index("taef2, left out of training") < card.index("taef2, trained on")
    assert export.file_sha256(weights / "synthesis.safetensors") in (weights / "manifest.toml").read_text()

    from safetensors.torch import load_file

    tensors = load_file(weights / "synthesis.safetensors")
    assert "backbone.blocks.3.project.weight" not in tensors
    classifier = SynthesisClassifier.from_tensors(tensors)
    scores = classifier.score([crop(synthetic.picture(200)), crop(synthetic.smooth(300))])
    assert scores[1].score > scores[0].score
    calibration = Calibration.loads((weights / "synthesis.calibration.json").read_text())
    assert calibration.face is None
    assert calibration.image.reals == 4

    again = export.run(Workshop(data, tmp_path / "out", SETTINGS, say=said.append), None)
    assert again["content_matched"] == result["content_matched"], "a resumed run gives the same figures"

    (tmp_path / "out" / "result.json").write_text(json.dumps(result))
    before = {path.name: path.read_bytes() for path in weights.iterdir()}
    model_card.again(Workshop(data, tmp_path / "out", SETTINGS, say=said.append), weights)
    assert {path.name: path.read_bytes() for path in weights.iterdir()} == before, "card and calibration made again"


def test_fit_separates_and_is_seeded() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    features = rng.normal(0, 1, (200, 2, 12)).astype(np.float32)
    features[labels == 1, :, 3] += 3.0
    weights = np.ones(200)
    settings = FitSettings(members=2, hidden=8, epochs=60, rate=1e-2, dropout=0.1)
    one, two = (fit(features, labels, weights, settings) for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    from nsfwforensics.models.synthesis.classifier import Ensemble

    logits = Ensemble(one).logits(features[:, 0])
    assert auc(logits[labels == 0], logits[labels == 1]) > 0.95
    assert one["w1"].shape == (2, 12, 8)


def test_classes_sources_and_pictures_weigh_alike() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    weights = balanced_weights(labels, ["a", "a", "a", "b", "c", "c"], ["p", "p", "q", "r", "s", "t"])
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum())
    assert weights[0] + weights[1] == pytest.approx(weights[2])
    assert weights[3] > weights[2]


def test_columns_select_taps_and_keep_the_statistics() -> None:
    assert len(columns(())) == 36
    assert len(columns((-1,))) == 36 + 64
    full = columns((-1, 0, 2, 5, 9, 12, 16))
    assert len(full) == 1204
    assert full.tolist() == list(range(1204))
    assert set(columns((0,))) < set(full.tolist())


def test_a_folder_is_not_gone_on_with_under_other_settings_or_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = Item(tmp_path / "a.jpg", 0, "coco", "coco", "train", "none")
    monkeypatch.setattr(Workshop, "items", [item])
    settings = TrainSettings()
    Workshop(tmp_path, tmp_path / "out", settings).settle()
    Workshop(tmp_path, tmp_path / "out", replace(settings, threads=1, device="cuda")).settle()
    with pytest.raises(ValueError, match="other settings: name an empty folder"):
        Workshop(tmp_path, tmp_path / "out", train.seeded(settings, 1)).settle()
    monkeypatch.setattr(Workshop, "items", [item, replace(item, path=tmp_path / "b.jpg")])
    with pytest.raises(ValueError, match="other pictures: name an empty folder"):
        Workshop(tmp_path, tmp_path / "out", settings).settle()


def test_results_of_another_recipe_are_not_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    Workshop(data, tmp_path / "fresh")
    Workshop(data, tmp_path / "fresh")  # its own results
    old = tmp_path / "old"
    old.mkdir()
    (old / "decoder-small.safetensors").write_bytes(b"made before folders were marked")
    with pytest.raises(SystemExit) as ended:
        train.main(["--data", str(data), "--out", str(old)])
    assert ended.value.code == 2
    assert "holds results of another recipe" in capsys.readouterr().err
    (tmp_path / "fresh" / "recipe").write_text("3")
    with pytest.raises(ValueError, match="another recipe"):
        Workshop(data, tmp_path / "fresh")
