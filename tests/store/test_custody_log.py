"""The custody log: whoever edits, cuts, swaps or removes an entry is found, whichever copy it was done to."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import CaseError
from nsfwforensics.store import chain, custody_log
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.chain import GENESIS, LogEntry
from nsfwforensics.store.custody_log import DECISIONS, RESULTS, Happening
from nsfwforensics.store.log_copy import LogCopy
from nsfwforensics.store.rows import Decision, Stat
from nsfwforensics.store.scanning import CaseScan, belongs_to_case
from tests.report.factory import header
from tests.store.conftest import sha


def logged(case: CaseDatabase, number: int = 5) -> Path:
    for index in range(1, number + 1):
        custody_log.append(case, Happening("tried", f"nsfwforensics try {index}", "Ann", counts={"files": index}))
    return LogCopy.place(case.path)


def tamper(case: CaseDatabase, statement: str) -> None:
    """As somebody would who has SQLite's own shell: the triggers are in the way, so they go, and come back after it."""
    connection = sqlite3.connect(case.path, isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'custody_log_keep_%'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def problems(case: CaseDatabase) -> str:
    return "\n".join(custody_log.check(case).problems)


def test_every_entry_holds_the_one_before_it(case: CaseDatabase) -> None:
    copy = logged(case)
    lines = copy.read_text("ascii").splitlines()
    assert lines == custody_log.lines(case)
    entries = [json.loads(line) for line in lines]
    assert [entry["sequence"] for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0]["previous"] == GENESIS
    assert [entry["previous"] for entry in entries[1:]] == [chain.digest(line) for line in lines[:-1]]
    assert {entry["case"] for entry in entries} == {case.info().uuid}
    assert copy.stat().st_mode & 0o777 == 0o600
    checked = custody_log.check(case)
    assert (checked.problems, checked.remarks, checked.chain.last) == ((), (), 5)


def test_the_database_refuses_to_change_the_log(case: CaseDatabase) -> None:
    logged(case, 2)
    for statement in ("DELETE FROM custody_log", "UPDATE custody_log SET line = ''"):
        with pytest.raises(CaseError, match="only ever added to"), case.writing() as connection:
            connection.execute(statement)
    assert problems(case) == ""


EDITS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "edited": (lambda lines: [*lines[:2], lines[2].replace("try 3", "try 9"), *lines[3:]], "entry 3 was altered"),
    "reformatted": (lambda lines: [*lines[:2], lines[2].replace(":", ": "), *lines[3:]], "line 3 is no entry"),
    "last one edited": (lambda lines: [*lines[:4], lines[4].replace("Ann", "Eve")], "does not hold entry 5"),
    "cut": (lambda lines: lines[:3], "does not hold entries 4, 5"),
    "beginning cut": (lambda lines: lines[1:], "entry 1 is missing"),
    "hole": (lambda lines: lines[:1] + lines[3:], "entries 2 to 3 are missing"),
    "swapped": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "entry 3 stands in line 2"),
    "twice": (lambda lines: [*lines, lines[4]], "entry 5 stands there a second time"),
    "torn": (lambda lines: [*lines[:4], lines[4][:40]], "line 5 is no entry"),
    "foreign": (lambda lines: [*lines, "{}"], "does not hold line 6"),
    "emptied": (lambda lines: [], "does not hold entries 1, 2, 3, 4, 5"),
}


@pytest.mark.parametrize("how", EDITS)
def test_a_change_to_the_copy_is_named(case: CaseDatabase, how: str) -> None:
    copy = logged(case)
    edit, expected = EDITS[how]
    copy.write_text("".join(f"{line}\n" for line in edit(copy.read_text("ascii").splitlines())))
    assert expected in problems(case)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM custody_log WHERE sequence > 3", "the database does not hold lines 4, 5 of"),
        ("DELETE FROM custody_log WHERE sequence = 2", "in the database: entry 2 is missing"),
        ("UPDATE custody_log SET line = replace(line, 'try 4', 'try 9') WHERE sequence = 4", "entry 4 was altered"),
        ("UPDATE custody_log SET line = replace(line, 'Ann', 'Eve') WHERE sequence = 5", "entry 5 was altered"),
        ("UPDATE custody_log SET sequence = 10 - sequence", "entry 5 stands in line 1"),
    ],
)
def test_a_change_to_the_database_is_named(case: CaseDatabase, statement: str, expected: str) -> None:
    logged(case)
    tamper(case, statement)
    found = problems(case)
    assert expected in found, found


def test_what_was_cut_off_the_copy_is_put_back_and_the_log_says_so(case: CaseDatabase) -> None:
    copy = logged(case)
    lines = copy.read_text("ascii").splitlines(keepends=True)
    copy.write_text("".join(lines[:3]))
    entry = custody_log.append(case, Happening("tried", "nsfwforensics try 6"))
    assert entry.remark == "the copy beside the case ended with entry 3, and the log in the database with entry 5"
    checked = custody_log.check(case)
    assert checked.problems == ()
    assert checked.remarks == (f"entry 6 says: {entry.remark}",)
    assert copy.read_text("ascii").splitlines() == custody_log.lines(case)


