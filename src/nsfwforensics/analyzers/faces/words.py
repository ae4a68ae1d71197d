"""The findings of the faces analyzer and their wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.error_rates import error_rate, percent, upper_percent
from nsfwforensics.core.messages import Message, say, say_count, sentences
from nsfwforensics.core.types import Severity
from nsfwforensics.models.faces.rates import FaceRates

_LEAD = say(
    "A lead for human comparison, not an identification: relatives and strangers can look alike to the model. Error "
    "rates may be higher for some groups; where the model was measured here, strangers were taken for one another "
    "mostly among children and among East Asian faces. It says nothing about the body or whether the scene occurred, "
    "and a generated or swapped face compares like a photographed one."
)

_UNLIKE = say(
    "Age, pose, light, glasses, make-up and editing move a person's own photos apart, and some photos of one person "
    "were measured as unlike. Not proof that the person is absent."
)

_UNFIT = say(
    "Only size, sharpness and the angle of the head were judged. A better copy of the picture may allow a comparison."
)

_UNTOLD = say("It could not be told whether a face in it resembles the reference photo.")

CODES: Mapping[str, Code] = {
    "FACE-001": Code(
        say("Face similar to the reference photo"),
        Severity.HIGH,
        _LEAD,
        headline=say("A face in it resembles the reference photo."),
    ),
    "FACE-002": Code(say("Face neither similar nor unlike"), Severity.MEDIUM, _LEAD, headline=_UNTOLD),
    "FACE-003": Code(
        say("Face not similar to the reference photo"),
        Severity.INFO,
        _UNLIKE,
        headline=say("No face in it was found to resemble the reference photo."),
    ),
    "FACE-004": Code(say("Face not fit to be compared"), Severity.LOW, _UNFIT, headline=_UNTOLD),
    "FACE-005": Code(
        say("No face found"),
        Severity.LOW,
        say(
            "The detector misses some faces, above all turned, covered, sideways and very small ones. How many was not "
            "measured."
        ),
        headline=say("No face was found in it to compare with the reference photo."),
    ),
    "FACE-006": Code(
        say("Distance without measured error rates"),
        Severity.LOW,
        say("Distances of one face model cannot be read with the thresholds of another."),
        headline=_UNTOLD,
    ),
}


def similar_words(distance: float, rates: FaceRates, comparisons: int) -> str:
    """A face nearer than the match threshold, with the rates that were measured for it."""
    return sentences(
        say(
            "A face in the picture resembles the reference photo (distance {distance:.2f}; below {match_below:.2f} "
            "counts as similar).",
            distance=distance,
            match_below=rates.match_below,
        ),
        _measured(rates),
        _several(comparisons),
        say("This is a lead for human comparison, not an identification."),
    )


def between_words(distance: float, rates: FaceRates, comparisons: int) -> str:
    """A face between the thresholds."""
    return sentences(
        say(
            "A face in the picture neither clearly resembles the reference photo nor clearly differs from it (distance "
            "{distance:.2f}; below {match_below:.2f} counts as similar, above {unlike_above:.2f} as unlike).",
            distance=distance,
            match_below=rates.match_below,
            unlike_above=rates.unlike_above,
        ),
        _measured(rates),
        _several(comparisons),
        say("Only people can compare the photos further."),
    )


def unlike_words(distance: float, rates: FaceRates, *, nearest: bool, compared: int) -> str:
    """A face farther than the upper threshold; ``nearest`` where no other face of the picture is nearer."""
    values: dict[str, Any] = {"distance": distance, "unlike_above": rates.unlike_above}
    if not nearest:
        return say(
            "Another face does not resemble the reference photo (distance {distance:.2f}; above {unlike_above:.2f} "
            "counts as unlike).",
            **values,
        )
    missed = rates.missed_as_unlike
    return sentences(
        say_count(
            "The face compared does not resemble the reference photo (distance {distance:.2f}; above "
            "{unlike_above:.2f} counts as unlike).",
            "None of {count} faces compared resembles the reference photo (the nearest at distance {distance:.2f}; "
            "above {unlike_above:.2f} counts as unlike).",
            compared,
            **values,
        ),
        say(
            "When this was measured, {errors} of {trials} pairs of photos of one person were that far apart; with so "
            "few pairs that allows for up to {upper}.",
            errors=missed.errors,
            trials=missed.trials,
            upper=upper_percent(missed.upper),
        ),
    )


def _measured(rates: FaceRates) -> Message:
    false, missed = rates.false_match, rates.false_non_match
    return say(
        "When this was measured, {errors} of {pairs:,} pairs of different people came that close ({rate}; allowing for "
        "chance up to {upper}), and of {same_pairs} pairs of photos of one person {missed} did not ({missed_rate}).",
        errors=false.errors,
        pairs=false.trials,
        rate=percent(false.rate),
        upper=upper_percent(false.upper),
        same_pairs=missed.trials,
        missed=missed.errors,
        missed_rate=percent(missed.rate),
    )


def _several(comparisons: int) -> str:
    if comparisons == 1:
        return ""
    return say(
        "{comparisons} comparisons were made in this picture, and each adds its own chance of a false match.",
        comparisons=comparisons,
    )


def measured_rates(rates: FaceRates) -> list[dict[str, Any]]:
    """How often the thresholds were wrong, for a finding's data."""
    counted = (
        (say("pairs of different people that counted as similar"), rates.false_match),
        (say("pairs of photos of one person that did not count as similar"), rates.false_non_match),
        (say("pairs of photos of one person that counted as unlike"), rates.missed_as_unlike),
    )
    return [error_rate(what, count.errors, count.trials, upper=count.upper) for what, count in counted]
