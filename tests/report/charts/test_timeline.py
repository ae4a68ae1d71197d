from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from nsfwforensics.core.types import FileReport, Severity
from nsfwforensics.language import Language, language
from nsfwforensics.report import charts
from nsfwforensics.report.words.declared import Declared
from nsfwforensics.report.words.text import UNSAFE
from tests.report.charts.drawn import cells, inside, read, shapes, texts
from tests.report.factory import HOSTILE, declared, file, finding, header, result

ENGLISH = language("en")
DECLARED = Declared.of(header(analyzers=declared("metadata", "provenance")))


def timeline(made: FileReport, language: Language) -> Markup | None:
    return charts.timeline(made, DECLARED, language)


def stated(
    when: str, source: str = "EXIF ExifIFD DateTimeOriginal", kind: str = "taken", text: str = ""
) -> dict[str, str]:
    return {"kind": kind, "source": source, "text": text or when, "when": when}


def with_times(*times: Any, modified: str | None = None, conflicts: tuple[Any, ...] = ()) -> FileReport:
    findings = [finding("META-003", data={"times": list(times)})]
    findings += [
        finding("META-004", severity=Severity.LOW, explanation=f"Conflict {index}.", data=data)
        for index, data in enumerate(conflicts)
    ]
    return file("a.jpg", result(findings=tuple(findings)), info={"modified": modified})


def test_dates_stand_in_order_with_their_fields_and_gaps() -> None:
    chart = read(
        timeline(
            with_times(
                stated("2008-05-30T15:58:01+02:00", "XMP ModifyDate", "changed"),
                stated("2008-05-30T15:56:01+02:00"),
                modified="2026-11-20T18:00:00.000+00:00",
            ),
            ENGLISH,
        )
    )
    assert texts(chart) == [
        "2008-05-30 15:56:01 UTC+02:00",
        "taken: EXIF ExifIFD DateTimeOriginal",
        "2 minutes later",
        "2008-05-30 15:58:01 UTC+02:00",
        "changed: XMP ModifyDate",
        "about 18 years later",
        "2026-11-20 18:00:00 UTC",
        "last changed, of this copy: file system",
    ]
    assert len(shapes(chart, "dot")) == 3
    inside(chart)


@pytest.mark.parametrize("dates", [(), ("2008-05-30",)])
def test_fewer_than_two_dates_are_no_timeline(dates: tuple[str, ...]) -> None:
    assert timeline(with_times(*map(stated, dates)), ENGLISH) is None


def test_a_date_without_a_zone_is_an_open_circle_and_says_so() -> None:
    chart = read(timeline(with_times(stated("2008-05-30T15:56:01"), stated("2008-05-30T16:00:00Z", "XMP")), ENGLISH))
    assert len(shapes(chart, "dot-open")) == 1
    assert len(shapes(chart, "dot")) == 1
    assert "time zone not stated" in texts(chart)
    assert "4 minutes later, give or take the time zone" in texts(chart)
    assert ["2008-05-30 15:56:01 (time zone not stated)", "taken", "EXIF ExifIFD DateTimeOriginal", "–"] in cells(chart)


def test_a_day_alone_shows_no_time() -> None:
    chart = read(timeline(with_times(stated("2008-05-30"), stated("2008-06-01", "IPTC-IIM DateCreated")), ENGLISH))
    assert "2008-05-30" in texts(chart)
    assert "time zone not stated" not in texts(chart)


def test_conflicts_join_their_dates_and_are_explained() -> None:
    first, second = (
        stated("2020-01-01T00:00:00Z", text="one"),
        stated("2010-01-01T00:00:00Z", "XMP ModifyDate", "changed", "two"),
    )
    pair = {"kind": "changed_before_capture", "first": second, "second": first}
    own = {"kind": "capture_after_file_time", "first": first, "second": {"source": "file system", "text": "other form"}}
    chart = read(
        timeline(with_times(first, second, modified="2015-01-01T00:00:00+00:00", conflicts=(pair, own)), ENGLISH)
    )
    assert len(shapes(chart, "bracket")) == 2
    assert [text for text in texts(chart) if len(text) == 1] == ["A", "B"]
    assert [row[-1] for row in cells(chart)[1:]] == ["A", "B", "A, B"]
    assert [p.text for p in chart.iter("p")] == ["A: Conflict 0.", "B: Conflict 1."]


def test_a_conflict_with_a_date_that_is_not_drawn_is_left_to_its_finding() -> None:
    pair = {"kind": "x", "first": {"source": "gone", "text": "1"}, "second": None}
    chart = read(timeline(with_times(stated("2020-01-01"), stated("2021-01-01", "XMP"), conflicts=(pair,)), ENGLISH))
    assert not shapes(chart, "bracket")


def test_the_signing_time_of_credentials_is_a_date() -> None:
    signed = result("provenance", findings=(finding("PROV-101", data={"time": "2024-08-06T21:53:37+00:00"}),))
    chart = read(timeline(file("a.jpg", signed), ENGLISH))
    assert "signed (Content Credentials): C2PA" in texts(chart)


def test_seconds_and_decades_fit_on_one_axis() -> None:
    times = [
        stated(when, f"field {index}")
        for index, when in enumerate(
            ("1998-01-01T00:00:00Z", "1998-01-01T00:00:01Z", "1998-01-01T01:00:00Z", "2098-01-01T00:00:00Z")
        )
    ]
    chart = read(timeline(with_times(*times), ENGLISH))
    drawing = chart.find("svg")
    assert drawing is not None
    assert float(drawing.attrib["viewBox"].split()[3]) < 500
    tops = [float(dot.attrib["cy"]) for dot in shapes(chart, "dot")]
    gaps = [after - before for before, after in pairwise(tops)]
    assert gaps == sorted(gaps)
    assert gaps[0] >= 40


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_inert(text: str) -> None:
    conflict = {"kind": "x", "first": stated("2020-01-01", text, text=text), "second": stated("2021-01-01", "XMP")}
    report = with_times(stated("2020-01-01", text, text=text), stated("2021-01-01", "XMP"), conflicts=(conflict,))
    chart = timeline(report, ENGLISH)
    read(chart)
    assert not UNSAFE.search(str(chart).replace("\n", ""))


def test_what_is_no_date_is_left_out() -> None:
    odd = (
        {"kind": "taken", "source": 1, "when": 5},
        {"when": "soon"},
        "text",
        None,
        stated("not a date"),
        stated("2020-13-45"),
    )
    assert timeline(with_times(*odd), ENGLISH) is None
    broken = file("a.jpg", result(findings=(finding("META-003", data={"times": 7}),)), info={"modified": "yesterday"})
    assert timeline(broken, ENGLISH) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.datetimes() | st.datetimes(timezones=st.timezones()), max_size=60))
def test_any_dates_can_be_drawn(dates: list[Any]) -> None:
    chart = timeline(with_times(*(stated(date.isoformat(), f"f{i}") for i, date in enumerate(dates))), ENGLISH)
    assert (chart is None) == (len(dates) < 2)
    if chart is not None:
        inside(read(chart))
