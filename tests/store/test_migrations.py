"""Opening, making and upgrading: whole or not at all, and nothing foreign is touched."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from nsfwforensics.errors import CaseError
from nsfwforensics.store import connection as opening
from nsfwforensics.store import migrations
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.migrations import APPLICATION_ID, MIGRATIONS, migrate, version_of
from nsfwforensics.store.rows import Stat

TABLES = {
    "artifacts", "case_info", "contents", "custody_begin", "custody_log", "decisions", "dismissals", "examinations",
    "files", "findings", "hashes", "results", "runs", "signatures",
}  # fmt: skip


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_a_new_case_is_complete_private_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "a case?#%.db"
    with CaseDatabase.create(path, name="Ünï", operator="Ann") as case:
        assert (case.info().name, case.info().operator, case.info().files) == ("Ünï", "Ann", 0)
        assert case.problems() == []
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with raw(path) as connection:
        assert tables(connection) == TABLES
        assert version_of(connection) == len(MIGRATIONS)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


def test_the_log_beside_it_is_private_too(tmp_path: Path) -> None:
    with CaseDatabase.create(tmp_path / "c.db") as case:
        with case.writing() as connection:
            connection.execute("UPDATE case_info SET name = 'other'")
        modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()}
    assert modes == {"c.db": 0o600, "c.db-wal": 0o600, "c.db-shm": 0o600}


@pytest.mark.parametrize("content", [b"", b"{}", b"SQLite format 3\0" + bytes(200), b"\xff\xd8\xff\xe0"])
def test_what_is_no_case_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    for call in (CaseDatabase.open, CaseDatabase.open_or_create):
        with pytest.raises(CaseError, match="is not a case database"):
            call(path)
    with pytest.raises(CaseError, match="there already"):
        CaseDatabase.create(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "browser.sqlite"
    with raw(path) as connection:
        connection.execute("CREATE TABLE history (url TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(CaseError, match="is not a case database"):
        CaseDatabase.open_or_create(path)
    assert path.read_bytes() == before


def test_a_missing_case_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="there is no case at"):
        CaseDatabase.open(tmp_path / "nowhere.db")
    with pytest.raises(CaseError, match="not a regular file"):
        CaseDatabase.open(tmp_path)
    with pytest.raises(CaseError, match="cannot make a case"):
        CaseDatabase.open_or_create(tmp_path / "no" / "such" / "folder.db")
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_nowhere_is_not_written_through(tmp_path: Path) -> None:
    link = tmp_path / "c.db"
    link.symlink_to(tmp_path / "target")
    with pytest.raises(CaseError):
        CaseDatabase.open_or_create(link)
    assert not (tmp_path / "target").exists()


def test_a_case_that_a_link_leads_to_is_the_case_itself(tmp_path: Path) -> None:
    path, link = tmp_path / "c.db", tmp_path / "link"
    CaseDatabase.create(path).close()
    link.symlink_to(path)
    with CaseDatabase.open_or_create(link) as case:
        assert case.path == path.resolve()


def test_a_newer_case_is_refused_clearly(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    CaseDatabase.create(path).close()
    with raw(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(CaseError, match="written by a newer version of this tool"):
        CaseDatabase.open(path)


def test_an_older_case_is_brought_up_to_date_with_all_that_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.db"
    with monkeypatch.context() as older:
        for module in (opening, migrations):
            older.setattr(module, "MIGRATIONS", MIGRATIONS[:1])
        older.setattr(migrate, "__defaults__", (MIGRATIONS[:1],))
        CaseDatabase.create(path, name="old").close()
    with raw(path) as connection:
        assert version_of(connection) == 1
        assert "signatures" not in tables(connection)
    connection.close()
    with CaseDatabase.open(path) as case:
        assert case.info().name == "old"
        assert list(case.signatures("any")) == []
    with raw(path) as connection:
        assert version_of(connection) == len(MIGRATIONS)
    connection.close()


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    connection = raw(tmp_path / "x.db")
    broken = (*MIGRATIONS[:1], ("CREATE TABLE half (id INTEGER)", "INSERT INTO half VALUES (1)", "NONSENSE"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, broken)
    assert version_of(connection) == 1
    assert tables(connection) == TABLES - {"signatures", "custody_begin", "custody_log"}
    assert not connection.in_transaction
    migrate(connection)
    assert version_of(connection) == len(MIGRATIONS)
    connection.close()


def test_many_that_make_it_at_once_get_one_case(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    found: list[str] = []

    def make() -> None:
        with CaseDatabase.open_or_create(path) as case:
            found.append(case.info().uuid)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.db"]


def test_without_hard_links_nothing_is_overwritten_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "c.db"
    CaseDatabase.create(path).close()
    before = path.read_bytes()
    made = tmp_path / "made"
    made.write_bytes(b"x")
    with pytest.raises(CaseError, match="is there already"):
        opening._put_in_place(made, path)
    assert path.read_bytes() == before


def test_a_full_disk_is_said_so_and_keeps_what_was_written(tmp_path: Path) -> None:
    with CaseDatabase.create(tmp_path / "c.db") as case:
        with case.reading() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(CaseError, match="the disk is full"), case.writing() as connection:
            connection.execute("UPDATE case_info SET name = 'lost'")
            connection.execute("INSERT INTO runs (fingerprint, header, started) VALUES ('f', ?, 's')", ("x" * 100_000,))
        assert case.info().name == "c"
        assert case.problems() == []


def test_a_read_only_case_can_be_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    CaseDatabase.create(path, name="kept").close()
    case = CaseDatabase(path, opening._open(path, "ro"))
    assert case.info().name == "kept"
    with pytest.raises(CaseError, match="is read-only here"):
        opening.check_writable(case._connection, path)
    with pytest.raises(CaseError, match="is read-only here"):
        case.register(tmp_path, "0" * 64, Stat(1, 2, 3))
    case.close()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_case_on_a_read_only_medium(tmp_path: Path) -> None:
    folder = tmp_path / "medium"
    folder.mkdir()
    path = folder / "c.db"
    CaseDatabase.create(path, name="kept").close()
    path.chmod(0o400)
    folder.chmod(0o500)
    try:
        with CaseDatabase.open(path) as case:
            assert case.info().name == "kept"
            assert case.problems() == []
        with pytest.raises(CaseError, match="is read-only here"):
            CaseDatabase.open_or_create(path)
    finally:
        folder.chmod(0o700)


def test_a_busy_case_is_said_to_be_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.db"
    CaseDatabase.create(path).close()
    other = raw(path)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.1)
    with CaseDatabase.open(path) as case, pytest.raises(CaseError, match="is busy"), case.writing():
        pass
    other.execute("ROLLBACK")
    other.close()


def test_damage_is_found(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with CaseDatabase.create(path) as case, case.reading() as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO hashes (content_id, algorithm, value) VALUES (99, 'md5', '00')")
        assert case.problems() == ["row None of hashes refers to a row of contents that is not there"]
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xaa" * 4096
    path.write_bytes(data)
    with pytest.raises(CaseError, match="is damaged"), CaseDatabase.open(path) as case:
        assert not case.problems()
        raise AssertionError("the damage was not found")
