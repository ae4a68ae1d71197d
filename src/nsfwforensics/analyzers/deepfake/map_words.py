"""The findings of the score map, their wording, and the error rates they are told with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nsfwforensics.analyzers.deepfake.words import STATES
from nsfwforensics.analyzers.traces.model import place
from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.error_rates import error_rate, percent, upper_percent
from nsfwforensics.core.messages import Message, say, sentences
from nsfwforensics.core.types import Question, Region, Severity

if TYPE_CHECKING:
    from nsfwforensics.models.synthesis.region_limits import RegionLimits

MAP_CODES: Mapping[str, Code] = {
    "SYN-012": Code(
        say("A region scores differently from the rest"),
        Severity.LOW,
        say(
            "Blur, smooth skin, water, sky, retouching and strong differences of light can stand out in the same way. "
            "It is a reason to look at that place, not proof, and says nothing about who changed it."
        ),
        question=Question.ALTERATION,
        method=say("Compares the model's score of a region with its scores of the rest of the same picture."),
    ),
    "SYN-013": Code(
        say("Score map: inconclusive"),
        Severity.INFO,
        say(
            "Every map has a brightest place, in untouched photographs too. A map in which nothing stands out does not "
            "make a picture unedited."
        ),
        method=say("Compares the model's score of a region with its scores of the rest of the same picture."),
    ),
}

_KEPT = say("The map is kept as a lead for people who look at the picture themselves.")


def region_words(limits: RegionLimits, state: str, region: Region, size: tuple[int, int]) -> str:
    """That a region stands out, with how often that is wrong."""
    from nsfwforensics.signals.traces.trace import TraceRegion

    wrong, found = limits.rate(state, "untouched_marked"), limits.rate(state, "edited_marked")
    where = place(TraceRegion(region.x, region.y, region.width, region.height, 0.0), size)
    return sentences(
        say(
            "The area {place} looks more like pixels painted by a neural network than the rest of the picture, which "
            "is consistent with having been painted again.",
            place=where,
        ),
        say(
            "In our test on {pictures} an area stood out as much in {errors} of {photographs} ({share}, at most "
            "{upper} with 95 % confidence) untouched photographs, and in {found} of {edited} in which a part had "
            "been painted again.",
            pictures=STATES[state],
            errors=wrong.count,
            photographs=wrong.total,
            share=percent(wrong.share),
            upper=upper_percent(wrong.upper),
            found=found.count,
            edited=found.total,
        ),
    )


def nothing_words(limits: RegionLimits, state: str) -> Message:
    """That nothing stands out, with how often edits are missed."""
    missed = limits.rate(state, "edited_marked").others
    return say(
        "No area of the score map stands out from the rest of the picture as much as a finding requires; in our test "
        "on {pictures} the same was so for {missed} of {edited} photographs in which a part had been painted again.",
        pictures=STATES[state],
        missed=missed.count,
        edited=missed.total,
    )


def unreliable_words(limits: RegionLimits, state: str) -> str:
    """That nothing is concluded from the map, because that was measured not to be reliable."""
    wrong, found = limits.rate(state, "untouched_marked"), limits.rate(state, "edited_marked")
    return sentences(
        say(
            "Nothing is concluded from the score map: in our test on {pictures} it pointed at an area in {errors} of "
            "{photographs} untouched photographs and in {found} of {edited} in which a part had been painted again, "
            "which is not reliable enough.",
            pictures=STATES[state],
            errors=wrong.count,
            photographs=wrong.total,
            found=found.count,
            edited=found.total,
        ),
        _KEPT,
    )


def unmeasured_words() -> str:
    """That nothing is concluded from the map, because nobody measured what it is worth."""
    return sentences(
        say("Nothing is concluded from the score map: how often such maps mislead was not measured for these weights."),
        _KEPT,
    )


def unmade_words(reason: str) -> Message:
    """That there is no map, and why."""
    return say("No score map was made of this picture: {reason}.", reason=reason)


def map_rates(limits: RegionLimits, state: str) -> list[dict[str, Any]]:
    """How often a region is marked wrongly, and how often an edit is missed."""
    counted = (
        (
            say("untouched photographs in which an area of the score map stood out"),
            limits.rate(state, "untouched_marked"),
        ),
        (
            say("photographs with a part painted again in which no area of the score map stood out"),
            limits.rate(state, "edited_marked").others,
        ),
    )
    return [error_rate(what, rate.count, rate.total, conditions=STATES[state]) for what, rate in counted if rate.total]
