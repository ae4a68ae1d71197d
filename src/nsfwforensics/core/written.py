"""A file's report as JSON that is made where the file is examined, so that the one process that keeps all need not.

It travels with the report, in no field of it: two reports are equal with and without, and a copy with other values has
none. Whoever needs the JSON of a report that brings none makes it then.
"""

from __future__ import annotations

from typing import NamedTuple

from nsfwforensics.core.types import WRITTEN, FileReport


class Written(NamedTuple):
    """A report as JSON, taken apart as a case keeps it.

    Attributes:
        document: Without results and status.
        place: Where in it the results stand in the whole.
        results: Each of them.
    """

    document: str
    place: int
    results: tuple[str, ...]


def write(file: FileReport) -> None:
    """Makes the JSON of a report, to travel with it."""
    document = file.model_dump_json(exclude={"results", "status"})
    place = len('{"info":') + len(file.info.model_dump_json())
    file.__dict__[WRITTEN] = Written(document, place, tuple(result.model_dump_json() for result in file.results))


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
