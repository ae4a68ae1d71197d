"""Manners of the command line: progress without a terminal, folders that hold something, who does it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nsfwforensics.cli.app import build
from nsfwforensics.cli.progress_lines import Progress, lines
from nsfwforensics.cli.run import ExitTally
from nsfwforensics.core.types import Header
from nsfwforensics.custody.operator_file import load_operator
from nsfwforensics.errors import ExitCode, ReportError
from nsfwforensics.report.saved.earlier import refuse_another, refuse_any
from nsfwforensics.report.words.headline import folder_headline
from nsfwforensics.report.writer import ReportWriter
from nsfwforensics.store.casedb import CaseDatabase
from tests.report.factory import file, header, result


def test_progress_says_how_far_how_fast_and_how_long() -> None:
    now = [0.0]
    progress = Progress(5_000, lambda: now[0])
    for number in range(120):
        progress(failed=number < 3)
    now[0] = 60.0
    assert progress.line() == (
        "examined 120 of 5,000 files in 1 min 0 s, 3 failed; 2.0 files/s, about 40 min 40 s left"
    )


def test_a_line_comes_though_no_file_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with lines(2, every=0.02):
        time.sleep(0.15)
    assert capsys.readouterr().err.startswith("examined 0 of 2 files in 0.")


def write(folder: Path, head: Header, *, finish: bool = True) -> None:
    with ReportWriter(folder) as writer:
        writer.begin(head)
        writer.add(file("a.jpg", result()))
        if finish:
            writer.finish(head)


@pytest.mark.parametrize("finish", [True, False])
def test_a_report_is_written_over_by_the_same_run_only(tmp_path: Path, finish: bool) -> None:
    refuse_another(tmp_path / "new", header())
    write(tmp_path, header(paths_digest="aa"), finish=finish)
    refuse_another(tmp_path, header(paths_digest="aa", command="another spelling of it"))
    for other in (header(paths_digest="bb"), header(paths_digest="aa", fingerprint="00" * 32)):
        with pytest.raises(ReportError, match=r"report of another run, of 2026-11-21T09:14:05 .*--force"):
            refuse_another(tmp_path, other)


def test_a_report_that_cannot_be_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{", "utf-8")
    with pytest.raises(ReportError, match="cannot be read"):
        refuse_another(tmp_path, header())


def test_an_export_is_written_over_no_report_at_all(tmp_path: Path) -> None:
    refuse_any(tmp_path / "new", force=False)
    write(tmp_path, header())
    with pytest.raises(ReportError, match="--force"):
        refuse_any(tmp_path, force=False)
    refuse_any(tmp_path, force=True)


@pytest.mark.parametrize("words", ["cluster {}", "case add {}.db {}", "model evaluate --real {} --fake {}"])
def test_an_empty_folder_has_the_exit_code_of_no_pictures(tmp_path: Path, words: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with CaseDatabase.create(tmp_path / "empty.db"):
        pass
    arguments = words.replace("{}", str(empty)).split()
    assert CliRunner().invoke(build(arguments[0]), arguments).exit_code == ExitCode.NO_PICTURES


def test_no_picture_has_an_exit_code_of_its_own() -> None:
    tally = ExitTally()
    assert tally.exit_code(None, interrupted=False) is ExitCode.NO_PICTURES
    tally.add(file("a.txt", error="no image", skipped=True))
    assert tally.exit_code(None, interrupted=False) is ExitCode.NO_PICTURES
    tally.add(file("a.jpg", result()))
    assert tally.exit_code(None, interrupted=False) is ExitCode.DONE


def test_an_empty_folder_and_one_without_pictures_say_so(tmp_path: Path) -> None:
    told = []
    for number in (0, 3):
        with ReportWriter(None) as writer:
            for each in range(number):
                writer.add(file(f"{each}.txt", error="no image", skipped=True))
            saved = writer.finish(header())
            told.append(folder_headline(saved.found, saved.summary))
    assert told == [
        ("Nothing was examined: no file was found.",),
        ("Nothing was examined: none of the 3 files that were found is a picture.",),
    ]


def test_operator_is_a_name_or_a_file_that_says_more(tmp_path: Path) -> None:
    (tmp_path / "ann.toml").write_text('name = "Ann"\norganisation = "Shelter"\n', "utf-8")
    assert load_operator("Ann").name == load_operator(str(tmp_path / "ann.toml")).name == "Ann"
    assert load_operator("Ann").organisation == ""
