"""Opening a case file safely, and saying in plain words what SQLite has to say."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.opening import open_evidence
from nsfwforensics.core.private import close_to_others, put_in_place
from nsfwforensics.errors import CaseError
from nsfwforensics.store import schema
from nsfwforensics.store.bounded import BoundedConnection
from nsfwforensics.store.migrations import APPLICATION_ID, MIGRATIONS, migrate

BUSY_SECONDS = 30.0
"""How long a writer waits for another before it gives up. One commit takes milliseconds."""

LOG_COPY = ".custody.jsonl"
"""What the name of the custody log's copy beside a case ends with."""

SIDE_FILES = ("-wal", "-shm", "-journal", "-lock", LOG_COPY)
"""What may stand beside a case: SQLite's log and its index, the scans' locks, the custody log."""

BUSY_STEP_MS = 1000
"""How long SQLite itself waits then: Ctrl-C has no effect until it is over."""

_LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 10,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 50,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
"""More than any statement or table of ours needs; SQLite's own are made for everybody's."""

_PRAGMAS = (
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "foreign_keys = ON",
    "synchronous = FULL",
    # Pages of indexes change with every file: folded into the case after so many (16 MiB), each is written but once.
    "wal_autocheckpoint = 4000",
)

_UNWRITABLE = ("SQLITE_READONLY", "SQLITE_CANTOPEN")
_MAGIC = b"SQLite format 3\0"


def is_case(path: Path) -> bool:
    """Whether a file says of itself that it is a case of this tool, of whatever version and in whatever state."""
    try:
        with open_evidence(path, follow=True) as stream:
            return _says_case(stream.read(100))
    except OSError:
        return False


def _says_case(head: bytes) -> bool:
    return head.startswith(_MAGIC) and int.from_bytes(head[68:72], "big") == APPLICATION_ID


def make(path: Path, fill: Callable[[BoundedConnection], object]) -> None:
    """Makes a case, for its owner only: complete or not at all, and never over anything.

    Args:
        path: Where to.
        fill: Writes what every case holds, into the empty tables.

    Raises:
        CaseError: Something is there already, or the folder cannot be written.
    """
    if os.path.lexists(path):
        raise CaseError(f"{path} is there already; nothing is ever written over it")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".part")
    except OSError as error:
        raise CaseError(f"cannot make a case at {path}: {error.strerror}") from error
    os.close(descriptor)
    close_to_others(Path(name))
    try:
        with guarded(path), contextlib.closing(_open(Path(name), "rw")) as connection:
            migrate(connection)
            fill(connection)
            connection.execute("PRAGMA journal_mode = WAL")
        _put_in_place(Path(name), path)
    finally:
        for suffix in ("", *SIDE_FILES):
            Path(name + suffix).unlink(missing_ok=True)


def _put_in_place(made: Path, path: Path) -> None:
    """Gives a finished file its name, unless that is taken."""
    try:
        put_in_place(made, path)
    except FileExistsError:
        raise CaseError(f"{path} is there already; nothing is ever written over it") from None
    except OSError as error:
        raise CaseError(f"cannot make a case at {path}: {error.strerror}") from error


