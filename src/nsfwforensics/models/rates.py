"""Measured shares, by state and by what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nsfwforensics.core.error_rates import clopper_pearson_upper


@dataclass(frozen=True, slots=True)
class Rate:
    """A measured share: ``count`` of ``total``."""

    count: int
    total: int

    @property
    def share(self) -> float:
        """The plain share, 0–1; 0 of nothing is 0."""
        return self.count / self.total if self.total else 0.0

    @property
    def upper(self) -> float:
        """Upper end of the one-sided 95 % Clopper–Pearson interval; for 0 of n about 3/n (rule of three)."""
        return clopper_pearson_upper(self.count, self.total)

    @property
    def others(self) -> Rate:
        """The share of those that were not counted."""
        return Rate(self.total - self.count, self.total)

    def __str__(self) -> str:
        return f"{self.count} of {self.total}"


def plain_rates(rates: Mapping[str, Mapping[str, Rate]]) -> dict[str, dict[str, list[int]]]:
    """As plain values: counts and totals by state and name."""
    return {state: {name: [r.count, r.total] for name, r in named.items()} for state, named in rates.items()}


def rates_of(content: Mapping[str, Any]) -> dict[str, dict[str, Rate]]:
    """Reads what :func:`plain_rates` wrote."""
    return {state: {name: Rate(*pair) for name, pair in named.items()} for state, named in content.items()}
