"""Cohen's kappa against a worked example, and where it has no value."""

from __future__ import annotations

import pytest

from nsfwforensics.evaluation.kappa import kappa


def table(counts: list[list[int]]) -> list[tuple[str, str]]:
    names = "abc"
    return [(names[i], names[j]) for i, row in enumerate(counts) for j, count in enumerate(row) for _ in range(count)]


def test_the_example_of_fleiss() -> None:
    # Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd edition, table 18.1: kappa 0.68.
    found = kappa(table([[75, 1, 4], [5, 4, 1], [0, 0, 10]]))
    assert found.judged == 100
    assert found.agreed == 89
    assert found.value == pytest.approx(0.6765, abs=1e-4)
    assert found.low is not None
    assert found.high is not None
    assert found.low == pytest.approx(0.68 - 1.96 * 0.09, abs=0.06)
    assert found.low < 0.6765 < found.high < 1


def test_full_agreement_of_few_is_not_sure() -> None:
    found = kappa([("a", "a"), ("b", "b"), ("a", "a"), ("b", "b")])
    assert found.value == 1
    assert found.high == 1
    assert found.low is not None
    assert found.low < 0.2
    more = kappa([("a", "a"), ("b", "b")] * 500)
    assert more.low is not None
    assert more.low > 0.98


def test_no_agreement_beyond_chance_and_against_it() -> None:
    assert kappa([("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]).value == pytest.approx(0)
    opposed = kappa([("a", "b"), ("b", "a")] * 10)
    assert opposed.value == pytest.approx(-1)
    assert opposed.low == -1


def test_it_has_no_value_where_both_say_one_thing() -> None:
    assert kappa([("a", "a")] * 5).value is None
    assert kappa([]).value is None
