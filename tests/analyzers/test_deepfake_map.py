"""The score map of the deepfake analyzer: made only when asked for, and spoken of only as far as it was measured."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.analyzers.deepfake.analyzer import DeepfakeAnalyzer, DeepfakeOptions
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import FileInfo, Finding, Question, Severity, Support
from nsfwforensics.models.synthesis.calibration import Branch, Calibration, Rate, RegionLimits
from nsfwforensics.models.synthesis.classifier import PictureScore
from nsfwforensics.models.synthesis.tile_map import MOST, TILE
from tests.training import synthetic

STATES = ("as_is", "768_q60", "512_q40")
IMAGE = Branch({"as_is": [n / 50 - 1 for n in range(100)]}, {"gallery": {"as_is": [0.0]}}, 0.02, 0.0, True)
RELIABLE = RegionLimits(
    "rectangle",
    4.0,
    {state: {"untouched_marked": Rate(1, 200), "edited_marked": Rate(40, 100)} for state in STATES},
    {"auc": {state: {"value": 0.8, "low": 0.72, "high": 0.88} for state in STATES}},
)
UNRELIABLE = replace(RELIABLE, facts={"auc": {state: {"value": 0.55, "low": 0.46, "high": 0.64} for state in STATES}})


class Brightness:
    """Stands in for the network: bright tiles score high."""

    def __init__(self, *, maps: bool = True) -> None:
        self.maps = maps
        self.judged = 0

    def score(self, batch: Any) -> list[PictureScore]:
        return [PictureScore(0.0, 0.1, 0.0, 0.0, len(p.native)) for p in batch]

    def score_faces(self, faces: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.zeros(len(faces))

    def tile_logits(self, tiles: NDArray[np.uint8]) -> NDArray[np.float64]:
        self.judged += len(tiles)
        return tiles.mean((1, 2, 3)) / 8


class Analyzer(DeepfakeAnalyzer):
    """The analyzer with a calibration and a network of the test's own."""

    network = Brightness()
    regions: RegionLimits | None = RELIABLE

    @property
    def _calibration(self) -> Calibration:
        return Calibration(IMAGE, None, 0.75, 50.0, regions=self.regions)

    @property
    def _classifier(self) -> Any:
        return self.network


