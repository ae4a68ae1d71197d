"""Whoever changes any value of a case behind the log is found by ``case verify``, whichever column it stands in."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from nsfwforensics.core.types import FileReport, Severity
from nsfwforensics.store import custody_log, runs, state
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.custody_log import DECISIONS, RESULTS, Happening
from nsfwforensics.store.rows import Decision, Stat
from nsfwforensics.store.scanning import CaseScan
from nsfwforensics.store.signatures import as_artifact
from tests.report.factory import every_outcome, file, finding, header, result
from tests.store.conftest import Save, sha

NOT_COVERED = {
    ("examinations", "size"), ("examinations", "mtime_ns"), ("examinations", "ctime_ns"),
}  # fmt: skip
"""Brought up to date whenever a scan finds the same bytes: whether these are the same, ``--files`` tells."""


def fill(case: CaseDatabase) -> None:
    made = every_outcome("/evidence/everything.jpg")
    hashed = result("phash", measurements={"pdq": "0" * 64, "pdq_quality": 90, "md5": "0" * 32})
    signed = hashed.model_copy(update={"artifacts": (as_artifact("method", b"signature"),)})
    made = made.model_copy(update={"results": (*made.results, signed)})
    record = runs.begin(case._connection, header(finished=None))
    for name in ("/evidence/everything.jpg", "/evidence/other.jpg"):
        with case.writing() as connection:
            runs.save(connection, record, Path(name), made, Stat(1, 2, 3))
    with case.writing() as connection:
        runs.end(connection, record, header())
    with case.writing() as connection:
        runs.save(connection, record, Path("/evidence/broken.jpg"), file("/evidence/broken.jpg", error="broken"), None)
    case.register(Path("/evidence/pending.jpg"), sha("pending"), Stat(1, 2, 3))
    case.mark(sha("pending"), decision=Decision.RELEVANT, dismiss=["META-001"], note="n", by="Ann")
    with case.writing() as connection:
        (number,) = connection.execute("SELECT max(id) FROM results").fetchone()
        connection.execute("INSERT INTO artifacts (result_id, position, data) VALUES (?, 7, x'00')", (number,))
    custody_log.append(case, Happening("filled", "nsfwforensics", counts={"scan": 1}, states=(RESULTS, DECISIONS)))


def found(case: CaseDatabase) -> list[str]:
    """What ``case verify`` would complain about, an error that it ends with included."""
    try:
        unlogged = "stands in the case and not in the log"  # the scan above went round it
        return [
            *case.problems(),
            *case.disagreements(),
            *(one for one in custody_log.check(case).problems if unlogged not in one),
        ]
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def columns() -> list[tuple[str, str]]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    from nsfwforensics.store.migrations import migrate

    migrate(connection)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    named = [
        (table, name)
        for (table,) in tables
        for _, name, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall()
    ]
    connection.close()
    return named


def tamper(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a case of which there is nothing to complain."""
    folder = tmp_path_factory.mktemp("filled")
    with CaseDatabase.create(folder / "one.case", name="One", operator="Ann") as case:
        fill(case)
        assert found(case) == []
    return folder


