"""A file's report as JSON that is made where the file is examined, so that the one process that keeps all need not.

It travels with the report, in no field of it: two reports are equal with and without, and a copy with other values has
none. Whoever needs the JSON of a report that brings none makes it then.
"""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple

from nsfwforensics.core.types import WRITTEN, FileReport


class Written(NamedTuple):
    """A report as JSON, taken apart as a case keeps it.

    Attributes:
        document: Without results and status.
        place: Where in it the results stand in the whole.
        results: Each of them.
        pickled: The report without all this, pickled, where another look is to complete it; else None.
    """

    document: str
    place: int
    results: tuple[str, ...]
    pickled: bytes | None = None


def write(file: FileReport, *, to_complete: bool = False) -> None:
    """Makes the JSON of a report, to travel with it.

    Args:
        file: The report.
        to_complete: Whether it is kept for another look.
    """
    pickled = pickled_alone(file) if to_complete else None
    document = file.model_dump_json(exclude={"results", "status"})
    place = len('{"info":') + len(file.info.model_dump_json())
    file.__dict__[WRITTEN] = Written(document, place, tuple(r.model_dump_json() for r in file.results), pickled)


def pickled_alone(file: FileReport) -> bytes:
    """A report as it is kept for another look: without its JSON, because the completed one gets its own."""
    found = written(file)
    return found.pickled if found is not None and found.pickled else pickle.dumps(copy.copy(file))


def written(file: FileReport) -> Written | None:
    """The JSON that a report brings, or None."""
    return file.__dict__.get(WRITTEN)


def line(file: FileReport) -> str:
    """The whole report as JSON."""
    found = written(file)
    if found is None:
        return file.model_dump_json()
    before, after = found.document[: found.place], found.document[found.place : -1]
    return f'{before},"results":[{",".join(found.results)}]{after},"status":"{file.status.value}"}}'
