"""The dates that a saved report holds of one file, and which of them were found not to fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from nsfwforensics.core.charts import FILE_SYSTEM, Dates
from nsfwforensics.core.messages import as_message, say
from nsfwforensics.core.types import FileReport, Finding
from nsfwforensics.report.charts.places import Saved
from nsfwforensics.report.words.declared import Declared

MOST_DATES = 40
"""Most dates that are drawn; a file may state as many as its author likes."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One date that a file states, or that states something of it.

    Attributes:
        what: The kind of date, in words.
        source: The field that states it, as it is named in its format.
        text: As it stands there; identifies it together with the source.
        when: The date; naive where no time zone is stated.
        day_only: Whether there is no time of day.
    """

    what: str
    source: str
    text: str
    when: datetime
    day_only: bool

    @property
    def at(self) -> float:
        """Seconds by which dates are ordered and spaced; a date without a zone is taken as UTC."""
        when = self.when if self.when.tzinfo else self.when.replace(tzinfo=UTC)
        return (when - _EPOCH).total_seconds()

    @property
    def zoned(self) -> bool:
        """Whether the moment is known, and not only what a clock of an unknown time zone showed."""
        return self.when.tzinfo is not None

    @property
    def words(self) -> str:
        """The date in ISO 8601 order, with the zone that is stated."""
        if self.day_only:
            return self.when.date().isoformat()
        plain = self.when.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
        return f"{plain} {self.when.tzname()}" if self.zoned else plain


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two dates that do not fit together, and the finding that says so."""

    first: Stated
    second: Stated
    finding: Finding


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stated_dates(file: FileReport, declared: Declared) -> list[Stated]:
    """All dates that a file states, earliest first.

    Args:
        file: The report of one file.
        declared: What its analyzers say of their data.
    """
    found: list[Stated] = []
    for chart, saved in _declared_in(file, declared):
        if saved.finding.code in chart.codes:
            found += _of_finding(chart, saved)
    found += _date(say("last changed, of this copy"), FILE_SYSTEM, file.info.modified)
    return sorted(dict.fromkeys(found), key=lambda date: date.at)[:MOST_DATES]


def conflicts(file: FileReport, declared: Declared, dates: list[Stated]) -> list[Conflict]:
    """The contradictions that were found between these dates."""
    known = {(date.source, date.text): date for date in dates}
    own = next((date for date in dates if date.source == FILE_SYSTEM), None)
    found = []
    for chart, saved in _declared_in(file, declared):
        if saved.finding.code in chart.conflicts:
            first, second = (_named(saved.finding.data.get(which), known, own) for which in ("first", "second"))
            if first is not None and second is not None:
                found.append(Conflict(first, second, saved.finding))
    return found


def _declared_in(file: FileReport, declared: Declared) -> Iterator[tuple[Dates, Saved]]:
    for result in file.results:
        for chart in declared.charts(result.analyzer):
            if isinstance(chart, Dates):
                yield from ((chart, Saved(result, finding)) for finding in result.findings)


def _of_finding(chart: Dates, saved: Saved) -> Iterator[Stated]:
    for value in saved.at(chart.dates):
        if isinstance(value, list):
            for date in value:
                what = chart.kinds.get(str(date.get("kind"))) if isinstance(date, Mapping) else None
                if what is not None and date.get("source") != FILE_SYSTEM:
                    yield from _date(as_message(what), str(date.get("source")), date.get("when"), date.get("text"))
        else:
            yield from _date(as_message(chart.kind), chart.source, value)


def _named(value: object, known: Mapping[tuple[str, str], Stated], own: Stated | None) -> Stated | None:
    if not isinstance(value, Mapping):
        return None
    if value.get("source") == FILE_SYSTEM:
        return own
    return known.get((str(value.get("source")), str(value.get("text"))))


def _date(what: str, source: str, when: object, text: object = None) -> list[Stated]:
    """A date in ISO 8601 as the one item of a list; none where it is no date."""
    if not isinstance(when, str):
        return []
    try:
        parsed = datetime.fromisoformat(when)
    except ValueError:
        return []
    return [Stated(what, source, text if isinstance(text, str) else when, parsed, len(when) <= len("2026-11-22"))]
