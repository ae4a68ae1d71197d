from __future__ import annotations

from typing import Any

import pytest
from markupsafe import Markup

from nsfwforensics.core.types import AnalyzerResult, Finding, Question, Region
from nsfwforensics.language import Language, language
from nsfwforensics.report import charts
from tests.report.charts.drawn import cells, inside, read, shapes, texts
from tests.report.factory import HOSTILE, declared, finding, result

ENGLISH = language("en")
CHARTS = {record.name: record.charts for record in declared("deepfake", "faces", "known", "jpeg")}


def score(made: AnalyzerResult, found: Finding, language: Language) -> Markup | None:
    return charts.score(made, found, CHARTS[made.analyzer], language)


SCORES = {
    "start": -2.0,
    "step": 0.5,
    "groups": {"real": [4, 10, 3, 0, 0, 1], "gallery": [0, 0, 2, 5, 9, 4]},
    "generated_from": 0.5,
    "clear_below": -1.0,
}
DISTANCES = {
    "start": 0.3,
    "step": 0.1,
    "groups": {"same_person": [9, 5, 1, 0, 0, 0], "different_people": [0, 0, 2, 8, 90, 40]},
}


def classified(value: float = 0.7, code: str = "SYN-001", **changes: Any) -> tuple[AnalyzerResult, Finding]:
    measurements = {
        "score": value, "score_recompressed": value - 0.1, "score_resized": value - 0.2,
        "scored_as_high": {"real": [1, 18], "gallery": [7, 20]},
        "faces": [{"box": [1, 2, 30, 40], "score": -1.5}, {"box": [5, 6, 7, 8], "score": 0.25}],
    }  # fmt: skip
    found = finding(code, data={"distribution": SCORES} | changes.pop("data", {}), **changes)
    return result("deepfake", Question.SYNTHESIS, findings=(found,), measurements=measurements), found


def test_a_score_lies_among_what_was_measured() -> None:
    chart = read(score(*classified(), ENGLISH))
    drawn = texts(chart)
    assert "Real photographs: 18 measured" in drawn
    assert "Generated pictures: 20 measured" in drawn
    assert "this picture: 0.70" in drawn
    assert {"no sign found", "inconclusive", "looks generated"} & set(drawn)
    assert len(shapes(chart, "bar")) == 8
    assert len(shapes(chart, "band")) == 1
    assert len(shapes(chart, "mark")) == 1
    assert len(shapes(chart, "mark-other")) == 2
    description = chart.findtext("svg/desc")
    assert description is not None
    assert "Real photographs: 1 of 18 scored as high or higher." in description
    assert ["below -1.5", "4", "0"] in cells(chart)
    assert ["0.5 and above", "1", "4"] in cells(chart)
    inside(chart)


def test_the_grey_band_lies_between_the_limits() -> None:
    chart = read(score(*classified(), ENGLISH))
    band = shapes(chart, "band")[0]
    left, width = float(band.attrib["x"]), float(band.attrib["width"])
    low, high = (24 + 632 * share for share in (1 / 3, 2.5 / 3))
    assert left == pytest.approx(low, abs=0.2)
    assert left + width == pytest.approx(high, abs=0.2)


def test_without_limits_everything_is_grey() -> None:
    chart = read(
        score(*classified(data={"distribution": SCORES | {"generated_from": None, "clear_below": None}}), ENGLISH)
    )
    assert float(shapes(chart, "band")[0].attrib["width"]) == pytest.approx(632)
    assert "looks generated" not in texts(chart)


@pytest.mark.parametrize("value", [-50.0, 50.0, -2.0, 1.0])
def test_a_value_beyond_the_range_stays_at_its_edge(value: float) -> None:
    inside(read(score(*classified(value), ENGLISH)))


def test_a_face_found_is_marked_alone_and_all_faces_where_none_was() -> None:
    region = Region(x=5, y=6, width=7, height=8)
    alone = read(score(*classified(code="SYN-010", region=region), ENGLISH))
    assert "this face: 0.25" in texts(alone)
    assert not shapes(alone, "mark-other")
    both = read(score(*classified(code="SYN-011"), ENGLISH))
    assert len(shapes(both, "mark")) + len(shapes(both, "mark-other")) == 2
    assert "Faces in real photographs: 18 measured" in texts(both)


def test_a_face_lies_among_pairs_of_one_person_and_of_different_people() -> None:
    found = finding(
        "FACE-001", data={"distance": 0.42, "match_below": 0.5, "unlike_above": 0.65, "distribution": DISTANCES}
    )
    chart = read(score(result("faces", Question.IDENTITY, findings=(found,)), found, ENGLISH))
    assert "this face: 0.42" in texts(chart)
    assert {"similar", "inconclusive", "not similar"} <= set(texts(chart))
    inside(chart)


def test_a_known_picture_lies_on_the_scale_of_its_hash() -> None:
    found = finding("KNOWN-002", data={"matches": [{"hash_kind": "pdq", "distance": 12}]})
    known = result("known", Question.KNOWN, findings=(found,), measurements={"max_distance": 31})
    chart = read(score(known, found, ENGLISH))
    assert "this picture: 12" in texts(chart)
    assert not shapes(chart, "bar")
    inside(chart)


@pytest.mark.parametrize(
    "stored",
    [
        None, [], {}, {"start": 0}, {"start": 0, "step": 0, "groups": {"real": [1]}},
        {"start": 0, "step": 1, "groups": {"real": [1], "gallery": [1, 2]}},
        {"start": 0, "step": 1, "groups": {"real": [0, 0]}}, {"start": 0, "step": 1, "groups": {"real": [-1, 2]}},
        {"start": 0, "step": 1, "groups": {"real": [1] * 100_000}}, {"start": "0", "step": 1, "groups": {"real": [1]}},
        {"start": 0, "step": 1, "groups": {"<script>": [1, 2]}}, {"start": 0, "step": 1, "groups": {"real": ["a"]}},
    ],
)  # fmt: skip
def test_a_report_that_was_tampered_with_draws_nothing(stored: object) -> None:
    assert score(*classified(data={"distribution": stored}), ENGLISH) is None


def test_findings_of_others_are_not_drawn() -> None:
    assert score(*classified(code="JPEG-001"), ENGLISH) is None
    report, _ = classified()
    assert score(report, finding("KNOWN-002"), ENGLISH) is None


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_in_the_data_is_not_drawn(text: str) -> None:
    chart = score(*classified(data={"distribution": SCORES | {"groups": SCORES["groups"] | {text: [1] * 6}}}), ENGLISH)
    assert text not in str(chart)
    read(chart)
