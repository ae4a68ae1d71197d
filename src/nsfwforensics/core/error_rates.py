"""Measured error rates as a finding carries them: counted, never a bare percentage.

A finding's data holds them under :data:`ERROR_RATES`, so that every view can show them beside it.
"""

from __future__ import annotations

import math
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from nsfwforensics.core.messages import Message, say

ERROR_RATES = "error_rates"
"""Key in a finding's data: a list of what :func:`error_rate` makes."""


class Counted(NamedTuple):
    """How often something went wrong, of how many trials."""

    errors: int
    trials: int


def counted(name: str) -> Counted:
    """What a measuring tool counted, as ``data/measured.toml`` holds it.

    Args:
        name: What was counted.

    Raises:
        KeyError: Nothing of that name was measured.
    """
    figures = _measured()[name]
    return Counted(figures["errors"], figures["trials"])


@cache
def _measured() -> dict[str, Any]:
    return tomllib.loads((files("nsfwforensics") / "data" / "measured.toml").read_text("utf-8"))


def error_rate(
    what: Message, errors: int, trials: int, *, upper: float | None = None, conditions: Message | None = None
) -> dict[str, Any]:
    """A measured error rate, as findings carry it.

    Args:
        what: What went wrong, as a noun phrase; without values, so that it can be found in a catalogue as plain text.
        errors: How often it went wrong.
        trials: Of how many.
        upper: One-sided 95 % bound of the rate, 0–1; Clopper–Pearson's if omitted.
        conditions: What it was measured on, as a noun phrase without values.

    Returns:
        ``what``, ``conditions`` (or None), ``errors``, ``trials``, ``rate`` and ``upper`` (0–1).

    Raises:
        ValueError: There were no trials: then nothing was measured.
    """
    if trials <= 0:
        raise ValueError("a rate without trials was not measured")
    bound = clopper_pearson_upper(errors, trials) if upper is None else upper
    return {
        "what": what,
        "conditions": conditions,
        "errors": errors,
        "trials": trials,
        "rate": float(f"{errors / trials:.4g}"),
        "upper": float(f"{bound:.4g}"),
    }


_CLOSE = 1e-10


def clopper_pearson_upper(count: int, total: int, level: float = 0.95) -> float:
    """Upper bound of a binomial share, exact (Clopper and Pearson 1934), one-sided.

    Args:
        count: Successes.
        total: Trials; 0 gives 1.0.
        level: Confidence.
    """
    if total == 0 or count >= total:
        return 1.0
    ways = [math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) for k in range(count + 1)]
    low, high = count / total, 1.0
    while high - low > _CLOSE:
        middle = (low + high) / 2
        yes, no = math.log(middle), math.log1p(-middle)
        below = math.fsum(math.exp(way + k * yes + (total - k) * no) for k, way in enumerate(ways))
        low, high = (middle, high) if below > 1 - level else (low, middle)
    return high


def percent(share: float) -> Message:
    """A share in percent with as many digits as rates near nothing and near everything need.

    Args:
        share: 0–1.
    """
    if 0.99 <= share < 1:
        return say("{percent:.1f} %", percent=min(99.9, 100 * share))
    if share == 0 or share >= 0.1:
        return say("{percent:.0f} %", percent=100 * share)
    return say("{percent:.2f} %", percent=100 * share) if share < 0.01 else say("{percent:.1f} %", percent=100 * share)


def upper_percent(bound: float) -> Message:
    """An upper bound in percent, rounded up: what is read is never below what was measured.

    Args:
        bound: 0–1.
    """
    digits = 4 if bound < 0.01 else 3
    return percent(min(1.0, math.ceil(round(bound * 10**digits, 6)) / 10**digits) if bound < 0.1 else _whole(bound))


def _whole(bound: float) -> float:
    return min(1.0, math.ceil(round(100 * bound, 6)) / 100)


def rounded_percent(share: float) -> Message:
    """A share in whole percent, or that it is less than one.

    Args:
        share: 0–1.
    """
    return say("less than 1 %") if 0 < share < 0.01 else say("{percent:.0f} %", percent=100 * share)


__all__ = ["ERROR_RATES", "clopper_pearson_upper", "error_rate", "percent", "rounded_percent", "upper_percent"]
