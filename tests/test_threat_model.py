"""Every promise of the threat model names at least one test that exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "threat-model.md"
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def promises() -> dict[str, list[tuple[str, str]]]:
    """The rows of the tables under "What we promise", and the tests that each names."""
    section = PAGE.read_text("utf-8").split("\n## What we promise\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    kept = [row for row in rows if row[0].strip() not in ("promise", "") and not set(row[0]) <= set("-: ")]
    assert all(len(row) == 2 for row in kept), "a table here has two columns"
    return {row[0].strip(): REFERENCE.findall(row[1]) for row in kept}


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the test functions of a file, methods of test classes included."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def test_the_page_is_read() -> None:
    assert len(promises()) > 30
    assert "test_the_page_is_read" in names_in("tests/test_threat_model.py")


@pytest.mark.parametrize("promise", promises())
def test_a_promise_names_a_test_that_exists(promise: str) -> None:
    named = promises()[promise]
    assert named, "no test is named"
    for path, name in named:
        assert (ROOT / path).is_file(), path
        assert name in names_in(path), f"{path} has no {name}"


def test_every_attacker_is_met_by_a_promise_or_a_refusal() -> None:
    text = PAGE.read_text("utf-8")
    refused = text.split("\n## What we do not promise\n")[1]
    for word in ("sandbox", "dishonest operator", "thief", "observer", "plug-in"):
        assert word in refused
