"""Measured error rates: counted, bounded, and kept with a finding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.error_rates import clopper_pearson_upper, error_rate, percent, rounded_percent, upper_percent
from nsfwforensics.core.messages import say


def test_a_rate_says_what_it_counted() -> None:
    rate = error_rate(say("clean pictures that were pointed at"), 3, 160)
    assert rate["what"] == "clean pictures that were pointed at"
    assert (rate["errors"], rate["trials"], rate["rate"]) == (3, 160, 0.01875)
    assert rate["upper"] == pytest.approx(0.0478, abs=1e-3)
    assert error_rate(say("x"), 0, 10, upper=0.5)["upper"] == 0.5


def test_nothing_measured_is_no_rate() -> None:
    with pytest.raises(ValueError, match="not measured"):
        error_rate(say("x"), 0, 0)


def test_bounds_hold_for_millions_of_trials() -> None:
    assert clopper_pearson_upper(0, 14_128_504) == pytest.approx(2.12e-7, rel=0.01)
    assert clopper_pearson_upper(23, 636_096) == pytest.approx(5.12e-5, rel=0.01)
    assert 0.001 < clopper_pearson_upper(900, 636_096) < 0.00155


@pytest.mark.parametrize(
    ("share", "text", "rounded"),
    [
        (0, "0 %", "0 %"),
        (0.00241, "0.24 %", "less than 1 %"),
        (0.0739, "7.4 %", "7 %"),
        (0.25, "25 %", "25 %"),
        (0.994, "99.4 %", "99 %"),
        (0.99999, "99.9 %", "100 %"),
        (1, "100 %", "100 %"),
    ],
)
def test_shares_in_percent(share: float, text: str, rounded: str) -> None:
    assert (percent(share), rounded_percent(share)) == (text, rounded)


@given(st.floats(0, 1))
def test_an_upper_bound_is_never_shown_below_what_it_is(bound: float) -> None:
    shown = float(upper_percent(bound).removesuffix(" %")) / 100
    assert bound - 1e-9 <= shown <= bound + 0.0101


@pytest.mark.parametrize(
    ("bound", "text"),
    [(0.01249, "1.3 %"), (0.0241, "2.5 %"), (0.0021, "0.21 %"), (0.104, "11 %"), (2e-7, "0.01 %"), (0.42, "42 %")],
)
def test_upper_bounds_are_rounded_up(bound: float, text: str) -> None:
    assert upper_percent(bound) == text
