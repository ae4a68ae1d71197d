"""Statements that end: a case may come from somebody who made it to hold this tool up.

SQLite calls back after so many steps of its machine. There a statement ends that takes more of them than one on a file
of this size can need, and there Ctrl-C gets through: without it SQLite would go on in the midst of a statement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

STEPS = 10_000
"""So many steps pass between two calls, some tenth of a millisecond."""

LEAST_STEPS = 50_000_000
STEPS_PER_BYTE = 5
"""Measured on a case of 3,000 files with documents cut to one byte: fewer than 0.3 steps for a byte of the file."""

LEAST_ROWS = 10_000
BYTES_PER_ROW = 8
"""No row of ours is that short: a file has fewer, but for pages that stand in several places at once."""

_SIDE = ("", "-wal")
_AT_ONCE = 100  # rows: one by one takes several times as long


class BoundedConnection(sqlite3.Connection):
    """A connection on which no statement takes more steps, or hands out more rows, than its file can need.

    Attributes:
        spent: Whether a statement was ended for that; nothing is to be asked of the case any more.
        schema_version: What SQLite counts the changes of the schema with, when that was last looked through.
        flushed: Whether a commit waits until the disk has it.
        originals: What :func:`nsfwforensics.store.queries.originals` found, with the number of the newest run then.
        asked: What was asked of the whole case in the transaction that is going on; None where none is.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.spent = False
        self.schema_version: int | None = None
        self.flushed = True
        self.originals: tuple[int | None, frozenset[str]] | None = None
        self.asked: dict[str, Any] | None = None
        self._file: Path | None = None
        self._asking: sqlite3.Cursor | None = None
        self._taken = 0
        self._most = LEAST_STEPS
        self.set_progress_handler(self._called, STEPS)

    def allow_for(self, file: Path) -> None:
        """Lets statements take as long as a file of this size needs, however it grows."""
        self._file = file

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Runs a statement from a new count on."""
        self._taken = 0
        return self.cursor(_Rows).execute(*arguments)

    def data_version(self) -> int:
        """A number that is another one after another process has written to the case; asked for with every file."""
        if self._asking is None:
            self._asking = sqlite3.Cursor(self)
        (number,) = self._asking.execute("PRAGMA data_version").fetchone()
        return int(number)

    def most_rows(self) -> int:
        """How many rows one statement may hand out."""
        return LEAST_ROWS + self._bytes() // BYTES_PER_ROW

    def _called(self) -> bool:
        self._taken += STEPS
        if self._taken > self._most:
            self._most = LEAST_STEPS + STEPS_PER_BYTE * self._bytes()  # it may have grown
            self.spent |= self._taken > self._most
        return self.spent

    def _bytes(self) -> int:
        found = 0
        for suffix in _SIDE if self._file is not None else ():
            try:
                found += Path(f"{self._file}{suffix}").stat().st_size
            except OSError:
                continue
        return found


def once(connection: sqlite3.Connection, statement: str) -> Any:
    """The one value that a statement about the whole case gives, asked for once in a transaction.

    Nobody else changes the case meanwhile. What the transaction itself changes of it must be forgotten.

    Args:
        connection: To the case.
        statement: Without parameters.
    """
    asked = connection.asked if isinstance(connection, BoundedConnection) else None
    if asked is not None and statement in asked:
        return asked[statement]
    (found,) = connection.execute(statement).fetchone()
    if asked is not None:
        asked[statement] = found
    return found


def replaced(connection: sqlite3.Connection, statement: str, value: Any) -> None:
    """Has a statement give another value, because the transaction itself has changed it."""
    if isinstance(connection, BoundedConnection) and connection.asked is not None:
        connection.asked[statement] = value


def forget(connection: sqlite3.Connection, statement: str) -> None:
    """Has a statement be asked anew, because what it is about was changed."""
    if isinstance(connection, BoundedConnection) and connection.asked is not None:
        connection.asked.pop(statement, None)


class _Rows(sqlite3.Cursor):
    """The rows of one statement, as many as there can be."""

    _count = 0

    def __next__(self) -> Any:
        self._counted(1)
        return super().__next__()

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        while rows := self.fetchmany(_AT_ONCE):
            self._counted(len(rows))
            yield from rows

    def _counted(self, rows: int) -> None:
        before, self._count = self._count, self._count + rows
        if before // LEAST_ROWS == self._count // LEAST_ROWS:
            return
        connection = cast(BoundedConnection, self.connection)
        connection.spent |= self._count > connection.most_rows()
        if connection.spent:
            raise sqlite3.OperationalError("more rows than there can be")
