from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import nsfwforensics
from nsfwforensics.analyzers.deepfake.analyzer import DeepfakeAnalyzer, DeepfakeOptions
from nsfwforensics.analyzers.deepfake.words import STATES
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, FileInfo, Finding, Question, Support
from nsfwforensics.models.synthesis.calibration import TIERS, Branch, Calibration, Rate
from nsfwforensics.models.synthesis.classifier import Views, WholeScore
from nsfwforensics.models.synthesis.likelihood import RatioCurve
from nsfwforensics.models.synthesis.withheld import Because, Withheld
from tests.pictures import noise, saved

RATES = {
    state: {
        "real_called": Rate(2, 150),
        "real_inconclusive": Rate(120, 150),
        "gallery_called": Rate(30, 66),
        "gallery_cleared": Rate(3, 66),
        "gallery_inconclusive": Rate(33, 66),
    }
    for state in ("as_is", "768_q60", "512_q40")
}
REAL = {"as_is": [n / 50 - 1 for n in range(100)]}
IMAGE = Branch(REAL, {"gallery": {"as_is": [n / 50 for n in range(50)]}}, 0.02, 0.1, True, RATES)


class Scripted:
    """Stands in for the network: answers with given scores, and with those of the copies where they are asked for."""

    def __init__(
        self,
        *scores: tuple[float, float, float],
        portrait: bool = False,
        plain: bool = False,
        outside: bool = False,
    ) -> None:
        self.scores = list(scores)
        self.portrait, self.plain, self.outside = portrait, plain, outside
        self.copies = 0

    def score(self, batch: Sequence[NDArray[np.uint8]], copies: Callable[[int, WholeScore], Views]) -> list[WholeScore]:
        found = []
        for index, (view, (first, again, small)) in enumerate(zip(batch, self.scores, strict=True)):
            assert view.shape == (224, 224, 3)
            score = WholeScore(first, self.portrait, self.plain, self.outside)
            made = copies(index, score)
            if made is not None:
                assert made.shape == (2, 224, 224, 3)
                self.copies += 1
                score = replace(score, recompressed=again, resized=small)
            found.append(score)
        return found


class Analyzer(DeepfakeAnalyzer):
    """The analyzer with a calibration and a network of the test's own."""

    scripted = Scripted()
    least_side = 200

    @property
    def _calibration(self) -> Calibration:
        return Calibration(IMAGE, 0.75, 35.0, least_side=self.least_side)

    @property
    def _classifier(self) -> Any:
        return self.scripted


SAMPLES = Path(__file__).parents[2] / "samples"


def photo(height: int = 400, width: int = 500, seed: int = 0) -> NDArray[np.uint8]:
    return noise(height, width, seed)


def palette_png() -> bytes:
    return saved(Image.fromarray(photo()).convert("P"))


def run(data: bytes, *scores: tuple[float, float, float], **kinds: bool) -> Outcome:
    analyzer = Analyzer(DeepfakeOptions(), Resources())
    analyzer.scripted = Scripted(*scores, **kinds)
    sample = analyzer.prepare(Evidence.from_bytes(data))
    return analyzer.conclude(FileInfo(path="x", name="x"), analyzer.infer([sample])[0])


def only(outcome: Outcome) -> Finding:
    assert outcome.status is AnalyzerStatus.OK
    (finding,) = outcome.findings
    assert finding.likelihood is None
    assert finding.caveat
    return finding


def test_a_high_score_is_said_with_its_error_rates() -> None:
    finding = only(run(saved(photo()), (2.0, 2.0, 2.0)))
    assert (finding.code, finding.support) == ("SYN-001", Support.SUPPORTS)
    assert "2 of 150 (1.3 %, at most 4.2 % with 95 % confidence) real photographs" in finding.explanation
    assert "30 of 66" in finding.explanation
    assert finding.data["rates"]["real_called"] == [2, 150]  # type: ignore[index, call-overload]
    for word in ("fake", "authentic", "proves", "certain"):
        assert word not in finding.explanation.lower()


def test_every_answer_names_what_is_not_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(saved(noise(300, 300), "PNG"))
    answers = {answer.question: answer for answer in nsfwforensics.examine(path, only=["deepfake"]).answers}
    assert "put into a real picture" in " ".join(answers[Question.SYNTHESIS].not_checked)


