from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.analyzers.metadata.analyzer import MetadataAnalyzer
from nsfwforensics.analyzers.metadata.times import parse
from nsfwforensics.core.analyzer import Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Severity
from tests.formats import make

ANALYZER = MetadataAnalyzer(MetadataAnalyzer.Options(), Resources())


def kinds(*segments: bytes, mtime: str | None = None, path: Path | None = None) -> set[str]:
    data = make.with_segments(make.jpeg(), *segments)
    evidence = Evidence.from_bytes(data, "x.jpg")
    if mtime and path:
        path.write_bytes(data)
        stamp = datetime.fromisoformat(mtime).timestamp()
        os.utime(path, (stamp, stamp))
        evidence = Evidence.open(path)
    return {str(f.data["kind"]) for f in ANALYZER.examine(evidence).findings if f.code == "META-004"}


def exif(
    capture: str = "2020:05:30 12:00:00", modified: str | None = None, zone: str | None = None,
    gps: tuple[str, tuple[float, float, float]] | None = None,
) -> bytes:  # fmt: skip
    sub: dict[int, object] = {0x9003: capture}
    if zone:
        sub[0x9011] = zone
    place = {0x1D: gps[0], 7: gps[1]} if gps else None
    return make.exif_segment(make.exif({0x0132: modified} if modified else {}, sub, place))


def xmp(attributes: str) -> bytes:
    return make.xmp_segment(make.xmp(attributes=attributes))


def test_a_change_within_a_day_is_no_contradiction() -> None:
    assert kinds(exif(modified="2020:05:31 11:59:00")) == set()


def test_a_change_days_later_and_one_before_capture_are_told_apart() -> None:
    assert kinds(exif(modified="2020:06:02 12:00:00")) == {"changed_after_capture"}
    assert kinds(exif(modified="2019:05:30 12:00:00")) == {"changed_before_capture"}


def test_satellite_time_may_be_off_by_any_time_zone_but_not_by_a_day() -> None:
    assert kinds(exif(gps=("2020:05:29", (23.0, 0.0, 0.0)))) == set()
    assert kinds(exif(gps=("2020:05:31", (1.0, 0.0, 0.0)))) == set()
    assert kinds(exif(gps=("2020:06:01", (12.0, 0.0, 0.0)))) == {"gps_time"}


@pytest.mark.parametrize(
    ("segments", "severity"),
    [
        ([exif(modified="2020:06:02 12:00:00")], Severity.LOW),
        ([exif(gps=("2020:06:01", (12.0, 0.0, 0.0)))], Severity.LOW),
        ([exif(modified="2020:05:30 12:00:00"), xmp('xmp:ModifyDate="2020-06-02T12:00:00"')], Severity.LOW),
        ([exif(modified="2019:05:30 12:00:00")], Severity.MEDIUM),
        ([exif(), xmp('exif:DateTimeOriginal="2018-05-30T12:00:00"')], Severity.MEDIUM),
    ],
)
def test_what_true_photographs_have_weighs_little(segments: list[bytes], severity: Severity) -> None:
    data = make.with_segments(make.jpeg(), *segments)
    found = [f for f in ANALYZER.examine(Evidence.from_bytes(data, "x.jpg")).findings if f.code == "META-004"]
    assert {finding.severity for finding in found} == {severity}


def test_a_stated_zone_narrows_the_tolerance() -> None:
    nine_hours_off = ("2020:05:30", (3.0, 0.0, 0.0))
    assert kinds(exif(gps=nine_hours_off)) == set()
    assert kinds(exif(gps=nine_hours_off, zone="+09:00")) == set()
    assert kinds(exif(gps=nine_hours_off, zone="-05:00")) == {"gps_time"}


def test_xmp_and_exif_times_are_compared_with_their_zones() -> None:
    assert kinds(exif(), xmp('exif:DateTimeOriginal="2020-05-30T12:00:00+09:00"')) == set()
    assert kinds(exif(), xmp('exif:DateTimeOriginal="2018-05-30T12:00:00"')) == {"two_taken_times"}
    modified = "2020:05:30 13:00:00"
    assert kinds(exif(modified=modified), xmp('xmp:ModifyDate="2020-05-30T04:00:00Z"')) == set()
    assert kinds(exif(modified=modified), xmp('xmp:ModifyDate="2020-05-30T13:00:00"')) == set()
    assert "two_changed_times" in kinds(exif(modified=modified), xmp('xmp:ModifyDate="2023-05-30T13:00:00Z"'))


def test_an_iptc_date_without_a_real_time_counts_as_a_day() -> None:
    records = make.iptc_record(2, 55, b"20200530") + make.iptc_record(2, 60, b"000000+0000")
    assert kinds(exif(), make.photoshop_segment(make.resource(0x0404, records))) == set()


def test_capture_after_the_file_time(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    assert kinds(exif(), mtime="2020-05-30T01:00:00+00:00", path=path) == set()
    assert kinds(exif(), mtime="2020-01-01T00:00:00+00:00", path=path) == {"capture_after_file_time"}
    assert kinds(exif(), mtime="2024-01-01T00:00:00+00:00", path=path) == set()


@pytest.mark.parametrize(
    "text", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2020:13:01 00:00:00", "2020:02:30", "", "soon"]
)
def test_what_is_no_date_is_no_time(text: str) -> None:
    assert parse(text) is None
    assert kinds(exif(capture=text or " ", modified="2020:06:02 12:00:00")) == set()


@pytest.mark.parametrize(
    ("text", "expected", "day_only"),
    [
        ("2020:05:30 15:56:01", datetime(2020, 5, 30, 15, 56, 1), False),
        ("2020-05-30T15:56:01.123+02:00", datetime(2020, 5, 30, 13, 56, 1, tzinfo=UTC), False),
        ("2020-05-30T15:56Z", datetime(2020, 5, 30, 15, 56, tzinfo=UTC), False),
        ("2020:05:30", datetime(2020, 5, 30), True),
    ],
)
def test_times_in_their_spellings(text: str, expected: datetime, day_only: bool) -> None:
    found = parse(text)
    assert found is not None
    assert found == (expected, day_only)
    assert (found[0].tzinfo is None) == (expected.tzinfo is None)


@given(st.text(max_size=40) | st.from_regex(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d([+-]\d\d:\d\d)?", fullmatch=True))
def test_any_text_is_a_time_or_none(text: str) -> None:
    found = parse(text)
    assert found is None or isinstance(found[0], datetime)


@pytest.mark.shared_data
def test_straight_camera_files_have_no_contradictory_times(shared_data: Path) -> None:
    checked = 0
    for path in sorted((shared_data / "real" / "camera").iterdir()):
        findings = ANALYZER.examine(Evidence.open(path)).findings
        if path.stem != "Nokia_Lumia_800":  # changed four days later, as its own metadata says
            assert not [f for f in findings if f.code == "META-004"], path.name
            checked += 1
    assert checked == 12
