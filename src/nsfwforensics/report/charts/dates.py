"""The dates that a saved report holds of one file, and which of them were found not to fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import FileReport, Finding

MOST_DATES = 40
"""Most dates that are drawn; a file may state as many as its author likes."""

TIMES, CONFLICT, SIGNED = "META-003", "META-004", "PROV-101"

_FILE_SOURCE = "file system"
_KINDS: Mapping[str, Message] = {
    "taken": say("taken"),
    "created": say("created"),
    "changed": say("changed"),
    "satellite time": say("satellite time"),
}


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


def stated_dates(file: FileReport) -> list[Stated]:
    """All dates, earliest first."""
    found = [date for finding in file.findings if finding.code == TIMES for date in _of_metadata(finding)]
    for finding in file.findings:
        if finding.code == SIGNED:
            found += _date(say("signed (Content Credentials)"), "C2PA", finding.data.get("time"))
    found += _date(say("last changed, of this copy"), _FILE_SOURCE, file.info.modified)
    return sorted(dict.fromkeys(found), key=lambda date: date.at)[:MOST_DATES]


def conflicts(file: FileReport, dates: list[Stated]) -> list[Conflict]:
    """The contradictions that were found between these dates."""
    known = {(date.source, date.text): date for date in dates}
    own = next((date for date in dates if date.source == _FILE_SOURCE), None)
    found = []
    for finding in file.findings:
        if finding.code != CONFLICT:
            continue
        pair = [_named(finding.data.get(which), known) for which in ("first", "second")]
        if finding.data.get("kind") == "capture_after_file_time":
            pair[1] = own
        first, second = pair
        if first is not None and second is not None:
            found.append(Conflict(first, second, finding))
    return found


def _of_metadata(finding: Finding) -> Iterator[Stated]:
    times = finding.data.get("times")
    for time in times if isinstance(times, list) else ():
        if isinstance(time, Mapping) and str(time.get("kind")) in _KINDS:
            yield from _date(_KINDS[str(time["kind"])], str(time.get("source")), time.get("when"), time.get("text"))


def _named(value: object, known: Mapping[tuple[str, str], Stated]) -> Stated | None:
    if not isinstance(value, Mapping):
        return None
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