def test_no_sign_is_said_with_what_is_missed() -> None:
    finding = only(run(saved(photo()), (-3.0, -3.0, -3.0)))
    assert (finding.code, finding.support) == ("SYN-003", Support.NO_INDICATION)
    assert "3 of 66" in finding.explanation
    assert "does not make a picture authentic" in finding.caveat


def test_between_is_inconclusive() -> None:
    finding = only(run(saved(photo()), (0.5, 0.5, 0.5)))
    assert (finding.code, finding.support) == ("SYN-002", Support.INCONCLUSIVE)
    assert finding.data["reason"] == "grey_band"
    assert "120 of 150 real photographs" in finding.explanation


def test_pictures_smaller_than_the_calibration_allows_are_ruled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Analyzer, "least_side", 330)
    assert only(run(saved(photo(330, 600)), (2.0, 2.0, 2.0))).code == "SYN-001"
    for turned in (photo(329, 600), photo(600, 329)):
        finding = only(run(saved(turned)))
        assert (finding.code, finding.data["reason"]) == ("SYN-002", "outside_measured")
        assert "smaller than 330 pixels on one side" in finding.explanation


@pytest.mark.parametrize(
    ("data", "state", "portrait"),
    [
        (saved(photo()), "portrait", True),
        (saved(np.repeat(photo()[..., :1], 3, axis=2)), "grey", False),
        (saved(photo(220, 300)), "small", False),
        (saved(photo(400, 900)), "large", False),
    ],
)
def test_a_state_is_compared_with_photographs_in_it(
    monkeypatch: pytest.MonkeyPatch, data: bytes, state: str, portrait: bool
) -> None:
    """Such photographs score higher: what stands out among others does not stand out among them."""
    rates = {**RATES, state: {"real_called": Rate(0, 90), "real_inconclusive": Rate(90, 90)}}
    higher = {**REAL, state: [score + 4 for score in REAL["as_is"]]}
    monkeypatch.setattr("tests.analyzers.test_deepfake.IMAGE", replace(IMAGE, real=higher, rates=rates))
    assert only(run(saved(photo()), (2.0, 2.0, 2.0))).code == "SYN-001"
    finding = only(run(data, (2.0, 2.0, 2.0), portrait=portrait))
    assert (finding.code, finding.data["reason"], finding.data["state"]) == ("SYN-002", "grey_band", state)
    assert "this was the answer for 90 of 90 real photographs" in finding.explanation
    assert only(run(data, (9.0, 9.0, 9.0), portrait=portrait)).code == "SYN-001"


def test_of_a_kind_of_which_too_few_pictures_were_at_hand_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates = {**RATES, "plain_ground": {"real_inconclusive": Rate(60, 83), "gallery_inconclusive": Rate(32, 32)}}
    image = replace(
        IMAGE, real={**REAL, "plain_ground": [-1.0] * 83}, rates=rates, alpha=0.0, beta=0.0, alphas={"as_is": 0.02}
    )
    monkeypatch.setattr("tests.analyzers.test_deepfake.IMAGE", image)
    assert only(run(saved(photo()), (9.0, 9.0, 9.0))).code == "SYN-001"
    for score in (9.0, 0.0, -9.0):
        finding = only(run(saved(photo()), (score,) * 3, plain=True))
        assert finding.code == "SYN-002"
        assert (finding.data["reason"], finding.data["state"]) == ("plain_ground", "plain_ground")
        assert "plain, light ground, as in a studio, and too few such pictures were at hand" in finding.explanation
        assert "60 of 83 real photographs" in finding.explanation


def test_changed_copies_are_judged_only_before_a_picture_is_said_to_look_generated() -> None:
    analyzer = Analyzer(DeepfakeOptions(), Resources())
    analyzer.scripted = Scripted((2.0, 2.0, 2.0), (0.5, 9.0, 9.0), (-3.0, -3.0, -3.0))
    found = analyzer.infer([analyzer.prepare(Evidence.from_bytes(saved(photo(seed=n)))) for n in range(3)])
    assert analyzer.scripted.copies == 1
    info = FileInfo(path="x", name="x")
    outcomes = [analyzer.conclude(info, scores) for scores in found]
    assert [only(outcome).code for outcome in outcomes] == ["SYN-001", "SYN-002", "SYN-003"]
    assert ["score_resized" in outcome.measurements for outcome in outcomes] == [True, False, False]


