"""``model evaluate`` and ``model card``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from nsfwforensics.cli.app import build
from nsfwforensics.models.own.files import find_detector
from tests.models.make_onnx import THRESHOLD, brightness, card, model, node
from tests.training.synthetic import picture

RUNNER = CliRunner()


def run(*words: str | Path) -> tuple[int, str]:
    result = RUNNER.invoke(build("model"), ["model", *map(str, words)], env={"COLUMNS": "200"})
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs by two cameras and brighter pictures by one generator, all saved alike."""
    root = tmp_path_factory.mktemp("folders")
    for number in range(6):
        for side, source, gain in (("real", f"camera {number % 2}", 0), ("fake", "painter", 90)):
            path = root / side / source / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.clip(picture(number + gain).astype(int) * 0.5 + gain, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(path, quality=90)
    (root / "fake" / "notes.txt").write_text("not a picture")
    return root


LIMITS = "min_side = 64\nmin_quality = 0\nmax_flat_share = 1.0"


def test_evaluate_measures_a_model_of_ones_own(folders: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = card(
        tmp_path / "model", brightness(gain=30, offset=-13), replace={"calibration": THRESHOLD, "limits": LIMITS}
    )
    out = tmp_path / "out"
    code, said = run(
        "evaluate", "--real", folders / "real", "--fake", folders / "fake", "--detector", path, "--output", out
    )
    assert code == 0, said
    assert "camera 0" in said
    assert "Only 6 photographs and 6 generated pictures" in said
    document = json.loads((out / "evaluation.json").read_text())
    assert not any("no call of this model" in warning for warning in document["warnings"])
    assert document["states"]["768_q60"]["auc"]["value"] == 1.0
    assert document["states"]["as_is"]["generated_called"]["count"] == 6
    assert set(document["states"]["as_is"]["real_sources"]) == {"camera 0", "camera 1"}
    assert (out / "evaluation.html").is_file()
    (out / "detector.measured.toml").rename(path.with_name("detector.measured.toml"))
    measured = find_detector(path).measured
    assert measured is not None
    assert measured.leak == document["leak"]
    assert measured.rates[0].generated_called == (6, 6)


def test_folders_saved_with_other_colours_are_called_a_leak(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = card(
        tmp_path / "model", brightness(gain=30, offset=-13), replace={"calibration": THRESHOLD, "limits": LIMITS}
    )
    for side, sampling in (("real", 0), ("fake", 2)):
        for number in range(6):
            file = tmp_path / side / f"{number}.jpg"
            file.parent.mkdir(exist_ok=True)
            Image.fromarray(picture(number + 10 * sampling)).save(file, quality=90, subsampling=sampling)
    code, said = run("evaluate", "--real", tmp_path / "real", "--fake", tmp_path / "fake", "--detector", path)
    assert code == 0, said
    warning = re.sub(r"\s+", " ", said)
    assert "can be told apart without looking at what the pictures show" in warning
    assert "chroma subsampling: AUC 1.00" in warning


def test_a_model_that_cannot_be_used_ends_the_command_with_the_reason(folders: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = card(tmp_path, model([node("Loop", ["x"], ["y"])]))
    code, said = run("evaluate", "--real", folders / "real", "--fake", folders / "fake", "--detector", path)
    assert code == 3
    assert "“Loop”" in said


@pytest.mark.slow
def test_evaluate_measures_the_built_in_model(folders: Path) -> None:
    code, said = run(
        "evaluate", "--real", folders / "real", "--fake", folders / "fake", "--most", "2", "--json", "--quiet"
    )
    assert code == 0, said
    document = json.loads(said)
    assert document["detector"]["name"] == "the built-in model"
    assert re.fullmatch(r"\d+, calibration \d+", document["detector"]["version"])
    assert document["states"]["as_is"]["auc"]["positives"] == 2
    assert not [warning for warning in document["warnings"] if "Reports pass on no call" in warning]
    assert all(state["real_called"]["total"] == 2 for state in document["states"].values())


def test_folders_without_pictures_and_those_that_are_not_there_are_told_apart(folders: Path, tmp_path: Path) -> None:
    assert run("evaluate", "--real", tmp_path, "--fake", folders / "fake")[0] == 6
    assert run("evaluate", "--real", tmp_path / "none", "--fake", folders / "fake")[0] == 2


def test_the_built_in_card_says_what_counts_first() -> None:
    code, said = run("card")
    assert code == 0
    assert said.index("Content-matched") < said.index("left out") < said.index("cannot do") < said.index("Appendix")


def test_a_card_of_ones_own_is_shown_with_its_claims_named_as_claims(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    code, said = run("card", "--detector", card(tmp_path, brightness(), replace={"calibration": THRESHOLD}))
    assert code == 0
    assert "Brightness, version 1" in said
    assert "error rates by its card, not measured here: not measured" in said
    assert "looks generated from a score of 0 on" in said


def test_training_is_no_command_of_the_package() -> None:
    code, said = run("train", "--data", ".", "--out", "out")
    assert code == 2
    assert "train" not in run("--help")[1]
    assert "No such command" in said
