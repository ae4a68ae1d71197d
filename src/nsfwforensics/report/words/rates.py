"""How often findings like one were wrong where that was measured, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nsfwforensics.core.error_rates import ERROR_RATES, percent, upper_percent
from nsfwforensics.core.messages import Speaker, say
from nsfwforensics.core.types import Finding

MOST_RATES = 12
"""Most measured rates that stand beside one finding; all are in ``report.json``."""

_MOST = 10**15


def rate_sentences(finding: Finding, language: Speaker) -> list[str]:
    """The error rates that were measured for a finding, one sentence each, with a 95 % upper bound.

    Args:
        finding: As saved; what is no rate is passed over.
        language: What the nouns are put into; the sentences themselves are messages.
    """
    rates = finding.data.get(ERROR_RATES)
    found = list(_rates(rates if isinstance(rates, list) else ()))
    return [_sentence(rate, language) for rate in found[:MOST_RATES]]


def figures(finding: Finding) -> dict[str, object]:
    """The figures behind a finding without the error rates, which stand beside it in words."""
    return {key: value for key, value in finding.data.items() if key != ERROR_RATES}


def _rates(values: Sequence[object]) -> Iterator[Mapping[str, object]]:
    for value in values:
        if isinstance(value, Mapping) and isinstance(value.get("what"), str):
            errors, trials, upper = value.get("errors"), value.get("trials"), value.get("upper")
            counted = isinstance(errors, int) and isinstance(trials, int) and 0 <= errors <= trials <= _MOST
            if counted and trials and isinstance(upper, (int, float)) and 0 <= upper <= 1:
                yield value


def _sentence(rate: Mapping[str, object], language: Speaker) -> str:
    errors, trials = int(str(rate["errors"])), int(str(rate["trials"]))
    values = {
        "what": language.says(str(rate["what"])),
        "errors": errors,
        "trials": trials,
        "rate": percent(errors / trials),
        "upper": upper_percent(float(str(rate["upper"]))),
    }
    conditions = rate.get("conditions")
    if isinstance(conditions, str) and conditions:
        return say(
            "Measured error rate: {what}, {conditions}: {errors:,} of {trials:,} ({rate}); with 95 % confidence at "
            "most {upper}.",
            conditions=language.says(conditions),
            **values,
        )
    return say(
        "Measured error rate: {what}: {errors:,} of {trials:,} ({rate}); with 95 % confidence at most {upper}.",
        **values,
    )