def test_a_likelihood_ratio_is_only_stated_where_the_calibration_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    curve = RatioCurve(3.0, 0.0, 0.2, 7.89, 100, 50)
    for allowed in (False, True):
        branch = replace(IMAGE, ratios={"as_is": curve}, claims_ratio=allowed)
        monkeypatch.setattr("tests.analyzers.test_deepfake.IMAGE", branch)
        finding = only(run(saved(photo()), (2.0, 2.0, 2.0)))
        assert ("times as frequent" in finding.explanation) is allowed
        assert ("likelihood_ratio" in finding.data) is allowed
    assert "about 7.8 times as frequent among generated pictures" in finding.explanation
    assert "100 photographs and 50 generated pictures behind this support no more than 7.8" in finding.explanation
    clear = only(run(saved(photo()), (-3.0, -3.0, -3.0)))
    assert "about 5.0 times as frequent among photographs" in clear.explanation


WITHHELD = Withheld(
    Because.ERROR_RATES_DO_NOT_HOLD,
    {
        "768_q60": {"real_called": Rate(12, 189), "gallery_called": Rate(10, 126)},
        "as_is": {"real_called": Rate(6, 189), "gallery_called": Rate(6, 126)},
    },
)
LATER = (
    "On pictures in their original files, by publishers that nobody had trained or calibrated on, it called 6 of 189 "
    "photographs generated (3.2 %), and found 6 of 126 generated pictures (4.8 %). On pictures reduced to 768 pixels "
    "and saved at JPEG quality 60, by publishers that nobody had trained or calibrated on, it called 12 of 189 "
    "photographs generated (6.3 %), and found 10 of 126 generated pictures (7.9 %)."
)


@pytest.mark.parametrize("score", [-3.0, 0.5, 2.0, 99.0])
def test_withheld_calls_are_inconclusive_with_what_spoke_against_them(
    monkeypatch: pytest.MonkeyPatch, score: float
) -> None:
    monkeypatch.setattr("tests.analyzers.test_deepfake.IMAGE", replace(IMAGE, withheld=WITHHELD))
    outcome = run(saved(photo()), (score,) * 3)
    finding = only(outcome)
    assert (finding.code, finding.support) == ("SYN-002", Support.INCONCLUSIVE)
    assert finding.data["reason"] == "withheld"
    assert "this model's calls are withheld, because the error rates measured for it came from too few sources" in (
        finding.explanation
    )
    assert finding.explanation.endswith(LATER)
    assert finding.data["withheld"] == [
        {"state": "as_is", "real_called": [6, 189], "gallery_called": [6, 126]},
        {"state": "768_q60", "real_called": [12, 189], "gallery_called": [10, 126]},
    ]
    assert outcome.measurements["score"] == score
    calls_in_other_words = {"p_value_real", "p_value_generated", "scored_as_high", "distribution", "likelihood_ratio"}
    assert not calls_in_other_words & {*outcome.measurements, *finding.data}


def test_a_picture_that_is_ruled_out_is_told_of_withheld_calls_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.analyzers.test_deepfake.IMAGE", replace(IMAGE, withheld=WITHHELD))
    finding = only(run(saved(photo(100, 100))))
    assert finding.data["reason"] == "outside_measured"
    assert "too small to judge its pixels; besides, this model's calls are withheld, because" in finding.explanation
    assert finding.explanation.endswith(LATER)


@pytest.mark.parametrize("views", [(2.0, 0.5, 2.0), (2.0, 2.0, 0.5), (2.0, -3.0, 2.0)])
def test_an_answer_that_turns_is_inconclusive(views: tuple[float, float, float]) -> None:
    finding = only(run(saved(photo()), views))
    assert finding.data["reason"] == "flip"
    assert "saved again" in finding.explanation


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved(photo(199, 900)), "smaller than 200 pixels"),
        (saved(photo(1, 1)), "smaller than 200 pixels"),
        (saved(photo(), "JPEG", quality=30), "strong JPEG compression (quality about 30)"),
        (saved(np.full((600, 600, 3), 240, np.uint8)), "flat"),
        (saved(np.repeat(photo()[..., :1], 3, axis=2)), "no colour"),
        (saved(photo(), "GIF"), "256 colours"),
        (palette_png(), "256 colours"),
    ],
)
def test_what_was_not_measured_is_ruled_out(data: bytes, words: str) -> None:
    outcome = run(data)
    finding = only(outcome)
    assert finding.support is Support.INCONCLUSIVE
    assert finding.data["reason"] == "outside_measured"
    assert words in finding.explanation
    assert "score" not in outcome.measurements
    assert "No error rate is known there." in finding.explanation


