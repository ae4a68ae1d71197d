"""Decisions of people, and what they do to a report: shown, explained, never anything hidden.

A decision is kept with the SHA-256 of the content, so that it stays with a file that is moved or scanned again. What
the analyzers found stays in the case as it was; only what is handed out carries the marks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from nsfwforensics.core import assess
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import (
    AnalyzerResult,
    AnalyzerStatus,
    FileReport,
    Finding,
    Question,
    Severity,
    Support,
)
from nsfwforensics.store.bounded import forget, once
from nsfwforensics.store.rows import Decision, DecisionEntry, Dismissal

MARKED = "CASE-001"
"""The finding that carries a decision."""

ANALYZER = "case"
"""The name under which a decision stands among the results."""


def history(connection: sqlite3.Connection, content_id: int) -> list[DecisionEntry]:
    """All decisions about a content, the oldest first."""
    rows = connection.execute(
        "SELECT decision, note, decided_by, decided_at FROM decisions WHERE content_id = ? ORDER BY id", (content_id,)
    )
    return [DecisionEntry(Decision(decision), note, by, at) for decision, note, by, at in rows]


def since(connection: sqlite3.Connection, number: int) -> list[tuple[int, str, DecisionEntry]]:
    """Decisions about any content after that of a number, in their order, each with its number and the SHA-256."""
    rows = connection.execute(
        """SELECT d.id, c.sha256, d.decision, d.note, d.decided_by, d.decided_at FROM decisions d
        JOIN contents c ON c.id = d.content_id WHERE d.id > ? ORDER BY d.id""",
        (number,),
    )
    return [
        (at, sha256, DecisionEntry(Decision(decision), note, by, when)) for at, sha256, decision, note, by, when in rows
    ]


def dismissals(connection: sqlite3.Connection, content_id: int) -> dict[str, Dismissal]:
    """The findings that are dismissed for a content, by code."""
    rows = connection.execute(
        "SELECT code, dismissed, note, decided_by, decided_at FROM dismissals WHERE content_id = ? ORDER BY id",
        (content_id,),
    )
    latest = {code: (dismissed, Dismissal(code, note, by, at)) for code, dismissed, note, by, at in rows}
    return {code: dismissal for code, (dismissed, dismissal) in latest.items() if dismissed}


_ANY = "SELECT EXISTS (SELECT 1 FROM decisions) OR EXISTS (SELECT 1 FROM dismissals)"


def decided(connection: sqlite3.Connection, content_id: int) -> bool:
    """Whether anybody has decided anything about a content, or set a finding aside for it."""
    if not once(connection, _ANY):
        return False
    (found,) = connection.execute(
        """SELECT EXISTS (SELECT 1 FROM decisions WHERE content_id = ?1)
        OR EXISTS (SELECT 1 FROM dismissals WHERE content_id = ?1)""",
        (content_id,),
    ).fetchone()
    return bool(found)


def add_decision(connection: sqlite3.Connection, content_id: int, mark: DecisionEntry) -> None:
    """Adds a decision to the history of a content."""
    forget(connection, _ANY)
    connection.execute(
        "INSERT INTO decisions (content_id, decision, note, decided_by, decided_at) VALUES (?, ?, ?, ?, ?)",
        (content_id, mark.decision.value, mark.note, mark.by, mark.at),
    )


def add_dismissal(connection: sqlite3.Connection, content_id: int, entry: Dismissal, *, dismissed: bool) -> None:
    """Adds to the history of a content that a finding is dismissed, or counts again."""
    forget(connection, _ANY)
    connection.execute(
        "INSERT INTO dismissals (content_id, code, dismissed, note, decided_by, decided_at) VALUES (?, ?, ?, ?, ?, ?)",
        (content_id, entry.code, int(dismissed), entry.note, entry.by, entry.at),
    )


def alarms(file: FileReport) -> list[str]:
    """Codes of the findings for which a file is to be looked at, each once.

    These are the ones that raise its priority to medium or high by the rules of ``core.assess``; where there are none,
    those that raise it to low.
    """
    ranks = {Support.SUPPORTS: 0, Support.INCONCLUSIVE: 1}
    found = [(f.severity.rank - ranks[f.support], f.code) for f in file.findings if f.support in ranks]
    for least in (Severity.MEDIUM, Severity.LOW):
        if codes := [code for rank, code in found if rank >= least.rank]:
            return list(dict.fromkeys(codes))
    return []


def marked(connection: sqlite3.Connection, file: FileReport, content_id: int) -> FileReport:
    """An unmarked report with what people decided about its content; see :func:`apply`."""
    decided = history(connection, content_id)
    return apply(file, decided[-1] if decided else None, dismissals(connection, content_id))


def apply(file: FileReport, mark: DecisionEntry | None, dismissed: Mapping[str, Dismissal]) -> FileReport:
    """The report of a file with what people decided about its content.

    A dismissed finding stays where it is, says so, and raises nothing. The decision becomes a finding of its own under
    the question whether the image is known. Answers to the questions that this touches are made again.

    Args:
        file: As the analyzers left it.
        mark: The decision that counts, or None.
        dismissed: The findings set aside, by code.
    """
    touched: set[Question] = set()
    results = []
    for result in file.results:
        findings = tuple(_dismiss(finding, dismissed.get(finding.code)) for finding in result.findings)
        if findings != result.findings:
            touched |= _questions(result)
            result = result.model_copy(update={"findings": findings})
        results.append(result)
    if mark is not None and mark.decision is not Decision.UNDECIDED:
        results.append(_result(mark))
        touched.add(Question.KNOWN)
    return reassess(file, results, touched) if touched else file


def reassess(file: FileReport, results: Sequence[AnalyzerResult], touched: set[Question]) -> FileReport:
    """A report with other results: answers to the touched questions and the priority are made again."""
    changed = file.model_copy(update={"results": tuple(results)})
    fresh = {answer.question: answer for answer in assess.again(changed, complete=False)}
    answers = tuple(fresh[old.question] if old.question in touched else old for old in file.answers)
    return changed.model_copy(update={"answers": answers, "priority": assess.priority_of(changed)})


def _questions(result: AnalyzerResult) -> set[Question]:
    """The questions that a result's findings speak to: the analyzer's, or one that a finding names itself."""
    named = (getattr(finding, "question", None) for finding in result.findings)
    return {result.question, *(question for question in named if question is not None)}


def _dismiss(finding: Finding, dismissal: Dismissal | None) -> Finding:
    if dismissal is None:
        return finding
    return Finding.model_validate(
        {
            **dict(finding),
            "title": say("Dismissed: {title}", title=finding.said("title")),
            "severity": Severity.INFO,
            "support": Support.NO_INDICATION,
            "explanation": _set_aside(dismissal, finding.said("explanation")),
            "data": {
                **finding.data,
                "dismissed": {
                    "by": dismissal.by,
                    "at": dismissal.at,
                    "note": dismissal.note,
                    "severity": finding.severity.value,
                    "support": finding.support.value,
                },
            },
        }
    )


def _set_aside(dismissal: Dismissal, explanation: str) -> str:
    values = {"who": _who(dismissal.by), "day": dismissal.at[:10], "explanation": explanation}
    if dismissal.note:
        return say("Set aside by {who} on {day} ({note}). It said: {explanation}", note=dismissal.note, **values)
    return say("Set aside by {who} on {day}. It said: {explanation}", **values)


DECISIONS: Mapping[Decision, str] = {
    Decision.UNDECIDED: say("undecided"),
    Decision.NEEDS_REVIEW: say("needs review"),
    Decision.RELEVANT: say("relevant"),
    Decision.NOT_RELEVANT: say("not relevant"),
    Decision.FALSE_POSITIVE: say("false positive"),
}
"""Each decision in words."""


def _marked(mark: DecisionEntry) -> str:
    values = {"decision": DECISIONS[mark.decision], "who": _who(mark.by), "day": mark.at[:10]}
    if mark.note:
        return say("This very file was marked “{decision}” by {who} on {day}: {note}", note=mark.note, **values)
    return say("This very file was marked “{decision}” by {who} on {day}.", **values)


def _result(mark: DecisionEntry) -> AnalyzerResult:
    found = Finding(
        code=MARKED,
        title=say("Decision in this case"),
        severity=Severity.INFO,
        support=Support.SUPPORTS,
        explanation=_marked(mark),
        caveat=say(
            "It is what a person decided about a file with this SHA-256; no check of this tool stands behind it."
        ),
        data={"decision": mark.decision.value, "note": mark.note, "by": mark.by, "at": mark.at},
    )
    return AnalyzerResult(
        analyzer=ANALYZER,
        version="1",
        origin="case",
        question=Question.KNOWN,
        status=AnalyzerStatus.OK,
        findings=(found,),
        seconds=0.0,
    )


def _who(name: str) -> str:
    return say("a person who gave no name") if name in ("", "not supplied") else name
