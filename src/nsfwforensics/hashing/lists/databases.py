"""Hash lists in SQLite: the NSRL's RDS 3 and Autopsy's ``.kdb``, opened read-only and trusted in nothing.

One ordinary table is read from end to end. Views, triggers, virtual tables and computed columns, which would run what
the file says, are left alone; a file whose pages lead in circles ends at a bound that its size gives.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nsfwforensics.core.opening import open_evidence
from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.lists.items import HashKind, KnownItem
from nsfwforensics.hashing.lists.rows import BadLineError, column, column_kind, hash_bytes, shown

MAGIC = b"SQLite format 3\0"

_SMALLEST_ROW = 4
"""Bytes; a row with an empty record has as many."""

_STEPS = 10_000
_MOST_CALLS = 2_000
"""The work between two rows is at most so many times so many of SQLite's steps."""

_MOST_TABLES = 200
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1 << 20,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1 << 16,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 20,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 2,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


class HashDatabase:
    """One such file, its table of hashes found. A context manager.

    Attributes:
        autopsy: Whether it says to be of Autopsy.

    Raises:
        HashListError: It cannot be read, is damaged, or has no table of hashes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._calls = 0
        with _told(path):
            with open_evidence(path, follow=True) as stream:  # a pipe is not waited for
                self._size = stream.seek(0, 2)
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            with _told(path):
                self._guard()
                self._table, self._columns, tables = self._found()
        except BaseException:
            self._connection.close()
            raise
        self.autopsy = "db_properties" in tables

    def __enter__(self) -> HashDatabase:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self) -> Iterator[tuple[int, KnownItem | BadLineError]]:
        """The entries with their numbers from 1 on; a :class:`BadLineError` stands for one that cannot be used.

        Raises:
            HashListError: The file is damaged.
        """
        named = ", ".join(_quoted(name) for name in self._columns.values())
        most = self._size // _SMALLEST_ROW
        with _told(self._path):
            for number, cells in enumerate(self._connection.execute(f"SELECT {named} FROM {_quoted(self._table)}"), 1):  # noqa: S608 - names from the schema, quoted
                self._calls = 0
                if number > most:
                    raise HashListError(f"{self._path}: damaged: it has more rows than bytes for them")
                yield number, _entry(dict(zip(self._columns, cells, strict=True)))

    def _guard(self) -> None:
        for what, most in _LIMITS.items():
            self._connection.setlimit(what, most)
        self._connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self._connection.set_progress_handler(self._enough, _STEPS)
        for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
            self._connection.execute(f"PRAGMA {pragma}")

    def _enough(self) -> int:
        self._calls += 1
        return int(self._calls > _MOST_CALLS)

    def _found(self) -> tuple[str, dict[str, str], set[str]]:
        """The table with hashes, its columns by what they hold, and the names of all tables."""
        listed = self._connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 LIMIT ?", (_MOST_TABLES,)
        ).fetchall()
        tables = [str(name) for name, _ in listed]
        for table in sorted(tables, key=lambda name: (name.upper() not in _LIKELY, name)):
            columns = self._columns_of(table)
            if any(kind.value in columns for kind in HashKind):
                return table, columns, set(tables)
        names = ", ".join(shown(name) for name in tables[:5]) or "none"
        raise HashListError(f"{self._path}: an SQLite database without a table of hashes (its tables: {names})")

    def _columns_of(self, table: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for _, name, *_, hidden in self._connection.execute(f"PRAGMA table_xinfo({_quoted(table)})"):
            kind = column_kind(column(str(name)))
            means = kind.value if kind else _DETAILS.get(column(str(name)))
            if means and not hidden:
                found.setdefault(means, str(name))
        return found


_LIKELY = frozenset({"FILE", "METADATA", "HASHES"})
_DETAILS = {"filename": "name", "filesize": "size", "bytes": "size"}


def _entry(cells: Mapping[str, Any]) -> KnownItem | BadLineError:
    fields: dict[str, Any] = {}
    try:
        for kind in HashKind:
            value = cells.get(kind.value)
            if isinstance(value, bytes) and len(value) == kind.size:
                fields[kind.value] = value
            elif value:
                fields[kind.value] = hash_bytes(str(value), kind)
    except BadLineError as error:
        return error
    if not fields:
        return BadLineError("no hash")
    size = cells.get("size")
    name = cells.get("name")
    fields["size"] = size if isinstance(size, int) and 0 <= size < 1 << 63 else None
    return KnownItem(**fields, name=name if isinstance(name, str) else "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Says what SQLite or the system says as a :class:`HashListError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise HashListError(f"{path}: an SQLite database that is damaged or cannot be read: {error}") from error
    except OSError as error:
        raise HashListError(f"{path}: cannot be read: {error.strerror}") from error
