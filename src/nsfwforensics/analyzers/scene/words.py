"""What the scene comparison can say, and what its figures are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.error_rates import error_rate
from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Severity

if TYPE_CHECKING:
    from nsfwforensics.models.scene import SceneFigures

FIGURES: Figures = {
    "like": say("pictures that were looked for"),
    "embeddings": say("embeddings"),
    "role": Figure(say("role"), {"like": say("Picture that was looked for")}),
    "path": say("path"),
    "sha256": say("SHA-256"),
    "left_out": say("left out"),
    "similarity": say("similarity"),
    "nearest": say("most similar picture"),
    "nearest_sha256": say("SHA-256 of the most similar picture"),
    "alike_from": say("alike from"),
}

CODES: Mapping[str, Code] = {
    "SCENE-001": Code(
        say("It looks like the same scene as a picture that you named"),
        Severity.LOW,
        say(
            "A network says that the middle squares of the two look alike, no more: two things of one kind, two people "
            "who pose alike and different photographs of one well-known person can come as near. It is no proof that "
            "one was made from the other, and says nothing about who is shown. A person must compare the two."
        ),
        headline=say("To a network it looks like the same scene as a picture that you named."),
    ),
}


def alike_words(similarity: float, name: str, figures: SceneFigures) -> str:
    """A picture at the threshold or above."""
    return say(
        "To a network that compares what pictures show, it looks like the same scene as {name} (similarity "
        "{similarity:.2f} of 1; from {alike_from:.2f} on pictures count as alike). This is a lead for human "
        "comparison.",
        name=name,
        similarity=similarity,
        alike_from=figures.alike_from,
    )


def unlike_words(similarity: float, name: str, figures: SceneFigures) -> str:
    """A picture below the threshold, which says nothing."""
    return say(
        "it does not look enough like the pictures that were looked for (most like {name}: similarity "
        "{similarity:.2f}, {alike_from:.2f} are needed); of {pairs} pictures that editors had "
        "changed {missed} fell short of that too",
        name=name,
        similarity=similarity,
        alike_from=figures.alike_from,
        pairs=figures.missed.pairs,
        missed=figures.missed.errors,
    )


def rates(figures: SceneFigures) -> tuple[Mapping[str, Any], ...]:
    """How often it was wrong where it was measured."""
    unrelated, strangers, one, missed = figures.unrelated, figures.strangers, figures.one_person, figures.missed
    return (
        error_rate(
            say("pairs of pictures from different sources that looked alike"), unrelated.errors, unrelated.pairs
        ),
        error_rate(say("pairs of portraits of different people that looked alike"), strangers.errors, strangers.pairs),
        error_rate(say("pairs of different photographs of one public figure that looked alike"), one.errors, one.pairs),
        error_rate(
            say("pictures changed by editors that did not look like their originals"), missed.errors, missed.pairs
        ),
    )
