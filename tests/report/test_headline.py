"""What a reader sees first: what was asked for, then origin, then editing; and what nothing found does not mean."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from nsfwforensics.core.triage import certain, signs
from nsfwforensics.core.types import AnalyzerResult, AnalyzerStatus, FileReport, Question, Severity, Summary, Support
from nsfwforensics.report.saved.tally import Tally
from nsfwforensics.report.words.headline import NOTHING, folder_headline, headline
from tests.report.factory import declared, file, finding, header, result

ORIGINALS = frozenset({"compare"})


def made_from(*more: Any) -> AnalyzerResult:
    made = finding("CMP-001", title="Made", severity=Severity.MEDIUM, headline="Made from her-original.jpg.")
    return result("compare", Question.KNOWN, findings=(made, *more))


CHANGED = finding(
    "CMP-002", severity=Severity.HIGH, question=Question.ALTERATION, headline="27 % of it was changed, below the face."
)
FACE = result(
    "faces",
    Question.IDENTITY,
    findings=(finding("FACE-001", severity=Severity.HIGH, headline="A face in it resembles the reference photo."),),
)
NO_FACE = result(
    "faces",
    Question.IDENTITY,
    findings=(finding("FACE-003", support=Support.NO_INDICATION, headline="No face in it resembles the photo."),),
)
MARK = result(
    "provenance",
    findings=(finding("PROV-001", severity=Severity.MEDIUM, explanation="The file claims to be made by a generator."),),
)
CAMERA = result(
    "metadata",
    findings=(
        finding("META-002", severity=Severity.LOW, headline="The file says that it was taken with a Nikon D70."),
    ),
)
TRACES = result(
    "traces",
    Question.ALTERATION,
    findings=(finding("TRACE-001", title="Copied part", severity=Severity.MEDIUM, explanation="Two. Sentences."),),
)
UNTOLD = result(
    "deepfake", Question.SYNTHESIS, findings=(finding("SYN-002", support=Support.INCONCLUSIVE, explanation="No."),)
)
QUIET = result("jpeg", Question.ALTERATION, AnalyzerStatus.NOTHING_FOUND)


def said(*results: AnalyzerResult, **changes: Any) -> str:
    return " ".join(headline(file("a.jpg", *results, **changes), ORIGINALS))


def test_what_was_asked_for_stands_first_whatever_the_order_of_the_results() -> None:
    for results in ((MARK, TRACES, FACE, made_from(CHANGED)), (made_from(CHANGED), FACE, TRACES, MARK)):
        assert said(*results) == (
            "Made from her-original.jpg. 27 % of it was changed, below the face. A face in it resembles the reference "
            "photo. The file claims to be made by a generator."
        )


def test_statements_of_origin_stand_before_signs_of_editing() -> None:
    assert said(TRACES, MARK) == "The file claims to be made by a generator. Copied part."


@pytest.mark.parametrize("results", [(NO_FACE, QUIET, UNTOLD), (QUIET, UNTOLD), (CAMERA, QUIET, UNTOLD)])
def test_nothing_found_says_what_it_does_not_mean_and_what_could_not_be_told(
    results: tuple[AnalyzerResult, ...],
) -> None:
    told = said(*results)
    assert NOTHING in told
    assert told.endswith("It could not be told whether it was generated.")
    assert ("No face in it resembles the photo." in told) is (NO_FACE in results)
    assert told.startswith("The file says that it was taken with a Nikon D70.") is (CAMERA in results)


def test_a_weak_sign_is_no_contradiction_and_a_stated_edit_takes_the_place_of_no_sign() -> None:
    resaved = result("jpeg", Question.ALTERATION, findings=(finding("JPEG-001", severity=Severity.LOW),))
    renamed = result("metadata", findings=(finding("META-001", severity=Severity.LOW, headline=""),))
    assert said(renamed, resaved, UNTOLD) == f"{NOTHING} It could not be told whether it was generated."
    steps = "According to Adobe, these steps were done: cropping."
    signed = result(
        "provenance",
        findings=(
            finding("PROV-110", severity=Severity.LOW, question=Question.ALTERATION, headline=steps),
            finding("PROV-101", headline="It is signed by Adobe."),
        ),
    )
    assert said(signed, QUIET, UNTOLD) == (
        f"It is signed by Adobe. {steps} It could not be told whether it was generated."
    )


def test_a_run_for_one_question_speaks_of_that_question_only() -> None:
    assert said(NO_FACE) == "No face in it resembles the photo."
    assert said(CAMERA) == "The file says that it was taken with a Nikon D70."
    assert said(QUIET) == "No sign of editing was found. That does not make the picture unedited."


def test_what_is_only_inconclusive_is_never_said_as_found() -> None:
    unsure = finding("FACE-002", severity=Severity.MEDIUM, support=Support.INCONCLUSIVE, headline="It is not known.")
    told = said(result("faces", Question.IDENTITY, findings=(unsure,)), QUIET, UNTOLD)
    assert told.startswith("It is not known. No clear sign")


def test_a_broken_file_and_a_failed_check_are_one_sentence() -> None:
    assert said(error="the file is empty") == "It could not be examined: the file is empty."
    assert said(error="no picture", skipped=True) == "Passed over: no picture."
    broken = result("traces", Question.ALTERATION, AnalyzerStatus.FAILED, error="out of memory")
    assert said(MARK, broken).endswith("A check failed: traces: out of memory.")


def folder(*files: FileReport) -> str:
    found = Counter(certain(signs(one, ORIGINALS)) for one in files)
    tally = Tally(header(analyzers=declared("compare", "phash")))
    for one in files:
        tally.add(one, 0, 0)
    assert tally.found == found
    return " ".join(folder_headline(found, tally.summary()))


def test_a_folder_is_told_by_what_was_asked_for() -> None:
    files = [file("1", FACE, made_from(CHANGED)), file("2", FACE), *(file(f"{n}", MARK) for n in range(5))]
    assert folder(*files) == (
        "2 pictures show a face that resembles the reference photo. 1 of them shows signs of having been changed or "
        "generated. 1 picture appears to have been made from an original that you supplied."
    )


def test_a_folder_in_which_nothing_stood_out_and_one_file_was_broken() -> None:
    told = folder(file("1", QUIET), file("2", QUIET), file("3", error="it is empty"))
    assert told == (
        "Nothing stood out in 2 files; that does not make them authentic. 1 file could not be examined in full."
    )
    cut = file("4", QUIET)
    cut = cut.model_copy(update={"info": cut.info.model_copy(update={"decoded_share": 0.5})})
    assert folder(file("1", QUIET), cut, file("3", error="it is empty")) == (
        "Nothing stood out in 2 files; that does not make them authentic. 2 files could not be examined in full."
    )
    assert folder_headline({}, Summary())  # an empty report has a headline too
