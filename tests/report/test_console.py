from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from nsfwforensics.analyzers.metadata.command import COMMAND
from nsfwforensics.core.types import FileReport, Question
from nsfwforensics.report.console import file as view
from nsfwforensics.report.console.values import render_hashes, render_listing
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words.text import UNSAFE
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import HOSTILE, every_outcome, file, header, hostile_file, result

ANSI_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def render_fields(saved: SavedReport, console: Console) -> None:
    for each in saved.files():
        for listing in COMMAND.listing(each) if COMMAND.listing else ():
            render_listing(listing, console, saved.language)


SHOWS = (view.render, render_fields, render_hashes)


def saved(folder: Path, *files: FileReport) -> SavedReport:
    with ReportWriter(folder) as writer:
        for made in files:
            writer.add(made)
        return writer.finish(header())


def show(report: SavedReport, call=view.render, *, colour: bool = False, width: int = 80, **options: bool) -> str:
    stream = io.StringIO()
    call(
        report,
        Console(file=stream, width=width, force_terminal=colour, color_system="truecolor" if colour else None),
        **options,
    )
    return stream.getvalue()


@pytest.mark.parametrize("call", SHOWS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_inert(tmp_path: Path, call, name: str) -> None:
    for options in ({}, {"details": True}, {"details": True, "verbose": True}) if call is view.render else ({},):
        report = saved(tmp_path, hostile_file(HOSTILE[name]), file("other.jpg", result()))
        plain = show(report, call, **options)
        assert not UNSAFE.search(plain.replace("\n", ""))
        coloured = ANSI_STYLE.sub("", show(report, call, colour=True, **options))
        assert not UNSAFE.search(coloured.replace("\n", ""))
        assert not re.search(r"\x1b\]8", show(report, call, colour=True, **options))


def test_markup_of_rich_is_shown_as_it_stands(tmp_path: Path) -> None:
    text = show(saved(tmp_path, hostile_file("[red]x[/red]")))
    assert "[red]x[/red]" in text


IN_READING_ORDER = (
    Question.ORIGIN,  # signs
    Question.SYNTHESIS,  # inconclusive
    Question.KNOWN,  # nothing found
    Question.IDENTITY,
    Question.ALTERATION,
    Question.CONTENT,
)


def test_one_file_answers_every_question_by_support(tmp_path: Path) -> None:
    text = show(saved(tmp_path, every_outcome()), verbose=True)
    places = [text.index(question.wording) for question in IN_READING_ORDER]
    assert places == sorted(places)
    assert "SHA-256 " + "0123456789abcdef" * 4 in text
    assert "But: Anyone can write these values into a file." in text
    assert "estimated probability 52%, region 400, 200, 300, 360" in re.sub(r"\s+", " ", text)


def test_every_outcome_has_its_own_words_without_colour(tmp_path: Path) -> None:
    text = show(saved(tmp_path, every_outcome()), verbose=True)
    for line in (
        "Information found. ",
        "Inconclusive. ",
        "Failed: ",
        "Not applicable: ",
        "No sign found. ",
        "Not available: ",
    ):
        assert f"\n{line}" in text
    assert "Not available: provenance (needs the extra that is not here)" in text
    short = show(saved(tmp_path / "short", every_outcome()))
    for word in ("inconclusive", "failed", "not applicable", "no sign found", "not available"):
        assert f": {word}" in short


def test_a_quiet_file_says_how_much_was_not_checked(tmp_path: Path) -> None:
    text = show(saved(tmp_path, file("a.jpg", result()), file("b.jpg", result(), info={"sha256": None})), verbose=True)
    assert re.sub(r"\s+", " ", text).count("Nothing stood out") == 3  # once more in the headline
    assert re.sub(r"\s+", " ", text).count("(5 of 6 questions not checked)") == 2


def test_a_failed_and_a_skipped_file_say_why(tmp_path: Path) -> None:
    assert "not be examined: cannot be decoded" in show(saved(tmp_path / "a", file("a.jpg", error="cannot be decoded")))
    assert "Passed over: no image" in show(saved(tmp_path / "b", file("a.txt", error="no image", skipped=True)))
    half = show(saved(tmp_path / "c", file("a.jpg", result(), info={"decoded_share": 0.4})))
    assert "Only about 40% of the picture could be decoded" in half
    whole = show(saved(tmp_path / "d", file("a.jpg", result(), info={"decoded_share": 1.0, "unexamined": 1})))
    assert "could be decoded" not in whole


def test_a_folder_is_a_table_by_priority_with_totals_and_failures(tmp_path: Path) -> None:
    quiet, gone = (
        file("quiet.jpg", result(), info={"sha256": None}),
        file("gone.jpg", error="cannot be decoded", info={"sha256": None}),
    )
    files = [quiet, every_outcome("some/all.jpg"), gone]
    text = show(saved(tmp_path, *files), verbose=True)
    assert text.index("some/all.jpg") < text.index("gone.jpg") < text.index("quiet.jpg")
    assert "3 files, 7.0 MB: 1 examined, 2 failed." in text
    assert "no verdict): 2 low." in re.sub(r"\s+", " ", text)
    assert f"Report: {tmp_path / 'report.html'}\n" in text
    assert text.count(Question.ORIGIN.wording) == 0
    assert "quiet.jpg" not in show(saved(tmp_path, *files))  # nothing stood out in it
    assert show(saved(tmp_path, *files), details=True, verbose=True).count(Question.KNOWN.wording) == 2


def test_the_folder_that_files_share_is_named_once(tmp_path: Path) -> None:
    paths = ("/cases/2026/phone/a/1.jpg", "/cases/2026/phone/ab/2.jpg", "/cases/2026/phone/3.jpg")
    files = [file(path, result(), info={"sha256": f"{number:064x}"}) for number, path in enumerate(paths)]
    text = show(saved(tmp_path, *files), verbose=True)
    assert "Files in /cases/2026/phone/\n" in text
    assert re.findall(r"^(\S+\.jpg)", text, re.M) == ["3.jpg", "a/1.jpg", "ab/2.jpg"]


def test_a_large_folder_is_cut_and_says_so(tmp_path: Path) -> None:
    broken = [file(f"{n:03}.jpg", error="cannot be decoded", info={"sha256": f"{n:064x}"}) for n in range(60)]
    text = show(saved(tmp_path, *broken))
    assert "… and 52 more." in text
    assert "000.jpg and 59 more files: cannot be decoded" in text  # one reason is said once


@pytest.mark.parametrize("width", [80, 60, 120, 40])
def test_lines_fit_the_width(tmp_path: Path, width: int) -> None:
    long = every_outcome("/home/advocate/cases/2026-11/incoming from the phone of the client/WhatsApp Images/IMG.jpg")
    for files in ([long], [long, file("b.jpg", result()), hostile_file("<script>" * 30)]):
        for verbose in (False, True):
            text = show(saved(tmp_path, *files), width=width, verbose=verbose)
            whole = ("Report: ", "SHA-256 ", "Next: nsfwforensics", "      nsfwforensics")  # to be copied in one piece
            lines = [line for line in text.splitlines() if not line.startswith(whole)]
            assert max(map(len, lines)) <= width


def test_a_megabyte_of_text_does_not_flood_the_terminal(tmp_path: Path) -> None:
    report = saved(tmp_path, hostile_file("A" * 1_000_000))
    for call in SHOWS:
        assert len(show(report, call)) < 40_000


def test_fields_and_hashes_are_tables_of_values(tmp_path: Path) -> None:
    field = {"source": "JPEG APP1", "group": "EXIF IFD0", "name": "Make", "text": "NIKON"}
    report = saved(
        tmp_path,
        file(
            "a.jpg",
            result(measurements={"fields": [field]}),
            result(
                "phash", Question.KNOWN, measurements={"pdq": "ab" * 32, "pdq_quality": 97, "md5": "00" * 16, "x": 1}
            ),
        ),
        file("b.jpg", error="cannot be decoded"),
    )
    fields = show(report, render_fields)
    assert re.search(r"Make\s+NIKON\s+JPEG APP1, EXIF IFD0", fields)
    assert "cannot be decoded" in fields
    hashes = show(report, render_hashes, width=40)
    assert f"  pdq            {'ab' * 32} (quality 97 of 100)\n" in hashes
    assert hashes.index("md5") < hashes.index("pdq")
    assert "cannot be decoded" in hashes


def test_an_interrupted_run_says_so_first(tmp_path: Path) -> None:
    with ReportWriter(tmp_path) as writer:
        writer.add(every_outcome())
        report = writer.finish(header(interrupted=True))
    assert show(report).startswith("Note: The run was interrupted")
