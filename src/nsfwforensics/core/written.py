"""A file's report as JSON that is made where the file is examined, so that the one process that keeps all need not.

It travels with the report, in no field of it: two reports are equal with and without, and a copy with other values has
none. Whoever needs the JSON of a report that brings none makes it then.
"""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple

from pydantic import BaseModel

from nsfwforensics.core.hidden import inert
from nsfwforensics.core.types import WRITTEN, FileReport


class Written(NamedTuple):
    """A report as inert JSON in UTF-8, taken apart as a case keeps it.

    Attributes:
        document: Without results and status.
        place: Where in it the results stand in the whole, in bytes.
        results: Each of them.
        pickled: The report without all this, pickled, where another look is to complete it; else None.
    """

    document: bytes
    place: int
    results: tuple[bytes, ...]
    pickled: bytes | None = None


def write(file: FileReport, *, to_complete: bool = False) -> None:
    """Makes the JSON of a report, to travel with it.

    Args:
        file: The report.
        to_complete: Whether it is kept for another look.
    """
    pickled = pickled_alone(file) if to_complete else None
    file.__dict__[WRITTEN] = _parts(file)._replace(pickled=pickled)


def _parts(file: FileReport) -> Written:
    place = len('{"info":') + len(as_json(file.info))
    return Written(as_json(file, exclude={"results", "status"}), place, tuple(map(as_json, file.results)))


def as_json(model: BaseModel, exclude: set[str] | None = None) -> bytes:
    """A part of a report as inert JSON in UTF-8.

    Args:
        model: The part.
        exclude: Fields that are left out.
    """
    return inert(model.model_dump_json(exclude=exclude)).encode()


def pickled_alone(file: FileReport) -> bytes:
    """A report as it is kept for another look: without its JSON, because the completed one gets its own."""
    found = written(file)
    return found.pickled if found is not None and found.pickled else pickle.dumps(copy.copy(file))


def written(file: FileReport) -> Written | None:
    """The JSON that a report brings, or None."""
    return file.__dict__.get(WRITTEN)


def line(file: FileReport) -> bytes:
    """The whole report as inert JSON in UTF-8, without a line break."""
    found = written(file)
    if found is None:
        return as_json(file)
    document, place = found.document, found.place
    parts = (document[:place], b',"results":[', b",".join(found.results), b"]", document[place:-1])
    return b"".join((*parts, f',"status":"{file.status.value}"}}'.encode()))
