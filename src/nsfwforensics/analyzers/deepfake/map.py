"""The score map of the deepfake analyzer (``--score-map``): where in a picture pixels score differently.

What may be said of it is decided by the calibration: a finding only where few untouched photographs were measured to
have a region that stands out as much, otherwise the map is a lead for people and the answer *inconclusive*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.analyzers.deepfake.map_words import (
    map_rates,
    nothing_words,
    region_words,
    unmade_words,
    unmeasured_words,
    unreliable_words,
)
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Artifact, Finding, Region, Support

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.analyzer import BaseAnalyzer
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.synthesis.classifier import SynthesisClassifier
    from nsfwforensics.models.synthesis.region_limits import RegionLimits
    from nsfwforensics.models.synthesis.standout import Standout
    from nsfwforensics.models.synthesis.tile_map import Tiles


@dataclass(frozen=True, slots=True)
class MapSample:
    """What one file sends to the model for its map.

    Attributes:
        tiles: Where the tiles lie, or None where no map is made.
        pixels: uint8 (N, 128, 128, 3): the tiles that are judged.
        size: Width and height of the picture.
        rows: Rows of it that could be decoded.
        reason: Why no map is made, or None.
    """

    tiles: Tiles | None
    pixels: NDArray[np.uint8] | None
    size: tuple[int, int]
    rows: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MapScores:
    """A judged map.

    Attributes:
        sample: What was judged.
        scores: float64 (rows, columns), NaN where no tile was judged; None where no map was made.
        reason: Why not, or None.
    """

    sample: MapSample
    scores: NDArray[np.float64] | None
    reason: str | None = None


def take_map(evidence: Evidence, rgb: NDArray[np.uint8], ruled_out: str | None) -> MapSample:
    """Lays tiles over a picture and cuts them out.

    Args:
        evidence: The file.
        rgb: Its decoded rows, uint8 (height, width, 3).
        ruled_out: Why no model judges the picture, or None.
    """
    from nsfwforensics.models.synthesis import tile_map

    size = (evidence.rgb.shape[1], evidence.rgb.shape[0])
    if ruled_out is not None:
        return MapSample(None, None, size, len(rgb), ruled_out)
    found = tile_map.tiles(rgb)
    if found is None:
        too_small = say("it is smaller than {least} pixels on one side, too small for a map", least=tile_map.LEAST_SIDE)
        return MapSample(None, None, size, len(rgb), too_small)
    return MapSample(found, tile_map.cut(rgb, found), size, len(rgb))


def judge_map(classifier: SynthesisClassifier, sample: MapSample) -> MapScores:
    """Judges the tiles of one picture."""
    from nsfwforensics.models.synthesis.tile_map import on_grid

    if sample.tiles is None or sample.pixels is None:
        return MapScores(sample, None, sample.reason)
    if not classifier.maps:
        return MapScores(sample, None, say("the installed weights have no part that can judge single tiles"))
    return MapScores(sample, on_grid(sample.tiles, classifier.tile_logits(sample.pixels)))


def conclude_map(
    analyzer: BaseAnalyzer, judged: MapScores, limits: RegionLimits | None, state: str
) -> tuple[Finding, dict[str, Any], tuple[Artifact, ...]]:
    """What may be said of a map, its figures, and the map itself as a picture.

    Args:
        analyzer: Makes the finding.
        judged: The map.
        limits: What such maps were measured to be worth, or None.
        state: The measured state that resembles the picture most.
    """
    from nsfwforensics.models.synthesis.standout import STATISTICS, standout

    tiles, scores = judged.sample.tiles, judged.scores
    if limits is not None and limits.statistic not in STATISTICS:
        limits = None  # its threshold belongs to a measure that this version does not know
    statistic = limits.statistic if limits is not None else next(iter(STATISTICS))
    found = None if tiles is None or scores is None else standout(statistic, scores, tiles.texture)
    if tiles is None or scores is None or found is None:
        reason = judged.reason or say("too little of it shows texture")
        return _inconclusive(analyzer, unmade_words(reason), "not_made"), {"not_judged": reason}, ()
    x, y, width, height = _box(tiles, found)
    measurements: dict[str, Any] = {
        "tiles": len(judged.sample.pixels) if judged.sample.pixels is not None else 0,
        "tile": int(_side()),
        "statistic": statistic,
        "stands_out": round(found.value, 5),
        "stands_out_most": [x, y, width, height],
    }
    picture = _picture(analyzer, tiles, scores, judged.sample)
    if limits is None:
        return _inconclusive(analyzer, unmeasured_words(), "not_measured"), measurements, (picture,)
    measurements["threshold"] = limits.threshold
    data = {"state": state, **measurements}
    if not limits.speaks(state):
        words = unreliable_words(limits, state)
        return _inconclusive(analyzer, words, "not_reliable", data), measurements, (picture,)
    rates = {ERROR_RATES: map_rates(limits, state)}
    if found.value < limits.threshold:
        words = nothing_words(limits, state)
        return _inconclusive(analyzer, words, "nothing_stands_out", data | rates), measurements, (picture,)
    region = Region(x=x, y=y, width=width, height=height)
    words = region_words(limits, state, region, judged.sample.size)
    return analyzer.finding("SYN-012", words, data=data | rates, region=region), measurements, (picture,)


def _inconclusive(analyzer: BaseAnalyzer, words: str, reason: str, data: dict[str, Any] | None = None) -> Finding:
    return analyzer.finding("SYN-013", words, support=Support.INCONCLUSIVE, data={"reason": reason, **(data or {})})


def _side() -> int:
    from nsfwforensics.models.synthesis.tile_map import TILE

    return TILE


def _box(tiles: Tiles, found: Standout) -> tuple[int, int, int, int]:
    """The box around the tiles of a region, in pixels."""
    import numpy as np

    rows, columns = np.flatnonzero(found.region.any(1)), np.flatnonzero(found.region.any(0))
    if not len(rows):
        return 0, 0, 0, 0
    left, top = int(tiles.xs[columns[0]]), int(tiles.ys[rows[0]])
    right, bottom = int(tiles.xs[columns[-1]]) + _side(), int(tiles.ys[rows[-1]]) + _side()
    return left, top, right - left, bottom - top


def _picture(analyzer: BaseAnalyzer, tiles: Tiles, scores: NDArray[np.float64], sample: MapSample) -> Artifact:
    """The map drawn at the picture's size: every place in the colour of the tile whose middle is nearest."""
    import numpy as np

    from nsfwforensics.signals.traces.maps import MOST_SIDE, map_png

    def places(length: int) -> NDArray[np.float64]:
        return np.asarray((np.arange(min(length, MOST_SIDE)) + 0.5) * length / min(length, MOST_SIDE), np.float64)

    def nearest(starts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        ends = (starts[:-1] + starts[1:] + _side()) / 2
        return np.asarray(np.searchsorted(ends, places(length)), np.int64)

    width, height = sample.size
    plane = scores[np.ix_(nearest(tiles.ys, height), nearest(tiles.xs, width))]
    plane[places(height) > sample.rows] = np.nan  # rows that could not be decoded
    name = say("map of the model's score")
    data = map_png(plane, sample.size)
    return Artifact(name=name, media_type="image/png", data=data, embed=analyzer.resources.thumbnails)
