"""What a report says can be said again in another language: sentences keep how they were made, all the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nsfwforensics.core import assess
from nsfwforensics.core.discover import Target
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import (
    AnalyzerResult,
    AnalyzerStatus,
    Answer,
    FileReport,
    Finding,
    Question,
    Severity,
    Support,
)
from nsfwforensics.errors import EvidenceError


def examined(path: Path, *analyzers: str) -> FileReport:
    plan = Plan(PlanSpec(analyzers=analyzers))
    return plan.infer([plan.examine_file(Target(path, named=True))])[0]


def answer(file: FileReport, question: Question) -> Answer:
    return next(each for each in file.answers if each.question is question)


def test_an_error_carries_its_message() -> None:
    error = EvidenceError(say("grew past the limit of {limit:,} bytes", limit=1000))
    assert str(error) == "grew past the limit of 1,000 bytes"
    assert isinstance(error.message, Message) and error.message.values == {"limit": 1000}
    assert EvidenceError("plain").message == "plain"
    assert EvidenceError().message == ""


def test_the_reason_of_a_broken_file_keeps_its_template(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    file = examined(path, "traces")
    assert str(file.wording["error"].template).startswith("cannot be decoded: ")
    missing = answer(file, Question.ALTERATION)
    assert missing.wording["statement"].template == "Not checked: {reasons:semicolon}."
    assert "cannot be decoded" in str(missing.wording["statement"].values)
    assert missing.wording["not_checked.0"].values["analyzer"] == "traces"


def test_reasons_of_the_methods_reach_the_report(tmp_path: Path) -> None:
    path = tmp_path / "small.jpg"
    Image.new("RGB", (40, 40), (90, 60, 30)).save(path, quality=90)
    file = examined(path, "traces")
    result = file.results[0]
    assert result.status is AnalyzerStatus.NOT_APPLICABLE
    reasons = result.wording["error"].values["reasons"]
    assert {"template": "smaller than {least} pixels on a side", "values": {"least": 64}} in reasons
    assert all(isinstance(reason, dict) for reason in reasons), "a reason lost its template"


@pytest.mark.parametrize("support", [Support.SUPPORTS, Support.INCONCLUSIVE])
def test_an_answer_says_what_its_finding_says(support: Support) -> None:
    finding = Finding(
        code="TEST-001",
        title="t",
        severity=Severity.LOW,
        support=support,
        explanation=say("{points} points agree.", points=7),
        caveat="c",
    )
    result = AnalyzerResult(
        analyzer="probe",
        version="1",
        origin="test",
        question=Question.KNOWN,
        status=AnalyzerStatus.OK,
        findings=(finding,),
        seconds=0.0,
    )
    known = next(each for each in assess.answers([result], complete=True) if each.question is Question.KNOWN)
    assert known.statement == "7 points agree."
    assert known.wording["statement"].values == {"points": 7}


def test_a_reason_without_values_can_still_be_found_in_a_catalogue() -> None:
    result = AnalyzerResult(
        analyzer="jpeg",
        version="1",
        origin="test",
        question=Question.ALTERATION,
        status=AnalyzerStatus.NOT_APPLICABLE,
        error=say("not a JPEG file"),
        seconds=0.0,
    )
    said = result.said("error")
    assert isinstance(said, Message) and said.template == "not a JPEG file"
    strange = result.model_copy(update={"error": "ValueError: {x}"})
    assert strange.said("error") == "ValueError: {x}" and not isinstance(strange.said("error"), Message)