@pytest.mark.parametrize(("table", "column"), columns())
def test_a_change_to_any_column_is_found(filled: Path, tmp_path: Path, table: str, column: str) -> None:
    path = shutil.copytree(filled, tmp_path / "copy") / "one.case"
    connection = sqlite3.connect(path)
    (kind,) = connection.execute(f"SELECT typeof({column}) FROM {table} WHERE {column} IS NOT NULL LIMIT 1").fetchone()
    connection.close()
    other = {
        "real": f"{column} - 1",
        "integer": f"{column} + 1000",
        "text": f"{column} || 'x'",
        "blob": f"cast({column} || 'x' AS BLOB)",
    }[kind]
    first = f"rowid = (SELECT rowid FROM {table} WHERE {column} IS NOT NULL ORDER BY rowid DESC LIMIT 1)"
    keyed = table in ("findings", "hashes", "signatures")  # tables without a row number
    tamper(path, f"UPDATE {table} SET {column} = {other}" + ("" if keyed else f" WHERE {first}"))
    with CaseDatabase.open(path) as opened:
        assert bool(found(opened)) is ((table, column) not in NOT_COVERED)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE files SET priority = 3", "status, priority, place or error in lists do not follow"),
        ("UPDATE files SET status = 'ok'", "status, priority, place or error in lists do not follow"),
        ("UPDATE findings SET severity = 'info'", "results or findings in lists are not those in the report"),
        ("DELETE FROM findings", "results or findings in lists are not those in the report"),
        ("UPDATE results SET analyzer = 'x'", "results or findings in lists are not those in the report"),
        ("UPDATE examinations SET status = 'ok'", "status or SHA-256 in lists are not those of examination"),
        (
            'UPDATE examinations SET document = replace(document, \'"priority":"high"\', \'"priority":"none"\')',
            "of examination 1 is not what its findings say",
        ),
        (
            """UPDATE examinations SET document = replace(document, '"support":"supports"',
            '"support":"no_indication"')""",
            "of examination 1 is not what its findings say",
        ),
        (
            'UPDATE results SET document = replace(document, \'"severity":"high"\', \'"severity":"info"\')',
            "results or findings in lists are not those in the report",
        ),
    ],
)
def test_what_lists_show_is_compared_with_what_was_found(
    case: CaseDatabase, save: Save, statement: str, words: str
) -> None:
    """Also where somebody had a trigger do it before the log's digest was taken, and took the trigger out again."""
    save("/evidence/a.jpg", result(findings=(finding(severity=Severity.HIGH),)), error="broken")
    assert list(case.disagreements()) == []
    tamper(case.path, statement)
    with CaseDatabase.open(case.path) as opened:
        custody_log.append(opened, Happening("filled", "nsfwforensics", states=(RESULTS, DECISIONS)))
        assert words in "\n".join(opened.disagreements())


def test_marks_and_history_disagree_with_nothing(case: CaseDatabase, save: Save) -> None:
    save("/evidence/a.jpg", result(findings=(finding(),)), content="first")
    save("/evidence/a.jpg", result(), content="second")
    save("/evidence/b.jpg", result("other"), content="second", fingerprint="other")
    save("/evidence/b.jpg", result(findings=(finding(),)), content="second")
    case.mark(sha("second"), decision=Decision.FALSE_POSITIVE, dismiss=["META-001"])
    assert list(case.disagreements()) == []


def test_a_digest_of_an_earlier_version_is_compared_with_what_that_version_took(case: CaseDatabase, save: Save) -> None:
    save("/evidence/a.jpg", result())
    with case.reading() as connection:
        digest = state.former_results_digest(connection)
    custody_log.append(case, Happening("made", "nsfwforensics"))
    custody_log.append(case, Happening("old", "nsfwforensics", digests={"results in the case": digest}))
    # the first entry of a log holds all states: only what a later one says counts
    assert not [one for one in custody_log.check(case).problems if "are not those of" in one]
    tamper(case.path, "UPDATE results SET document = replace(document, 'a', 'b')")
    with CaseDatabase.open(case.path) as opened:
        assert "the results in the case are not those of entry 2" in "\n".join(custody_log.check(opened).problems)


def test_a_killed_scan_explains_nothing_that_came_after_the_next_one_ended(case: CaseDatabase) -> None:
    with CaseScan(case, header(finished=None)):
        case.register(Path("/evidence/a.jpg"), sha("a"), Stat(1, 2, 3))  # and then it was killed
    with CaseScan(case, header(finished=None)) as second:
        second.end(header())
    assert custody_log.check(case).problems == ()
    tamper(case.path, "UPDATE contents SET width = 7")
    with CaseDatabase.open(case.path) as opened:
        assert "they were changed since, and no entry says by what" in "\n".join(custody_log.check(opened).problems)


def test_a_scan_that_goes_on_beside_one_that_ended_explains_what_it_writes(case: CaseDatabase, save: Save) -> None:
    first = CaseScan(case, header(finished=None))
    with CaseScan(case, header(finished=None)) as second:
        second.end(header())
    made: FileReport = every_outcome("/evidence/late.jpg")
    with case.writing() as connection:
        runs.save(connection, first.run, Path("/evidence/late.jpg"), made, None)
    checked = custody_log.check(case)
    assert checked.problems == ()
    assert "scan 1 has no end in the log" in checked.remarks[0]
