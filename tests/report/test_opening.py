from __future__ import annotations

import re
from pathlib import Path

import pytest

from nsfwforensics.care.helplines import VARIABLE
from nsfwforensics.core.types import FileReport, FileState
from nsfwforensics.language import language
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words import advice
from nsfwforensics.report.writer import ReportWriter, write_views
from tests.report.factory import every_outcome, file, header, result, thumbnail
from tests.report.test_html import Page

STATE = {"size": 2_345_678, "modified": "2026-11-20T18:00:00.000+00:00", "sha256": "0123456789abcdef" * 4}


def made(folder: Path, *files: FileReport, code: str = "en") -> str:
    with ReportWriter(folder, language(code)) as writer:
        writer.begin(header())
        for each in files:
            writer.add(each)
        writer.finish(header())
    return (folder / "report.html").read_text(encoding="utf-8")


def careful() -> FileReport:
    return every_outcome().model_copy(update={"sensitive": True})


def test_one_file_opens_with_its_answers(tmp_path: Path) -> None:
    words = Page(made(tmp_path, every_outcome())).words
    order = ["The answers in short", "Information found", "What to do next", "What this does not mean",
             "The picture in detail", "What was examined", "How this report was made"]  # fmt: skip
    places = [words.index(part, words.index("The answers in short")) for part in order]
    assert places == sorted(places)


def test_nothing_that_stood_out_is_never_called_authentic(tmp_path: Path) -> None:
    words = Page(made(tmp_path, file("a.jpg", result()), file("b.jpg", result()))).words
    assert "Nothing stood out in 2 files; that does not make them authentic." in words


def test_no_step_presupposes_how_a_picture_was_made() -> None:
    own = [
        advice.KEEP_FILE,
        advice.NO_FORWARDING,
        advice.WRITE_DOWN,
        advice.PACK,
        advice.EXPERT,
        advice.TALK,
        advice.MINOR,
    ]
    steps = " ".join((*own, advice.UNSURE, *advice.STOP))
    assert not re.search(r"\bAI\b|generat|deepfake|fake|revenge", steps, re.IGNORECASE)


def test_help_is_named_with_the_month_in_which_it_was_checked(tmp_path: Path) -> None:
    english, japanese = advice.help_lines(language("en")), advice.help_lines(language("ja"))
    assert all("20" in line.checked for line in (*english.near, *english.others))
    assert {line.place for line in english.near} == {""}
    assert japanese.near[0].place == "日本"
    assert len(japanese.near) > len(english.near)
    assert f"checked on {english.near[0].checked}" in Page(made(tmp_path, careful())).words


def test_a_broken_list_of_help_lines_does_not_lose_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone.toml"))
    assert "cannot be read" in Page(made(tmp_path / "out", careful())).words


def test_a_file_to_be_handled_with_care_comes_first_and_shows_no_picture(tmp_path: Path) -> None:
    careful = every_outcome().model_copy(update={"sensitive": True})
    careful = careful.model_copy(update={"info": careful.info.model_copy(update={"thumbnail": thumbnail()})})
    page = Page(made(tmp_path, careful))
    assert page.count("img") == 0
    assert page.words.index(advice.STOP[0]) < page.words.index("What does the file itself say")
    assert all(step in page.words for step in advice.STOP)
    assert "Before anything else" not in Page(made(tmp_path / "calm", every_outcome())).words


def test_that_a_file_was_left_as_it_was_is_shown(tmp_path: Path) -> None:
    left = Page(
        made(tmp_path / "left", file("a.jpg", result(), info={"sha256": STATE["sha256"], "after": FileState(**STATE)}))
    ).words
    assert "were the same before and after the examination" in left
    gone = Page(made(tmp_path / "gone", file("a.jpg", result(), info={"after": FileState(size=7)}))).words
    assert "No: when the examination was over, the file was another or gone." in gone
    assert "Size afterwards 7 bytes" in gone
    assert "Left as it was not recorded" in Page(made(tmp_path / "old", file("a.jpg", result()))).words


def test_a_saved_report_is_made_again_in_another_language(tmp_path: Path) -> None:
    made(tmp_path, every_outcome("a.jpg"), every_outcome("b.jpg"))
    before = (tmp_path / "report.json").read_bytes()
    write_views(SavedReport.open(tmp_path, language("ja")))
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert ("html", {"lang": "ja"}) in page.tags
    assert "画像検査報告書" in page.words
    assert "2026年11月21日" in page.words
    assert "What to do next" not in page.words
    assert (tmp_path / "report.json").read_bytes() == before
