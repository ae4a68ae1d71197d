"""People, by number, as ``people.json``, ``people.csv`` and ``people.html``.

The same care as for clusters: names are escaped, formulas neutralised, the page loads and runs nothing but its own
style, each file is written whole or not at all. No document shows a picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nsfwforensics.core.error_rates import clopper_pearson_upper, upper_percent
from nsfwforensics.report.documents.writing import write_documents
from nsfwforensics.report.saved import json as report_json
from nsfwforensics.report.words.text import count

if TYPE_CHECKING:
    from nsfwforensics.clustering.people_model import People, Person

COLUMNS = (
    "person",
    "role",
    "reference",
    "path",
    "x",
    "y",
    "width",
    "height",
    "distance",
    "compared",
    "sha256",
    "note",
)

CAVEAT = (
    "Faces with one number seem to show one person. That is a lead for people to compare, no identification: nobody "
    "is named here, and people who look alike, relatives, children and people of one group can stand under one number, "
    "or one person under two. A face that is in no group may still show somebody who is."
)

PERSONAL = (
    "This is personal data, and what is taken of a face is biometric: keep it as carefully as the pictures, and no "
    "longer than you need it."
)


def title(person: Person) -> str:
    """Who, in a few words."""
    return f"Person {person.number}" + (", seems to be the person of the reference photo" if person.reference else "")


def extent(person: Person) -> str:
    """How much there is of a person."""
    return f"{count(len(person.faces), 'face')} in {count(person.pictures, 'picture')}"


def rates(found: People) -> Iterator[str]:
    """What was measured, one sentence for each condition."""
    for row in found.rates:
        yield (
            f"{row.condition}: of the faces in a group, {row.precision:.1%} on average were of the person in question, "
            f"and {row.recall:.1%} of a person's faces were in one group ({row.faces} faces of {row.people} people; "
            f"{row.mixed} of {count(row.groups, 'group')} held more than one person, which from so many allows for up "
            f"to {upper_percent(clopper_pearson_upper(row.mixed, row.groups))} of groups, one-sided 95 % bound)"
        )


def about_reference(found: People) -> str:
    """Whom the reference photos seem to show; nothing where there are none."""
    near = found.reference
    if near is None:
        return ""
    if near.person is None:
        return (
            "Nobody's faces are near enough to the reference photo. That is not “not shown”: a face that is alone "
            "was not compared with it here. Leave --group out for that."
        )
    text = (
        f"The faces of person {near.person} are the nearest to the reference photo (mean distance {near.distance:.2f}; "
    )
    text += f"up to {found.join_within:.2f} counts)."
    if near.others:
        numbers = ", ".join(map(str, near.others))
        text += f" Those of {numbers} are near enough too: people who look alike, or one person under two numbers."
    return text


def write(found: People, folder: Path) -> None:
    """Writes all three files into a folder, which is made if it is missing.

    Raises:
        ReportError: It cannot be written, or holds other files of these names.
    """
    shown = {
        "found": found,
        "caveat": CAVEAT,
        "personal": PERSONAL,
        "title": title,
        "extent": extent,
        "rates": list(rates(found)),
        "about_reference": about_reference(found),
        "fit_alone": [face for face in found.others if not face.unfit],
        "unfit": [face for face in found.others if face.unfit],
        "failed": [problem for problem in found.problems if problem.failed],
    }
    write_documents(folder, "people", report_json.block(found) + "\n", _rows(found), shown)


def _rows(found: People) -> Iterator[Sequence[object]]:
    """The table: its head, then one row for every face and file, people first; boxes in pixels."""
    yield COLUMNS
    for person in found.people:
        for face in person.faces:
            for path in face.paths:
                about = [path, *face.box, face.distance, str(face.compared).lower(), face.sha256]
                yield [person.number, "person", str(person.reference).lower(), *about, None]
    for other in found.others:
        for path in other.paths:
            about = [path, *other.box, None, str(not other.unfit).lower(), other.sha256, other.unfit]
            yield [None, "no group", None, *about]
    for problem in found.problems:
        empty = [None] * 8
        yield [None, "failed" if problem.failed else "skipped", None, problem.path, *empty[1:], problem.reason]


__all__ = ["CAVEAT", "PERSONAL", "about_reference", "extent", "rates", "title", "write"]
