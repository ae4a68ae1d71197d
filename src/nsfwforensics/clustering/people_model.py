"""What joining faces into people finds, as frozen documents: the shape of ``people.json``."""

from __future__ import annotations

from typing import Literal

from nsfwforensics.clustering.model import Document, Problem

SCHEMA_VERSION: Literal["1.0"] = "1.0"


class PersonFace(Document):
    """One face of a person.

    Attributes:
        paths: The files that show it: those of the same bytes.
        sha256: Of their bytes.
        box: Left, top, width and height in pixels of the picture as shown.
        distance: Root of the mean squared distance to the person's compared faces, itself included where it is one.
        compared: Whether it is fit to be compared; otherwise it was put here for being near to a group that is sure.
    """

    paths: tuple[str, ...]
    sha256: str
    box: tuple[int, int, int, int]
    distance: float
    compared: bool


class Person(Document):
    """Faces that seem to show one person.

    Attributes:
        number: The person's only name.
        reference: Whether the reference photo seems to show the same person; of at most one.
        faces: At least two, those that were compared first.
    """

    number: int
    reference: bool = False
    faces: tuple[PersonFace, ...]

    @property
    def pictures(self) -> int:
        """How many contents show the person."""
        return len({face.sha256 for face in self.faces})


class OtherFace(Document):
    """A face that is in no group.

    Attributes:
        paths: The files that show it.
        sha256: Of their bytes.
        box: Left, top, width and height in pixels of the picture as shown.
        unfit: Why it is not fit to be compared; nothing where it is, and only seems to be alone.
    """

    paths: tuple[str, ...]
    sha256: str
    box: tuple[int, int, int, int]
    unfit: str = ""


class MeasuredPurity(Document):
    """How well faces of known people were joined, under one condition; B-cubed precision and recall, 0–1."""

    condition: str
    faces: int
    people: int
    precision: float
    recall: float
    mixed: int
    groups: int


class NearReference(Document):
    """The reference photos, and whom they seem to show.

    Attributes:
        files: Their names.
        person: The number of the person whose faces are nearest, where they are near enough; None where nobody's are.
        distance: Mean distance of that person's compared faces to the nearest reference photo; else the smallest.
        others: Numbers of further people whose faces are near enough too: people who look alike, or one person in two.
    """

    files: tuple[str, ...]
    person: int | None
    distance: float | None
    others: tuple[int, ...] = ()


class People(Document):
    """The whole result.

    Attributes:
        schema_version: Of this document.
        tool: Name of the tool.
        version: Of the tool.
        command: The command line, or the call.
        started: ISO 8601 in UTC.
        finished: ISO 8601 in UTC.
        case: Of which case, its path; nothing where files were given.
        model: The face model.
        join_within: Distance up to which two groups become one.
        attach_within: Distance up to which a face that is not fit to be compared is put into a group.
        measured: When the figures were measured, ISO 8601.
        measured_on: On what.
        rates: What was measured.
        pictures: How many different contents were looked at.
        faces: How many faces were found in them.
        people: The people, by number.
        others: Faces in no group.
        left_out: Faces beyond the most that are looked at in one picture.
        reference: Of the reference photos; None where none was given.
        problems: Files that were not looked at.
    """

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    tool: Literal["nsfwforensics"] = "nsfwforensics"
    version: str
    command: str
    started: str
    finished: str
    case: str = ""
    model: str
    join_within: float
    attach_within: float
    measured: str
    measured_on: str
    rates: tuple[MeasuredPurity, ...]
    pictures: int
    faces: int
    people: tuple[Person, ...]
    others: tuple[OtherFace, ...]
    left_out: int = 0
    reference: NearReference | None = None
    problems: tuple[Problem, ...]

    @property
    def failed(self) -> bool:
        """Whether a file that should have been looked at could not be."""
        return any(problem.failed for problem in self.problems)

    def rate(self, condition: str) -> MeasuredPurity | None:
        """What was measured under a condition."""
        return next((row for row in self.rates if row.condition == condition), None)
