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


def found_words(rank: int, faces: int, distance: float) -> str:
    """Which face this is among those of the picture, and how far from the nearest reference photo."""
    if faces == 1:
        return f"The face in the picture lies at distance {distance:.2f} from the reference photo"
    if rank == 1:
        return f"Of the {faces} faces in the picture the nearest to the reference photo lies at distance {distance:.2f}"
    return f"Another of the {faces} faces lies at distance {distance:.2f} from the reference photo"


def percent(share: float) -> str:
    """A share in percent with as many digits as small rates need."""
    return f"{100 * share:.2f} %" if share < 0.01 else f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def rates_words(rates: FaceRates, distance: float, comparisons: int) -> str:
    """The error rates that were measured for the threshold which decided, with their counts."""
    false, missed = rates.false_match, rates.false_non_match
    if distance > rates.unlike_above:
        missed = rates.missed_as_unlike
        return (
            f"Above {rates.unlike_above:.2f} lay {missed.errors} of {missed.trials} pairs of photos of one person when "
            f"this was measured ({percent(missed.rate)}; with so few pairs up to {percent(missed.upper)})."
        )
    words = (
        f"Below {rates.match_below:.2f} lay {false.errors} of {false.trials:,} pairs of different people when this was "
        f"measured ({percent(false.rate)}, up to {percent(false.upper)} allowing for chance), and "
        f"{missed.trials - missed.errors} of {missed.trials} pairs of photos of one person."
    )
    if comparisons > 1:
        words += f" With {comparisons} comparisons in this picture a chance match is that much more likely."
    return words + " This is a lead for human comparison, not an identification."


def unfit_reason(template: FaceTemplate, fitness: FaceRates) -> str | None:
    """Why a face cannot be compared, in words, or None where it can."""
    if template.size < fitness.min_size:
        return f"it is {template.size:.0f} pixels across, and at least {fitness.min_size:.0f} are needed"
    if template.pose_error > fitness.max_pose_error:
        return "the head is turned or tilted too far, or partly hidden"
    if template.sharpness < fitness.min_sharpness:
        return "it is too blurred"
    return None
