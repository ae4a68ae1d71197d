"""A report that was changed by hand is refused in one line by every command that reads one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nsfwforensics.report.saved import digests
from tests.e2e.conftest import Runner


@pytest.fixture
def report(photos: Path, tmp_path: Path, run: Runner) -> Path:
    folder = tmp_path / "report"
    assert run("scan", photos, "--only", "metadata", "-o", folder, "-q").code == 0
    return folder


def forge(report: Path, *, seal: bool) -> None:
    """As an attacker does: proven authentic, in the document and in what stands beside it, and sealed again."""
    for name in ("report.json", "files.jsonl"):
        text = (report / name).read_text("utf-8")
        assert '"statement":"' in text
        head, _, tail = text.partition('"statement":"')
        (report / name).write_text(
            f'{head}"statement": "FORGED: proven authentic{tail[tail.index(chr(34)) :]}', "utf-8"
        )
    if seal:
        digests.write(report)


@pytest.mark.parametrize(
    ("seal", "words"),
    [
        (False, "report.json is not what SHA256SUMS says; files.jsonl is not what SHA256SUMS says"),
        (True, "file 1 of report.json: the answer to 'origin' is not what its findings say"),
    ],
)
def test_every_command_that_reads_a_report_refuses_it(
    report: Path, photos: Path, tmp_path: Path, run: Runner, seal: bool, words: str
) -> None:
    forge(report, seal=seal)
    before = {path: path.read_bytes() for path in report.iterdir()}
    for command in (
        ("report", report),
        ("report", report, "--json"),
        ("report", report, "-q"),
        ("evidence", "pack", photos, "-o", tmp_path / "bag", "--report", report),
        ("notice", report, "--law", "eu", "-o", tmp_path / "letter.txt"),
    ):
        ran = run(*command, COLUMNS="400")
        assert ran.code == 1, (command, ran)
        assert ran.out == "" and ran.err.count("\n") == 1 and words in ran.err, (command, ran)
    assert {path: path.read_bytes() for path in report.iterdir()} == before
    assert not (tmp_path / "bag").exists() and not (tmp_path / "letter.txt").exists()


def test_it_is_shown_on_request_says_so_and_nothing_is_made(report: Path, run: Runner) -> None:
    forge(report, seal=True)
    before = {path: path.read_bytes() for path in report.iterdir()}
    shown = run("report", report, "--show-changed", COLUMNS="200")
    assert shown.code == 1
    assert (
        "Note: This report was changed after it was written: file 1 of report.json: the answer to 'origin'" in shown.out
    )
    assert "nothing was made of it" in shown.err
    as_json = run("report", report, "--show-changed", "--json")
    assert as_json.code == 1 and "was changed after" in as_json.report["header"]["notes"][0]
    assert {path: path.read_bytes() for path in report.iterdir()} == before


def test_a_report_as_it_was_written_is_used(report: Path, photos: Path, tmp_path: Path, run: Runner) -> None:
    assert run("report", report, "-q").code == 0
    assert run("report", report, "--show-changed", "-q").code == 0
    copy = shutil.copytree(report, tmp_path / "copy")
    assert run("report", copy, "-q", "--lang", "ja").code == 0
    assert run("report", copy, "-q").code == 0
    packed = run("evidence", "pack", photos, "-o", tmp_path / "bag", "--report", copy)
    assert packed.code == 0, packed.err
    inside = tmp_path / "bag" / "data" / "report"
    assert run("report", inside, "--json").report["header"]["command"].startswith("nsfwforensics scan")
