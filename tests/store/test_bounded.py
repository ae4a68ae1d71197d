"""No statement on a case goes on for ever, and Ctrl-C ends one that runs."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from nsfwforensics.errors import CaseError
from nsfwforensics.store import bounded
from nsfwforensics.store import connection as opening
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import Decision, Stat
from tests.store.conftest import sha

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT {} FROM c"


def test_a_statement_without_end_is_given_up(case: CaseDatabase) -> None:
    with pytest.raises(CaseError, match="was given up: reading it took more steps"), case.reading() as connection:
        connection.execute(ENDLESS.format("count(*)")).fetchone()


def test_that_is_so_inside_a_transaction_too(case: CaseDatabase) -> None:
    with pytest.raises(CaseError, match="was given up"), case.writing() as connection:
        connection.execute("UPDATE case_info SET name = (" + ENDLESS.format("max(x)") + ")")
    assert case.info().name == "One"


def test_rows_without_end_are_given_up_though_each_comes_at_once(case: CaseDatabase) -> None:
    """As pages would give them that stand in several places of a table at once; each is asked something else about."""
    with pytest.raises(CaseError, match="was given up"), case.reading() as connection:
        for (number,) in connection.execute(ENDLESS.format("x")):
            assert number < 1_000_000
            connection.execute("SELECT 1").fetchone()


def test_a_case_may_grow_while_it_is_open(case: CaseDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "STEPS", 100)
    monkeypatch.setattr(bounded, "LEAST_STEPS", 1000)
    monkeypatch.setattr(bounded, "LEAST_ROWS", 10)
    with CaseDatabase.open(case.path) as opened:
        for number in range(300):
            opened.register(Path(f"/evidence/{number}.jpg"), sha(str(number)), Stat(1, 2, 3))
            opened.mark(sha(str(number)), decision=Decision.RELEVANT, dismiss=["META-001"])
        assert len(list(opened.files())) == len(list(opened.hashes())) == 300
        assert opened.problems() == []
        assert list(opened.disagreements()) == []


def interrupt_soon() -> None:
    threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,)).start()


@pytest.mark.parametrize("writing", [False, True])
def test_ctrl_c_ends_a_statement_that_runs(case: CaseDatabase, monkeypatch: pytest.MonkeyPatch, writing: bool) -> None:
    monkeypatch.setattr(bounded, "LEAST_STEPS", 10**12)
    with CaseDatabase.open(case.path) as opened:
        interrupt_soon()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt), opened.writing() if writing else opened.reading() as connection:
            connection.execute(ENDLESS.format("count(*)")).fetchone()
        assert time.monotonic() - began < 20
        assert opened.info().name == "One"


def test_ctrl_c_ends_the_wait_for_another_writer(case: CaseDatabase) -> None:
    other = sqlite3.connect(case.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    interrupt_soon()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        case.register(Path("/evidence/a.jpg"), sha("a"), Stat(1, 2, 3))
    assert time.monotonic() - began < opening.BUSY_SECONDS / 2
    other.close()


@pytest.mark.parametrize(
    ("statement", "call"),
    [
        ("UPDATE files SET priority = 99", lambda case: list(case.files())),
        ("UPDATE files SET path = 'text'", lambda case: list(case.paths())),
        ("UPDATE files SET path = 1000000000000", lambda case: list(case.files())),
        ("UPDATE runs SET header = '{}'", CaseDatabase.headers),
        ("UPDATE decisions SET decision = 'guilty'", lambda case: list(case.files())),
        ("DELETE FROM case_info", CaseDatabase.info),
    ],
)
def test_a_value_that_no_version_writes_is_an_error_in_one_line(
    case: CaseDatabase, statement: str, call: object
) -> None:
    case.register(Path("/evidence/a.jpg"), sha("a"), Stat(1, 2, 3))
    case.mark(sha("a"), decision=Decision.RELEVANT)
    connection = sqlite3.connect(case.path, isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("INSERT INTO runs (fingerprint, header, started) VALUES ('f', 'h', 's')")
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()
    with CaseDatabase.open(case.path) as opened, pytest.raises(CaseError) as refused:
        call(opened)  # type: ignore[operator]
    assert "\n" not in str(refused.value)
