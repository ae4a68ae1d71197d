"""The findings of the deepfake analyzer, their wording, and the error rates they are told with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.error_rates import error_rate, percent, upper_percent
from nsfwforensics.core.messages import Message, say, sentences
from nsfwforensics.core.types import Severity
from nsfwforensics.models.states import STATES

if TYPE_CHECKING:
    from nsfwforensics.models.synthesis.calibration import Branch, Rate, Withheld

CODES: Mapping[str, Code] = {
    "SYN-001": Code(
        say("Pixels look generated"),
        Severity.MEDIUM,
        say(
            "This model knows few generators and few cameras. Studio light, retouching, heavy editing and stock "
            "photographs can look the same to it. It is a reason to look closer, not proof, and says nothing about who "
            "made the picture."
        ),
    ),
    "SYN-002": Code(
        say("Pixels: inconclusive"),
        Severity.INFO,
        say(
            "Inconclusive is not a mild yes or no: this check adds nothing either way. Rely on where the file came "
            "from, its metadata and other copies of it."
        ),
    ),
    "SYN-003": Code(
        say("No sign of generation in the pixels"),
        Severity.INFO,
        say(
            "The model misses generated pictures, above all from generators it never saw, faces made by older ones, "
            "and pictures of which only a part was changed, as in a face swap. No sign found does not make a picture "
            "authentic."
        ),
    ),
}

NOT_LOOKED_FOR = (say("faces that were put into a real picture (the built-in model does not look for them)"),)
"""What is not looked for: a part of a picture that was changed tells it next to nothing, as its card says."""


def generated_words(image: Branch, state: str) -> str:
    """That the pixels look generated, with how often the model says so wrongly."""
    called, found = image.rate(state, "real_called"), image.rate(state, "gallery_called")
    return sentences(
        say(
            "The pixels look generated to this model: hardly any of {photographs} unseen photographs scored as high.",
            photographs=image.reals,
        ),
        say(
            "In our test on {pictures}, by publishers of whom it had seen no picture in training, it said so of "
            "{errors} of {photographs} ({share}, at most {upper} with 95 % confidence) real photographs, and found "
            "{found} of {generated} generated ones.",
            pictures=STATES[state],
            errors=called.count,
            photographs=called.total,
            share=percent(called.share),
            upper=upper_percent(called.upper),
            found=found.count,
            generated=found.total,
        ),
    )


def ratio_words(ratio: float, image: Branch, state: str) -> Message:
    """How many times as likely the score is among generated pictures as among photographs.

    Args:
        ratio: As :meth:`nsfwforensics.models.synthesis.calibration.Branch.likelihood_ratio` gives it.
        image: The calibration.
        state: The measured state.
    """
    curve = image.ratios[state]
    most = curve.most if ratio >= 1 else 1 / curve.least
    # Rounded down, so that no ratio is read that the sample does not support.
    shown = {"ratio": math.floor(10 * max(ratio, 1 / ratio)) / 10, "most": math.floor(10 * most) / 10}
    if ratio >= 1:
        return say(
            "Such a score is about {ratio:.1f} times as frequent among generated pictures as among photographs; the "
            "{photographs} photographs and {generated} generated pictures behind this support no more than {most:.1f}.",
            photographs=curve.photographs,
            generated=curve.generated,
            **shown,
        )
    return say(
        "Such a score is about {ratio:.1f} times as frequent among photographs as among generated pictures; the "
        "{photographs} photographs and {generated} generated pictures behind this support no more than {most:.1f}.",
        photographs=curve.photographs,
        generated=curve.generated,
        **shown,
    )


def cleared_words(image: Branch, state: str) -> str:
    """That nothing was found, with how often that is wrong."""
    missed = image.rate(state, "gallery_cleared")
    return say(
        "No sign of generation was found in the pixels; in our test on {pictures} the same was said of {missed} of "
        "{generated} ({share}, at most {upper} with 95 % confidence) generated pictures by publishers of whom the "
        "model had seen none in training. Edited and repainted photographs count as photographs to it.",
        pictures=STATES[state],
        missed=missed.count,
        generated=missed.total,
        share=percent(missed.share),
        upper=upper_percent(missed.upper),
    )


def inconclusive_words(reason: str | None, image: Branch, state: str | None) -> str:
    """That the pixels do not tell.

    Args:
        reason: Why, or None where nothing speaks against this picture but that the model's calls are withheld.
        image: The calibration.
        state: What the picture resembles, or None where nothing like it was measured.
    """
    if image.withheld is not None:
        return _withheld_words(reason, image.withheld)
    known: Message = say("No error rate is known there.")
    if state is not None:
        real, fake = image.rate(state, "real_inconclusive"), image.rate(state, "gallery_inconclusive")
        known = say(
            "In our test on {pictures} this was the answer for {real} of {photographs} real photographs and {fake} of "
            "{generated} generated pictures.",
            pictures=STATES[state],
            real=real.count,
            photographs=real.total,
            fake=fake.count,
            generated=fake.total,
        )
    said = say("The pixels alone do not say whether this picture was generated: {reason}.", reason=reason)
    return sentences(said, known)


PLAIN_GROUND_WORDS = say(
    "around what it shows is plain, light ground, as in a studio, and too few such pictures were at hand to measure "
    "how often they are judged wrongly"
)
"""Why nothing is said of a picture on plain ground."""

WITHHELD: Mapping[str, Message] = {
    "error_rates_do_not_hold": say(
        "this model's calls are withheld, because the error rates measured for it came from too few sources and do not "
        "hold for pictures from others"
    ),
}
"""Why calls are withheld, by :class:`nsfwforensics.models.synthesis.withheld.Because`."""


def _withheld_words(reason: str | None, withheld: Withheld) -> str:
    """That this model's calls are withheld, and what was measured that spoke against them."""
    because = WITHHELD[withheld.because]
    measured = []
    for state, rates in withheld.by_state(STATES):
        called, found = rates["real_called"], rates["gallery_called"]
        measured.append(
            say(
                "On {pictures}, by publishers that nobody had trained or calibrated on, it called {errors} of "
                "{photographs} photographs generated ({share}), and found {found} of {generated} generated pictures "
                "({found_share}).",
                pictures=STATES[state],
                errors=called.count,
                photographs=called.total,
                share=percent(called.share),
                found=found.count,
                generated=found.total,
                found_share=percent(found.share),
            )
        )
    why = because if reason is None else say("{first}; besides, {second}", first=reason, second=because)
    return sentences(
        say("The pixels alone do not say whether this picture was generated: {reason}.", reason=why), *measured
    )


def generated_rates(image: Branch, state: str) -> list[dict[str, Any]]:
    """How often "looks generated" was wrong, and how often it was not said of what was generated."""
    return _rates(
        state,
        (say("photographs that looked generated"), image.rate(state, "real_called")),
        (say("generated pictures that did not look generated"), image.rate(state, "gallery_called").others),
    )


def cleared_rates(image: Branch, state: str) -> list[dict[str, Any]]:
    """How often "no sign" was said of what was generated."""
    return _rates(
        state,
        (say("generated pictures in which no sign was found"), image.rate(state, "gallery_cleared")),
    )


def _rates(state: str, *counted: tuple[Message, Rate]) -> list[dict[str, Any]]:
    where = STATES[state]
    return [error_rate(what, rate.count, rate.total, conditions=where) for what, rate in counted if rate.total]
