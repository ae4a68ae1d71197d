"""Opening a case file safely, and saying in plain words what SQLite has to say."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from nsfwforensics.errors import CaseError
from nsfwforensics.store.migrations import APPLICATION_ID, MIGRATIONS, migrate, version_of

BUSY_SECONDS = 30.0
"""How long a writer waits for another before it gives up. One commit takes milliseconds."""

LOG_COPY = ".custody.jsonl"
"""What the name of the custody log's copy beside a case ends with."""

SIDE_FILES = ("-wal", "-shm", "-journal", "-lock", LOG_COPY)
"""What may stand beside a case: SQLite's log and its index, the scans' locks, the custody log."""

_UNWRITABLE = ("SQLITE_READONLY", "SQLITE_CANTOPEN")
_MAGIC = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database; whether it is a case is told when it is opened."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def is_case(path: Path) -> bool:
    """Whether a file says of itself that it is a case of this tool, of whatever version and in whatever state."""
    try:
        with path.open("rb") as stream:
            return _says_case(stream.read(100))
    except OSError:
        return False


def _says_case(head: bytes) -> bool:
    return head.startswith(_MAGIC) and int.from_bytes(head[68:72], "big") == APPLICATION_ID


def make(path: Path, fill: Callable[[sqlite3.Connection], object]) -> None:
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
        os.link(made, path)
    except FileExistsError:
        raise CaseError(f"{path} is there already; nothing is ever written over it") from None
    except OSError:  # a file system without hard links: reserve the name, then replace what was reserved
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            made.replace(path)
        except OSError as error:
            raise CaseError(f"cannot make a case at {path}: {error.strerror}") from error


def connect(path: Path) -> sqlite3.Connection:
    """Opens a case, writable where the file is, and brings an older one up to date.

    Raises:
        CaseError: It is missing, no case, of a newer version of this tool, damaged or cannot be read.
    """
    _refuse_foreign(path)
    with guarded(path):
        connection = _open_somehow(path)
        try:
            _bring_up_to_date(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _refuse_foreign(path: Path) -> None:
    """Looks at the first bytes before SQLite does: a foreign file is not even opened for writing."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CaseError(f"{path} is not a regular file")
        with path.open("rb") as stream:
            head = stream.read(100)
    except FileNotFoundError:
        raise CaseError(f"there is no case at {path}") from None
    except OSError as error:
        raise CaseError(f"the case {path} cannot be read: {error.strerror}") from error
    if not _says_case(head):
        raise CaseError(f"{path} is not a case database of this tool; it was left as it is")


def _open_somehow(path: Path) -> sqlite3.Connection:
    """Opens for writing, which SQLite turns into reading where it must; on a read-only medium as unchanging."""
    try:
        return _open(path, "rw")
    except sqlite3.OperationalError as error:
        wal = path.with_name(path.name + "-wal")
        if not error.sqlite_errorname.startswith(_UNWRITABLE) or (wal.exists() and wal.stat().st_size):
            raise
        return _open(path, "ro&immutable=1")


def _open(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    # A case may come from someone else: its schema must not be able to run functions of its own choosing.
    try:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "foreign_keys = ON", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    number = version_of(connection)
    if number > len(MIGRATIONS):
        raise CaseError(
            f"{path} was written by a newer version of this tool (case format {number}; "
            f"this one reads up to {len(MIGRATIONS)}); it was left as it is"
        )
    if number < len(MIGRATIONS):
        migrate(connection)


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turns what SQLite raises into a :class:`CaseError` that says what happened to which case."""
    try:
        yield
    except sqlite3.Error as error:
        raise CaseError(f"the case {path} {_explain(error)}") from error


def _explain(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", None) or ""
    for prefix, words in _WORDS:
        if name.startswith(prefix):
            return words
    return f"could not be used: {error}"


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


def check_writable(connection: sqlite3.Connection, path: Path) -> None:
    """Tries a change and takes it back.

    Raises:
        CaseError: The case cannot be written.
    """
    with guarded(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("UPDATE case_info SET id = 1")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """One transaction: everything inside is written, or nothing.

    Raises:
        CaseError: It could not be written.
    """
    with guarded(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
