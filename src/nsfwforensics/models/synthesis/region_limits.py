"""What a map of scores over tiles was measured to be worth, and whether a region may be reported from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nsfwforensics.models.rates import Rate, plain_rates, rates_of

REGIONS_WRONG = 0.03
"""Largest share (upper 95 % bound) of untouched photographs with a marked region at which one is reported."""

REGIONS_AUC = 0.6
"""The lower end of the AUC's 95 % interval must be above this."""


@dataclass(frozen=True, slots=True)
class RegionLimits:
    """What a map of scores over tiles was measured to be worth, and whether anything may be said from it.

    Attributes:
        statistic: Name of the measure of how far a region stands out (:mod:`nsfwforensics.models.synthesis.standout`).
        threshold: Its value from which a region is marked.
        rates: By state, ``untouched_marked`` (untouched photographs in which a region was marked) and
            ``edited_marked`` (photographs with a region painted again by a decoder never trained on).
        facts: By state, ``auc``: untouched against edited with its 95 % interval; further figures.
    """

    statistic: str
    threshold: float
    rates: Mapping[str, Mapping[str, Rate]]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def rate(self, state: str, name: str) -> Rate:
        """A measured share, 0 of 0 where it was not measured."""
        return self.rates.get(state, {}).get(name, Rate(0, 0))

    def speaks(self, state: str) -> bool:
        """Whether a marked region may be reported as a finding.

        Only where few untouched photographs were marked in every measured state (at most 3 % with 95 % confidence),
        and edited ones were told apart in the picture's state: AUC certainly above 0.6, and more often marked.
        """
        marked = [self.rate(each, "untouched_marked") for each in self.rates]
        wrong, found = self.rate(state, "untouched_marked"), self.rate(state, "edited_marked")
        if not found.total or not wrong.total or any(rate.upper > REGIONS_WRONG for rate in marked):
            return False
        low = self.facts.get("auc", {}).get(state, {}).get("low")
        told_apart = isinstance(low, int | float) and low > REGIONS_AUC
        return told_apart and found.share > wrong.upper

    def plain(self) -> dict[str, Any]:
        """As plain values, for the calibration file."""
        return {
            "statistic": self.statistic,
            "threshold": round(self.threshold, 5),
            "rates": plain_rates(self.rates),
            "facts": dict(self.facts),
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> RegionLimits:
        """Reads what :meth:`plain` wrote.

        Raises:
            KeyError: Something is missing.
            TypeError: Something is of another kind.
            ValueError: The threshold is no number.
        """
        name, facts = content["statistic"], content["facts"]
        if not isinstance(name, str) or not isinstance(facts, dict):
            raise TypeError("the statistic or the facts of the regions")
        return cls(name, float(content["threshold"]), rates_of(content["rates"]), facts)
