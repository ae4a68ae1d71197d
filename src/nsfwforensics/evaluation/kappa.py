"""How far two people agree beyond chance: Cohen's kappa, with an interval.

Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960). As there,
the agreement by chance is taken as known; the interval of the observed agreement is Wilson's, which stays sensible
where two people agreed on everything or on nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_Z = 1.959963984540054
"""Quantile of the normal distribution for a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Kappa:
    """How far two people agree: Cohen's kappa, with an interval.

    Attributes:
        judged: How many things both judged.
        agreed: About how many of them they said the same.
        value: Kappa, -1 to 1; None where chance alone would have them agree on everything, as where both said one thing
            only.
        low: Lower end of the interval of 95 %, or None.
        high: Upper end, or None.
    """

    judged: int
    agreed: int
    value: float | None
    low: float | None
    high: float | None


def kappa(pairs: Sequence[tuple[str, str]]) -> Kappa:
    """Cohen's kappa of what two people said of the same things.

    Args:
        pairs: For each thing what the first said and what the second said.
    """
    number = len(pairs)
    agreed = sum(first == second for first, second in pairs)
    ones, others = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    chance = sum(ones[said] * others[said] for said in ones) / number**2 if number else 1.0
    if chance >= 1.0:
        return Kappa(number, agreed, None, None, None)
    low, high = _wilson(agreed, number)
    value, low, high = ((share - chance) / (1 - chance) for share in (agreed / number, low, high))
    return Kappa(number, agreed, value, max(-1.0, low), min(1.0, high))


def _wilson(count: int, number: int) -> tuple[float, float]:
    share = count / number
    middle = share + _Z**2 / (2 * number)
    half = _Z * math.sqrt(share * (1 - share) / number + _Z**2 / (4 * number**2))
    return (middle - half) / (1 + _Z**2 / number), (middle + half) / (1 + _Z**2 / number)
