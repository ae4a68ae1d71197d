"""Decisions stay with the content, dismissed findings stay dismissed and stay visible."""

from __future__ import annotations

import sqlite3

import pytest

from nsfwforensics.core.types import Priority, Question, Severity, Support
from nsfwforensics.errors import CaseError
from nsfwforensics.store import marks
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import Decision
from tests.report.factory import every_outcome, file, finding, result
from tests.store.conftest import Save, sha
from tests.store.test_casedb import one

ALARM = finding("META-004", title="Times differ", severity=Severity.HIGH, explanation="The times differ.")


def test_the_latest_decision_counts_and_the_history_stays(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result())
    case.mark(sha("/e/a.jpg"), decision=Decision.NEEDS_REVIEW, note="look again", by="Ann")
    case.mark(sha("/e/a.jpg"), decision=Decision.NOT_RELEVANT, note="a meme", by="Bob")
    mark = one(case, "/e/a.jpg").mark
    assert mark is not None
    assert (mark.decision, mark.note, mark.by) == (Decision.NOT_RELEVANT, "a meme", "Bob")
    assert [entry.decision for entry in case.history(sha("/e/a.jpg"))] == ["needs-review", "not-relevant"]


@pytest.mark.parametrize("table", ["decisions", "dismissals"])
def test_the_history_cannot_be_rewritten(case: CaseDatabase, save: Save, table: str) -> None:
    save("/e/a.jpg", result(findings=(ALARM,)))
    case.mark(sha("/e/a.jpg"), decision=Decision.FALSE_POSITIVE, dismiss=["META-004"])
    for change in (f"DELETE FROM {table}", f"UPDATE {table} SET note = 'other'"):
        with pytest.raises(CaseError, match="only ever added to"), case.writing() as connection:
            connection.execute(change)


def test_a_decision_goes_with_the_content(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result(), content="same")
    case.mark(sha("same"), decision=Decision.RELEVANT, by="Ann")
    save("/elsewhere/moved.jpg", result(), content="same")
    save("/e/a.jpg", result(), content="other now")
    moved, replaced = one(case, "moved.jpg"), one(case, "a.jpg")
    assert moved.mark is not None
    assert moved.mark.decision is Decision.RELEVANT
    assert replaced.mark is None


def test_a_decision_about_nothing_is_refused(case: CaseDatabase) -> None:
    with pytest.raises(CaseError, match="holds no file with the SHA-256"):
        case.mark(sha("nothing"), decision=Decision.RELEVANT)


def test_a_dismissed_finding_raises_nothing_and_stays_in_sight(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result(findings=(ALARM, finding())))
    assert one(case, "/e/a.jpg").priority is Priority.HIGH
    case.mark(sha("/e/a.jpg"), note="camera clock", by="Ann", dismiss=["META-004"])
    listed = one(case, "/e/a.jpg")
    assert (listed.priority, listed.dismissed) == (Priority.NONE, ("META-004",))
    assert listed.findings == ("META-001", "META-004")
    whole = case.report(listed)
    dismissed, other = whole.findings
    assert dismissed.title == "Dismissed: Times differ"
    assert dismissed.explanation.startswith("Set aside by Ann on ")
    assert dismissed.explanation.endswith("(camera clock). It said: The times differ.")
    assert dismissed.wording["explanation"].values["explanation"] == {"template": "The times differ."}
    assert (dismissed.severity, dismissed.support) == (Severity.INFO, Support.NO_INDICATION)
    note = dismissed.data["dismissed"]
    assert isinstance(note, dict)
    assert (note["severity"], note["support"], note["by"]) == ("high", "supports", "Ann")
    assert other == finding()
    origin = next(answer for answer in whole.answers if answer.question is Question.ORIGIN)
    assert origin.statement == other.explanation
    assert origin.findings == ("META-001", "META-004")
    assert whole.priority is Priority.NONE


