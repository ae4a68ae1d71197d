"""Whether JSON needs looking through is told from its text: never "no" where something in it would be changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.documents import MOST_LEVELS
from nsfwforensics.core.storable import is_storable, storable
from nsfwforensics.core.types import AnalyzerResult, Question
from nsfwforensics.core.worded import read_model

ODD = st.sampled_from(["[", "]", "{", "}", '"', "\\", '\\"', "NaN", "Infinity", "12345678901234567890", '"]', "\\\\"])
TEXT = st.text(max_size=5) | st.lists(ODD, max_size=6).map("".join)
NUMBER = st.integers() | st.floats() | st.sampled_from([2**63, 2**64, -(2**64)])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_what_is_passed_over_is_as_it_would_be_made(value: Any, escaped: bool) -> None:
    raw = json.dumps(value, ensure_ascii=escaped)
    if is_storable(raw):
        assert storable(json.loads(raw)) == json.loads(raw)
        assert is_storable(raw.encode("utf-8", "replace"))


@pytest.mark.parametrize("before", ["", '"]]]]",', '"\\"]]]",', '"\\\\","]]]]",', '"\\\\\\"]]]]",'])
def test_depth_is_told_whatever_stands_in_texts(before: str) -> None:
    deep = "[" * MOST_LEVELS + "]" * MOST_LEVELS
    assert is_storable(f"{before}{deep}")
    assert not is_storable(f"[{before}{deep}]")


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "123456789012345678901234567890", "[" * 70 + "]" * 70])
def test_a_saved_model_is_read_as_it_always_was(value: str) -> None:
    made = AnalyzerResult(
        analyzer="a", version="1", origin="o", question=Question.ORIGIN, status="ok", seconds=0, measurements={"v": 7}
    )
    plain = made.model_dump_json()
    assert read_model(AnalyzerResult, plain) == made
    odd = plain.replace('"v":7', f'"v":{value}')
    assert read_model(AnalyzerResult, odd) == AnalyzerResult.model_validate_json(odd)
