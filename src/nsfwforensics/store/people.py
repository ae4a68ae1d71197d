"""Which people's faces a content shows, as a case keeps it: numbers, never names.

They lie with what methods computed from contents (:meth:`CaseDatabase.signatures`), one row for each content.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nsfwforensics.errors import CaseError

if TYPE_CHECKING:
    from nsfwforensics.store.casedb import CaseDatabase

METHOD = "people.1"

MOST = 1_000_000
"""Largest number of a person."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """One face that was joined with others.

    Attributes:
        person: The number of whom it seems to show.
        box: Left, top, width and height in pixels of the picture as shown.
        sure: Whether it was compared itself; otherwise it was put there for being near to a group that is sure.
        reference: Whether that person seems to be the one of the reference photo.
    """

    person: int
    box: Box
    sure: bool = True
    reference: bool = False


def people(case: CaseDatabase) -> dict[str, tuple[ShownPerson, ...]]:
    """The people of each content, by SHA-256; without contents that show none.

    Raises:
        CaseError: What the case holds makes no sense.
    """
    found: dict[str, tuple[ShownPerson, ...]] = {}
    for sha256, data in case.signatures(METHOD):
        try:
            shown = _read(data)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CaseError(f"what the case says of the people in {sha256} makes no sense") from error
        if shown:
            found[sha256] = shown
    return found


def write(case: CaseDatabase, connection: sqlite3.Connection, shown: Mapping[str, Sequence[ShownPerson]]) -> None:
    """Puts people in the place of those that the case holds, in a transaction of the caller's.

    Args:
        case: Open and writable.
        connection: Its connection, in a transaction.
        shown: By SHA-256 of contents of the case.
    """
    connection.execute("DELETE FROM signatures WHERE method = ?", (METHOD,))
    case.put_signatures(connection, METHOD, {sha256: _written(faces) for sha256, faces in shown.items()})


def _written(faces: Sequence[ShownPerson]) -> bytes:
    rows = [[face.person, *face.box, int(face.sure), int(face.reference)] for face in faces]
    return json.dumps(rows, separators=(",", ":")).encode()


def _read(data: bytes) -> tuple[ShownPerson, ...]:
    rows = json.loads(data)
    found = []
    for row in rows:
        if len(row) != 7 or not all(type(value) is int for value in row) or not 0 < row[0] <= MOST:
            raise ValueError("no person")
        number, left, top, width, height, sure, reference = row
        found.append(ShownPerson(number, (left, top, width, height), bool(sure), bool(reference)))
    return tuple(found)