def test_what_the_network_takes_for_no_photograph_is_not_judged() -> None:
    outcome = run(saved(photo()), (9.0, 9.0, 9.0), outside=True)
    finding = only(outcome)
    assert (finding.code, finding.support) == ("SYN-002", Support.INCONCLUSIVE)
    assert finding.data["reason"] == "outside_measured"
    assert "a drawing, a page of text, a chart, a screenshot or a rendering rather than" in finding.explanation
    assert "No error rate is known there." in finding.explanation
    assert not {"score", "p_value_real", "p_value_generated", "scored_as_high"} & set(outcome.measurements)


def test_the_rates_are_those_of_the_closest_state() -> None:
    assert run(saved(photo(), "JPEG", quality=60), (0.5,) * 3).measurements["state"] == "768_q60"
    assert run(saved(photo(), "JPEG", quality=95), (0.5,) * 3).measurements["state"] == "as_is"


def test_many_files_at_once_stay_aligned() -> None:
    analyzer = Analyzer(DeepfakeOptions(), Resources())
    analyzer.scripted = Scripted((2.0,) * 3, (0.5,) * 3)
    files = [saved(photo()), saved(photo(100, 100)), saved(photo(seed=1))]
    samples = [analyzer.prepare(Evidence.from_bytes(data)) for data in files]
    samples = pickle.loads(pickle.dumps(samples))
    info = FileInfo(path="x", name="x")
    reasons = [only(analyzer.conclude(info, scores)).code for scores in analyzer.infer(samples)]
    assert reasons == ["SYN-001", "SYN-002", "SYN-002"]


