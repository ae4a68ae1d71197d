"""A second look completes in the case what the first left there; what says the same stays where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nsfwforensics.core.types import AnalyzerRecord, AnalyzerResult, AnalyzerStatus, FileReport, Question
from nsfwforensics.core.written import write
from nsfwforensics.store import runs
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import RunRecord, Stat
from nsfwforensics.store.state import results_digest
from tests.report.factory import file, finding, header, result
from tests.store.conftest import sha

PLACE = "/evidence/a.jpg"
QUICK, HASHES = result("quick", findings=(finding(),)), result("hashes", measurements={"n": "“1”"})
SLOW = result("slow", findings=(finding(), finding()))


@pytest.fixture
def scan(case: CaseDatabase) -> RunRecord:
    """A scan whose plan has the slow analyzer between those that look first."""
    records = [
        AnalyzerRecord(name=name, version="1", origin="built-in", question=Question.ALTERATION, options={})
        for name in ("quick", "slow", "hashes")
    ]
    with case.writing() as connection:
        begun = header(fingerprint="plan", finished=None)
        return runs.begin(connection, begun.model_copy(update={"analyzers": tuple(records)}))


def look(
    case: CaseDatabase, run: RunRecord, *results: AnalyzerResult, content: str = "x", **changes: Any
) -> FileReport:
    made = file(PLACE, *results, info={"sha256": sha(content)}, **changes)
    write(made)
    with case.writing() as connection:
        runs.save(connection, run, made_path(), made, Stat(1, 2, 3))
    return made


def made_path() -> bytes:
    return PLACE.encode()


def rows(case: CaseDatabase) -> list[tuple[Any, ...]]:
    with case.reading() as connection:
        return connection.execute(
            "SELECT id, position, analyzer, typeof(document) FROM results ORDER BY position"
        ).fetchall()


def first_of(run: RunRecord) -> RunRecord:
    return replace(run, fingerprint=run.first)


def test_it_keeps_the_rows_of_the_first_and_adds_its_own(case: CaseDatabase, scan: RunRecord) -> None:
    look(case, first_of(scan), QUICK, HASHES)
    assert rows(case) == [(1, 0, "quick", "text"), (2, 2, "hashes", "text")]
    whole = look(case, scan, QUICK, SLOW, HASHES)
    assert rows(case) == [(1, 0, "quick", "text"), (3, 1, "slow", "text"), (2, 2, "hashes", "text")]
    (found,) = case.files()
    assert case.report(found) == whole
    assert len(case.examinations(found)) == 1
    with case.reading() as connection:
        assert connection.execute("SELECT count(*) FROM findings").fetchone() == (3,)
        assert runs.done(connection, made_path(), "plan", scan.first).plan == "plan"  # type: ignore[union-attr]
    assert case.problems() == list(case.disagreements()) == []


def test_what_says_something_else_is_replaced_with_its_findings(case: CaseDatabase, scan: RunRecord) -> None:
    look(case, first_of(scan), QUICK, HASHES)
    failed = result("quick", status=AnalyzerStatus.FAILED, error="broken")
    whole = look(case, scan, failed, HASHES)
    assert rows(case) == [(3, 0, "quick", "text"), (2, 2, "hashes", "text")]
    (found,) = case.files()
    assert case.report(found) == whole
    assert (found.status, found.findings) == ("failed", ())
    assert case.problems() == list(case.disagreements()) == []


def test_results_that_are_not_in_the_order_of_the_plan_are_counted(case: CaseDatabase, scan: RunRecord) -> None:
    look(case, first_of(scan), QUICK, HASHES)
    whole = look(case, scan, HASHES, QUICK, result("unknown"), QUICK)
    assert [place for _, place, *_ in rows(case)] == [0, 1, 2, 3]
    assert case.report(next(case.files())) == whole


def test_other_bytes_leave_the_first_look_as_history(case: CaseDatabase, scan: RunRecord) -> None:
    look(case, first_of(scan), QUICK)
    whole = look(case, scan, QUICK, SLOW, content="y")
    (found,) = case.files()
    assert case.report(found) == whole
    assert [(each.sha256, each.superseded) for each in case.examinations(found)] == [
        (sha("x"), True),
        (sha("y"), False),
    ]


def test_another_plan_stays_beside_it(case: CaseDatabase, scan: RunRecord) -> None:
    look(case, replace(scan, id=scan.id, fingerprint="another", setups={"slow": "otherwise"}), SLOW)
    look(case, first_of(scan), QUICK)
    look(case, scan, QUICK, HASHES)
    (found,) = case.files()
    assert [each.fingerprint for each in case.examinations(found)] == ["another", "plan"]
    assert {each.analyzer for each in case.report(found).results} == {"quick", "hashes", "slow"}


def test_a_case_says_the_same_however_often_it_is_looked_at(case: CaseDatabase, scan: RunRecord) -> None:
    look(case, scan, QUICK, SLOW, HASHES)
    before = rows(case)
    look(case, scan, QUICK, SLOW, HASHES)
    assert rows(case) == before
    with case.reading() as connection:
        assert len(results_digest(connection)) == 64
