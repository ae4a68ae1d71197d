"""Documents from outside are parsed within bounds, or refused with a reason; nothing else is ever raised."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.documents import MOST_LEVELS, DocumentError, load_toml, read_json, read_toml
from nsfwforensics.core.storable import TOO_DEEP, storable

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=20,
)

BEYOND = {
    "brackets.toml": "x = " + "[" * 20_000 + "]" * 20_000,
    "open.toml": "x = " + "[" * 20_000,
    "tables.toml": "x = " + "{a = " * 20_000,
    "dotted.toml": "[" + ".".join(["a"] * 200_000) + "]\n",
    "quoted.toml": ".".join(['"a b"', "'c'", "d"] * 30_000) + " = 1\n",
    "number.toml": "jobs = 1" + "0" * 400,
    "digits.toml": "jobs = " + "1" * 5000,
    "long.toml": "#" * 1_000_001,
    "latin.toml": "x = '\udce9'",
    "broken.toml": "x = ",
}


@pytest.mark.parametrize("name", BEYOND)
def test_toml_beyond_the_bounds_is_refused_at_once(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(BEYOND[name].encode("utf-8", "surrogateescape"))
    began = time.process_time()
    with pytest.raises(DocumentError) as refused:
        load_toml(tmp_path / name)
    assert time.process_time() - began < 5
    assert str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, '{"size": 1' + "0" * 400 + "}", "1" * 5000, "[" * 65 + "]" * 65, "{", b"\xff"],
)
def test_json_beyond_the_bounds_is_refused(text: str | bytes) -> None:
    with pytest.raises(DocumentError):
        read_json(text)


def test_as_deep_as_allowed_is_read() -> None:
    text = "[" * MOST_LEVELS + "]" * MOST_LEVELS
    assert read_json(text) == json.loads(text)
    keys = ".".join(["a"] * MOST_LEVELS)
    assert read_toml(f"{keys} = 1") == tomllib.loads(f"{keys} = 1")
    with pytest.raises(DocumentError):
        read_toml(f"a.{keys} = 1")


@given(VALUES)
def test_what_json_writes_is_read_again(value: object) -> None:
    assert read_json(json.dumps(value)) == value


@given(st.text() | st.binary())
def test_nothing_else_is_raised(text: str | bytes) -> None:
    for read in (read_json, read_toml):
        try:
            read(text)
        except DocumentError as error:
            assert str(error)


@given(st.text(alphabet="a1\"'.[]{}=, \n\\-_#", max_size=300))
def test_what_looks_like_toml_is_read_as_the_standard_library_does(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except ValueError:
        with pytest.raises(DocumentError):
            read_toml(text)
    else:
        assert read_toml(text) == expected


def test_measured_values_are_bounded_too() -> None:
    deep: object = "bottom"
    for _ in range(5000):
        deep = [deep]
    kept = storable({"deep": deep, "large": 10**400, "small": -(2**63)})
    assert isinstance(kept, dict)
    assert kept["large"] == hex(10**400)
    assert kept["small"] == -(2**63)
    assert TOO_DEEP in json.dumps(kept, ensure_ascii=False)
