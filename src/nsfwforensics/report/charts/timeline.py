"""All dates that a file states, on one axis, with the gaps between them in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from nsfwforensics.core.charts import FILE_SYSTEM
from nsfwforensics.core.messages import say, say_count, sentences
from nsfwforensics.core.types import FileReport
from nsfwforensics.language import Language
from nsfwforensics.report.charts import svg
from nsfwforensics.report.charts.dates import Conflict, Stated, conflicts, stated_dates
from nsfwforensics.report.words.declared import Declared
from nsfwforensics.report.words.text import shorten

_WIDTH, _AXIS, _TOP, _LINE, _LANE = 680.0, 268.0, 24.0, 19.0, 27.0
_LONGEST = 50
"""Longer names of fields are cut, so that brackets have room."""
_LANES = 3
"""Brackets side by side; further conflicts stand in the table."""

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86_400, 31_556_952


def timeline(file: FileReport, declared: Declared, language: Language) -> Markup | None:
    """Draws the dates of one file, earliest at the top.

    Seconds and decades fit on one axis because a gap grows with the logarithm of its length, which is written beside
    it. A date whose time zone is not stated is an open circle.

    Args:
        file: The report of one file.
        declared: What its analyzers say of their data.
        language: What the chart speaks.

    Returns:
        The chart with its table, or None where there are fewer than two dates.
    """
    dates = stated_dates(file, declared)
    if len(dates) < 2:
        return None
    found = conflicts(file, declared, dates)
    rows = [list(group) for _, group in groupby(dates, key=lambda date: (date.at, date.words))]
    parts: list[Markup] = []
    places: dict[Stated, float] = {}
    y = _TOP
    for index, row in enumerate(rows):
        if index:
            gap = row[0].at - rows[index - 1][0].at
            height = 42 + 9 * math.log10(1 + gap / _MINUTE)
            bottom = y - _LINE
            parts += _gap(bottom, bottom + height, gap, rows[index - 1][0], row[0], language)
            y = bottom + height
        parts += _row(y, row, language)
        places |= dict.fromkeys(row, y)
        y += _LINE * max(len(row), 2 if not row[0].zoned else 1)
    parts += _brackets(found[:_LANES], places)
    title = language.says(say_count("{count} date in this file", "{count} dates that this file states", len(dates)))
    return svg.figure(
        "timeline",
        svg.svg(_WIDTH + _LANE * len(found[:_LANES]), y + 4, title, _description(dates, found, language), *parts),
        _caption(dates, found, language),
        language,
        _table(dates, found, language),
    )


def _row(y: float, row: Sequence[Stated], language: Language) -> list[Markup]:
    first = row[0]
    parts = [
        svg.label(_AXIS - 18, y + 5, first.words, "strong", "end"),
        svg.shape("circle", "dot" if first.zoned else "dot-open", cx=_AXIS, cy=y, r=6),
    ]
    if not first.zoned and not first.day_only:
        parts.append(svg.label(_AXIS - 18, y + _LINE + 3, language.says(say("time zone not stated")), "soft", "end"))
    for index, date in enumerate(row):
        text = shorten(language.says(say("{what}: {source}", what=date.what, source=_source(date, language))), _LONGEST)
        parts.append(svg.label(_AXIS + 18, y + 5 + index * _LINE, text))
    return parts


def _gap(top: float, bottom: float, seconds: float, before: Stated, after: Stated, language: Language) -> list[Markup]:
    text = _apart(seconds, language)
    if before.zoned != after.zoned:
        text = language.says(say("{gap}, give or take the time zone", gap=text))
    look = "axis" if seconds < _DAY else "axis-long"
    line = svg.shape("line", look, x1=_AXIS, y1=top + 10, x2=_AXIS, y2=bottom - 10)
    return [line, svg.label(_AXIS + 18, (top + bottom) / 2 + 5, text, "soft")]


def _apart(seconds: float, language: Language) -> str:
    """A gap in its largest fitting unit, rounded."""
    if seconds < 2 * _MINUTE:
        said = say_count("{count} second later", "{count} seconds later", round(seconds))
    elif seconds < 2 * _HOUR:
        said = say_count("{count} minute later", "{count} minutes later", round(seconds / _MINUTE))
    elif seconds < 2 * _DAY:
        said = say_count("{count} hour later", "{count} hours later", round(seconds / _HOUR))
    elif seconds < 2 * _YEAR:
        said = say_count("{count} day later", "{count} days later", round(seconds / _DAY))
    else:
        said = say_count("about {count} year later", "about {count} years later", round(seconds / _YEAR))
    return language.says(said)


def _brackets(found: Sequence[Conflict], places: dict[Stated, float]) -> list[Markup]:
    """Brackets to the right of all texts, each with its letter, which covers the brackets that it crosses."""
    ways, letters = [], []
    for lane, conflict in enumerate(found):
        top, bottom = sorted((places[conflict.first], places[conflict.second]))
        x, middle = _WIDTH + 14 + lane * _LANE, (top + bottom) / 2
        ways.append(svg.shape("path", "bracket", d=f"M{_WIDTH:g} {top:.1f}H{x:g}V{bottom:.1f}H{_WIDTH:g}"))
        letters.append(svg.shape("circle", "conflict", cx=x, cy=middle, r=11))
        letters.append(svg.label(x, middle + 5, _letter(lane), "strong", "middle"))
    return ways + letters


def _letter(index: int) -> str:
    return chr(ord("A") + index) if index < 26 else str(index + 1)


def _source(date: Stated, language: Language) -> str:
    return language.says(say("file system")) if date.source == FILE_SYSTEM else date.source


def _description(dates: Sequence[Stated], found: Sequence[Conflict], language: Language) -> str:
    listed = [
        language.says(say("{date}, {what} ({source})", date=date.words, what=date.what, source=_source(date, language)))
        for date in dates
    ]
    return language.listed([*listed, *(_why(conflict, language) for conflict in found)], "semicolon")


def _why(conflict: Conflict, language: Language) -> str:
    """What the finding says of the conflict, in the language of the page."""
    return language.said(conflict.finding, "explanation")


def _caption(dates: Sequence[Stated], found: Sequence[Conflict], language: Language) -> str:
    parts = [
        say("The dates that the file states, earliest first. Longer gaps are drawn longer, but not to scale."),
        ""
        if all(date.zoned or date.day_only for date in dates)
        else say(
            "An open circle is what a clock showed in a time zone that the file does not state: the real moment may "
            "lie up to 14 hours to either side."
        ),
        say("Brackets with letters join dates that do not fit together.") if found else "",
        say("Anyone can write dates into a file, and copying sets the date of the file system anew."),
    ]
    return language.says(sentences(*parts))


def _table(dates: Sequence[Stated], found: Sequence[Conflict], language: Language) -> Markup:
    says = language.says
    rows = [
        (
            date.words if date.zoned or date.day_only else says(say("{time} (time zone not stated)", time=date.words)),
            says(date.what),
            _source(date, language),
            ", ".join(_letter(i) for i, conflict in enumerate(found) if date in (conflict.first, conflict.second))
            or "–",
        )
        for date in dates
    ]
    made = svg.table((says(say("Date")), says(say("Kind")), says(say("Field")), says(say("Conflict"))), rows)
    notes = [
        svg.element("p", says(say("{letter}: {why}", letter=_letter(index), why=_why(conflict, language))))
        for index, conflict in enumerate(found)
    ]
    return svg.joined([made, *notes])
