"""Whether a case holds the tables, indexes and triggers that this tool makes, and nothing besides.

A trigger or a view that somebody planted would change what is written or read without any of it being looked at. The
whole schema is compared, with every column, generated column, condition and default that stands in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from nsfwforensics.errors import CaseError
from nsfwforensics.store.migrations import APPLICATION_ID, MIGRATIONS, migrate, version_of

Objects = Mapping[tuple[str, str], str]
"""The statement that made each object, with the table it belongs to, by kind and name."""

_PAGED = ("table", "index")
_SHOWN = 60


def check(connection: sqlite3.Connection, path: Path) -> int:
    """Compares the schema of a case with what the migrations up to its version make.

    Returns:
        The version: the number of the last step that the case has taken.

    Raises:
        CaseError: It is no case, of a newer version of this tool, or anything in its schema differs.
        sqlite3.Error: It cannot be read.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    number = version_of(connection)
    if application != APPLICATION_ID or number < 1:
        raise CaseError(f"{path} is not a case database of this tool; it was left as it is")
    if number > len(MIGRATIONS):
        raise CaseError(
            f"{path} was written by a newer version of this tool (case format {number}; "
            f"this one reads up to {len(MIGRATIONS)}); it was left as it is"
        )
    difference = next(_differences(connection, _expected(number)), None)
    if difference is not None:
        raise CaseError(f"the case {path} {difference}; nothing was read from it, and it was left as it is")
    return number


def _differences(connection: sqlite3.Connection, expected: Objects) -> Iterator[str]:
    missing = dict(expected)
    pages: set[object] = set()
    for kind, name, table, page, sql in connection.execute(
        "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master ORDER BY rowid"
    ):
        wanted = missing.pop((str(kind), str(name)), None)
        if wanted is None:
            yield f"holds {_named(kind, name)}, which this tool did not make"
        elif wanted != _made(table, sql):
            yield f"holds {_named(kind, name)} otherwise than this tool makes it"
        elif kind in _PAGED and page in pages:
            yield f"holds {_named(kind, name)} in the place of another"
        pages.add(page)
    for kind, name in missing:
        yield f"lacks {_named(kind, name)}"


@lru_cache(maxsize=len(MIGRATIONS) + 1)
def _expected(number: int) -> Objects:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:number])
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {(kind, name): _made(table, sql) for kind, name, table, sql in rows}


def _made(table: object, sql: object) -> str:
    """What SQLite keeps of an object, but for how the statement was laid out."""
    return f"{table}: {' '.join(str(sql).split())}"


def _named(kind: object, name: object) -> str:
    shown = " ".join(str(name).split())
    return f"the {' '.join(str(kind).split())[:_SHOWN]} {shown[:_SHOWN]!r}"
