"""The samples show what samples/expected.toml says, through the installed command."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Once
from tests.e2e.conftest import COMMAND, Runner, run

__all__ = ["run"]

FOLDER = Path(__file__).resolve().parent.parent / "samples"
EXPECTED: dict[str, Any] = tomllib.loads((FOLDER / "expected.toml").read_text("utf-8"))
FILES: dict[str, dict[str, Any]] = EXPECTED["files"]
OTHERS = {"README.md", "expected.toml"}
KEYS = {"status", "error", "codes", "without", "support", "says", "fields", "near", "far"}
MATCH = 31


@pytest.fixture(scope="module")
def scanned(once: Once) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code and the files of one full scan, by name."""

    def scan() -> tuple[int, Any]:
        command = [COMMAND, "scan", FOLDER, "--json", "--quiet"]
        given = ["--reference", FOLDER / "reference.jpg", "--original", FOLDER / "camera-original.jpg"]
        done = subprocess.run([*command, *given], capture_output=True, check=False)
        assert done.stdout, done.stderr.decode()
        return done.returncode, json.loads(done.stdout)

    code, report = once("samples", scan)
    return code, {file["info"]["name"]: file for file in report["files"]}


@pytest.fixture
def file(scanned: tuple[int, dict[str, dict[str, Any]]], name: str) -> dict[str, Any]:
    return scanned[1][name]


def findings(file: dict[str, Any]) -> list[dict[str, Any]]:
    return [finding for result in file["results"] for finding in result["findings"]]


def measured(file: dict[str, Any], analyzer: str) -> dict[str, Any]:
    return next((r["measurements"] for r in file["results"] if r["analyzer"] == analyzer), {})


def test_every_sample_has_an_expectation_and_every_expectation_a_sample() -> None:
    present = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert present - OTHERS == set(FILES)
    readme = (FOLDER / "README.md").read_text("utf-8")
    assert [name for name in FILES if f"`{name}`" not in readme] == []
    assert {key for expected in FILES.values() for key in expected} <= KEYS


def test_they_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000


def test_one_corrupt_file_ends_the_run_with_its_own_exit_code(scanned: tuple[int, Any]) -> None:
    assert scanned[0] == EXPECTED["exit_code"]


@pytest.mark.parametrize("name", FILES)
def test_the_outcome(file: dict[str, Any], name: str) -> None:
    assert file["status"] == FILES[name]["status"]
    reasons = " ".join(text for text in [file["error"], *(r["error"] for r in file["results"])] if text)
    assert FILES[name].get("error", "") in reasons


@pytest.mark.parametrize("name", FILES)
def test_the_findings(file: dict[str, Any], name: str) -> None:
    expected, codes = FILES[name], {finding["code"] for finding in findings(file)}
    assert set(expected.get("codes", ())) <= codes
    assert {code for code in codes if code.startswith(tuple(expected["without"]))} == set()
    for code, words in expected.get("says", {}).items():
        assert any(words in f["explanation"] for f in findings(file) if f["code"] == code), code


@pytest.mark.parametrize("name", FILES)
def test_the_answers(file: dict[str, Any], name: str) -> None:
    answers = {answer["question"]: answer["support"] for answer in file["answers"]}
    for question, accepted in FILES[name]["support"].items():
        assert answers[question] in ([accepted] if isinstance(accepted, str) else accepted), question


@pytest.mark.parametrize("name", [name for name in FILES if "fields" in FILES[name]])
def test_the_metadata_listed(file: dict[str, Any], name: str) -> None:
    assert set(FILES[name]["fields"]) <= {field["tag"] for field in measured(file, "metadata")["fields"]}


@pytest.mark.parametrize("name", [name for name in FILES if {"near", "far"} & FILES[name].keys()])
def test_the_hashes(scanned: tuple[int, dict[str, dict[str, Any]]], name: str) -> None:
    def bits(sample: str) -> int:
        return int(measured(scanned[1][sample], "phash")["pdq"], 16)

    for other in FILES[name].get("near", ()):
        assert (bits(name) ^ bits(other)).bit_count() <= MATCH, other
    for other in FILES[name].get("far", ()):
        assert (bits(name) ^ bits(other)).bit_count() > MATCH, other


def test_hostile_text_is_kept_as_it_was_and_inert_in_what_is_printed(run: Runner) -> None:
    shown = run("metadata", FOLDER / "hostile-text.jpg")
    assert shown.code == 0
    assert "\x1b[2J" not in shown.out
    assert "[red]x[/red]" in shown.out
    listed = run("metadata", FOLDER / "hostile-text.jpg", "--json")
    assert listed.code == 0
    fields = measured(listed.report["files"][0], "metadata")["fields"]
    assert {field["value"] for field in fields if field["tag"] == "0x8298"} == {"\x1b[2J\x1b]0;title\x07"}