def test_a_database_that_lost_its_end_is_not_believed(case: CaseDatabase) -> None:
    logged(case)
    tamper(case, "DELETE FROM custody_log WHERE sequence > 3")
    custody_log.append(case, Happening("tried", "nsfwforensics again"))
    checked = custody_log.check(case)
    assert "does not hold lines 4, 5" in "\n".join(checked.problems)
    assert "ended with entry 5, and the log in the database with entry 3" in checked.remarks[0]


def test_a_missing_copy_is_named(case: CaseDatabase) -> None:
    logged(case).unlink()
    assert "is missing beside the case" in problems(case)


def test_the_copy_may_not_be_a_link_or_a_pipe(case: CaseDatabase, tmp_path: Path) -> None:
    copy = LogCopy.place(case.path)
    copy.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CaseError, match="it is a symbolic link"):
        logged(case, 1)
    assert not (tmp_path / "elsewhere").exists()
    copy.unlink()
    os.mkfifo(copy)
    with pytest.raises(CaseError):
        logged(case, 1)
    assert custody_log.lines(case) == []


def test_the_copy_is_not_taken_for_evidence(case: CaseDatabase) -> None:
    assert belongs_to_case(logged(case, 1), case.path)


def test_a_scan_stands_in_the_log_from_its_start_to_its_end(
    case: CaseDatabase, save: Callable[..., FileReport]
) -> None:
    head = header(finished=None, command="nsfwforensics scan x --case one.case", operator="Bea")
    with CaseScan(case, head) as scan:
        scan.end(header(command=head.command, operator="Bea"))
    first, second = (chain.parse(line) for line in custody_log.lines(case))
    assert (first.kind, first.command, first.operator, first.counts["scan"]) == (
        "scan started",
        head.command,
        "Bea",
        1,
    )
    assert (second.kind, second.counts) == ("scan finished", {"scan": 1, "already done": 0})
    assert RESULTS in second.digests
    assert custody_log.check(case).problems == ()


def test_a_scan_that_the_log_does_not_know_is_named(case: CaseDatabase, save: Callable[..., FileReport]) -> None:
    save("/evidence/a.jpg")  # makes a run without an entry, as a program would that goes round the log
    assert "stands in the case and not in the log" in problems(case)


def test_results_and_decisions_changed_behind_the_log_are_found(case: CaseDatabase) -> None:
    case.register(Path("/evidence/a.jpg"), sha("a"), Stat(1, 2, 3))
    custody_log.append(case, Happening("files registered", "nsfwforensics case add", states=(RESULTS, DECISIONS)))
    assert problems(case) == ""
    case.mark(sha("a"), decision=Decision.RELEVANT)
    assert "the decisions in the case are not those of entry 1" in problems(case)
    custody_log.append(case, Happening("decision", "nsfwforensics case mark", states=(DECISIONS,)))
    assert problems(case) == ""
    with case.writing() as connection:
        connection.execute("UPDATE contents SET sha256 = ?", ("0" * 64,))
    assert "the results in the case are not those of entry 1" in problems(case)


def test_a_killed_scan_explains_results_that_no_entry_holds(case: CaseDatabase) -> None:
    custody_log.append(case, Happening("case made", "nsfwforensics case init", states=(RESULTS,)))
    with CaseScan(case, header(finished=None)):
        case.register(Path("/evidence/a.jpg"), sha("a"), Stat(1, 2, 3))
    checked = custody_log.check(case)
    assert checked.problems == ()
    assert "scan 1 has no end in the log: it is running, or it was killed" in checked.remarks[0]


def _append_some(path: Path) -> None:
    with CaseDatabase.open(path) as opened:
        logged(opened, 10)


def test_processes_that_share_a_case_share_its_log(case: CaseDatabase) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append_some, args=(case.path,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    checked = custody_log.check(case)
    assert (checked.problems, checked.remarks, checked.chain.last) == ((), (), 30)


@given(st.lists(st.one_of(st.text(), st.integers().map(lambda n: f'{{"sequence":{n}}}')), max_size=6))
def test_any_lines_are_checked_without_a_crash(lines: list[str]) -> None:
    found = chain.check(lines)
    assert bool(found.problems) == bool(lines)


def test_an_entry_far_away_costs_nothing() -> None:
    entry = LogEntry(10**15, "t", "k", "c", "o", "t", "c")
    assert "entries 1 to 999999999999999 are missing" in chain.check([entry.line]).problems


@pytest.mark.parametrize("length", [1, 4094, 4095, 4096, 4097, 70_000])
@pytest.mark.parametrize("end", ["\n", ""])
def test_the_last_line_of_the_copy_is_read_however_long_it_is(case: CaseDatabase, length: int, end: str) -> None:
    place = LogCopy.place(case.path)
    for before in ("", "first\n"):
        place.write_text(f"{before}{'x' * length}{end}")
        with LogCopy.locked(case.path) as copy:
            assert copy.last == "x" * length == copy.lines()[-1]
    place.write_text("")
    with LogCopy.locked(case.path) as copy:
        assert copy.last is None