def test_it_stays_dismissed_in_later_scans_and_other_findings_count(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result(findings=(ALARM,)), content="same")
    case.mark(sha("same"), dismiss=["META-004"])
    save("/e/a.jpg", result(findings=(ALARM,)), content="same", fingerprint="next version")
    save("/f/copy.jpg", result(findings=(ALARM,)), content="same")
    save("/e/other.jpg", result(findings=(ALARM,)))
    assert {f.path: f.priority for f in case.files()} == {
        "/e/other.jpg": Priority.HIGH, "/e/a.jpg": Priority.NONE, "/f/copy.jpg": Priority.NONE
    }  # fmt: skip
    second = finding("META-005", severity=Severity.MEDIUM)
    save("/e/a.jpg", result(findings=(ALARM, second)), content="same", fingerprint="one more")
    assert one(case, "/e/a.jpg").priority is Priority.MEDIUM


def test_a_finding_counts_again_once_it_is_restored(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result(findings=(ALARM,)))
    case.mark(sha("/e/a.jpg"), dismiss=["META-004"])
    case.mark(sha("/e/a.jpg"), restore=["META-004"])
    listed = one(case, "/e/a.jpg")
    assert (listed.priority, listed.dismissed) == (Priority.HIGH, ())
    assert case.report(listed).findings == (ALARM,)


def test_what_the_analyzers_found_stays_as_it_was(case: CaseDatabase, save: Save) -> None:
    save("/e/a.jpg", result(findings=(ALARM,)))
    case.mark(sha("/e/a.jpg"), decision=Decision.FALSE_POSITIVE, dismiss=["META-004"])
    with case.reading() as connection:
        assert isinstance(connection, sqlite3.Connection)
        rows = connection.execute("SELECT code, severity, support FROM findings").fetchall()
        (document,) = connection.execute("SELECT document FROM results").fetchone()
    assert rows == [("META-004", "high", "supports")]
    assert "Dismissed" not in document


def test_a_decision_answers_whether_the_image_is_known() -> None:
    made = file("/e/a.jpg", result(findings=(finding(),)))
    mark = marks.DecisionEntry(Decision.NOT_RELEVANT, "a meme", "Ann", "2026-11-21T09:14:31.400+00:00")
    marked = marks.apply(made, mark, {})
    known = next(answer for answer in marked.answers if answer.question is Question.KNOWN)
    assert known.findings == (marks.MARKED,)
    assert known.statement == "This very file was marked “not relevant” by Ann on 2026-11-21: a meme"
    assert marked.priority is made.priority
    assert [answer for answer in marked.answers if answer.question is not Question.KNOWN] == [
        answer for answer in made.answers if answer.question is not Question.KNOWN
    ]


def test_without_marks_a_report_is_left_alone() -> None:
    made = every_outcome()
    undecided = marks.DecisionEntry(Decision.UNDECIDED, "", "Ann", "2026-11-21T09:14:31.400+00:00")
    assert marks.apply(made, None, {}) is made
    assert marks.apply(made, undecided, {}) is made


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ({"META-001": Severity.HIGH, "META-002": Severity.LOW, "META-003": Severity.INFO}, ["META-001"]),
        ({"META-001": Severity.MEDIUM, "META-002": Severity.HIGH}, ["META-001", "META-002"]),
        ({"META-001": Severity.LOW, "META-002": Severity.INFO}, ["META-001"]),
        ({"META-001": Severity.INFO}, []),
    ],
)
def test_a_false_alarm_is_what_raised_the_priority(severities: dict[str, Severity], expected: list[str]) -> None:
    findings = tuple(finding(code, severity=severity) for code, severity in severities.items())
    assert marks.alarms(file("/e/a.jpg", result(findings=(*findings, *findings)))) == expected


def test_inconclusive_findings_raise_one_step_less() -> None:
    medium = finding("META-001", severity=Severity.MEDIUM, support=Support.INCONCLUSIVE)
    high = finding("META-002", severity=Severity.HIGH, support=Support.INCONCLUSIVE)
    nothing = finding("META-003", severity=Severity.HIGH, support=Support.NO_INDICATION)
    assert marks.alarms(file("/e/a.jpg", result(findings=(medium, high, nothing)))) == ["META-002"]
    assert marks.alarms(file("/e/a.jpg", result(findings=(medium,)))) == ["META-001"]
