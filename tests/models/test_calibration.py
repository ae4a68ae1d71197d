from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.error_rates import clopper_pearson_upper
from nsfwforensics.errors import WeightsError
from nsfwforensics.models.synthesis.calibration import (
    LEAST_SIDE,
    Branch,
    Calibration,
    Rate,
    Verdict,
    closest_state,
    p_value_above,
    p_value_below,
)
from nsfwforensics.models.synthesis.likelihood import RatioCurve
from nsfwforensics.models.synthesis.withheld import Because, Withheld

SCORES = st.lists(st.floats(-10, 10), max_size=40).map(sorted)


@given(SCORES, st.floats(-20, 20))
def test_p_values_are_ranks(scores: list[float], score: float) -> None:
    n = len(scores)
    assert p_value_above(scores, score) == pytest.approx((1 + sum(s >= score for s in scores)) / (n + 1))
    assert p_value_below(scores, score) == pytest.approx((1 + sum(s <= score for s in scores)) / (n + 1))


@given(SCORES)
def test_conformal_false_alarms_are_bounded(scores: list[float]) -> None:
    """Each calibration score judged with itself added: at most alpha of them get p <= alpha (exchangeability)."""
    for alpha in (0.02, 0.1, 0.5):
        called = sum((sum(s >= x for s in scores)) / len(scores) <= alpha for x in scores)
        assert called <= alpha * len(scores) + 1e-9


def test_bounds_follow_the_rule_of_three() -> None:
    for n in (30, 100, 300):
        assert clopper_pearson_upper(0, n) == pytest.approx(3 / n, rel=0.05)
        assert clopper_pearson_upper(0, n) == pytest.approx(1 - 0.05 ** (1 / n), abs=1e-9)
    assert clopper_pearson_upper(0, 0) == 1.0
    assert clopper_pearson_upper(5, 5) == 1.0
    assert clopper_pearson_upper(2, 100) == pytest.approx(0.0616, abs=1e-3)  # tables of Clopper and Pearson


