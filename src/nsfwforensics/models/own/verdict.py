"""What may be said of the score of a model that a user brought: never more than error rates carry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from nsfwforensics.models.own.card import CardCalibration, counted
from nsfwforensics.models.own.files import DetectorFiles
from nsfwforensics.models.own.score import PictureScore
from nsfwforensics.models.synthesis.calibration import Rate

MOST_ERRORS = 0.05
"""The upper 95 % bound of real photographs called generated may not be above this."""


class Reason(StrEnum):
    """Why a score is inconclusive, or that it is not."""

    CALLED = "called"
    NO_NUMBER = "no_number"
    NOT_CALIBRATED = "not_calibrated"
    BELOW = "below_threshold"
    FLIP = "flip"
    NOT_MEASURED = "rates_not_measured"
    LEAK = "rates_of_a_leak"
    TOO_MANY_ERRORS = "too_many_errors"


@dataclass(frozen=True, slots=True)
class Carried:
    """Error rates in the state that resembles a picture most, and whose they are.

    Attributes:
        real_called: Photographs called generated.
        generated_called: Generated pictures called so.
        measured: Whether ``model evaluate`` counted them, rather than the card's author.
    """

    real_called: Rate
    generated_called: Rate
    measured: bool


def crossed(claims: CardCalibration, picture: PictureScore) -> Reason:
    """What the threshold says of a picture and its two changed copies, error rates aside.

    Returns:
        ``CALLED``, ``BELOW``, ``FLIP``, ``NO_NUMBER`` or ``NOT_CALIBRATED``.
    """
    views = (picture.score, picture.recompressed, picture.resized)
    if not all(map(math.isfinite, views)):
        return Reason.NO_NUMBER
    if claims.generated_from is None:
        return Reason.NOT_CALIBRATED
    above = {score >= claims.generated_from for score in views}
    if len(above) > 1:
        return Reason.FLIP
    return Reason.CALLED if above.pop() else Reason.BELOW


def carried(files: DetectorFiles, state: str) -> Carried | None:
    """The rates that a statement would be told with: measured ones before the card's own; None without any."""
    measured = files.measured
    if measured is not None and not measured.leak:
        rates = counted(measured.rates).get(state)
        if rates:
            return Carried(rates["real_called"], rates["generated_called"], measured=True)
    rates = counted(files.card.rates).get(state)
    return Carried(rates["real_called"], rates["generated_called"], measured=False) if rates else None


def judged(files: DetectorFiles, state: str, picture: PictureScore) -> Reason:
    """What may be said: ``CALLED`` only where the rates in this state carry it, else why nothing follows."""
    reason = crossed(files.card.calibration, picture)
    if reason is not Reason.CALLED:
        return reason
    rates = carried(files, state)
    if rates is None:
        leak = files.measured is not None and files.measured.leak
        return Reason.LEAK if leak else Reason.NOT_MEASURED
    return Reason.CALLED if rates.real_called.upper <= MOST_ERRORS else Reason.TOO_MANY_ERRORS