def test_only_decoded_rows_are_judged() -> None:
    data = saved(photo(900, 400), "JPEG", quality=90)
    outcome = run(data[: len(data) // 5])
    assert "smaller than 200" in only(outcome).explanation, "the missing rows were judged"


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_a_turned_picture_that_is_cut_off_is_not_judged(orientation: int) -> None:
    """What is missing is then not at the bottom, and would be judged as if it were picture."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(photo(900, 700), "JPEG", quality=90, exif=exif)
    assert only(run(data, (2.0, 2.0, 2.0))).code == "SYN-001"
    finding = only(run(data[: len(data) * 3 // 4]))
    assert (finding.code, finding.data["reason"]) == ("SYN-002", "outside_measured")
    assert "ends early, and the picture in it is stored turned" in finding.explanation


# --- with the weights that are shipped ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> DeepfakeAnalyzer:
    analyzer = DeepfakeAnalyzer(DeepfakeOptions(), Resources())
    assert analyzer.unavailable() is None
    return analyzer


def scenery(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A photograph at some size: noise would be told to be none, and not be judged."""
    with Image.open(SAMPLES / ("no-face.jpg", "reference.jpg", "camera-original.jpg")[seed % 3]) as image:
        return np.asarray(image.convert("RGB").resize((width, height)))


@pytest.mark.slow
def test_shipped_weights_score_alike_in_any_company(shipped: DeepfakeAnalyzer) -> None:
    samples = [shipped.prepare(Evidence.from_bytes(saved(scenery(340, 400, seed)))) for seed in range(3)]
    alone = [shipped.infer([sample])[0].picture for sample in samples]
    together = [scores.picture for scores in shipped.infer(samples[::-1])][::-1]
    assert alone == together
    assert all(score is not None and np.isfinite(score.score) for score in alone)


def afresh() -> DeepfakeAnalyzer:
    """A fresh analyzer with freshly loaded weights."""
    from nsfwforensics.models.synthesis.classifier import cached_classifier
    from nsfwforensics.models.synthesis.clip import cached_clip

    cached_classifier.cache_clear()
    cached_clip.cache_clear()
    return DeepfakeAnalyzer(DeepfakeOptions(), Resources())


def numbers(scores: Any) -> tuple[float, ...]:
    return (scores.picture.score,)


def test_the_same_bytes_score_the_same_on_every_run_in_any_order_and_batch(shipped: DeepfakeAnalyzer) -> None:
    kinds = [saved(scenery(340 + 20 * n, 340, n), kind) for n, kind in enumerate(("JPEG", "PNG", "WEBP"))]
    once = [numbers(shipped.infer([shipped.prepare(Evidence.from_bytes(data))])[0]) for data in kinds]
    for order, size in (((2, 0, 1), 3), ((1, 0, 1, 2), 3)):
        again = afresh()
        samples = [again.prepare(Evidence.from_bytes(kinds[index])) for index in order]
        parts = [samples[start : start + size] for start in range(0, len(samples), size)]
        found = [numbers(scores) for part in parts for scores in again.infer(part)]
        assert np.abs(np.array(found) - np.array([once[index] for index in order])).max() <= 1e-4


@pytest.mark.slow
def test_another_process_and_another_number_of_threads_score_the_same(shipped: DeepfakeAnalyzer) -> None:
    import subprocess
    import sys

    data = saved(scenery(340, 360, 9), "JPEG")
    here = numbers(shipped.infer([shipped.prepare(Evidence.from_bytes(data))])[0])
    code = (
        "import sys; from nsfwforensics.analyzers.deepfake.analyzer import *;"
        "from nsfwforensics.core.analyzer import Resources;"
        "from nsfwforensics.core.evidence import Evidence;"
        "a = DeepfakeAnalyzer(DeepfakeOptions(), Resources(threads=2));"
        "p = a.infer([a.prepare(Evidence.from_bytes(sys.stdin.buffer.read()))])[0].picture;"
        "print(p.score)"
    )
    out = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True).stdout
    assert np.abs(np.array(here) - np.array([float(word) for word in out.split()])).max() <= 1e-4


@pytest.mark.gpu
def test_cpu_and_gpu_agree_and_company_changes_nothing_there(shipped: DeepfakeAnalyzer) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    beside = DeepfakeAnalyzer(DeepfakeOptions(), Resources(device="cuda:0"))
    samples = [shipped.prepare(Evidence.from_bytes(saved(scenery(340 + 40 * n, 400, n), "JPEG"))) for n in range(5)]
    slow = np.array([numbers(scores) for scores in shipped.infer(samples)])
    fast = np.array([numbers(scores) for scores in beside.infer(samples)])
    alone = np.array([numbers(beside.infer([sample])[0]) for sample in samples])
    assert np.abs(slow - fast).max() <= 0.25  # both in bfloat16, rounded in another order
    assert np.abs(fast - alone).max() <= 1e-4


def test_shipped_calibration_carries_rates_for_every_state(shipped: DeepfakeAnalyzer) -> None:
    image = shipped._calibration.image
    assert image.withheld is None
    assert shipped._calibration.least_side == 200
    assert "plain_ground" not in image.alphas
    assert image.rate("plain_ground", "real_called").total < 100
    for state in (*TIERS, "grey", "small", "large", "portrait"):
        assert 1 / (len(image.real[state]) + 1) <= image.alpha_of(state), "fewer photographs cannot carry this p-value"
        called = image.rate(state, "real_called")
        assert called.total >= 100
        assert called.share <= 0.01
        assert image.rate(state, "gallery_cleared").total >= 90
        assert state in STATES


def test_the_models_are_named_for_the_report(shipped: DeepfakeAnalyzer) -> None:
    records = shipped.models()
    assert [record.name for record in records] == ["clip-vit-b16", "synthesis", "synthesis-calibration"]
    assert all(len(record.sha256) == 64 and record.used_by == "deepfake" for record in records)


def test_missing_weights_are_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    from nsfwforensics.errors import WeightsError
    from nsfwforensics.models import weights

    def missing(*arguments: object) -> object:
        raise WeightsError("synthesis.safetensors (synthesis) is missing")

    monkeypatch.setattr(weights, "locate", missing)
    reason = DeepfakeAnalyzer(DeepfakeOptions(), Resources()).unavailable()
    assert reason is not None
    assert "missing" in reason


def test_importing_the_analyzer_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = "import sys, nsfwforensics.analyzers.deepfake.analyzer; print([m for m in ('torch', 'cv2', 'PIL', 'numpy') if m in sys.modules])"  # noqa: E501
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
