"""The error rates measured for a face embedder, and the thresholds chosen from them.

``tools/measure_faces.py`` writes the figures beside the weights; nothing here is typed in by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import say
from nsfwforensics.models.weights import beside, measured

if TYPE_CHECKING:
    from nsfwforensics.models.faces.template import FaceTemplate


@dataclass(frozen=True, slots=True)
class CountedRate:
    """A rate as it was counted: errors among trials, with bounds.

    Attributes:
        errors: How often it went wrong.
        trials: How many pairs were compared. They share faces, so they are not independent.
        upper: One-sided 95 % Clopper–Pearson bound of the rate, as if they were.
    """

    errors: int
    trials: int
    upper: float

    @property
    def rate(self) -> float:
        """Errors per trial, 0–1."""
        return self.errors / self.trials


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What was counted at one distance: pairs of strangers nearer than it, pairs of one person not nearer."""

    distance: float
    false_matches: int
    misses: int


@dataclass(frozen=True, slots=True)
class FaceRates:
    """Thresholds of one embedder with the error rates measured for them.

    Attributes:
        model: The embedder's name.
        measured: The date, ISO 8601.
        data: What was measured on, in words.
        match_below: A face nearer than this supports "the same person".
        unlike_above: A face farther than this gives no indication of it.
        min_size: Smallest face that is compared, pixels.
        max_pose_error: Largest pose error of a face that is compared.
        min_sharpness: Smallest sharpness of a face that is compared.
        false_match: Pairs of different people nearer than ``match_below``.
        false_non_match: Pairs of one person not nearer than ``match_below``.
        missed_as_unlike: Pairs of one person farther than ``unlike_above``.
        curve: The counts over distance, ascending.
        digest: SHA-256 of the file.
    """

    model: str
    measured: str
    data: str
    match_below: float
    unlike_above: float
    min_size: float
    max_pose_error: float
    min_sharpness: float
    false_match: CountedRate
    false_non_match: CountedRate
    missed_as_unlike: CountedRate
    curve: tuple[CurvePoint, ...]
    digest: str

    def at(self, distance: float) -> CurvePoint | None:
        """What was counted at the first measured distance that is not below ``distance``; None beyond the last."""
        return next((point for point in self.curve if point.distance >= distance), None)


def unfit_reason(template: FaceTemplate, fitness: FaceRates) -> str | None:
    """Why a face cannot be compared, in words, or None where it can."""
    if template.size < fitness.min_size:
        return say(
            "it is {size:.0f} pixels across, and at least {least:.0f} are needed",
            size=template.size,
            least=fitness.min_size,
        )
    if not template.upright:
        return say("it lies or hangs, and could not be stood upright")
    if template.pose_error > fitness.max_pose_error:
        return say("the head is turned or tilted too far, or partly hidden")
    if template.sharpness < fitness.min_sharpness:
        return say("it is too blurred")
    return None


@cache
def load_rates(name: str, folder: Path | None = None) -> FaceRates | None:
    """Reads the figures of an embedder, once in a process.

    Args:
        name: The embedder's name in the weights manifest.
        folder: A folder to look in before the installed weights.

    Returns:
        The figures, or None where none were measured.

    Raises:
        WeightsError: The file is there and cannot be understood.
    """
    file = f"{name}.toml"
    return measured(file, _rates, folder) if beside(file, folder).is_file() else None


def _rates(tables: dict[str, Any], digest: str) -> FaceRates:
    return FaceRates(
        model=str(tables["model"]),
        measured=str(tables["measured"]),
        data=str(tables["data"]),
        **{key: float(value) for key, value in tables["thresholds"].items()},
        false_match=CountedRate(**tables["false_match"]),
        false_non_match=CountedRate(**tables["false_non_match"]),
        missed_as_unlike=CountedRate(**tables["missed_as_unlike"]),
        curve=tuple(CurvePoint(**row) for row in tables["curve"]),
        digest=digest,
    )
