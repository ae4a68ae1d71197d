"""What an earlier report left among the evidence is told from evidence, and hides nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsfwforensics.core.discover import discover
from nsfwforensics.core.report_files import without_reports

HEAD = '{"schema_version": "1.0", "header": {"tool": "nsfwforensics"}}'
MADE = "0123456789abcdef-traces-map.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    report = tmp_path / "photos" / "report"
    (report / "artifacts").mkdir(parents=True)
    for name in ("report.json", "report.html", "summary.csv", "files.jsonl", "SHA256SUMS"):
        (report / name).write_text(HEAD)
    for name in (MADE, "holiday.png"):
        (report / "artifacts" / name).write_bytes(b"x")
    (report / "hidden.jpg").write_bytes(b"x")
    (report.parent / "report.json").write_text("[]")
    (report.parent / MADE).write_bytes(b"x")
    return report.parent


def opened(*paths: Path) -> set[str]:
    return {target.path.name for target in without_reports(discover(paths)) if target.skip is None}


def test_only_what_the_report_made_is_passed_over_and_said(folder: Path) -> None:
    assert opened(folder) == {"holiday.png", "hidden.jpg", "report.json", MADE}
    skipped = {target.path: target.skip for target in without_reports(discover([folder])) if target.skip}
    assert len(skipped) == 6
    assert all("an earlier report" in str(reason) for reason in skipped.values())
    assert folder / "report" / "artifacts" / MADE in skipped


def test_a_file_that_was_named_is_examined(folder: Path) -> None:
    assert opened(folder / "report" / "artifacts" / MADE) == {MADE}
    assert opened(folder / "report") == {"holiday.png", "hidden.jpg"}


def test_without_a_document_of_ours_nothing_is_passed_over(folder: Path) -> None:
    (folder / "report" / "report.json").write_text('{"other": 1}')
    assert MADE in opened(folder / "report")
    (folder / "report" / "report.json").unlink()
    (folder / "report" / "report.json").symlink_to("summary.csv")
    assert MADE in opened(folder / "report")


def test_a_run_that_was_killed_left_a_report_too(folder: Path) -> None:
    (folder / "report" / "report.json").rename(folder / "report" / "run.json")
    assert opened(folder / "report") == {"holiday.png", "hidden.jpg"}