def photo(height: int = 640, width: int = 800, bright: tuple[int, int, int, int] | None = None) -> bytes:
    """Even noise, with a brighter place."""
    rgb = np.random.default_rng(0).integers(60, 120, (height, width, 3))
    if bright is not None:
        x, y, w, h = bright
        rgb[y : y + h, x : x + w] += 90
    buffer = io.BytesIO()
    Image.fromarray(rgb.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def run(data: bytes, regions: RegionLimits | None = RELIABLE, *, asked: bool = True, **made: Any) -> Outcome:
    analyzer = Analyzer(DeepfakeOptions(faces=False, score_map=asked), Resources(**made.pop("resources", {})))
    analyzer.regions = regions
    analyzer.network = Brightness(**made)
    sample = pickle.loads(pickle.dumps(analyzer.prepare(Evidence.from_bytes(data))))
    return analyzer.conclude(FileInfo(path="x", name="x"), analyzer.infer([sample])[0])


def about_map(outcome: Outcome) -> Finding:
    (found,) = [finding for finding in outcome.findings if finding.code in ("SYN-012", "SYN-013")]
    assert found.caveat
    for word in ("fake", "authentic", "proves", "certain"):
        assert word not in found.explanation.lower()
    return found


def test_no_map_is_made_unless_asked_for() -> None:
    outcome = run(photo(bright=(320, 160, 256, 256)), asked=False)
    assert [finding.code for finding in outcome.findings] == ["SYN-002"]
    assert not outcome.artifacts
    assert "score_map" not in outcome.measurements


def test_a_region_that_stands_out_is_reported_where_that_is_reliable() -> None:
    outcome = run(photo(bright=(320, 160, 256, 256)))
    finding = about_map(outcome)
    assert (finding.code, finding.support, finding.severity) == ("SYN-012", Support.SUPPORTS, Severity.LOW)
    assert finding.question is Question.ALTERATION
    assert "1 of 200 (0.50 %, at most 2.4 % with 95 % confidence) untouched photographs" in finding.explanation
    assert "40 of 100" in finding.explanation
    box = finding.region
    assert box is not None
    assert abs(box.x - 320) <= TILE and abs(box.y - 160) <= TILE
    assert box.x <= 330 and box.x + box.width >= 560, "the bright place is in the region"
    assert [rate["errors"] for rate in finding.data[ERROR_RATES]] == [1, 60]  # type: ignore[union-attr]
    assert outcome.measurements["score_map"]["stands_out"] >= 4.0
    assert outcome.measurements["score_map"]["tiles"] <= MOST


def test_the_map_is_kept_as_a_picture_and_not_embedded_without_thumbnails() -> None:
    for thumbnails in (False, True):
        outcome = run(photo(bright=(480, 0, 320, 320)), resources={"thumbnails": thumbnails})
        (artifact,) = outcome.artifacts
        assert (artifact.media_type, artifact.embed) == ("image/png", thumbnails)
        assert artifact.data is not None
        drawn = np.asarray(Image.open(io.BytesIO(artifact.data)).convert("RGB")).astype(int)
        assert drawn.shape == (640, 800, 3)
        yellow = (drawn[..., 0] > 180) & (drawn[..., 2] < 100)
        assert yellow[100:200, 560:760].all(), "the bright place is drawn where it is"
        assert not yellow[400:].any()


def test_a_map_in_which_nothing_stands_out_is_inconclusive() -> None:
    finding = about_map(run(photo()))
    assert (finding.code, finding.support, finding.region) == ("SYN-013", Support.INCONCLUSIVE, None)
    assert finding.data["reason"] == "nothing_stands_out"
    assert "60 of 100" in finding.explanation


@pytest.mark.parametrize(
    ("regions", "reason"),
    [
        (UNRELIABLE, "not_reliable"),
        (None, "not_measured"),
        (replace(RELIABLE, statistic="from-the-future"), "not_measured"),
    ],
)
def test_a_map_that_is_not_reliable_is_only_a_lead_whatever_it_shows(regions: RegionLimits | None, reason: str) -> None:
    for data in (photo(), photo(bright=(320, 160, 256, 256))):
        outcome = run(data, regions)
        finding = about_map(outcome)
        assert (finding.code, finding.support, finding.region) == ("SYN-013", Support.INCONCLUSIVE, None)
        assert finding.data["reason"] == reason
        assert "Nothing is concluded" in finding.explanation
        assert len(outcome.artifacts) == 1


def test_the_state_of_the_picture_decides() -> None:
    facts = {"auc": {**RELIABLE.facts["auc"], "768_q60": {"value": 0.5, "low": 0.4, "high": 0.6}}}
    buffer = io.BytesIO()
    Image.open(io.BytesIO(photo(bright=(320, 160, 256, 256)))).save(buffer, "JPEG", quality=60)
    finding = about_map(run(buffer.getvalue(), replace(RELIABLE, facts=facts)))
    assert finding.data["reason"] == "not_reliable"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (photo(300, 900), "too small for a map"),
        (photo(100, 100), "smaller than 256 pixels"),
        (photo(330, 330), "too little of it shows texture"),
    ],
)
def test_why_there_is_no_map_is_said(data: bytes, words: str) -> None:
    if "texture" in words:
        rgb = np.asarray(Image.open(io.BytesIO(data))).copy()
        rgb[:, :200] = 90
        rgb[:40] = 90
        buffer = io.BytesIO()
        Image.fromarray(rgb).save(buffer, "PNG")
        data = buffer.getvalue()
    outcome = run(data)
    finding = about_map(outcome)
    assert finding.support is Support.INCONCLUSIVE
    assert words in finding.explanation
    assert words in outcome.measurements["score_map"]["not_judged"]
    assert not outcome.artifacts


def test_weights_that_cannot_judge_tiles_make_no_map() -> None:
    outcome = run(photo(), maps=False)
    assert "no part that can judge" in about_map(outcome).explanation


def test_many_files_stay_aligned() -> None:
    analyzer = Analyzer(DeepfakeOptions(faces=False, score_map=True), Resources())
    files = [photo(), photo(100, 100), photo(bright=(320, 160, 256, 256))]
    samples = [analyzer.prepare(Evidence.from_bytes(data)) for data in files]
    info = FileInfo(path="x", name="x")
    found = [about_map(analyzer.conclude(info, scores)) for scores in analyzer.infer(samples)]
    assert [finding.data.get("reason", "found") for finding in found] == ["nothing_stands_out", "not_made", "found"]


def test_rows_that_could_not_be_decoded_are_no_part_of_the_map() -> None:
    buffer = io.BytesIO()
    Image.fromarray(synthetic.picture(0, 900, 500)).save(buffer, "JPEG", quality=90)
    data = buffer.getvalue()
    outcome = run(data[: int(0.7 * len(data))])
    x, y, width, height = outcome.measurements["score_map"]["stands_out_most"]
    assert x + width <= 500 and y + height <= 900 * 0.8
