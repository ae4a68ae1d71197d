"""Pure rules: findings of all analyzers in, answers and triage priority out.

No verdict is fused here. An answer's support is the strongest thing any of its findings says; what could not be
checked stands beside it, and a question nobody looked at is ``not_checked``, never ``no_indication``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nsfwforensics.core.messages import say, say_count
from nsfwforensics.core.types import (
    AnalyzerResult,
    AnalyzerStatus,
    Answer,
    FileInfo,
    FileReport,
    FileStatus,
    Finding,
    Priority,
    Question,
    Severity,
    Support,
)

_RAN = (AnalyzerStatus.OK, AnalyzerStatus.NOTHING_FOUND)

_NOTHING: dict[Question, str] = {
    Question.ORIGIN: say(
        "No statement of origin was found. Most platforms strip such statements, so this proves nothing."
    ),
    Question.SYNTHESIS: say("No sign of generation or face swap was found. That does not make the picture authentic."),
    Question.ALTERATION: say("No sign of editing was found. That does not make the picture unedited."),
    Question.IDENTITY: say("No face in the picture was similar enough to the reference photo to be reported."),
    Question.KNOWN: say("No known image matched. A crop, a border or a screenshot can hide a match."),
    Question.CONTENT: say("No sign of intimate content was found. That is not an assurance that there is none."),
}

_ENDED: dict[AnalyzerStatus, str] = {
    AnalyzerStatus.MEASURED: say("measured only"),
    AnalyzerStatus.NOT_APPLICABLE: say("not applicable"),
    AnalyzerStatus.NOT_AVAILABLE: say("not available"),
    AnalyzerStatus.FAILED: say("failed"),
}

_STRENGTH = (Support.SUPPORTS, Support.INCONCLUSIVE, Support.NO_INDICATION, Support.NOT_CHECKED)


def answers(
    results: Sequence[AnalyzerResult], *, complete: bool, reason: str | None = None, unexamined: int = 0
) -> tuple[Answer, ...]:
    """Answers every question from the results of one file.

    Args:
        results: What the planned analyzers did.
        complete: Whether all installed analyzers were planned; decides how an unasked question is worded.
        reason: Why the file could not be examined at all, or None.
        unexamined: How many pictures and videos in the file were not looked at.

    Returns:
        One answer per :class:`Question`, in their order.
    """
    unasked = reason or (say("this version has no check for it") if complete else say("not part of this run"))
    made = (_answer(question, speaking_to(question, results), unasked) for question in Question)
    return tuple(_in_part(answer, unexamined) if unexamined else answer for answer in made)


def _in_part(answer: Answer, unexamined: int) -> Answer:
    """An answer about what a file shows, where part of it was not looked at: never that nothing is there."""
    if answer.question is Question.ORIGIN or answer.support is Support.NOT_CHECKED:
        return answer
    left = say_count(
        "{count} picture or video in the file was not examined",
        "{count} pictures or videos in the file were not examined",
        unexamined,
    )
    update: dict[str, Any] = {"not_checked": (*answer.not_checked, left)}
    if answer.support is Support.NO_INDICATION:
        update["support"] = Support.INCONCLUSIVE
        if not answer.findings:
            update["statement"] = say("Nothing was found in what was examined, but {left}.", left=left)
    return Answer(**{**_worded(answer), **update})


def _worded(answer: Answer) -> dict[str, Any]:
    """The fields of an answer with its sentences as messages."""
    not_checked = tuple(answer.said(f"not_checked.{place}") for place in range(len(answer.not_checked)))
    return {
        "question": answer.question,
        "statement": answer.said("statement"),
        "support": answer.support,
        "findings": answer.findings,
        "not_checked": not_checked,
    }


def again(file: FileReport, *, complete: bool) -> tuple[Answer, ...]:
    """The answers that a file's results give, as :func:`answers` makes them."""
    return answers(file.results, complete=complete, reason=_why(file), unexamined=file.info.unexamined)


def answers_again(before: Sequence[Answer], file: FileReport) -> tuple[Answer, ...]:
    """Answers every question anew about which something is known; how an unasked one was worded stays.

    Args:
        before: The answers as they were.
        file: The report as it is now, whatever its answers.
    """
    fresh = {answer.question: answer for answer in again(file, complete=False)}
    return tuple(
        fresh[answer.question] if file.error or speaking_to(answer.question, file.results) else answer
        for answer in before
    )


