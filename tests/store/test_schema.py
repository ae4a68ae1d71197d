"""Whatever somebody planted in a case, or took out of it, it is refused at every opening, in one line that names it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from nsfwforensics.errors import CaseError
from nsfwforensics.store import schema
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.migrations import APPLICATION_ID, MIGRATIONS, migrate
from nsfwforensics.store.rows import Stat
from tests.store.conftest import sha


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "c.db"
    with CaseDatabase.create(place) as case:
        case.register(Path("/evidence/a.jpg"), sha("a"), Stat(1, 2, 3))
    return place


def planted(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def rewritten(name: str, old: str, new: str) -> tuple[str, ...]:
    """Statements that change how an object is defined, without SQLite having a say."""
    return (
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') WHERE name = '{name}'",
        "PRAGMA writable_schema = RESET",
    )


PLANTED: dict[str, tuple[tuple[str, ...], str]] = {
    "trigger": (("CREATE TRIGGER evil AFTER INSERT ON results BEGIN DELETE FROM results; END",), "the trigger 'evil'"),
    "trigger under a name of ours": (
        ("DROP TRIGGER decisions_keep_update",
         "CREATE TRIGGER decisions_keep_update BEFORE UPDATE ON decisions BEGIN SELECT 1; END"),
        "the trigger 'decisions_keep_update' otherwise",
    ),
    "trigger gone": (("DROP TRIGGER custody_log_keep_delete",), "lacks the trigger 'custody_log_keep_delete'"),
    "trigger on another table": (
        ("DROP TRIGGER decisions_keep_update",
         """CREATE TRIGGER decisions_keep_update BEFORE UPDATE ON dismissals
        BEGIN SELECT RAISE(ABORT, 'decisions are only ever added to'); END"""),
        "the trigger 'decisions_keep_update' otherwise",
    ),
    "view": (("CREATE VIEW v AS SELECT 1",), "the view 'v'"),
    "endless view for a table": (
        ("PRAGMA foreign_keys = OFF", "DROP TABLE hashes",
         """CREATE VIEW hashes AS WITH RECURSIVE c(content_id, algorithm, value, quality) AS
         (SELECT 1, 'md5', '', 1 UNION ALL SELECT content_id + 1, algorithm, value, quality FROM c) SELECT * FROM c"""),
        "the view 'hashes'",
    ),
    "table": (("CREATE TABLE more (id)",), "the table 'more'"),
    "table gone": (("DROP TABLE signatures",), "lacks the "),
    "index": (("CREATE INDEX more ON files (status)",), "the index 'more'"),
    "index gone": (("DROP INDEX examined_once",), "lacks the index 'examined_once'"),
    "index of other columns": (
        ("DROP INDEX files_by_content", "CREATE INDEX files_by_content ON files (status)"),
        "the index 'files_by_content' otherwise",
    ),
    "expression in an index": (("CREATE INDEX e ON files (hex(path))",), "the index 'e'"),
    "column": (("ALTER TABLE files ADD COLUMN more",), "the table 'files' otherwise"),
    "generated column": (
        ("ALTER TABLE files ADD COLUMN more AS (priority + 1)",), "the table 'files' otherwise",
    ),
    "condition gone": (rewritten("files", "CHECK (priority BETWEEN 0 AND 3)", ""), "the table 'files' otherwise"),
    "condition added": (rewritten("runs", "interrupted INTEGER", "interrupted INTEGER CHECK (1)"), "the table 'runs'"),
    "default": (rewritten("runs", "DEFAULT 0", "DEFAULT 1"), "the table 'runs' otherwise"),
    "conflict clause": (rewritten("contents", "UNIQUE", "UNIQUE ON CONFLICT IGNORE"), "the table 'contents'"),
    "collation": (rewritten("contents", "sha256 TEXT", "sha256 TEXT COLLATE NOCASE"), "the table 'contents' otherwise"),
    "virtual table": (("CREATE VIRTUAL TABLE found USING fts5(text)",), "the table 'found"),
    "statistics": (("ANALYZE",), "the table 'sqlite_stat"),
    "sequence": (("CREATE TABLE z (id INTEGER PRIMARY KEY AUTOINCREMENT)",), "the table "),
    "long name with a line break": (
        (f'CREATE VIEW "a\nb{"x" * 5000}" AS SELECT 1',), "the view 'a bxxxx",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", PLANTED)
def test_a_planted_object_is_named_and_nothing_is_read(path: Path, how: str) -> None:
    statements, words = PLANTED[how]
    try:
        planted(path, *statements)
    except sqlite3.OperationalError as error:
        pytest.skip(f"SQLite itself refuses: {error}")
    before = path.read_bytes()
    for call in (CaseDatabase.open, CaseDatabase.open_or_create):
        with pytest.raises(CaseError, match="it was left as it is") as refused:
            call(path)
        assert words in str(refused.value), str(refused.value)
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 400
    assert path.read_bytes() == before


def test_two_tables_in_each_others_place_are_found(path: Path) -> None:
    planted(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'decisions') "
        "WHERE name = 'dismissals'",
        "PRAGMA writable_schema = RESET",
    )
    with pytest.raises(CaseError, match=r"in the place of another|is damaged"):
        CaseDatabase.open(path)


@pytest.mark.parametrize(
    ("pragma", "words"),
    [
        ("user_version = 0", "is not a case database"),
        ("user_version = -1", "is not a case database"),
        (f"user_version = {len(MIGRATIONS) + 1}", "a newer version of this tool"),
        ("user_version = 1", "the table 'files' otherwise than this tool makes it"),
        ("application_id = 1", "is not a case database"),
    ],
)
def test_the_numbers_in_the_head_are_compared(path: Path, pragma: str, words: str) -> None:
    planted(path, f"PRAGMA {pragma}")
    with pytest.raises(CaseError, match=words):
        CaseDatabase.open(path)


def test_a_head_of_ours_on_an_empty_database_is_no_case(tmp_path: Path) -> None:
    planted(tmp_path / "c.db", f"PRAGMA application_id = {APPLICATION_ID}")
    with pytest.raises(CaseError, match="is not a case database"):
        CaseDatabase.open(tmp_path / "c.db")


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS)))
def test_every_earlier_version_is_compared_with_itself_and_brought_up_to_date(tmp_path: Path, number: int) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, MIGRATIONS[:number])
    connection.execute("INSERT INTO case_info VALUES (1, 'u', 'old', 'Ann', 't', '0.1.0')")
    connection.close()
    evil = tmp_path / "evil.db"
    shutil.copy(path, evil)
    with CaseDatabase.open(path) as case:
        assert case.info().name == "old"
    planted(evil, "CREATE TRIGGER evil AFTER INSERT ON results BEGIN DELETE FROM results; END")
    before = evil.read_bytes()
    with pytest.raises(CaseError, match="the trigger 'evil'"):
        CaseDatabase.open(evil)
    assert evil.read_bytes() == before  # not brought up to date either


def test_how_a_statement_was_laid_out_is_no_difference(path: Path) -> None:
    planted(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, ' ', '  ') WHERE sql NOT LIKE '%only ever%'",
        "PRAGMA writable_schema = RESET",
    )
    CaseDatabase.open(path).close()


def test_what_is_planted_while_a_case_is_open_is_found_before_the_next_write(path: Path) -> None:
    with CaseDatabase.open(path) as case:
        planted(path, "CREATE TRIGGER evil AFTER INSERT ON files BEGIN DELETE FROM files; END")
        with pytest.raises(CaseError, match="the trigger 'evil'"):
            case.register(Path("/evidence/b.jpg"), sha("b"), Stat(1, 2, 3))
        assert case.info().files == 1


def test_a_million_planted_objects_are_not_read_to_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    made = schema._made
    monkeypatch.setattr(schema, "_made", lambda table, sql: (looked.append(sql), made(table, sql))[1])
    planted(path, *(f"CREATE VIEW v{number} AS SELECT 1" for number in range(500)))
    with pytest.raises(CaseError, match="the view 'v0'"):
        CaseDatabase.open(path)
    assert len(looked) < 200


BESIDE: dict[str, Callable[[Path, Path], None]] = {
    "a link": lambda place, victim: place.symlink_to(victim),
    "a link to nowhere": lambda place, victim: place.symlink_to(victim.with_name("nowhere")),
    "a pipe": lambda place, _: os.mkfifo(place),
    "a folder": lambda place, _: place.mkdir(),
}


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("what", BESIDE)
def test_what_stands_under_the_names_of_sqlites_own_files_is_not_written_through(
    path: Path, tmp_path: Path, suffix: str, what: str
) -> None:
    """Opening a case for writing would make the target of such a link a log of SQLite's."""
    victim = tmp_path / "letter.txt"
    victim.write_text("do not touch")
    BESIDE[what](path.with_name(path.name + suffix), victim)
    with pytest.raises(CaseError, match="is not a regular file"):
        CaseDatabase.open(path)
    assert victim.read_text() == "do not touch"
    assert not victim.with_name("nowhere").exists()
