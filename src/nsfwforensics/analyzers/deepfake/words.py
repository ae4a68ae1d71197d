"""The findings of the deepfake analyzer, their wording, and the error rates they are told with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.error_rates import error_rate, percent, upper_percent
from nsfwforensics.core.messages import Message, say, sentences
from nsfwforensics.core.types import Severity

if TYPE_CHECKING:
    from nsfwforensics.models.synthesis.calibration import Branch, Rate, Withheld

CODES: Mapping[str, Code] = {
    "SYN-001": Code(
        say("Pixels look generated"),
        Severity.MEDIUM,
        say(
            "This model knows few generators and few cameras. Heavy editing, upscaling and denoising filters can look "
            "the same to it. It is a reason to look closer, not proof, and says nothing about who made the picture."
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
            "The model can miss generated pictures, above all from generators it never saw, after re-saving, or where "
            "only a part was changed. No sign found does not make a picture authentic."
        ),
    ),
    "SYN-010": Code(
        say("A face looks blended in or generated"),
        Severity.MEDIUM,
        say(
            "Retouching, beauty filters and strong compression of a face can look the same. It is a reason to look "
            "closer, not proof."
        ),
    ),
    "SYN-011": Code(
        say("Faces: inconclusive"),
        Severity.INFO,
        say(
            "The check of faces was measured on few people, and not on current face-swap tools. Compare the face with "
            "other photos of the person, and look for the picture it may have been taken from."
        ),
    ),
}

STATES: Mapping[str, Message] = {
    "as_is": say("pictures in their original files"),
    "768_q60": say("pictures reduced to 768 pixels and saved at JPEG quality 60"),
    "512_q40": say("pictures reduced to 512 pixels and saved at JPEG quality 40"),
    "lossless": say("pictures reduced to 1,600 pixels and saved without loss"),
    "webp": say("pictures reduced to 1,600 pixels and saved as WebP"),
    "heic": say("pictures saved as HEIC"),
    "avif": say("pictures reduced to 1,600 pixels and saved as AVIF"),
}
"""The states in which error rates were measured, as noun phrases."""


def generated_words(image: Branch, state: str) -> str:
    """That the pixels look generated, with how often the model says so wrongly."""
    called, found = image.rate(state, "real_called"), image.rate(state, "gallery_called")
    return sentences(
        say(
            "The pixels look generated to this model: hardly any of {photographs} unseen photographs scored as high.",
            photographs=image.reals,
        ),
        say(
            "In our test on {pictures} it said so of {errors} of {photographs} ({share}, at most {upper} with 95 % "
            "confidence) real photographs, and found {found} of {generated} generated ones.",
            pictures=STATES[state],
            errors=called.count,
            photographs=called.total,
            share=percent(called.share),
            upper=upper_percent(called.upper),
            found=found.count,
            generated=found.total,
        ),
        *_found(image, state),
    )


def _found(image: Branch, state: str) -> list[Message]:
    """How much was found of what is unlike the training pictures; what was not measured in a state is left out."""
    words: list[Message] = []
    strange, painted = image.rate(state, "strangers_called"), image.rate(state, "resynthesised_called")
    if strange.total:
        words.append(
            say(
                "Of the {total} by publishers of whom it had seen no picture in training it found {found}.",
                found=strange.count,
                total=strange.total,
            )
        )
    if painted.total:
        words.append(
            say(
                "Of {total} photographs painted again by a neural network it found {found}.",
                found=painted.count,
                total=painted.total,
            )
        )
    return words


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
    missed, painted = image.rate(state, "gallery_cleared"), image.rate(state, "resynthesised_cleared")
    return say(
        "No sign of generation was found in the pixels; in our test on {pictures} the same was said of {missed} of "
        "{generated} ({share}, at most {upper} with 95 % confidence) generated pictures and of {painted} of "
        "{repainted} ({painted_share}, at most {painted_upper} with 95 % confidence) photographs painted again "
        "by a neural network.",
        pictures=STATES[state],
        missed=missed.count,
        generated=missed.total,
        share=percent(missed.share),
        upper=upper_percent(missed.upper),
        painted=painted.count,
        repainted=painted.total,
        painted_share=percent(painted.share),
        painted_upper=upper_percent(painted.upper),
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
    among: list[Message] = []
    if state is not None:
        strange = image.rate(state, "strangers_inconclusive")
        if strange.total:
            among.append(
                say(
                    "Among the latter are {left} of the {total} by publishers of whom the model had seen no picture in "
                    "training.",
                    left=strange.count,
                    total=strange.total,
                )
            )
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
    return sentences(said, known, *among)


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


def face_words(face: Branch, state: str) -> str:
    """That a face looks blended in, with how often the model says so wrongly."""
    called, found = face.rate(state, "real_called"), face.rate(state, "swap_called")
    return say(
        "A face looks blended in or generated to this model, which in our test said so of {errors} of {faces} "
        "({share}, at most {upper} with 95 % confidence) real faces and found {found} of {swapped} swapped "
        "ones.",
        errors=called.count,
        faces=called.total,
        share=percent(called.share),
        upper=upper_percent(called.upper),
        found=found.count,
        swapped=found.total,
    )


def face_inconclusive_words(face: Branch, state: str) -> str:
    """That the faces do not tell."""
    called, found = face.rate(state, "real_called"), face.rate(state, "swap_called")
    return say(
        "Whether a face was swapped in cannot be said from the pixels: in our test the check told {found} of {swapped} "
        "swapped faces apart, and {errors} of {faces} real faces stood out as much.",
        found=found.count,
        swapped=found.total,
        errors=called.count,
        faces=called.total,
    )


def generated_rates(image: Branch, state: str) -> list[dict[str, Any]]:
    """How often "looks generated" was wrong, and how often it was not said of what was generated."""
    return _rates(
        state,
        (say("photographs that looked generated"), image.rate(state, "real_called")),
        (say("generated pictures that did not look generated"), image.rate(state, "gallery_called").others),
        (
            say("generated pictures by publishers never trained on that did not look generated"),
            image.rate(state, "strangers_called").others,
        ),
        (
            say("photographs painted again by a neural network that did not look generated"),
            image.rate(state, "resynthesised_called").others,
        ),
    )


def cleared_rates(image: Branch, state: str) -> list[dict[str, Any]]:
    """How often "no sign" was said of what was generated."""
    return _rates(
        state,
        (say("generated pictures in which no sign was found"), image.rate(state, "gallery_cleared")),
        (
            say("photographs painted again by a neural network in which no sign was found"),
            image.rate(state, "resynthesised_cleared"),
        ),
    )


def face_rates(face: Branch, state: str) -> list[dict[str, Any]]:
    """How often the check of faces was wrong."""
    return _rates(
        state,
        (say("real faces that looked blended in or generated"), face.rate(state, "real_called")),
        (say("swapped faces that did not look so"), face.rate(state, "swap_called").others),
    )


def _rates(state: str, *counted: tuple[Message, Rate]) -> list[dict[str, Any]]:
    where = STATES[state]
    return [error_rate(what, rate.count, rate.total, conditions=where) for what, rate in counted if rate.total]
