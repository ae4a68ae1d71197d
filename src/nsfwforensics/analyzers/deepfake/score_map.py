"""The score map of the deepfake analyzer (``--score-map``): how the parts of a picture score on their own.

It is a lead for people who look at the picture, never a finding: in photographs that were edited in known places it was
no brighter there than elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.analyzers.deepfake.score_map_words import unmade_words, unmeasured_words
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Artifact, Finding, Support

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.analyzer import BaseAnalyzer
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.synthesis.classifier import SynthesisClassifier
    from nsfwforensics.models.synthesis.windows import Windows


@dataclass(frozen=True, slots=True)
class MapSample:
    """What one file sends to the model for its map.

    Attributes:
        windows: Where they lie, or None where no map is made.
        views: uint8 (N, 224, 224, 3): what is judged of them.
        size: Width and height of the picture.
        rows: Rows of it that could be decoded.
        reason: Why no map is made, or None.
    """

    windows: Windows | None
    views: NDArray[np.uint8] | None
    size: tuple[int, int]
    rows: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MapScores:
    """The scores of a picture's windows, from which its map is drawn.

    Attributes:
        sample: What was judged.
        scores: float64 (rows, columns); None where no map was made.
    """

    sample: MapSample
    scores: NDArray[np.float64] | None


def take_map(evidence: Evidence, rgb: NDArray[np.uint8], ruled_out: str | None) -> MapSample:
    """Lays windows over a picture and cuts them out.

    Args:
        evidence: The file.
        rgb: Its decoded rows, uint8 (height, width, 3).
        ruled_out: Why no model judges the picture, or None.
    """
    from nsfwforensics.models.synthesis.windows import LEAST_SIDE, cut, windows

    size = (evidence.rgb.shape[1], evidence.rgb.shape[0])
    if ruled_out is not None:
        return MapSample(None, None, size, len(rgb), ruled_out)
    found = windows(*rgb.shape[:2])
    if found is None:
        too_small = say("it is smaller than {least} pixels on one side, too small for a map", least=LEAST_SIDE)
        return MapSample(None, None, size, len(rgb), too_small)
    return MapSample(found, cut(rgb, found), size, len(rgb))


def judge_map(classifier: SynthesisClassifier, sample: MapSample) -> MapScores:
    """Judges the windows of one picture."""
    if sample.windows is None or sample.views is None:
        return MapScores(sample, None)
    shape = len(sample.windows.ys), len(sample.windows.xs)
    return MapScores(sample, classifier.logits(sample.views).reshape(shape))


def conclude_map(analyzer: BaseAnalyzer, judged: MapScores) -> tuple[Finding, dict[str, Any], tuple[Artifact, ...]]:
    """What may be said of a map, its figures, and the map itself as a picture.

    Args:
        analyzer: Makes the finding.
        judged: The map.
    """
    found, scores = judged.sample.windows, judged.scores
    if found is None or scores is None:
        reason = judged.sample.reason or ""
        return _inconclusive(analyzer, unmade_words(reason), "not_made"), {"not_judged": reason}, ()
    row, column = divmod(int(scores.argmax()), scores.shape[1])
    measurements: dict[str, Any] = {
        "tiles": scores.size,
        "tile": found.side,
        "stands_out": round(float(scores.max() - scores.mean()), 5),
        "stands_out_most": [int(found.xs[column]), int(found.ys[row]), found.side, found.side],
    }
    picture = _picture(analyzer, found, scores, judged.sample)
    return _inconclusive(analyzer, unmeasured_words(), "not_measured", measurements), measurements, (picture,)


def _inconclusive(analyzer: BaseAnalyzer, words: str, reason: str, data: dict[str, Any] | None = None) -> Finding:
    return analyzer.finding("SYN-013", words, support=Support.INCONCLUSIVE, data={"reason": reason, **(data or {})})


def _picture(analyzer: BaseAnalyzer, found: Windows, scores: NDArray[np.float64], sample: MapSample) -> Artifact:
    """The map drawn at the picture's size: every place in the colour of the window whose middle is nearest."""
    import numpy as np

    from nsfwforensics.signals.traces.visualisation import MOST_SIDE, map_png

    def places(length: int) -> NDArray[np.float64]:
        return np.asarray((np.arange(min(length, MOST_SIDE)) + 0.5) * length / min(length, MOST_SIDE), np.float64)

    def nearest(starts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        ends = (starts[:-1] + starts[1:] + found.side) / 2
        return np.asarray(np.searchsorted(ends, places(length)), np.int64)

    width, height = sample.size
    plane = scores[np.ix_(nearest(found.ys, height), nearest(found.xs, width))]
    plane[places(height) > sample.rows] = np.nan  # rows that could not be decoded
    name = say("map of the model's score")
    data = map_png(plane, sample.size)
    return Artifact(name=name, media_type="image/png", data=data, embed=analyzer.resources.thumbnails)
