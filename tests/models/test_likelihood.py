"""Likelihood ratios: none above what the sample supports, for any score; bounds on samples worked out by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.errors import WeightsError
from nsfwforensics.models.synthesis.calibration import Branch, Calibration
from nsfwforensics.models.synthesis.likelihood import RatioCurve, support

COUNTS = st.integers(0, 2000)
ANY_SCORE = st.floats(allow_nan=True, allow_infinity=True)
RATIOS = st.lists(st.floats(1e-6, 1e6), max_size=40)


@st.composite
def curves(draw: st.DrawFn) -> RatioCurve:
    photographs, generated = draw(COUNTS), draw(COUNTS)
    limit = support(photographs, generated)
    least, most = draw(st.floats(1 / limit, 1.0)), draw(st.floats(1.0, limit))
    return RatioCurve(draw(st.floats(0, 1e6)), draw(st.floats(-1e6, 1e6)), least, most, photographs, generated)


@given(curves(), ANY_SCORE)
def test_no_score_gets_more_than_its_sample_supports(curve: RatioCurve, score: float) -> None:
    limit = min(curve.photographs, curve.generated) + 1
    ratio = curve.ratio(score)
    assert curve.least <= ratio <= curve.most
    assert 1 / limit * 0.9999 <= ratio <= limit * 1.0001
    assert 1 / (limit + 1) * 0.9999 <= curve.probability(score) <= limit / (limit + 1) * 1.0001


@given(curves(), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_higher_score_never_gets_less(curve: RatioCurve, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert curve.ratio(low) <= curve.ratio(high)
    assert curve.probability(low) <= curve.probability(high)


@given(curves())
def test_what_is_stored_is_read_back_within_the_bounds(curve: RatioCurve) -> None:
    back = RatioCurve.of(json.loads(json.dumps(curve.plain())))
    assert back.ratio(0.3) == pytest.approx(curve.ratio(0.3), rel=2e-2)


@pytest.mark.parametrize(
    "values",
    [
        (1.0, 0.0, 0.5, 12.0, 100, 10),  # eleven is the most that ten pictures support
        (1.0, 0.0, 0.01, 2.0, 100, 10),
        (-1.0, 0.0, 0.5, 2.0, 100, 100),
        (math.nan, 0.0, 0.5, 2.0, 100, 100),
        (1.0, math.inf, 0.5, 2.0, 100, 100),
        (1.0, 0.0, 1.5, 2.0, 100, 100),
        (1.0, 0.0, 0.5, 0.9, 100, 100),
    ],
)
def test_a_curve_that_claims_too_much_cannot_be_made(values: tuple[float, float, float, float, int, int]) -> None:
    with pytest.raises(ValueError, match="likelihood ratios"):
        RatioCurve(*values)


def test_nothing_is_known_of_no_number() -> None:
    assert RatioCurve(1.0, 2.0, 0.5, 3.0, 10, 10).ratio(math.nan) == 1.0


# --- in a calibration ----------------------------------------------------------------------------------------------

CURVE = RatioCurve(2.0, -1.0, 0.1, 8.0, 60, 40)
BRANCH = Branch({"as_is": [0.0]}, {}, 0.01, 0.1, True, ratios={"as_is": CURVE}, claims_ratio=True)


def test_a_ratio_is_only_given_where_the_calibration_allows_it() -> None:
    assert BRANCH.likelihood_ratio("as_is", [9.0]) == pytest.approx(8.0)
    assert BRANCH.likelihood_ratio("512_q40", [9.0]) is None
    assert BRANCH.likelihood_ratio("as_is", []) is None
    assert replace(BRANCH, claims_ratio=False).likelihood_ratio("as_is", [9.0]) is None
    assert replace(BRANCH, claims=False).likelihood_ratio("as_is", [9.0]) is None


@given(st.lists(ANY_SCORE, min_size=1, max_size=3))
def test_the_view_that_says_least_counts(scores: list[float]) -> None:
    ratio = BRANCH.likelihood_ratio("as_is", scores)
    assert ratio is not None
    assert all(abs(math.log(ratio)) <= abs(math.log(CURVE.ratio(score))) for score in scores)


def test_calibrations_keep_ratios_and_older_files_have_none() -> None:
    text = Calibration(BRANCH, 0.7, 50.0).dumps()
    assert Calibration.loads(text).image.ratios == {"as_is": CURVE}
    assert Calibration.loads(text).image.claims_ratio
    older = json.loads(text)
    del older["image"]["ratios"], older["image"]["claims_ratio"]
    read = Calibration.loads(json.dumps(older)).image
    assert (read.ratios, read.claims_ratio) == ({}, False)
    assert read.likelihood_ratio("as_is", [9.0]) is None


def test_a_file_that_claims_more_than_it_supports_is_refused() -> None:
    content = json.loads(Calibration(BRANCH, 0.7, 50.0).dumps())
    content["image"]["ratios"]["as_is"]["most"] = 1000.0
    with pytest.raises(WeightsError):
        Calibration.loads(json.dumps(content))