def connect(path: Path) -> BoundedConnection:
    """Opens a case, writable where the file is, and brings an older one up to date.

    Its whole schema is compared with what this tool makes, every time.

    Raises:
        CaseError: It is missing, no case, of a newer version of this tool, tampered with, damaged or cannot be read.
    """
    _refuse_foreign(path)
    with guarded(path):
        connection = _open_somehow(path)
    try:
        with guarded(path, connection):
            connection.allow_for(path)
            _bring_up_to_date(connection, path)
            connection.execute(f"PRAGMA busy_timeout = {BUSY_STEP_MS}")
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_foreign(path: Path) -> None:
    """Looks at the first bytes before SQLite does: a foreign file is not even opened for writing.

    SQLite would write through a link that stands under the name of one of its own files.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CaseError(f"{path} is not a regular file")
        for beside in (path.with_name(path.name + suffix) for suffix in SIDE_FILES):
            if os.path.lexists(beside) and not stat.S_ISREG(beside.lstat().st_mode):
                raise CaseError(f"{beside} beside the case is not a regular file; nothing was opened")
        with open_evidence(path, follow=True) as stream:
            head = stream.read(100)
    except FileNotFoundError:
        raise CaseError(f"there is no case at {path}") from None
    except OSError as error:
        raise CaseError(f"the case {path} cannot be read: {error.strerror}") from error
    if not _says_case(head):
        raise CaseError(f"{path} is not a case database of this tool; it was left as it is")


def _open_somehow(path: Path) -> BoundedConnection:
    """Opens for writing, which SQLite turns into reading where it must; on a read-only medium as unchanging."""
    try:
        return _open(path, "rw")
    except sqlite3.OperationalError as error:
        wal = path.with_name(path.name + "-wal")
        if not error.sqlite_errorname.startswith(_UNWRITABLE) or (wal.exists() and wal.stat().st_size):
            raise
        return _open(path, "ro&immutable=1")


def _open(path: Path, mode: str) -> BoundedConnection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        factory=BoundedConnection,
    )
    # A case may come from someone else: its schema must not be able to run functions of its own choosing.
    try:
        for limit, most in _LIMITS.items():
            connection.setlimit(limit, most)
        if sys.version_info >= (3, 12):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE)
            for allowed in (sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, sqlite3.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION):
                connection.setconfig(allowed, False)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: BoundedConnection, path: Path) -> None:
    if _check_schema(connection, path) < len(MIGRATIONS):
        migrate(connection)
        _check_schema(connection, path)


def _check_schema(connection: BoundedConnection, path: Path) -> int:
    within = connection.in_transaction
    if not within:
        connection.execute("BEGIN")  # one state of the database for all that is compared
    try:
        (connection.schema_version,) = connection.execute("PRAGMA schema_version").fetchone()
        return schema.check(connection, path)
    finally:
        if not within:
            connection.execute("ROLLBACK")


@contextlib.contextmanager
def guarded(path: Path, connection: BoundedConnection | None = None) -> Iterator[None]:
    """Turns what SQLite raises into a :class:`CaseError` that says what happened to which case.

    Args:
        path: Of the case.
        connection: To tell a statement that took too long from one that Ctrl-C ended.

    Raises:
        CaseError: SQLite reports an error, or a statement took more than a sound case can need.
        KeyboardInterrupt: It came while a statement ran, which swallows what its callbacks raise.
    """
    try:
        yield
    except sqlite3.Error as error:
        if connection is not None and connection.spent:
            raise CaseError(f"the case {path} {_ENDLESS}") from error
        if getattr(error, "sqlite_errorname", None) == "SQLITE_INTERRUPT":
            raise KeyboardInterrupt from error
        raise CaseError(f"the case {path} {_explain(error)}") from error


@contextlib.contextmanager
def understood(path: Path) -> Iterator[None]:
    """Says of values that no version of this tool writes that this is what they are.

    Raises:
        CaseError: Something that was read is not of the kind that belongs in its place.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        what = reason_of(error)[:200]
        raise CaseError(
            f"the case {path} holds a value that this tool never writes ({what}); see `case verify`"
        ) from error


def _explain(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", None) or ""
    for prefix, words in _WORDS:
        if name.startswith(prefix):
            return words
    return f"could not be used: {error}"


_ENDLESS = (
    "was given up: reading it took more steps than anything in a file of its size can need. "
    "It is damaged, or was made to hold this tool up"
)

_WORDS = (
    ("SQLITE_FULL", "could not be written: the disk is full. What was written before is kept"),
    ("SQLITE_READONLY", "is read-only here; nothing was written"),
    ("SQLITE_CANTOPEN", "cannot be opened: its folder must be there and be writable, because a log stands beside it"),
    ("SQLITE_BUSY", "is busy: another process has been writing for a long time. Try again when it is done"),
    ("SQLITE_LOCKED", "is busy: another process has been writing for a long time. Try again when it is done"),
    ("SQLITE_CORRUPT", "is damaged; see `case verify`"),
    ("SQLITE_NOTADB", "is not a database, or is damaged"),
    ("SQLITE_IOERR", "could not be read or written: the disk reports an error, or is full"),
)


def check_writable(connection: BoundedConnection, path: Path) -> None:
    """Tries a change and takes it back.

    Raises:
        CaseError: The case cannot be written.
    """
    with guarded(path, connection):
        _begin(connection)
        try:
            connection.execute("UPDATE case_info SET id = 1")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _begin(connection: BoundedConnection) -> None:
    """Begins to write as soon as nobody else does; in steps, between which Ctrl-C gets through."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > until:
                raise
        else:
            return


@contextlib.contextmanager
def transaction(connection: BoundedConnection, path: Path, *, flushed: bool = True) -> Iterator[None]:
    """One transaction: everything inside is written, or nothing.

    Args:
        connection: To the case.
        path: Of the case.
        flushed: Whether the disk has it, and all that was committed before, when this is over. What is not flushed
            survives the end of this process all the same; a power cut may take it, in whole transactions.

    Raises:
        CaseError: It could not be written, or somebody has changed the schema since it was opened.
    """
    with guarded(path, connection):
        if connection.flushed != flushed:
            connection.execute(f"PRAGMA synchronous = {'FULL' if flushed else 'NORMAL'}")
            connection.flushed = flushed
        _begin(connection)
        connection.asked = {}
        try:
            (now,) = connection.execute("PRAGMA schema_version").fetchone()
            if now != connection.schema_version:
                _check_schema(connection, path)
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
        finally:
            connection.asked = None
