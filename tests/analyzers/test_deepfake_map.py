"""The score map of the deepfake analyzer: made only when asked for, and never more than a lead."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.analyzers.deepfake.analyzer import DeepfakeAnalyzer, DeepfakeOptions
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import FileInfo, Support
from nsfwforensics.models.synthesis.calibration import Branch, Calibration
from nsfwforensics.models.synthesis.classifier import WholeScore
from nsfwforensics.models.synthesis.windows import MOST, windows
from tests.pictures import saved

IMAGE = Branch({"as_is": [n / 50 - 1 for n in range(100)]}, {"gallery": {"as_is": [0.0]}}, 0.02, 0.0, True)


class Brightness:
    """Stands in for the network: bright windows score high."""

    def __init__(self, *, outside: bool = False) -> None:
        self.judged = 0
        self.outside = outside

    def score(self, batch: Sequence[NDArray[np.uint8]], asked: Callable[[int, WholeScore], bool]) -> list[WholeScore]:
        del asked
        return [WholeScore(0.0, outside=self.outside) for _ in batch]

    def logits(self, views: NDArray[np.uint8]) -> NDArray[np.float64]:
        self.judged += len(views)
        return np.asarray(views.mean((1, 2, 3)) / 8, np.float64)


class Analyzer(DeepfakeAnalyzer):
    """The analyzer with a calibration and a network of the test's own."""

    network = Brightness()

    @property
    def _calibration(self) -> Calibration:
        return Calibration(IMAGE, 0.75, 35.0)

    @property
    def _classifier(self) -> Any:
        return self.network


def photo(height: int = 640, width: int = 800, bright: tuple[int, int, int, int] | None = None) -> bytes:
    """Even noise, with a brighter place."""
    rgb = np.random.default_rng(0).integers(0, 180, (height, width, 3), np.uint8)
    if bright:
        x, y, w, h = bright
        rgb[y : y + h, x : x + w] += 70
    return saved(rgb)


def run(data: bytes, *, asked: bool = True, thumbnails: bool = False) -> tuple[Outcome, Brightness]:
    analyzer = Analyzer(DeepfakeOptions(score_map=asked), Resources(thumbnails=thumbnails))
    analyzer.network = Brightness()
    (sample,) = pickle.loads(pickle.dumps([analyzer.prepare(Evidence.from_bytes(data))]))
    outcome = analyzer.conclude(FileInfo(path="x", name="x"), analyzer.infer([sample])[0])
    return outcome, analyzer.network


def test_no_map_is_made_of_what_the_network_takes_for_no_photograph() -> None:
    analyzer = Analyzer(DeepfakeOptions(score_map=True), Resources())
    analyzer.network = Brightness(outside=True)
    scores = analyzer.infer([analyzer.prepare(Evidence.from_bytes(photo()))])[0]
    outcome = analyzer.conclude(FileInfo(path="x", name="x"), scores)
    assert analyzer.network.judged == 0
    assert "rather than a photograph" in outcome.measurements["score_map"]["not_judged"]
    assert not outcome.artifacts


def test_no_map_is_made_unless_it_is_asked_for() -> None:
    outcome, network = run(photo(), asked=False)
    assert [finding.code for finding in outcome.findings] == ["SYN-002"]
    assert network.judged == 0
    assert "score_map" not in outcome.measurements
    assert not outcome.artifacts


def test_a_map_is_a_lead_and_no_finding() -> None:
    outcome, network = run(photo(bright=(240, 320, 320, 320)))
    found = outcome.findings[-1]
    assert (found.code, found.support, found.region) == ("SYN-013", Support.INCONCLUSIVE, None)
    assert "Nothing is concluded from the score map" in found.explanation
    figures = outcome.measurements["score_map"]
    assert figures["tiles"] == network.judged
    x, y, side, _ = figures["stands_out_most"]
    assert (x, y, side) == (240, 320, 320)
    (artifact,) = outcome.artifacts
    assert artifact.media_type == "image/png"
    assert not artifact.embed
    with Image.open(io.BytesIO(artifact.data)) as drawn:
        assert drawn.width == 800


@pytest.mark.parametrize(
    ("data", "words"), [(photo(300, 400), "smaller than 336 pixels"), (photo(90, 90), "too small")]
)
def test_what_gets_no_map_is_told_why(data: bytes, words: str) -> None:
    outcome, network = run(data)
    assert network.judged == 0
    assert words in outcome.findings[-1].explanation
    assert words in outcome.measurements["score_map"]["not_judged"]


@pytest.mark.parametrize("size", [(336, 336), (640, 800), (4000, 6000), (336, 60_000), (90_000, 400)])
def test_windows_lie_inside_and_are_few(size: tuple[int, int]) -> None:
    found = windows(*size)
    assert found is not None
    assert len(found.xs) * len(found.ys) <= MOST
    assert min(len(found.xs), len(found.ys)) >= 2
    for starts, length in ((found.ys, size[0]), (found.xs, size[1])):
        assert starts[0] == 0
        assert starts[-1] + found.side == length
