"""What a map was measured to be worth: it comes back from the file, and decides whether a region may be reported."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from nsfwforensics.errors import WeightsError
from nsfwforensics.models.synthesis.calibration import Branch, Calibration, Rate, RegionLimits

STATES = ("as_is", "768_q60", "512_q40")


def limits(wrong: int = 1, found: int = 40, low: float | None = 0.7) -> RegionLimits:
    rates = {state: {"untouched_marked": Rate(wrong, 200), "edited_marked": Rate(found, 100)} for state in STATES}
    return RegionLimits("rectangle", 2.5, rates, {"auc": {s: {"value": 0.8, "low": low, "high": 0.9} for s in STATES}})


CALIBRATION = Calibration(Branch({"as_is": [0.0]}, {}, 0.01, 0.1, True), None, 0.75, 50.0, regions=limits())


def test_it_comes_back() -> None:
    text = CALIBRATION.dumps()
    back = Calibration.loads(text)
    assert back.regions == CALIBRATION.regions
    assert back.dumps() == text
    assert Calibration.loads(replace(CALIBRATION, regions=None).dumps()).regions is None


def test_files_from_before_load() -> None:
    content = json.loads(CALIBRATION.dumps())
    del content["regions"]
    assert Calibration.loads(json.dumps(content)).regions is None


@pytest.mark.parametrize(
    "broken",
    [[1], {"statistic": 3, "threshold": 1, "rates": {}, "facts": {}}, {"statistic": "rectangle"},
     {"statistic": "rectangle", "threshold": "high", "rates": {}, "facts": {}},
     {"statistic": "rectangle", "threshold": 1, "rates": {"as_is": {"x": 4}}, "facts": {}}],
)  # fmt: skip
def test_what_is_unreadable_is_said(broken: Any) -> None:
    content = json.loads(CALIBRATION.dumps())
    content["regions"] = broken
    with pytest.raises(WeightsError, match="not readable"):
        Calibration.loads(json.dumps(content))


def test_a_region_is_reported_only_where_that_was_measured_to_be_reliable() -> None:
    assert all(limits().speaks(state) for state in STATES)
    assert not limits().speaks("never_measured")
    assert not limits(wrong=3).speaks("as_is"), "3 of 200 may be more than 3 %"
    assert not limits(low=0.55).speaks("as_is"), "hardly better than guessing"
    assert not limits(low=None).speaks("as_is")
    assert not limits(found=2).speaks("as_is"), "marked no more often than untouched ones may be"
    assert not RegionLimits("rectangle", 2.5, {}).speaks("as_is")


def test_one_state_with_false_alarms_silences_all() -> None:
    bad = {**limits().rates, "512_q40": {"untouched_marked": Rate(9, 200), "edited_marked": Rate(40, 100)}}
    assert not any(replace(limits(), rates=bad).speaks(state) for state in STATES)


def test_a_state_in_which_edits_are_not_told_apart_is_silent_alone() -> None:
    facts = {"auc": {**limits().facts["auc"], "512_q40": {"value": 0.5, "low": 0.4, "high": 0.6}}}
    assert [replace(limits(), facts=facts).speaks(state) for state in STATES] == [True, True, False]
