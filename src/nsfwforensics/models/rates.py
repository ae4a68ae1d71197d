"""Measured shares, by state and by what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nsfwforensics.core.error_rates import clopper_pearson_upper


@dataclass(frozen=True, slots=True)
class Rate:
    """A measured share: ``count`` of ``total``.

    Attributes:
        count: How many were.
        total: Of how many.
        series: How many series of pictures of one scene or person these are; 0 where each stands for itself. Pictures
            of one series fare alike, so bounds go by their number.
    """

    count: int
    total: int
    series: int = 0

    @property
    def share(self) -> float:
        """The plain share, 0–1; 0 of nothing is 0."""
        return self.count / self.total if self.total else 0.0

    @property
    def upper(self) -> float:
        """Upper end of the one-sided 95 % Clopper–Pearson interval; for 0 of n about 3/n (rule of three)."""
        return clopper_pearson_upper(*self.by_series)

    @property
    def by_series(self) -> tuple[int, int]:
        """Count and total were there one picture of each series, and each of the rarer kind in another series."""
        if not self.series:
            return self.count, self.total
        if 2 * self.count <= self.total:
            return min(self.count, self.series), self.series
        return self.series - min(self.total - self.count, self.series), self.series

    @property
    def others(self) -> Rate:
        """The share of those that were not counted."""
        return Rate(self.total - self.count, self.total, self.series)

    def __str__(self) -> str:
        return f"{self.count} of {self.total}"


def plain_rates(rates: Mapping[str, Mapping[str, Rate]]) -> dict[str, dict[str, list[int]]]:
    """As plain values: counts, totals and, where they differ from these, series by state and name."""
    return {state: {name: _plain(rate) for name, rate in named.items()} for state, named in rates.items()}


def _plain(rate: Rate) -> list[int]:
    return [rate.count, rate.total, rate.series] if rate.series else [rate.count, rate.total]


def rates_of(content: Mapping[str, Any]) -> dict[str, dict[str, Rate]]:
    """Reads what :func:`plain_rates` wrote."""
    return {state: {name: Rate(*pair) for name, pair in named.items()} for state, named in content.items()}
