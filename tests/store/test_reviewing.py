"""What several people decided: who disagrees, who settled it, what counts as two independent opinions."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from nsfwforensics.errors import CaseError
from nsfwforensics.store import custody_log, log_copy, reviewing
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.custody_log import Happening
from nsfwforensics.store.deciding import DecidedMeanwhileError, decide
from nsfwforensics.store.reviewing import Pair, ReviewState
from nsfwforensics.store.rows import Decision, DecisionEntry, NewMark
from tests.store.conftest import Save, sha

YES, NO, UNSURE, BACK = Decision.RELEVANT, Decision.NOT_RELEVANT, Decision.NEEDS_REVIEW, Decision.UNDECIDED


def history(*said: tuple[str, Decision]) -> list[DecisionEntry]:
    return [DecisionEntry(decision, "", by, "2026-11-29T10:00:00+00:00") for by, decision in said]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], ReviewState.OPEN),
        ([("A", YES)], ReviewState.ONE),
        ([("A", YES), ("A", NO)], ReviewState.ONE),
        ([("A", YES), ("A", BACK)], ReviewState.OPEN),
        ([("A", YES), ("B", YES)], ReviewState.AGREED),
        ([("A", YES), ("B", NO)], ReviewState.DISAGREED),
        ([("A", YES), ("B", NO), ("B", BACK)], ReviewState.ONE),
        ([("A", YES), ("B", NO), ("A", NO)], ReviewState.AGREED),
        ([("A", YES), ("B", NO), ("C", NO)], ReviewState.SETTLED),
    ],
)
def test_how_far_people_have_got(said: list[tuple[str, Decision]], expected: ReviewState) -> None:
    assert reviewing.standing(history(*said)) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([("A", YES)], None),
        ([("A", YES), ("B", NO)], Pair("A", YES, "B", NO)),
        ([("A", UNSURE), ("A", YES), ("B", NO)], Pair("A", YES, "B", NO)),
        ([("A", YES), ("B", NO), ("B", YES)], Pair("A", YES, "B", YES)),  # a slip, corrected at once
        ([("A", YES), ("B", NO), ("B", BACK), ("B", YES)], Pair("A", YES, "B", YES)),
        ([("A", YES), ("B", NO), ("A", NO)], Pair("A", YES, "B", NO)),  # persuaded: not two independent opinions
        ([("A", YES), ("B", NO), ("A", NO), ("B", YES)], Pair("A", YES, "B", NO)),
        ([("A", YES), ("B", NO), ("C", NO)], Pair("A", YES, "B", NO)),
        ([("not supplied", YES), ("B", NO)], None),
        ([("A", YES), ("A", BACK), ("B", NO)], None),
    ],
)
def test_two_opinions_are_counted_as_they_were_before_they_met(
    said: list[tuple[str, Decision]], expected: Pair | None
) -> None:
    assert reviewing.pair(history(*said)) == expected


def entry(**counts: int) -> Happening:
    return Happening(reviewing.DECIDED, "review", "Ben", counts=counts)


def wrong(case: CaseDatabase) -> list[str]:
    """What the check of the log finds, but for the scans, which are made up."""
    return [problem for problem in custody_log.check(case).problems if not problem.startswith("scan ")]


def test_a_decision_and_its_entry_are_there_together_or_not_at_all(case: CaseDatabase, save: Save) -> None:
    save("a.jpg"), save("b.jpg")
    custody_log.append(case, Happening("scan", "scan", states=(custody_log.RESULTS,)))
    before = len(custody_log.lines(case))
    with pytest.raises(CaseError):
        decide(case, [NewMark(sha("a.jpg"), YES, by="Ben"), NewMark("0" * 64, YES, by="Ben")], entry())
    assert case.history(sha("a.jpg")) == []
    assert len(custody_log.lines(case)) == before
    decide(case, [NewMark(sha("a.jpg"), YES, by="Ben"), NewMark(sha("b.jpg"), YES, by="Ben")], entry())
    assert [len(case.history(sha(name))) for name in ("a.jpg", "b.jpg")] == [1, 1]
    assert len(custody_log.lines(case)) == before + 1
    assert wrong(case) == []


def test_what_was_decided_meanwhile_is_not_decided_over(case: CaseDatabase, save: Save) -> None:
    save("a.jpg")
    content = sha("a.jpg")
    decide(case, [NewMark(content, YES, by="Ann")], entry(), {content: 0})
    with pytest.raises(DecidedMeanwhileError):
        decide(case, [NewMark(content, NO, by="Ben")], entry(), {content: 0})
    decide(case, [NewMark(content, NO, by="Ben")], entry(), {content: 0}, by="Ben")  # who is shown no others' decisions
    assert [mark.by for mark in case.history(content)] == ["Ann", "Ben"]


def test_people_and_their_time(case: CaseDatabase, save: Save) -> None:
    save("a.jpg"), save("b.jpg")
    decide(case, [NewMark(sha("a.jpg"), YES, by="Ben")], entry(**{reviewing.VISIBLE: 12}))
    decide(case, [NewMark(sha("b.jpg"), YES, by="Ben")], entry(**{reviewing.VISIBLE: 3}))
    decide(case, [NewMark(sha("a.jpg"), NO, by="Cem")], Happening(reviewing.DECIDED, "review", "Cem"))
    found = {each.name: (each.decided, each.visible) for each in reviewing.reviewers(case)}
    assert found == {"Ben": (2, 15), "Cem": (1, 0)}
    assert reviewing.pairs(case) == {("Ben", "Cem"): [("relevant", "not-relevant")]}


def test_many_writers_lose_nothing(case: CaseDatabase, save: Save) -> None:
    names = [f"{number}.jpg" for number in range(12)]
    for name in names:
        save(name)

    def work(mine: list[str]) -> None:
        with CaseDatabase.open(case.path) as other:
            for name in mine:
                decide(other, [NewMark(sha(name), YES, by="Ben")], entry(contents=1), {sha(name): 0})

    threads = [threading.Thread(target=work, args=(names[start::3],)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(case.marks_since(0)) == 12
    assert wrong(case) == []


def test_a_decision_reads_what_is_new_and_no_more(
    case: CaseDatabase, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcd":
        save(name)
    for name in "ab":
        decide(case, [NewMark(sha(name), YES, by="Ben", dismiss=("META-001",))], entry())
    with pytest.raises(DecidedMeanwhileError):  # what was not written must not be in the next digest
        decide(case, [NewMark(sha("a"), NO, by="Ben", dismiss=("META-002",))], entry(), {sha("a"): 0})
    with pytest.raises(CaseError):
        decide(case, [NewMark(sha("c"), NO, by="Ben"), NewMark("0" * 64, NO, by="Ben")], entry())
    with CaseDatabase.open(case.path) as other:
        decide(other, [NewMark(sha("c"), NO, by="Ann", dismiss=("META-003",))], entry())
    monkeypatch.setattr(log_copy, "_read", None)
    monkeypatch.setattr(custody_log, "lines", None)
    rows: list[str] = []
    with case.reading() as connection:
        connection.set_trace_callback(rows.append)
    decide(case, [NewMark(sha("d"), YES, by="Ben", dismiss=("META-004",))], entry())
    asked = [statement for statement in rows if "'decision'" in statement or "'dismissal'" in statement]
    assert [statement.partition("d.id > ")[2].partition(" ")[0] for statement in asked] == ["2", "2"]
    monkeypatch.undo()
    assert wrong(case) == []
    assert len(custody_log.lines(case)) == 4


def test_what_was_changed_behind_a_review_is_still_found(case: CaseDatabase, save: Save) -> None:
    save("a"), save("b")
    decide(case, [NewMark(sha("a"), YES, by="Ben")], entry())
    connection = sqlite3.connect(case.path, isolation_level=None)
    name, sql = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE name = 'decisions_keep_update'"
    ).fetchone()
    connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE decisions SET decision = 'not-relevant'")
    connection.execute(sql)
    connection.close()
    decide(case, [NewMark(sha("b"), YES, by="Ben")], entry())  # its digest does not make the change good
    assert any("were changed since" in problem for problem in wrong(case))
