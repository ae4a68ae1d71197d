"""The tables of a case, as numbered steps that are each taken whole or not at all.

``PRAGMA user_version`` holds the number of the last step taken; like the tables it is part of the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

APPLICATION_ID = 0x4E534643
"""What ``PRAGMA application_id`` of a case holds ("NSFC"); the first four bytes after offset 68 of the file."""

_TABLES = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    """CREATE TABLE case_info (
        id INTEGER PRIMARY KEY CHECK (id = 1), uuid TEXT NOT NULL, name TEXT NOT NULL, operator TEXT NOT NULL,
        created TEXT NOT NULL, tool_version TEXT NOT NULL)""",
    """CREATE TABLE contents (
        id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64), size INTEGER,
        media_type TEXT, width INTEGER, height INTEGER, first_seen TEXT NOT NULL)""",
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, header TEXT NOT NULL, started TEXT NOT NULL,
        finished TEXT, interrupted INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE files (
        id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, content_id INTEGER REFERENCES contents,
        size INTEGER, mtime_ns INTEGER, added TEXT NOT NULL, examined TEXT, error TEXT,
        status TEXT NOT NULL CHECK (status IN ('pending', 'ok', 'partial', 'failed', 'skipped')),
        priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3))""",
    "CREATE INDEX files_by_content ON files (content_id)",
    """CREATE TABLE examinations (
        id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL REFERENCES files, run_id INTEGER NOT NULL REFERENCES runs,
        content_id INTEGER REFERENCES contents, fingerprint TEXT NOT NULL,
        size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, status TEXT NOT NULL, finished TEXT NOT NULL,
        superseded INTEGER NOT NULL DEFAULT 0, document TEXT NOT NULL)""",
    # A file stands once under each plan, however many processes write.
    "CREATE UNIQUE INDEX examined_once ON examinations (file_id, fingerprint) WHERE superseded = 0",
    "CREATE INDEX examinations_by_file ON examinations (file_id)",
    """CREATE TABLE results (
        id INTEGER PRIMARY KEY, examination_id INTEGER NOT NULL REFERENCES examinations ON DELETE CASCADE,
        position INTEGER NOT NULL, analyzer TEXT NOT NULL, version TEXT NOT NULL, setup TEXT NOT NULL,
        status TEXT NOT NULL, document TEXT NOT NULL, UNIQUE (examination_id, position))""",
    """CREATE TABLE findings (
        result_id INTEGER NOT NULL REFERENCES results ON DELETE CASCADE, position INTEGER NOT NULL,
        code TEXT NOT NULL, severity TEXT NOT NULL, support TEXT NOT NULL,
        PRIMARY KEY (result_id, position)) WITHOUT ROWID""",
    "CREATE INDEX findings_by_code ON findings (code)",
    """CREATE TABLE artifacts (
        id INTEGER PRIMARY KEY, result_id INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
        position INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (result_id, position))""",
    """CREATE TABLE hashes (
        content_id INTEGER NOT NULL REFERENCES contents, algorithm TEXT NOT NULL, value TEXT NOT NULL,
        quality INTEGER, PRIMARY KEY (content_id, algorithm)) WITHOUT ROWID""",
    "CREATE INDEX hashes_by_value ON hashes (algorithm, value)",
    """CREATE TABLE decisions (
        id INTEGER PRIMARY KEY, content_id INTEGER NOT NULL REFERENCES contents, decision TEXT NOT NULL,
        note TEXT NOT NULL, decided_by TEXT NOT NULL, decided_at TEXT NOT NULL)""",
    "CREATE INDEX decisions_by_content ON decisions (content_id)",
    """CREATE TABLE dismissals (
        id INTEGER PRIMARY KEY, content_id INTEGER NOT NULL REFERENCES contents, code TEXT NOT NULL,
        dismissed INTEGER NOT NULL CHECK (dismissed IN (0, 1)),
        note TEXT NOT NULL, decided_by TEXT NOT NULL, decided_at TEXT NOT NULL)""",
    "CREATE INDEX dismissals_by_content ON dismissals (content_id)",
    *(
        f"""CREATE TRIGGER {table}_keep_{event} BEFORE {event} ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} are only ever added to'); END"""
        for table in ("decisions", "dismissals")
        for event in ("update", "delete")
    ),
)

_SIGNATURES = (
    """CREATE TABLE signatures (
        content_id INTEGER NOT NULL REFERENCES contents, method TEXT NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (content_id, method))""",
)

_CUSTODY = (
    """CREATE TABLE custody_log (
        sequence INTEGER PRIMARY KEY CHECK (sequence > 0), line TEXT NOT NULL,
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64))""",
    *(
        f"""CREATE TRIGGER custody_log_keep_{event} BEFORE {event} ON custody_log
        BEGIN SELECT RAISE(ABORT, 'custody_log is only ever added to'); END"""
        for event in ("update", "delete")
    ),
    # Scans of an earlier version of this tool cannot be in the log; all later ones must be.
    """CREATE TABLE custody_begin (
        id INTEGER PRIMARY KEY CHECK (id = 1), last_run_before INTEGER NOT NULL)""",
    "INSERT INTO custody_begin (id, last_run_before) SELECT 1, coalesce(max(id), 0) FROM runs",
)

# The digests in the log are taken of more from here on: an earlier version would find them wrong, and is to refuse.
_EVERY_COLUMN: Sequence[str] = ()

# Where a file stands among those of its priority: follows from its results and decisions as the priority does. Without
# a value in files of earlier versions, until they are written again.
_PLACE = ("ALTER TABLE files ADD COLUMN place REAL",)

MIGRATIONS: tuple[Sequence[str], ...] = (_TABLES, _SIGNATURES, _CUSTODY, _EVERY_COLUMN, _PLACE)
"""Statements of every step, the first of which makes an empty database a case. Steps are added, never changed."""


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the last step that the database has taken; 0 for an empty one."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Takes the steps that the database has not taken yet, each in a transaction of its own.

    Args:
        connection: A writable database in autocommit mode.
        migrations: All steps.

    Raises:
        sqlite3.Error: A step failed; the database is as it was before that step.
    """
    while version_of(connection) < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            number = version_of(connection)  # another process may have gone ahead meanwhile
            if number < len(migrations):
                for statement in migrations[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
