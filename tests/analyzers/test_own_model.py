"""``--detector``: a model of a user's own says no more than error rates carry, and runs in confined workers only."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.analyzers.own_model.analyzer import OwnModelAnalyzer, OwnModelOptions
from nsfwforensics.api import Request, Run
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Finding, Severity, Support
from nsfwforensics.errors import UsageError, WeightsError
from nsfwforensics.settings import Settings
from tests.analyzers.test_messages import unsaid
from tests.models.make_onnx import RATES, THRESHOLD, brightness, card, model, node, tensor
from tests.pictures import saved

onnxruntime = pytest.importorskip("onnxruntime")

CLAIMS = {"calibration": THRESHOLD, "rates": RATES}
APART = Resources(isolated=True)


def picture(level: int, size: tuple[int, int] = (300, 300)) -> bytes:
    """Coloured noise about a level, which is neither flat nor grey."""
    noise = np.random.default_rng(0).integers(-20, 21, (*size, 3))
    return saved(Image.fromarray(np.clip(level + noise, 0, 255).astype(np.uint8)))


def enrolled(path: Path) -> OwnModelAnalyzer:
    options = OwnModelOptions(detector=path)
    enrolment = pickle.loads(pickle.dumps(OwnModelAnalyzer.enrol(options, APART)))
    return OwnModelAnalyzer(options, APART, enrolment)


def outcome(folder: Path, claims: Mapping[str, str], data: bytes, network: bytes | None = None) -> Outcome:
    analyzer = enrolled(card(folder, network or brightness(), replace=claims))
    assert analyzer.unavailable() is None
    return analyzer.examine(Evidence.from_bytes(data))


def only(found: Outcome) -> Finding:
    assert found.status is AnalyzerStatus.OK
    (finding,) = found.findings
    assert finding.likelihood is None, "a card's probability is not ours"
    assert not unsaid(found)
    return finding


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("replace", [{}, {"rates": RATES}, {"calibration": "temperature = 1.0", "rates": RATES}])
def test_without_a_threshold_a_score_is_a_measurement_and_nothing_else(
    tmp_path: Path, level: int, replace: dict[str, str]
) -> None:
    found = outcome(tmp_path, replace, picture(level))
    finding = only(found)
    assert (finding.code, finding.support) == ("SYN-021", Support.INCONCLUSIVE)
    assert finding.data["reason"] == "not_calibrated"
    assert "from which score on" in finding.explanation
    assert isinstance(found.measurements["score"], float)
    assert (found.measurements["probability_by_card"] is None) == ("calibration" not in replace)


def test_a_threshold_with_rates_carries_a_statement_that_names_whose_rates_they_are(tmp_path: Path) -> None:
    finding = only(outcome(tmp_path, CLAIMS, picture(240)))
    assert (finding.code, finding.support, finding.severity) == ("SYN-020", Support.SUPPORTS, Severity.LOW)
    assert "By its card, not measured here, it says so of 1 of 400 real photographs" in finding.explanation
    assert "300 of 400 generated pictures" in finding.explanation
    assert "“Brightness” (version 1)" in finding.explanation
    first, second = finding.data[ERROR_RATES]  # type: ignore[misc]
    assert (first["errors"], first["trials"], second["errors"]) == (1, 400, 100)  # type: ignore[index, call-overload]
    assert "by its card" in first["what"]  # type: ignore[index, call-overload, operator]


def test_below_the_threshold_nothing_is_cleared(tmp_path: Path) -> None:
    finding = only(outcome(tmp_path, CLAIMS, picture(10)))
    assert (finding.code, finding.support) == ("SYN-021", Support.INCONCLUSIVE)
    assert finding.data["reason"] == "below_threshold"


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        ("", "rates_not_measured"),
        (RATES.split("\n---\n")[1], "rates_not_measured"),
        (RATES.replace("[1, 400]", "[30, 400]"), "too_many_errors"),
        (RATES.replace("[1, 400]", "[0, 20]"), "too_many_errors"),
    ],
)
def test_a_threshold_without_good_rates_in_the_pictures_state_carries_nothing(
    tmp_path: Path, rates: str, reason: str
) -> None:
    finding = only(outcome(tmp_path, {"calibration": THRESHOLD, "rates": rates}, picture(240)))
    assert finding.support is Support.INCONCLUSIVE
    assert finding.data["reason"] == reason


def measured(path: Path, *, leak: bool, called: str = "[2, 300]") -> None:
    model_digest = hashlib.sha256((path.parent / "model.onnx").read_bytes()).hexdigest()
    path.with_name("detector.measured.toml").write_text(
        f'card_sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"\nmodel_sha256 = "{model_digest}"\n'
        f'when = "2026-01-01"\nleak = {str(leak).lower()}\n\n[[rates]]\nstate = "as_is"\n'
        f"real_called = {called}\ngenerated_called = [200, 300]\n"
    )


def judged(path: Path, level: int) -> Finding:
    return only(enrolled(path).examine(Evidence.from_bytes(picture(level))))


def test_rates_that_were_measured_here_go_before_the_cards(tmp_path: Path) -> None:
    path = card(tmp_path, brightness(), replace=CLAIMS)
    measured(path, leak=False)
    finding = judged(path, 240)
    assert (finding.code, finding.severity) == ("SYN-020", Severity.MEDIUM)
    assert "Measured with this tool on pictures that its user chose" in finding.explanation
    assert "2 of 300" in finding.explanation
    assert finding.data["rates_from"] == "model evaluate"


def test_rates_of_a_leak_carry_nothing(tmp_path: Path) -> None:
    path = card(tmp_path, brightness(), replace={"calibration": THRESHOLD})
    measured(path, leak=True)
    finding = judged(path, 240)
    assert finding.support is Support.INCONCLUSIVE
    assert "told apart by their format or size" in finding.explanation


def test_rates_of_another_card_are_refused(tmp_path: Path) -> None:
    path = card(tmp_path, brightness(), replace=CLAIMS)
    measured(path, leak=False)
    card(tmp_path, brightness(), replace={**CLAIMS, "calibration": "generated_from = 1.0"})
    with pytest.raises(WeightsError, match="another card"):
        enrolled(path)


def test_an_answer_that_turns_is_inconclusive(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    high = model(
        [
            node("Slice", ["x", "s", "e", "a"], ["l"]),
            node("Slice", ["x", "t", "f", "a"], ["r"]),
            node("Sub", ["l", "r"], ["d"]),
            node("Abs", ["d"], ["m"]),
            node("ReduceMean", ["m"], ["v"], keepdims=0),
            node("Add", ["v", "o"], ["w"]),
            node("Reshape", ["w", "one"], ["y"]),
        ],
        tensors=[
            tensor("s", [0]), tensor("e", [63]), tensor("t", [1]), tensor("f", [64]), tensor("a", [3]),
            tensor("o", [-0.25]), tensor("one", [1, 1]),
        ],
    )  # fmt: skip
    replace = {**CLAIMS, "input": 'width = 64\nheight = 64\nfit = "crops"'}
    finding = only(outcome(tmp_path, replace, buffer.getvalue(), high))
    assert finding.data["reason"] == "flip"
    assert finding.support is Support.INCONCLUSIVE


def test_pictures_outside_the_cards_limits_are_ruled_out(tmp_path: Path) -> None:
    found = outcome(tmp_path, {**CLAIMS, "limits": "min_side = 400"}, picture(240))
    finding = only(found)
    assert "smaller than 400 pixels" in finding.explanation
    assert "score" not in found.measurements


def test_it_runs_in_confined_workers_only(tmp_path: Path) -> None:
    options = OwnModelOptions(detector=card(tmp_path, brightness()))
    with pytest.raises(UsageError, match="confined worker processes only"):
        OwnModelAnalyzer.enrol(options, Resources())


def request(folder: Path, path: Path, **settings: Any) -> Request:
    (folder / "pictures").mkdir(exist_ok=True)
    (folder / "pictures" / "bright.png").write_bytes(picture(240))
    options = {"own_model": {"detector": path}}
    return Request(
        [folder / "pictures"], only=["deepfake", "own_model"], options=options, settings=Settings(**settings)
    )


def test_a_run_names_model_and_card_and_judges_apart(tmp_path: Path) -> None:
    path = card(tmp_path / "model", brightness(), replace=CLAIMS)
    run = Run(request(tmp_path, path, device="cpu"))
    (file,) = run
    assert [finding.code for finding in file.findings] == ["SYN-020"]
    records = run.header().models
    assert [(record.file, record.sha256) for record in records] == [
        ("model.onnx", hashlib.sha256(brightness()).hexdigest()),
        ("detector.toml", hashlib.sha256(path.read_bytes()).hexdigest()),
    ]


@pytest.mark.parametrize("settings", [{"isolate": False}, {"engine": "inline"}, {"engine": "ray"}])
def test_where_workers_are_not_confined_it_does_not_run(tmp_path: Path, settings: dict[str, Any]) -> None:
    path = card(tmp_path / "model", brightness(), replace=CLAIMS)
    with pytest.raises(UsageError, match="no-isolate"):
        Run(request(tmp_path, path, device="cpu", **settings))


def test_a_hostile_model_ends_the_run_before_any_file_is_opened(tmp_path: Path) -> None:
    bomb = model(
        [
            node("ConstantOfShape", ["s"], ["c"]),
            node("ReduceSum", ["c"], ["r"], keepdims=0),
            node("ReduceMax", ["x"], ["g"], keepdims=0),
            node("Add", ["r", "g"], ["h"]),
            node("Reshape", ["h", "one"], ["y"]),
        ],
        tensors=[tensor("s", [1 << 20, 1 << 20]), tensor("one", [1, 1])],
    )
    with pytest.raises((WeightsError, UsageError), match="cannot be"):
        Run(request(tmp_path, card(tmp_path / "model", bomb), device="cpu", max_memory=3_000_000_000))


def test_a_run_without_such_a_model_does_without_the_analyzer(tmp_path: Path) -> None:
    asked = request(tmp_path, card(tmp_path / "model", brightness()), device="cpu")
    assert list(Run(asked).plan.analyzers) == ["own_model"]
    assert list(Run(replace(asked, options={})).plan.analyzers) == ["deepfake"]
    both = {**asked.options, "deepfake": {"score_map": True}}
    assert list(Run(replace(asked, options=both)).plan.analyzers) == ["deepfake", "own_model"]
    alone = Run(replace(asked, only=["own_model"], options={}))
    assert [file.results[0].error for file in alone] == ["no model of your own was given"]
