"""The finding of the score map and its wording."""

from __future__ import annotations

from collections.abc import Mapping

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.messages import Message, say, sentences
from nsfwforensics.core.types import Severity

MAP_CODES: Mapping[str, Code] = {
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


def unmeasured_words() -> str:
    """That nothing is concluded from the map: its figures stand in the model card."""
    return sentences(
        say(
            "Nothing is concluded from the score map: in 28 photographs that were edited in places it was no brighter "
            "where they had been changed than elsewhere."
        ),
        say("The map is kept as a lead for people who look at the picture themselves."),
    )


def unmade_words(reason: str) -> Message:
    """That there is no map, and why."""
    return say("No score map was made of this picture: {reason}.", reason=reason)
