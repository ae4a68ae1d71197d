"""The rules that turn findings into answers and an order of work."""

from __future__ import annotations

import pytest

from nsfwforensics.core import assess
from nsfwforensics.core.types import (
    AnalyzerResult,
    AnalyzerStatus,
    FileInfo,
    FileReport,
    FileStatus,
    Finding,
    Priority,
    Question,
    Severity,
    Support,
)


def finding(support: Support, severity: Severity = Severity.MEDIUM, code: str = "TEST-001") -> Finding:
    return Finding(
        code=code, title="t", severity=severity, support=support, explanation=f"says {support.value}", caveat="c"
    )


def result(
    question: Question, status: AnalyzerStatus, *findings: Finding, error: str | None = None, name: str = "probe"
) -> AnalyzerResult:
    return AnalyzerResult(
        analyzer=name,
        version="1",
        origin="test",
        question=question,
        status=status,
        findings=findings,
        error=error,
        seconds=0.0,
    )


def one(question: Question, *results: AnalyzerResult, complete: bool = True) -> assess.Answer:
    return next(a for a in assess.answers(results, complete=complete) if a.question is question)


def test_every_question_is_answered_in_order() -> None:
    assert [answer.question for answer in assess.answers([], complete=True)] == list(Question)


def test_a_question_nobody_looked_at_is_not_checked() -> None:
    answer = one(Question.ALTERATION)
    assert answer.support is Support.NOT_CHECKED
    assert answer.not_checked == ("this version has no check for it",)
    assert "not part of this run" in one(Question.ALTERATION, complete=False).statement


@pytest.mark.parametrize("status", [AnalyzerStatus.NOT_APPLICABLE, AnalyzerStatus.NOT_AVAILABLE, AnalyzerStatus.FAILED])
def test_an_analyzer_that_did_not_run_is_never_no_indication(status: AnalyzerStatus) -> None:
    answer = one(Question.IDENTITY, result(Question.IDENTITY, status, error="no reference photo was given"))
    assert answer.support is Support.NOT_CHECKED
    assert "no reference photo was given" in answer.statement


def test_nothing_found_never_says_authentic_without_a_denial() -> None:
    for question in Question:
        answer = one(question, result(question, AnalyzerStatus.NOTHING_FOUND))
        assert answer.support is Support.NO_INDICATION
        assert "authentic" not in answer.statement or "does not make" in answer.statement


def test_the_strongest_support_leads_and_a_failure_beside_it_is_still_told() -> None:
    answer = one(
        Question.SYNTHESIS,
        result(
            Question.SYNTHESIS,
            AnalyzerStatus.OK,
            finding(Support.NO_INDICATION, Severity.HIGH, "TEST-003"),
            finding(Support.INCONCLUSIVE, Severity.HIGH, "TEST-002"),
            finding(Support.SUPPORTS, Severity.LOW, "TEST-001"),
        ),
        result(Question.SYNTHESIS, AnalyzerStatus.FAILED, error="broke", name="other"),
    )
    assert answer.support is Support.SUPPORTS
    assert answer.statement == "says supports"
    assert answer.findings == ("TEST-001", "TEST-002", "TEST-003")
    assert answer.not_checked == ("other: broke",)


@pytest.mark.parametrize(
    ("support", "severity", "expected"),
    [
        (Support.SUPPORTS, Severity.HIGH, Priority.HIGH),
        (Support.SUPPORTS, Severity.MEDIUM, Priority.MEDIUM),
        (Support.SUPPORTS, Severity.INFO, Priority.NONE),
        (Support.INCONCLUSIVE, Severity.HIGH, Priority.MEDIUM),
        (Support.INCONCLUSIVE, Severity.INFO, Priority.NONE),
        (Support.NO_INDICATION, Severity.HIGH, Priority.NONE),
    ],
)
def test_priority(support: Support, severity: Severity, expected: Priority) -> None:
    results = [result(Question.ORIGIN, AnalyzerStatus.OK, finding(support, severity))]
    assert assess.priority(results, FileStatus.OK) is expected


def test_a_failed_file_is_never_at_the_very_end() -> None:
    assert assess.priority([], FileStatus.FAILED) is Priority.LOW


def test_status_is_never_ok_with_a_failure_inside_and_cannot_be_claimed() -> None:
    info = FileInfo(path="a", name="a")
    failed = result(Question.ORIGIN, AnalyzerStatus.FAILED, error="broke")
    file = FileReport(info=info, results=(failed,))
    assert file.status is FileStatus.FAILED
    lie = file.model_dump(mode="json") | {"status": "ok"}
    assert FileReport.model_validate(lie).status is FileStatus.FAILED
    partial = FileReport(info=info.model_copy(update={"decoded_share": 0.5}))
    assert partial.status is FileStatus.PARTIAL
