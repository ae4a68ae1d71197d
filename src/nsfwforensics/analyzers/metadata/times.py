"""The times a file states, and where they contradict each other.

A camera's clock has no time zone unless the file says so, so two times count as apart only by more than any zone
could explain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from nsfwforensics.core.charts import FILE_SYSTEM
from nsfwforensics.core.messages import Message, say
from nsfwforensics.formats.fields import Field, Metadata, Rational
from nsfwforensics.formats.xmp import EXIF, PHOTOSHOP, XMP

ONE_DAY = timedelta(days=1)
ANY_ZONE = timedelta(hours=14)
"""Civil time is never more than 14 hours from UTC."""

GPS_SLACK = timedelta(hours=3)
"""How old a position may be when the picture is taken."""

CAPTURE, CREATED, MODIFIED, GPS, FILE = "taken", "created", "changed", "satellite time", "file time"

CHANGED_LATER, SATELLITE, TWO_CHANGES = "changed_after_capture", "gps_time", f"two_{MODIFIED}_times"

EVERYDAY = frozenset({CHANGED_LATER, SATELLITE, TWO_CHANGES})
"""The kinds of contradiction that photographs have from a camera whose clock is set wrong, as nine of one Nikon's had,
and from programs that change one of two times."""

_DATE_TIME = re.compile(
    r"(\d{4})[:/-](\d\d)[:/-](\d\d)(?:[T ]+(\d\d):(\d\d)(?::(\d\d))?(?:[.,]\d*)?\s*(Z|[+-]\d\d:?\d\d)?)?"
)
_IPTC_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
_NO_TIME = "000000+0000"
_IPTC_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)([+-]\d{4})?")


@dataclass(frozen=True, slots=True)
class Moment:
    """One time that a field states.

    Attributes:
        kind: ``taken``, ``created`` (digitised), ``changed`` or ``satellite time``.
        source: The field that states it.
        text: As it stands in the file.
        when: The time; naive where the file names no zone.
        day_only: Whether only a date is stated.
    """

    kind: str
    source: str
    text: str
    when: datetime
    day_only: bool = False

    @property
    def words(self) -> str:
        """For a sentence: ``2008-05-30 15:56:01`` with its zone if it has one."""
        if self.day_only:
            return self.when.date().isoformat()
        return self.when.isoformat(sep=" ", timespec="seconds")

    @property
    def stored(self) -> dict[str, str]:
        """For a finding's data; ``when`` is in ISO 8601, without an offset where the file names no zone."""
        when = self.when.date() if self.day_only else self.when
        return {"kind": self.kind, "source": self.source, "text": self.text, "when": when.isoformat()}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two times that do not fit together; ``kind`` is stable, ``explanation`` a sentence."""

    kind: str
    explanation: str
    first: Moment
    second: Moment
    hours: float


def moments(table: Metadata) -> list[Moment]:
    """All times that the metadata states and that are real dates, in a fixed order."""
    return list(_moments(table))


def _moments(table: Metadata) -> Iterator[Moment]:
    for kind, place, tag, zone_tag in (
        (CAPTURE, "EXIF ExifIFD", "0x9003", "0x9011"),
        (CREATED, "EXIF ExifIFD", "0x9004", "0x9012"),
        (MODIFIED, "EXIF IFD0", "0x0132", "0x9010"),
    ):
        field = table.first(place, tag)
        zone = table.first("EXIF ExifIFD", zone_tag)
        yield from _moment(kind, field, f" {zone.words.strip()}" if zone and field else "")
    yield from _gps(table)
    for kind, namespace, name in (
        (CAPTURE, EXIF, "DateTimeOriginal"),
        (CAPTURE, PHOTOSHOP, "DateCreated"),
        (CREATED, XMP, "CreateDate"),
        (MODIFIED, XMP, "ModifyDate"),
    ):
        yield from _moment(kind, table.first("XMP", f"{{{namespace}}}{name}"))
    yield from _iptc(table)
    yield from _moment(MODIFIED, table.first("PNG tIME", "tIME"))
    yield from _moment(CAPTURE, table.first("QuickTime", "com.apple.quicktime.creationdate"))
    yield from _moment(CREATED, table.first("QuickTime", "mvhd"))


def _moment(kind: str, field: Field | None, zone: str = "") -> Iterator[Moment]:
    if field is None:
        return
    found = parse(field.words + zone) or parse(field.words)
    if found:
        yield Moment(kind, f"{field.group.split(' http')[0]} {field.name}", field.words[:64], *found)


def parse(text: str) -> tuple[datetime, bool] | None:
    """Reads an EXIF or ISO 8601 time.

    Returns:
        The time and whether it is only a date; None for what is no real date (``0000:00:00``, blanks).
    """
    match = _DATE_TIME.match(text.strip())
    if not match:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    try:
        when = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=_zone(zone)
        )
    except ValueError:
        return None
    return when, hour is None


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    if minutes > 14 * 60:
        return None
    return timezone(timedelta(minutes=minutes if text[0] == "+" else -minutes))


def _gps(table: Metadata) -> Iterator[Moment]:
    """GPS date and time of day, which are UTC."""
    stamp = table.first("EXIF GPS", "0x001D")
    if stamp is None:
        return
    day = parse(stamp.words)
    if day is None:
        return
    clock = table.first("EXIF GPS", "0x0007")
    parts = clock.value if clock and isinstance(clock.value, tuple) else ()
    if len(parts) == 3 and all(isinstance(p, Rational) and p.denominator for p in parts):
        seconds = sum(float(p) * scale for p, scale in zip(parts, (3600, 60, 1), strict=True))
        if 0 <= seconds < 86_401:
            when = datetime.combine(day[0].date(), time(), UTC) + timedelta(seconds=int(seconds))
            yield Moment(GPS, "EXIF GPS GPSDate, GPSTimeStamp", f"{stamp.words} {clock.words if clock else ''}", when)
            return
    yield Moment(GPS, "EXIF GPS GPSDate", stamp.words, day[0].replace(tzinfo=UTC), day_only=True)


def _iptc(table: Metadata) -> Iterator[Moment]:
    for kind, day_tag, time_tag in ((CAPTURE, "2:55", "2:60"), (CREATED, "2:62", "2:63")):
        field, clock = table.first("IPTC-IIM", day_tag), table.first("IPTC-IIM", time_tag)
        day = _IPTC_DATE.fullmatch(field.words.strip()) if field else None
        if field is None or day is None:
            continue
        text = "-".join(day.groups())
        hour = _IPTC_TIME.fullmatch(clock.words.strip()) if clock else None
        if hour and hour[0] != _NO_TIME:  # midnight UTC is what software writes that knows only the day
            text += f" {hour[1]}:{hour[2]}:{hour[3]}{hour[4] or ''}"
        found = parse(text)
        if found:
            yield Moment(kind, f"IPTC-IIM {field.name}", text, *found)


def file_moment(mtime_ns: int) -> Moment | None:
    """The file system's modification time, or None where it is not known or no year of the calendar's."""
    if mtime_ns <= 0:
        return None
    try:
        when = datetime.fromtimestamp(mtime_ns / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return Moment(FILE, FILE_SYSTEM, when.isoformat(timespec="seconds"), when)


def contradictions(stated: list[Moment], file_time: Moment | None) -> list[Contradiction]:
    """Pairs of times that cannot both be right, or that show a change after capture. At most one per kind."""
    return list({found.kind: found for found in reversed(list(_contradictions(stated, file_time)))}.values())[::-1]


def _contradictions(stated: list[Moment], file_time: Moment | None) -> Iterator[Contradiction]:
    taken = [m for m in stated if m.kind == CAPTURE]
    changed = [m for m in stated if m.kind == MODIFIED]
    capture = taken[0] if taken else next((m for m in stated if m.kind == CREATED), None)
    if capture is not None:
        for moment in changed:
            hours, sure = _apart(moment, capture, ONE_DAY)
            if sure and hours > 0:
                yield Contradiction(CHANGED_LATER, _changed_later(capture, moment), capture, moment, hours)
            elif sure:
                yield Contradiction("changed_before_capture", _changed_before(capture, moment), capture, moment, hours)
        if file_time is not None:
            hours, sure = _apart(capture, file_time, ONE_DAY)
            if sure and hours > 0:
                yield Contradiction(
                    "capture_after_file_time", _after_file(capture, file_time), capture, file_time, hours
                )
        for gps in (m for m in stated if m.kind == GPS):
            hours, sure = _apart(gps, capture, GPS_SLACK)
            if sure:
                text = say(
                    "The satellite time, {satellite}, does not fit the other stated time, {other}.",
                    satellite=gps.words,
                    other=capture.words,
                )
                yield Contradiction(SATELLITE, text, capture, gps, hours)
    for kind in (CAPTURE, MODIFIED):
        exif = next((m for m in stated if m.kind == kind and m.source.startswith("EXIF")), None)
        for other in (m for m in stated if m.kind == kind and m.source.startswith(("XMP", "IPTC"))):
            hours, sure = _apart(other, exif, ONE_DAY) if exif else (0.0, False)
            if sure and exif:
                yield Contradiction(f"two_{kind}_times", _disagree(kind, exif, other), exif, other, hours)


def _changed_later(capture: Moment, change: Moment) -> Message:
    values = {"first": capture.words, "later": change.words}
    if capture.kind == CREATED:
        return say("The file says it was created on {first} but changed later, on {later}.", **values)
    return say("The file says it was taken on {first} but changed later, on {later}.", **values)


def _changed_before(capture: Moment, change: Moment) -> Message:
    values = {"change": change.words, "capture": capture.words}
    if capture.kind == CREATED:
        return say("The file says it was changed on {change}, before it was created on {capture}.", **values)
    return say("The file says it was changed on {change}, before it was taken on {capture}.", **values)


def _after_file(capture: Moment, file_time: Moment) -> Message:
    values = {"capture": capture.words, "file": file_time.words}
    if capture.kind == CREATED:
        return say("The file says it was created on {capture}, which lies after the file's own time, {file}.", **values)
    return say("The file says it was taken on {capture}, which lies after the file's own time, {file}.", **values)


def _disagree(kind: str, first: Moment, second: Moment) -> Message:
    values = {"one": first.source, "first": first.words, "other": second.source, "second": second.words}
    if kind == CAPTURE:
        return say(
            "Two parts of the file disagree about the time of capture: {one} says {first}, {other} says {second}.",
            **values,
        )
    return say(
        "Two parts of the file disagree about the time of last change: {one} says {first}, {other} says {second}.",
        **values,
    )


def _apart(a: Moment, b: Moment, slack: timedelta) -> tuple[float, bool]:
    """Hours from ``b`` to ``a``, and whether that is more than the slack and any time zone explain."""
    known = (a.when.tzinfo is None) == (b.when.tzinfo is None)
    allowed = slack if known else slack + ANY_ZONE
    if a.day_only or b.day_only:
        allowed += ONE_DAY
    if known:
        difference = a.when - b.when
    else:
        difference = a.when.replace(tzinfo=None) - b.when.replace(tzinfo=None)
        aware = a.when if a.when.tzinfo else b.when
        difference -= (aware.utcoffset() or timedelta()) * (1 if a.when.tzinfo else -1)
    return round(difference / timedelta(hours=1), 2), abs(difference) > allowed


def plausible(moment: Moment) -> bool:
    """Whether the year is one in which digital pictures are taken, so that a reset clock is not read as a date."""
    return date(1990, 1, 1) <= moment.when.date() <= date(2100, 1, 1)
