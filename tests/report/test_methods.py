from __future__ import annotations

from typing import Any

import pytest

from nsfwforensics.core.error_rates import ERROR_RATES, error_rate
from nsfwforensics.core.messages import say
from nsfwforensics.core.registry import installed
from nsfwforensics.core.types import AnalyzerRecord, MethodRecord, Question
from nsfwforensics.language import language
from nsfwforensics.report.words.declared import Declared
from nsfwforensics.report.words.rates import MOST_RATES, figures, rate_sentences
from tests.report.factory import finding, header

EN = language("en")
RATE: dict[str, Any] = error_rate(say("pairs taken for one person"), 4, 3789)


def test_a_rate_is_a_sentence_with_its_bound() -> None:
    rated = finding(data={ERROR_RATES: [RATE], "distance": 0.4})
    assert rate_sentences(rated, EN) == [
        "Measured error rate: pairs taken for one person: 4 of 3,789 (0.11 %); with 95 % confidence at most 0.25 %."
    ]
    assert figures(rated) == {"distance": 0.4}


def test_the_conditions_of_a_measurement_are_named() -> None:
    rate = error_rate(say("wrong"), 0, 221, conditions=say("on camera originals"))
    assert "wrong, on camera originals: 0 of 221 (0 %)" in rate_sentences(finding(data={ERROR_RATES: [rate]}), EN)[0]


@pytest.mark.parametrize(
    "bad",
    [
        None, "x", 3, {}, {"what": 1}, {**RATE, "errors": -1}, {**RATE, "errors": 4000}, {**RATE, "trials": 0},
        {**RATE, "trials": "many"}, {**RATE, "upper": 7}, {**RATE, "upper": None}, {**RATE, "trials": 10**400},
    ],
)  # fmt: skip
def test_what_is_no_rate_is_passed_over(bad: Any) -> None:
    assert len(rate_sentences(finding(data={ERROR_RATES: [bad, RATE]}), EN)) == 1
    assert rate_sentences(finding(data={ERROR_RATES: bad}), EN) == []


def test_rates_are_bounded_in_number_and_braces_in_them_fill_nothing() -> None:
    many = finding(data={ERROR_RATES: [{**RATE, "what": "{x} {errors}"}] * 50})
    assert len(rate_sentences(many, EN)) == MOST_RATES
    assert "{x} {errors}" in rate_sentences(many, EN)[0]


def test_a_code_may_have_a_method_of_its_own() -> None:
    record = AnalyzerRecord(
        name="metadata",
        version="1",
        question=Question.ORIGIN,
        origin="built-in",
        method="Reads fields.",
        source="Exif",
        codes={"META-002": MethodRecord(source="XMP")},
    )
    declared = Declared.of(header(analyzers=(record,)))
    first, second = finding(), finding("META-002")
    assert declared.method("metadata", first) == MethodRecord(method="Reads fields.", source="Exif")
    assert declared.method("metadata", second) == MethodRecord(method="Reads fields.", source="XMP")
    assert Declared.of(header(analyzers=())).method("metadata", first) == MethodRecord()


@pytest.mark.parametrize("registration", [each for each in installed() if each.built_in], ids=lambda each: each.name)
def test_every_analyzer_of_ours_says_what_it_does_and_where_that_is_described(registration: Any) -> None:
    analyzer = registration.load()
    assert analyzer.method.endswith(".")
    assert analyzer.source
