"""What stands on the first screen of a terminal, in the eight situations that readers meet, at 80 and 40 columns."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from rich.console import Console

from nsfwforensics.core.types import AnalyzerResult, AnalyzerStatus, FileReport, Question, Severity, Support
from nsfwforensics.report.console.file import render
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words.headline import NOTHING
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import declared, file, finding, header, result

RUN = header(
    analyzers=declared("provenance", "metadata", "deepfake", "jpeg", "compare", "faces", "known", "phash", "intimate")
)
RATE = {"error_rates": [{"what": "strangers taken for her", "errors": 4, "trials": 3789, "upper": 0.0025}]}
CAVEAT = "A lead for a person to compare."

NO_LIST = result("known", Question.KNOWN, AnalyzerStatus.NOT_APPLICABLE, error="no list of known images was given")
NO_PERSON = result("faces", Question.IDENTITY, AnalyzerStatus.NOT_APPLICABLE, error="no reference photo was given")
QUIET = result("jpeg", Question.ALTERATION, AnalyzerStatus.NOTHING_FOUND)
CARE = result("intimate", Question.CONTENT, AnalyzerStatus.NOT_AVAILABLE, error="the extra 'intimate' is missing")
UNTOLD = result(
    "deepfake",
    Question.SYNTHESIS,
    findings=(finding("SYN-002", support=Support.INCONCLUSIVE, explanation="Both are found there.", data=RATE),),
)
FACE = result(
    "faces",
    Question.IDENTITY,
    findings=(
        finding(
            "FACE-001",
            title="Face similar to the reference photo",
            severity=Severity.HIGH,
            explanation="A face in the picture resembles the reference photo.",
            headline="A face in it resembles the reference photo.",
            caveat=CAVEAT,
            data=RATE,
        ),
    ),
)
MADE = result(
    "compare",
    Question.KNOWN,
    findings=(
        finding(
            "CMP-001",
            title="Matches an original",
            severity=Severity.MEDIUM,
            headline="Made from her.jpg.",
        ),
        finding(
            "CMP-002",
            title="Changed region",
            severity=Severity.HIGH,
            question=Question.ALTERATION,
            explanation="Changed region: 27 % of the photo as shown here, below the face.",
            headline="27 % of it was changed, below the face.",
        ),
    ),
)
MARK = result(
    "provenance",
    findings=(
        finding(
            "PROV-001",
            title="The file claims to be made with an AI generator",
            severity=Severity.MEDIUM,
            explanation="The file claims to be made by Stable Diffusion.",
        ),
    ),
)
SIGNED = result(
    "provenance",
    findings=(
        finding("PROV-101", explanation="A sentence. And another one.", headline="The file carries credentials."),
        finding("PROV-104", severity=Severity.LOW, headline="According to Leica, it was taken with a camera."),
    ),
)
CAMERA = result("metadata", findings=(finding("META-002", severity=Severity.LOW),))
BROKEN_REASON = "cannot be decoded: the picture data are broken"
BROKEN_CHECKS = tuple(
    result(name, question, AnalyzerStatus.FAILED, error=BROKEN_REASON)
    for name, question in (
        ("deepfake", Question.SYNTHESIS), ("jpeg", Question.ALTERATION), ("faces", Question.IDENTITY),
        ("compare", Question.KNOWN), ("phash", Question.KNOWN), ("intimate", Question.CONTENT),
        ("metadata", Question.ORIGIN),
    )
)  # fmt: skip
REST = (NO_LIST, CARE)


def picture(number: int, *results: AnalyzerResult, looks: int | None = None, **changes: Any) -> FileReport:
    hashes = {} if looks is None else {"pdq": f"{looks:064x}", "pdq_quality": 100}
    return file(
        f"phone/{number:03}.jpg",
        *results,
        result(
            "phash", Question.KNOWN, AnalyzerStatus.NOT_APPLICABLE, error="hashes are not compared", measurements=hashes
        ),
        info={"sha256": f"{number:064x}"},
        **changes,
    )


def folder_of_200() -> list[FileReport]:
    found = [picture(n, FACE, MADE, UNTOLD, *REST) for n in range(190, 194)]
    found += [picture(n, FACE, UNTOLD, *REST) for n in range(194, 200)]
    found += [picture(n, MARK, UNTOLD, *REST) for n in range(80)]
    found += [picture(n, *BROKEN_CHECKS, error=BROKEN_REASON) for n in range(80, 100)]
    return found + [picture(n, CAMERA, QUIET, UNTOLD, *REST) for n in range(100, 190)]


def folder_with_copies() -> list[FileReport]:
    return [*(picture(n, FACE, UNTOLD, *REST, looks=n % 4) for n in range(41)), picture(50, QUIET, UNTOLD, *REST)]


SITUATIONS: dict[str, tuple[Callable[[], list[FileReport]], str, int]] = {
    "made from the photo and changed": (
        lambda: [picture(1, MARK, UNTOLD, MADE, FACE, *REST)],
        "Made from her.jpg. 27 % of it was changed, below the face. A face in it resembles the reference photo.",
        32,
    ),
    "person found only": (
        lambda: [picture(1, QUIET, UNTOLD, FACE, *REST)], "A face in it resembles the reference photo.", 20
    ),
    "AI mark": (
        lambda: [picture(1, MARK, QUIET, UNTOLD, NO_PERSON, *REST)],
        "The file claims to be made by Stable Diffusion.",
        20,
    ),
    "signed photo": (
        lambda: [picture(1, CAMERA, SIGNED, QUIET, UNTOLD, NO_PERSON, *REST)], "According to Leica,", 22
    ),
    "nothing found": (lambda: [picture(1, QUIET, UNTOLD, NO_PERSON, *REST)], NOTHING, 18),
    "broken": (
        lambda: [picture(1, *BROKEN_CHECKS, error=BROKEN_REASON)], f"It could not be examined: {BROKEN_REASON}.", 7
    ),
    "folder of 200": (
        folder_of_200,
        "10 pictures show a face that resembles the reference photo. 4 of them show signs of having been changed",
        40,
    ),
    "folder with 40 copies": (
        folder_with_copies, "41 pictures show a face that resembles the reference photo.", 16
    ),
}  # fmt: skip


Saved = Callable[[list[FileReport]], SavedReport]


@pytest.fixture
def saved() -> Iterator[Saved]:
    """Reports that were made without their page, which these tests do not look at."""
    with ExitStack() as open_ones:

        def make(files: list[FileReport]) -> SavedReport:
            writer = open_ones.enter_context(ReportWriter(None))
            writer.begin(RUN)
            for one in files:
                writer.add(one)
            return writer.finish(RUN)

        yield make


def shown(report: SavedReport, width: int = 80, **options: bool) -> str:
    stream = io.StringIO()
    render(report, Console(file=stream, width=width), **options)
    return stream.getvalue()


def in_one(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_headline_is_what_is_read_first_and_all_of_it_fits_a_screen(saved: Saved, situation: str) -> None:
    files, said, most = SITUATIONS[situation]
    report = saved(files())
    for width in (80, 40):
        text = shown(report, width)
        first = in_one(text).removeprefix("phone/001.jpg ")
        assert first.startswith(in_one(said)), (situation, width)
        whole = ("SHA-256 ", "Next: nsfwforensics", "      nsfwforensics")  # to be copied in one piece
        lines = [line for line in text.splitlines() if not line.startswith(whole)]
        assert max(map(len, lines)) <= width
        assert len(text.splitlines()) <= most * (1 if width == 80 else 2)


def test_rates_are_one_level_down_and_never_gone(saved: Saved) -> None:
    report = saved([picture(1, FACE, UNTOLD, *REST)])
    assert "4 of 3,789" not in in_one(shown(report))
    assert in_one(shown(report, verbose=True)).count("4 of 3,789") == 2
    assert f"But: {CAVEAT}" in shown(report)  # what would make it wrong stands beside it all the same


def test_an_inconclusive_and_an_unasked_question_take_one_line_each(saved: Saved) -> None:
    lines = shown(saved([picture(1, FACE, QUIET, UNTOLD, *REST)])).splitlines()
    for line in (
        "Generated or face-swapped: inconclusive.",
        "Edited or re-saved: no sign found.",
        "Intimate content: not available (the extra 'intimate' is missing).",
    ):
        assert line in lines


def test_no_sign_of_generation_is_not_said_of_swapped_faces(saved: Saved) -> None:
    quiet = result("deepfake", Question.SYNTHESIS, AnalyzerStatus.NOTHING_FOUND)
    lines = shown(saved([picture(1, FACE, QUIET, quiet, *REST)])).splitlines()
    assert "Generated: no sign found." in lines


def test_a_run_for_one_question_speaks_of_that_question_only(saved: Saved) -> None:
    text = shown(saved([file("phone/001.jpg", CAMERA)]))
    assert Question.ORIGIN.wording in text
    for word in ("inconclusive", "not checked", "Known image", "Generated", "edited"):
        assert word not in text


def test_a_broken_file_takes_one_line_of_a_folder_and_the_reason_is_said_once(saved: Saved) -> None:
    text = in_one(shown(saved(folder_of_200())))
    assert text.count(BROKEN_REASON) == 1
    assert "phone/080.jpg and 19 more files" in text.replace("080.jpg", "phone/080.jpg", 1)


def test_copies_are_one_row_and_can_be_unfolded(saved: Saved) -> None:
    report = saved(folder_with_copies())
    assert "000.jpg + 40 copies" in in_one(shown(report, 120))
    report.folds = False
    text = in_one(shown(report, 120))
    assert "+ 40 copies" not in text
    assert "… and 33 more." in text
