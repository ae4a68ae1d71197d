"""What faces are joined into people by: one vector of each, and the figures that were measured for joining them.

``tools/measure_people.py`` writes the figures beside the weights; nothing here is typed in by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.models.weights import measured

if TYPE_CHECKING:
    from nsfwforensics.models.faces.template import FaceTemplate

MODEL = "face-resnet29"
"""The embedder that the figures were measured for."""

FILE = f"{MODEL}-people.toml"

AS_IS, ALL_FOUND = "as is", "every face found"
"""Conditions of :class:`PurityRow` that are spoken of."""


@dataclass(frozen=True, slots=True)
class PurityRow:
    """How well faces of known people were joined under one condition (B-cubed, Bagga and Baldwin 1998).

    Attributes:
        condition: What was done to the pictures, or which faces these are.
        faces: Faces of known people.
        people: So many people.
        precision: Mean share of the faces in a face's group that are of the same person, 0–1.
        recall: Mean share of the faces of the same person that are in its group, 0–1.
        mixed: Groups with more than one person.
        groups: Groups of at least two faces.
    """

    condition: str
    faces: int
    people: int
    precision: float
    recall: float
    mixed: int
    groups: int


@dataclass(frozen=True, slots=True)
class PeopleFigures:
    """How faces are joined, and how well that went.

    Attributes:
        model: The embedder's name.
        measured: The date, ISO 8601.
        data: What was measured on, in words.
        join_within: Distance up to which two groups become one.
        attach_within: Distance to a group up to which a face that is not fit to be compared is put into it.
        lead: By how much that group must be nearer than any other.
        rows: What was measured, on people that the rules were not chosen on.
        digest: SHA-256 of the file.
    """

    model: str
    measured: str
    data: str
    join_within: float
    attach_within: float
    lead: float
    rows: tuple[PurityRow, ...]
    digest: str

    def row(self, condition: str) -> PurityRow | None:
        """What was measured under a condition."""
        return next((row for row in self.rows if row.condition == condition), None)


def direction(template: FaceTemplate) -> NDArray[np.float32]:
    """A face as one vector: the mean of what the network makes of it as it is and mirrored.

    A mirrored copy has the same.

    Args:
        template: Of a face.

    Returns:
        float32 (dimensions,).
    """
    return np.asarray(template.vectors.mean(axis=0), np.float32)


def people_figures(folder: Path | None = None) -> PeopleFigures:
    """The measured figures of joining faces into people.

    Args:
        folder: A folder to look in before the installed weights.

    Raises:
        WeightsError: They are missing, or cannot be understood.
    """
    return measured(FILE, _figures, folder)


def _figures(tables: dict[str, Any], digest: str) -> PeopleFigures:
    return PeopleFigures(
        model=str(tables["model"]),
        measured=str(tables["measured"]),
        data=str(tables["data"]),
        **{name: float(value) for name, value in tables["rules"].items()},
        rows=tuple(PurityRow(**row) for row in tables["condition"]),
        digest=digest,
    )


__all__ = ["ALL_FOUND", "AS_IS", "FILE", "MODEL", "PeopleFigures", "PurityRow", "direction", "people_figures"]