def contradiction(file: FileReport) -> str:
    """What in a report is not what its findings say, or nothing.

    A report that was written by this package says of every question what :func:`answers` makes of its results, in the
    words of the version that wrote it, and has the priority that :func:`priority` makes of them.
    """
    if file.priority != priority_of(file):
        return "the priority"
    looked_at = [result for result in file.results if result.origin != _CASE]
    if not file.answers and file.skipped and not looked_at:  # a file of a case that no scan has reached
        return ""
    if [answer.question for answer in file.answers] != list(Question):
        return "the list of answers"
    doubted = list(file.answers)
    for complete in (True, False):
        fresh = {answer.question: answer for answer in again(file, complete=complete)}
        doubted = [answer for answer in doubted if not _says_the_same(answer, fresh[answer.question])]
        if not doubted:
            return ""
    return f"the answer to {doubted[0].question.value!r}"


_CASE = "case"
"""The origin of what people decided, which is laid over a report."""


def _says_the_same(found: Answer, fresh: Answer) -> bool:
    not_checked = tuple(NOW_SAID.get(text, text) for text in found.not_checked)
    statement = NOW_SAID.get(found.statement, found.statement)
    same = (found.support, found.findings, not_checked) == (fresh.support, fresh.findings, fresh.not_checked)
    return same and statement == fresh.statement


NOW_SAID: dict[str, str] = {}
"""By a sentence of this module's own that an earlier version wrote, the one that stands in its place today."""


def _why(file: FileReport) -> str | None:
    return file.said("error") if file.error else None


def speaking_to(question: Question, results: Sequence[AnalyzerResult]) -> list[AnalyzerResult]:
    """The results of the question's own analyzers, and of others whose findings say something to it."""
    return [result for result in results if result.question is question or result.about(question)]


def _answer(question: Question, results: Sequence[AnalyzerResult], unasked: str) -> Answer:
    missing = tuple(
        say("{analyzer}: {reason}", analyzer=result.analyzer, reason=_reason(result))
        for result in results
        if result.status not in _RAN
    )
    if not results:
        return Answer(
            question=question,
            statement=say("Not checked: {reason}.", reason=unasked),
            support=Support.NOT_CHECKED,
            not_checked=(unasked,),
        )
    if not any(result.status in _RAN for result in results):
        return Answer(
            question=question,
            statement=say("Not checked: {reasons:semicolon}.", reasons=[_reason(result) for result in results]),
            support=Support.NOT_CHECKED,
            not_checked=missing,
        )
    findings = sorted((f for result in results for f in result.about(question)), key=reading_order)
    return Answer(
        question=question,
        statement=findings[0].said("explanation") if findings else _NOTHING[question],
        support=findings[0].support if findings else Support.NO_INDICATION,
        findings=tuple(dict.fromkeys(finding.code for finding in findings)),
        not_checked=(*missing, *_not_looked_for(results)),
    )


def _not_looked_for(results: Sequence[AnalyzerResult]) -> list[str]:
    """What the analyzers that ran say that they do not look for, each once."""
    told: list[str] = []
    for result in results:
        named = result.measurements.get("not_looked_for")
        for number, text in enumerate(named if result.status in _RAN and isinstance(named, (list, tuple)) else ()):
            told.append(result.said_inside(f"measurements.not_looked_for.{number}", str(text)))
    return list(dict.fromkeys(told))


def _reason(result: AnalyzerResult) -> str:
    return result.said("error") if result.error else _ENDED[result.status]


def reading_order(finding: Finding) -> tuple[int, int]:
    """Sort key that puts what carries an answer first: by support, then by severity."""
    return (_STRENGTH.index(finding.support), -finding.severity.rank)


def priority(results: Sequence[AnalyzerResult], status: FileStatus) -> Priority:
    """Says how soon a person should look at the file.

    A finding counts with its severity when it supports its question's proposition, one step less when it is
    inconclusive, and not at all otherwise. A file that could not be examined is never below ``low``.

    Args:
        results: What the planned analyzers did.
        status: How the file ended.
    """
    rank = 0
    for result in results:
        for finding in result.findings:
            if finding.support is Support.SUPPORTS:
                rank = max(rank, finding.severity.rank)
            elif finding.support is Support.INCONCLUSIVE:
                rank = max(rank, finding.severity.rank - 1)
    if status is FileStatus.FAILED:
        rank = max(rank, Severity.LOW.rank)
    return list(Priority)[3 - rank]


def priority_of(file: FileReport) -> Priority:
    """The priority that a file's results give; with something in it that was not looked at, never below ``low``.

    What the user supplied to compare with is not to be judged: ``none``.
    """
    if file.supplied_as:
        return Priority.NONE
    found = priority(file.results, file.status)
    return Priority.LOW if found is Priority.NONE and file.info.unexamined and not file.skipped else found


def failed_report(info: FileInfo, reason: str) -> FileReport:
    """The report of a file that could not be examined, or whose results could not be kept.

    Args:
        info: What is known of the file.
        reason: Why.
    """
    return FileReport(
        info=info,
        error=reason,
        answers=answers((), complete=False, reason=reason),
        priority=priority((), FileStatus.FAILED),
    )
