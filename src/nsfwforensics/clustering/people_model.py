"""What joining faces into people finds, as frozen documents: the shape of ``people.json``."""

from __future__ import annotations

from nsfwforensics.clustering.model import Document, Result
from nsfwforensics.core.worded import Text
from nsfwforensics.models.faces.people import PurityRow


class PersonFace(Document):
    """One face of a person.

    Attributes:
        paths: The files that show it: those of the same bytes.
        sha256: Of their bytes.
        box: Left, top, width and height in pixels of the picture as shown.
        distance: Root of the mean squared distance to the person's compared faces, itself included where it is one.
        compared: Whether it is fit to be compared; otherwise it was put here for being near to a group that is sure.
    """

    paths: tuple[Text, ...]
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

    paths: tuple[Text, ...]
    sha256: str
    box: tuple[int, int, int, int]
    unfit: str = ""


class NearReference(Document):
    """The reference photos, and whom they seem to show.

    Attributes:
        files: Their names.
        person: The number of the person whose faces are nearest, where they are near enough; None where nobody's are.
        distance: Mean distance of that person's compared faces to the nearest reference photo; else the smallest.
        others: Numbers of further people whose faces are near enough too: people who look alike, or one person in two.
    """

    files: tuple[Text, ...]
    person: int | None
    distance: float | None
    others: tuple[int, ...] = ()


class People(Result):
    """What ``people.json`` holds: people, other faces, figures, problems.

    Attributes:
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
    """

    case: Text = ""
    model: str
    join_within: float
    attach_within: float
    measured: str
    measured_on: str
    rates: tuple[PurityRow, ...]
    pictures: int
    faces: int
    people: tuple[Person, ...]
    others: tuple[OtherFace, ...]
    left_out: int = 0
    reference: NearReference | None = None

    def rate(self, condition: str) -> PurityRow | None:
        """What was measured under a condition."""
        return next((row for row in self.rates if row.condition == condition), None)
