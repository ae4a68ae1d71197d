"""What is said of a model that a user brought: the wording of its findings, and error rates with who counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.error_rates import error_rate, percent, upper_percent
from nsfwforensics.core.messages import Message, say, sentences
from nsfwforensics.core.types import Severity
from nsfwforensics.models.states import STATES

if TYPE_CHECKING:
    from nsfwforensics.models.own.card import About
    from nsfwforensics.models.own.verdict import Carried

CODES: Mapping[str, Code] = {
    "SYN-020": Code(
        say("Pixels look generated to an added model"),
        Severity.MEDIUM,
        say(
            "The model was added by whoever ran this check and is not part of this tool: what it was trained on, and "
            "how it fails, is known from its card at most. Heavy editing, upscaling and filters can look the same to "
            "it. It is a reason to look closer, not proof, and says nothing about who made the picture."
        ),
    ),
    "SYN-021": Code(
        say("Added model: inconclusive"),
        Severity.INFO,
        say(
            "Inconclusive is not a mild yes or no. A score without measured error rates means nothing by itself, "
            "however high or low it is. Rely on where the file came from, its metadata and other copies of it."
        ),
    ),
}


def called_words(about: About, rates: Carried, state: str) -> str:
    """That the pixels look generated, with how often the model says so wrongly and who counted."""
    errors, found = rates.real_called, rates.generated_called
    values: dict[str, Any] = {
        "pictures": STATES[state],
        "errors": errors.count,
        "photographs": errors.total,
        "share": percent(errors.share),
        "upper": upper_percent(errors.upper),
        "found": found.count,
        "generated": found.total,
    }
    if rates.measured:
        counted = say(
            "Measured with this tool on pictures that its user chose ({pictures}), it says so of {errors} of "
            "{photographs} real photographs ({share}, at most {upper} with 95 % confidence) and of {found} of "
            "{generated} generated pictures.",
            **values,
        )
    else:
        counted = say(
            "By its card, not measured here, it says so of {errors} of {photographs} real photographs ({share}, at "
            "most {upper} with 95 % confidence) and of {found} of {generated} generated pictures ({pictures}).",
            **values,
        )
    return sentences(
        say(
            "The pixels look generated to “{model}” (version {version}), a model that was added to this tool.",
            model=about.name,
            version=about.version,
        ),
        counted,
    )


def inconclusive_words(about: About, reason: str) -> Message:
    """That nothing follows from the model's score.

    Args:
        about: The model.
        reason: Why.
    """
    return say(
        "“{model}” (version {version}), a model that was added to this tool, does not say whether this picture was "
        "generated: {reason}.",
        model=about.name,
        version=about.version,
        reason=reason,
    )


def stated_rates(rates: Carried, state: str) -> list[dict[str, Any]]:
    """How often the model was wrong, and who counted."""
    if rates.measured:
        whats = (
            say("photographs that looked generated to the added model"),
            say("generated pictures that did not look so to the added model"),
        )
    else:
        whats = (
            say("photographs that looked generated to the added model, by its card"),
            say("generated pictures that did not look so to the added model, by its card"),
        )
    counted = (rates.real_called, rates.generated_called.others)
    return [
        error_rate(what, rate.count, rate.total, conditions=STATES[state])
        for what, rate in zip(whats, counted, strict=True)
    ]
