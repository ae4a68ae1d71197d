"""The findings of the faces analyzer and their wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.types import Severity
from nsfwforensics.models.face_rates import FaceRates

if TYPE_CHECKING:
    from nsfwforensics.models.face_compare import FaceTemplate

_LEAD = (
    "A lead for human comparison, not an identification: relatives and strangers can look alike to the model. Error "
    "rates may be higher for some groups; where the model was measured here, strangers were taken for one another "
    "mostly among children and among East Asian faces. It says nothing about the body or whether the scene occurred, "
    "and a generated or swapped face compares like a photographed one."
)

_UNLIKE = (
    "Age, pose, light, glasses, make-up and editing move a person's own photos apart, and some photos of one person "
    "were measured as unlike. Not proof that the person is absent."
)

_UNFIT = (
    "Only size, sharpness and the angle of the head were judged. A better copy of the picture may allow a comparison."
)

CODES: Mapping[str, Code] = {
    "FACE-001": Code("Face similar to the reference photo", Severity.MEDIUM, _LEAD),
    "FACE-002": Code("Face neither similar nor unlike", Severity.MEDIUM, _LEAD),
    "FACE-003": Code("Face not similar to the reference photo", Severity.INFO, _UNLIKE),
    "FACE-004": Code("Face not fit to be compared", Severity.LOW, _UNFIT),
    "FACE-005": Code(
        "No face found",
        Severity.LOW,
        "The detector misses some faces, above all turned, covered, sideways and very small ones.",
    ),
    "FACE-006": Code(
        "Distance without measured error rates",
        Severity.LOW,
        "Distances of one face model cannot be read with the thresholds of another.",
    ),
}


def percent(share: float) -> str:
    """A share in percent with as many digits as small rates need."""
    if share == 0:
        return "0 %"
    return f"{100 * share:.2f} %" if share < 0.01 else f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def similar_words(distance: float, rates: FaceRates, comparisons: int) -> str:
    """A face nearer than the match threshold, with the rates that were measured for it."""
    return (
        f"A face in the picture resembles the reference photo (distance {distance:.2f}; below {rates.match_below:.2f} "
        f"counts as similar). {_error_rates(rates)}{_several(comparisons)} This is a lead for human comparison, not an "
        "identification."
    )


def between_words(distance: float, rates: FaceRates, comparisons: int) -> str:
    """A face between the thresholds."""
    return (
        f"A face in the picture neither clearly resembles the reference photo nor clearly differs from it (distance "
        f"{distance:.2f}; below {rates.match_below:.2f} counts as similar, above {rates.unlike_above:.2f} as unlike). "
        f"{_error_rates(rates)}{_several(comparisons)} Only people can compare the photos further."
    )


def unlike_words(distance: float, rates: FaceRates, *, nearest: bool, compared: int) -> str:
    """A face farther than the upper threshold; ``nearest`` where no other face of the picture is nearer."""
    missed = rates.missed_as_unlike
    if not nearest:
        return (
            f"Another face does not resemble the reference photo (distance {distance:.2f}; above "
            f"{rates.unlike_above:.2f} counts as unlike)."
        )
    who = "The face compared does not resemble" if compared == 1 else f"None of {compared} faces compared resembles"
    which = "" if compared == 1 else "the nearest at "
    return (
        f"{who} the reference photo ({which}distance {distance:.2f}; above {rates.unlike_above:.2f} counts as unlike). "
        f"When this was measured, {missed.errors} of {missed.trials} pairs of photos of one person were that far "
        f"apart; with so few pairs that allows for up to {percent(missed.upper)}."
    )


def _error_rates(rates: FaceRates) -> str:
    false, missed = rates.false_match, rates.false_non_match
    return (
        f"When this was measured, {false.errors} of {false.trials:,} pairs of different people came that close "
        f"({percent(false.rate)}; allowing for chance up to {percent(false.upper)}), and of {missed.trials} pairs of "
        f"photos of one person {missed.errors} did not ({percent(missed.rate)})."
    )


def _several(comparisons: int) -> str:
    if comparisons == 1:
        return ""
    return f" {comparisons} comparisons were made in this picture, and each adds its own chance of a false match."


def unfit_reason(template: FaceTemplate, fitness: FaceRates) -> str | None:
    """Why a face cannot be compared, in words, or None where it can."""
    if template.size < fitness.min_size:
        return f"it is {template.size:.0f} pixels across, and at least {fitness.min_size:.0f} are needed"
    if template.pose_error > fitness.max_pose_error:
        return "the head is turned or tilted too far, or partly hidden"
    if template.sharpness < fitness.min_sharpness:
        return "it is too blurred"
    return None
