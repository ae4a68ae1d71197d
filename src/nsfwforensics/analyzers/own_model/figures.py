"""What the figures of a model that a user brought are called, and why nothing follows from its score."""

from __future__ import annotations

from collections.abc import Mapping

from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import say
from nsfwforensics.models.states import STATES

REASONS: Mapping[str, str] = {
    "no_number": say("it gave no number for it"),
    "not_calibrated": say("its card does not say from which score on a picture looks generated"),
    "below_threshold": say(
        "the score is below the threshold of its card, which clears nothing: generated pictures can score there too"
    ),
    "flip": say("the answer turns when the same picture is saved again or made a little smaller"),
    "rates_not_measured": say("how often it is wrong about such pictures was not measured"),
    "rates_of_a_leak": say(
        "it was measured on pictures that could be told apart by their format or size alone, so that its error rates "
        "mean nothing"
    ),
    "too_many_errors": say(
        "it calls too many real photographs generated: their share may be above 5 %, with 95 % confidence"
    ),
}
"""Why nothing follows from a score, by :class:`nsfwforensics.models.own.verdict.Reason`."""

FIGURES: Figures = {
    "detector": say("model of your own"),
    "model": say("model"),
    "version": say("version"),
    "state": Figure(say("state"), STATES),
    "reason": Figure(
        say("reason"),
        {**REASONS, "outside_measured": say("unlike the pictures on which the model was measured")},
    ),
    "score": say("score"),
    "score_recompressed": say("score after re-saving"),
    "score_resized": say("score after resizing"),
    "score_spread": say("spread of the score"),
    "crops": say("crops"),
    "flat_share": say("share that is flat"),
    "jpeg_quality_estimate": say("estimated JPEG quality"),
    "generated_from": say("looks generated from"),
    "probability_by_card": say("probability, by the card"),
    "rates_from": Figure(
        say("error rates from"),
        {"card": say("the card of the model"), "model evaluate": say("a measurement with this tool")},
    ),
}
