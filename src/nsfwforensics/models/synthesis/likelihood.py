"""Likelihood ratios of a score, never above what the pictures that they were measured on support.

How many times as likely a score is among generated pictures as among photographs. The curve is a logistic one fitted
with both classes weighted alike, so its odds are the ratio of two smoothed densities. Its ends are cut off where the
sample stops to support it: by the empirical lower and upper bounds (ELUB) of Vergeer, van Es, de Jongh, Alberink and
Stoel ("Numerical likelihood ratios outputted by LR systems are often based on extrapolation: when to stop
extrapolating?", *Science & Justice* 56, 2016), and never beyond one more than the pictures of the smaller class.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RatioCurve:
    """Likelihood ratios in one state.

    Attributes:
        slope: Of the log odds over the score, at least 0.
        offset: Log odds at a score of 0.
        least: The smallest ratio that the sample supports, at most 1.
        most: The largest ratio that the sample supports, at least 1.
        photographs: Photographs behind the curve.
        generated: Generated pictures behind it: of the smallest kind (gallery or decoder).

    Raises:
        ValueError: A bound is above what the counts support, or a number is none.
    """

    slope: float
    offset: float
    least: float
    most: float
    photographs: int
    generated: int

    def __post_init__(self) -> None:
        """Refuses bounds that the counts do not support."""
        limit = support(self.photographs, self.generated)
        if not (math.isfinite(self.slope) and self.slope >= 0 and math.isfinite(self.offset)):
            raise ValueError("a curve of likelihood ratios rises with the score")
        if not 1 / limit * (1 - _ROUNDING) <= self.least <= 1 <= self.most <= limit * (1 + _ROUNDING):
            raise ValueError("likelihood ratios are beyond what their sample supports")

    def ratio(self, score: float) -> float:
        """The likelihood ratio of a score, within the bounds; 1 (nothing is known) where the score is no number."""
        log_odds = self.slope * score + self.offset
        if math.isnan(log_odds):
            return 1.0
        low, high = math.log(self.least), math.log(self.most)
        return min(self.most, max(self.least, math.exp(min(high, max(low, log_odds)))))

    def probability(self, score: float) -> float:
        """The smoothed share of generated pictures among pictures with this score, were both classes as frequent.

        For reliability diagrams, not for people: only bounded by the counts, between 1/(n + 2) and (n + 1)/(n + 2) for
        n pictures in the smaller class, not by what left-out sources support.
        """
        log_odds = self.slope * score + self.offset
        limit = math.log(support(self.photographs, self.generated))
        return 0.5 if math.isnan(log_odds) else 1 / (1 + math.exp(-min(limit, max(-limit, log_odds))))

    def plain(self) -> dict[str, float | int]:
        """As plain values."""
        return {
            "slope": float(f"{self.slope:.9g}"),
            "offset": float(f"{self.offset:.9g}"),
            "least": float(f"{self.least:.9g}"),
            "most": float(f"{self.most:.9g}"),
            "photographs": self.photographs,
            "generated": self.generated,
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> RatioCurve:
        """Reads what :meth:`plain` wrote.

        Raises:
            KeyError: A value is missing.
            ValueError: The values do not go together.
        """
        slope, offset, least, most = (float(content[name]) for name in ("slope", "offset", "least", "most"))
        return cls(slope, offset, least, most, int(content["photographs"]), int(content["generated"]))


_ROUNDING = 1e-6


def support(photographs: int, generated: int) -> float:
    """The largest likelihood ratio that a sample can support: one more than the pictures of its smaller class."""
    return min(photographs, generated) + 1.0
