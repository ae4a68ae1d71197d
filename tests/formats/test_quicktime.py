"""What a video says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsfwforensics.formats.quicktime import MAX_ENTRIES, read_movie
from tests.formats import make
from tests.formats.test_pictures import report, saved, scene

APPLE = "com.apple.quicktime."
PHONE = make.quicktime(
    {
        f"{APPLE}make": "Apple", f"{APPLE}model": "iPhone 15", f"{APPLE}creationdate": "2026-07-01T14:02:43+0200",
        f"{APPLE}location.ISO6709": "+35.6667+139.7500+012.000/",
    },
    {},
)  # fmt: skip
ANDROID = make.quicktime({}, {b"\xa9xyz": "+35.6667+139.7500/", b"\xa9too": "Lavf62.3.100"})


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (
            PHONE,
            {"META-002": "iPhone 15", "META-003": "taken on 2026-07-01 14:02:43", "META-006": "35.666700, 139.750000"},
        ),
        (
            ANDROID,
            {"META-005": "FFmpeg", "META-003": "created on 2026-07-01 12:00:00", "META-006": "35.666700, 139.750000"},
        ),
        (b"", {"META-003": "created on 2026-07-01 12:00:00"}),
    ],
)
def test_a_videos_header_and_metadata_are_told(says: bytes, expected: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(make.movie(says=says, made=3_865_752_000))
    said = {finding.code: finding.explanation for finding in report(path, "metadata").findings}
    assert said.keys() == expected.keys()
    assert all(text in said[code] for code, text in expected.items())


def test_where_the_video_in_a_photo_was_taken_counts(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(scene(1), "JPEG") + make.movie(says=PHONE))
    said = {finding.code: finding.explanation for finding in report(path, "metadata").findings}
    assert said["META-006"].startswith("In a video at byte ")


def test_a_video_that_says_nothing_or_too_much() -> None:
    assert [entry.name for entry in read_movie(make.movie())] == ["Duration"]
    assert read_movie(b"") == ()
    many = make.quicktime({f"key{number}": "x" for number in range(3000)}, {})
    assert len(read_movie(make.movie(says=many * 3))) == MAX_ENTRIES