@given(st.integers(1, 200), st.data())
def test_bounds_are_above_the_share_and_grow(total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    rate = Rate(count, total)
    assert rate.share <= rate.upper <= 1.0
    if count < total:
        assert rate.upper <= Rate(count + 1, total).upper


def branch(*, claims: bool = True) -> Branch:
    real = [n / 100 - 1 for n in range(100)]
    fake = [n / 50 for n in range(50)]
    return Branch({"as_is": real, "512_q40": [s + 0.5 for s in real]}, {"gallery": {"as_is": fake}}, 0.02, 0.1, claims)


def test_a_picture_is_called_by_its_own_state_and_cleared_by_the_worst() -> None:
    assert branch().verdict(0.3) is Verdict.GENERATED  # above every photo as it is, not above the crushed ones
    assert branch().verdict(0.3, "512_q40") is Verdict.INCONCLUSIVE
    assert branch().verdict(-2.0) is Verdict.NO_INDICATION
    low = replace(branch(), generated={"gallery": {"as_is": [1.0] * 50, "512_q40": [-3.0] * 50, "large": [1.0] * 50}})
    assert low.verdict(-2.0) is Verdict.INCONCLUSIVE  # it may have been crushed and saved again
    assert low.verdict(-2.0, "large") is Verdict.NO_INDICATION  # too large for that


def test_a_state_can_have_a_level_of_its_own() -> None:
    strict = replace(branch(), alphas={"as_is": 0.005})
    assert strict.verdict(9.0) is Verdict.INCONCLUSIVE
    assert strict.verdict(9.0, "512_q40") is Verdict.GENERATED
    assert Calibration.loads(Calibration(strict, 0.7, 50.0).dumps()).image.alpha_of("as_is") == 0.005
    careful = replace(branch(), betas={"512_q40": 0.01})
    assert careful.verdict(-2.0) is Verdict.NO_INDICATION
    assert careful.verdict(-2.0, "512_q40") is Verdict.INCONCLUSIVE
    again = Calibration.loads(Calibration(careful, 0.7, 50.0).dumps()).image
    assert (again.beta_of("512_q40"), again.beta_of("as_is")) == (0.01, 0.1)


def test_without_claims_everything_is_inconclusive() -> None:
    assert {branch(claims=False).verdict(score) for score in (-9.0, 0.0, 9.0)} == {Verdict.INCONCLUSIVE}


WITHHELD = Withheld(
    Because.ERROR_RATES_DO_NOT_HOLD, {"as_is": {"real_called": Rate(6, 189), "gallery_called": Rate(6, 126)}}
)


def test_withheld_calls_are_inconclusive_until_a_calibration_does_not_withhold_them() -> None:
    curve = RatioCurve(3.0, 0.0, 0.2, 7.89, 100, 50)
    open_ = replace(branch(), ratios={"as_is": curve}, claims_ratio=True)
    silent = replace(open_, withheld=WITHHELD)
    assert {silent.joint([score] * 3) for score in (-9.0, 0.0, 9.0)} == {Verdict.INCONCLUSIVE}
    assert silent.likelihood_ratio("as_is", [2.0]) is None
    for image in (silent, open_):
        text = Calibration(image, 0.7, 50.0).dumps()
        back = Calibration.loads(text)
        assert back.dumps() == text
        assert back.image.withheld == image.withheld
        assert back.image.speaks is (image is open_)
    assert open_.joint([9.0] * 3) is Verdict.GENERATED
    assert open_.likelihood_ratio("as_is", [2.0]) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"because": "of the weather"},
        {"because": None},
        {"rates": {"as_is": {"real_called": [6, 189]}}},
        {"rates": {"as_is": {}}},
        {"rates": 3},
    ],
)
def test_a_reason_that_is_not_understood_makes_the_file_unusable_and_not_talkative(wrong: dict[str, object]) -> None:
    content = json.loads(Calibration(replace(branch(), withheld=WITHHELD), 0.7, 50.0).dumps())
    content["image"]["withheld"] |= wrong
    with pytest.raises(WeightsError):
        Calibration.loads(json.dumps(content))
    for nothing in ({}, [], "", 0, False):
        content["image"]["withheld"] = nothing
        with pytest.raises(WeightsError):
            Calibration.loads(json.dumps(content))


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_unbounded_scores_are_inconclusive(score: float) -> None:
    assert branch().verdict(score) is Verdict.INCONCLUSIVE


def test_views_must_agree() -> None:
    assert branch().joint([1.6, 1.7, 1.8]) is Verdict.GENERATED
    assert branch().joint([1.6, 1.7, -0.5]) is Verdict.INCONCLUSIVE
    assert branch().joint([1.6, -2.0, 1.6]) is Verdict.INCONCLUSIVE


def test_an_empty_calibration_says_nothing() -> None:
    assert Branch({}, {}, 0.02, 0.1, True).verdict(5.0) is Verdict.INCONCLUSIVE


def test_it_survives_storage() -> None:
    full = Calibration(branch(), 0.7, 50.0)
    back = Calibration.loads(full.dumps())
    assert back.dumps() == full.dumps()
    assert back.image.verdict(1.1) is Verdict.GENERATED


def test_the_least_side_is_kept_and_never_below_a_crop() -> None:
    full = Calibration(branch(), 0.7, 50.0, least_side=330)
    assert Calibration.loads(full.dumps()).least_side == 330
    content = json.loads(full.dumps())
    assert Calibration.loads(json.dumps({**content, "least_side": 10})).least_side == LEAST_SIDE
    del content["least_side"]
    assert Calibration.loads(json.dumps(content)).least_side == LEAST_SIDE, "older files"
    with pytest.raises(WeightsError):
        Calibration.loads(json.dumps({**content, "least_side": "many"}))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"image": 3}', '{"image": {}, "face": null}', "null"])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(WeightsError):
        Calibration.loads(text)


@pytest.mark.parametrize(
    ("quality", "state"), [(95, "as_is"), (None, "as_is"), (62, "768_q60"), (50, "768_q60"), (40, "512_q40")]
)
def test_closest_state(quality: float | None, state: str) -> None:
    assert closest_state(quality) == state
