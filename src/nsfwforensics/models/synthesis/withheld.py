"""Why a model's calls are not passed on: stated in the calibration file, with what was measured after all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nsfwforensics.models.rates import Rate, plain_rates, rates_of


class Because(StrEnum):
    """Reasons for which a model's calls are withheld."""

    ERROR_RATES_DO_NOT_HOLD = "error_rates_do_not_hold"
    """The error rates of the calibration came from too few sources, and others were higher elsewhere."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """That nothing but *inconclusive* may be said by a calibration, whatever its own figures allow.

    Attributes:
        because: Why.
        rates: By state, ``real_called`` and ``gallery_called`` on pictures by publishers that nobody had trained or
            calibrated on: the shares that spoke against the calls.
    """

    because: Because
    rates: Mapping[str, Mapping[str, Rate]]

    def by_state(self, states: Iterable[str]) -> list[tuple[str, Mapping[str, Rate]]]:
        """The rates of those of some states that were measured, in the order given."""
        return [(state, self.rates[state]) for state in states if state in self.rates]

    def plain(self) -> dict[str, Any]:
        """As plain values, for the calibration file."""
        return {"because": self.because.value, "rates": plain_rates(self.rates)}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Withheld:
        """Reads what :meth:`plain` wrote.

        Raises:
            KeyError: Something is missing.
            TypeError: Something is of another kind.
            ValueError: The reason is not a known one.
        """
        rates = rates_of(content["rates"])
        if missing := [state for state, named in rates.items() if not {"real_called", "gallery_called"} <= set(named)]:
            raise KeyError(*missing)
        return cls(Because(content["because"]), rates)
