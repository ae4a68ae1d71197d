"""How each finding came about: what its check does and where that is described, and how often it was wrong.

All of it stands in the saved report, so that no analyzer is loaded to show one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nsfwforensics.core.error_rates import ERROR_RATES, percent, upper_percent
from nsfwforensics.core.messages import Speaker, say
from nsfwforensics.core.types import AnalyzerRecord, FileReport, Finding, Header, MethodRecord

MOST_RATES = 12
"""Most measured rates that stand beside one finding; all are in ``report.json``."""

_MOST = 10**15


@dataclass(frozen=True, slots=True)
class Methods:
    """Looks up what the check behind a finding does.

    Attributes:
        records: The planned analyzers, by name.
    """

    records: Mapping[str, AnalyzerRecord]

    @classmethod
    def of(cls, header: Header) -> Methods:
        """The methods that a report's header names."""
        return cls({record.name: record for record in header.analyzers})

    def behind(self, file: FileReport, finding: Finding) -> MethodRecord:
        """What the check behind a finding does, and where that is described; empty where the report does not say."""
        names = (result.analyzer for result in file.results if any(each is finding for each in result.findings))
        record = self.records.get(next(names, ""))
        if record is None:
            return MethodRecord()
        own = record.codes.get(finding.code, MethodRecord())
        return MethodRecord(method=own.method or record.method, source=own.source or record.source)


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
