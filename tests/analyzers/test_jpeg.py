from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.analyzers.jpeg import tables as known
from nsfwforensics.analyzers.jpeg.analyzer import JpegAnalyzer
from nsfwforensics.core.analyzer import AnalyzerOptions, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Severity, Support
from nsfwforensics.formats.jpeg import quantisation_tables, read_jpeg
from nsfwforensics.signals.traces import double_quantisation as places
from nsfwforensics.signals.traces.recompression import LEAST_SCORE
from tests.formats import make
from tests.pictures import natural

jpeglib = pytest.importorskip("jpeglib", reason="jpeglib has no wheel for this platform")

PICTURE = Image.fromarray(natural(320, 400, seed=5))


def saved(image: Image.Image = PICTURE, quality: int = 85, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def again(data: bytes, quality: int, left: int = 0, top: int = 0) -> bytes:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return saved(image.crop((left, top, *image.size)), quality)


def examine(data: bytes) -> Outcome:
    return JpegAnalyzer(AnalyzerOptions(), Resources()).examine(Evidence.from_bytes(data))


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]


def from_camera(data: bytes, make_name: str) -> bytes:
    return make.with_segments(data, make.exif_segment(make.exif({0x010F: make_name, 0x0110: "Model 1"})))


@pytest.mark.parametrize("quality", [1, 40, 75, 92, 100])
def test_the_quality_is_named_where_the_tables_are_standard(quality: int) -> None:
    measured = examine(saved(quality=quality)).measurements
    assert measured["quality"] == {"standard": quality, "nearest_standard": quality, "distance": 0.0}
    assert measured["tables"]["family"] == "standard"


def test_other_tables_have_a_nearest_quality_and_a_distance() -> None:
    tables = quantisation_tables(read_jpeg(saved(quality=80)))
    changed = [[step + (step > 8) for step in tables[number]] for number in (0, 1)]
    measured = examine(saved(quality=50, qtables=changed)).measurements
    assert measured["quality"]["standard"] is None
    assert 76 <= measured["quality"]["nearest_standard"] <= 80
    assert 0 < measured["quality"]["distance"] < 0.2
    assert measured["tables"]["family"] == "unknown"


@pytest.mark.parametrize(("option", "words"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
def test_subsampling(option: int, words: str) -> None:
    assert examine(saved(subsampling=option)).measurements["frame"]["subsampling"] == words


def test_frame_facts() -> None:
    plain = examine(saved()).measurements["frame"]
    assert (plain["process"], plain["scans"], plain["restart_interval"]) == ("baseline", 1, 0)
    assert examine(saved(restart_marker_blocks=3)).measurements["frame"]["restart_interval"] == 3
    progressive = examine(saved(progressive=True)).measurements["frame"]
    assert progressive["process"] == "progressive" and progressive["scans"] > 5
    assert examine(saved(PICTURE.convert("L"))).measurements["frame"]["subsampling"] == "none (one component)"


def test_bytes_after_the_image_are_counted_but_no_finding() -> None:
    outcome = examine(saved() + b"trailer")
    assert outcome.measurements["bytes_after_image"] == 7
    assert outcome.status is AnalyzerStatus.NOTHING_FOUND


@pytest.mark.parametrize("quality", [60, 70, 80, 90, 95, 98])
@pytest.mark.parametrize("seed", [5, 6])
def test_saved_once_is_not_called_twice(quality: int, seed: int) -> None:
    outcome = examine(saved(Image.fromarray(natural(320, 400, seed=seed)), quality))
    assert codes(outcome) == []
    assert outcome.measurements["compressions"]["statement"] == "no sign of more than one"
    assert outcome.measurements["compressions"]["earlier_quality"] is None


@pytest.mark.parametrize(("first", "last"), [(60, 85), (70, 90), (75, 95), (85, 95)])
def test_saved_twice_is_seen_with_its_first_quality(first: int, last: int) -> None:
    outcome = examine(again(saved(quality=first), last))
    assert codes(outcome) == ["JPEG-001"]
    (finding,) = outcome.findings
    assert abs(finding.data["earlier_quality"] - first) <= 2
    assert (finding.severity, finding.support, finding.likelihood) == (Severity.LOW, Support.SUPPORTS, None)
    assert "at least twice" in finding.explanation and f"{last} last" in finding.explanation
    assert "not manipulation" in finding.caveat


def test_the_same_quality_twice_or_a_moved_grid_leaves_nothing_to_see() -> None:
    assert codes(examine(again(saved(quality=80), 80))) == []
    assert codes(examine(again(saved(quality=70), 90, left=3, top=5))) == []


def test_progressive_and_grey_pictures_are_judged_too() -> None:
    once = Image.open(io.BytesIO(saved(PICTURE.convert("L"), 65)))
    assert codes(examine(saved(once, 90, progressive=True))) == ["JPEG-001"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (saved(PICTURE.convert("CMYK")), "CMYK"),
        (saved()[:-2000], "cut short"),
        (saved(PICTURE.crop((0, 0, 64, 64))), "too small"),
        (saved(Image.new("RGB", (400, 400), (90, 120, 70))), "too plain"),
    ],
)
def test_what_could_not_be_checked_is_said(data: bytes, why: str) -> None:
    outcome = examine(data)
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE  # the tables alone do not say that nothing was found
    assert why in (outcome.reason or "")
    assert any(why in line for line in outcome.measurements["not_checked"])
    assert outcome.measurements["compressions"] is None


def test_without_the_library_the_rest_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jpeglib", None)
    outcome = examine(again(saved(quality=60), 85))
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE
    assert outcome.measurements["quality"]["standard"] == 85
    assert any("jpeglib" in line for line in outcome.measurements["not_checked"])


def test_only_jpeg_files_are_looked_at() -> None:
    outcome = examine(make.png())
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE


def test_standard_tables_under_a_maker_that_never_uses_them() -> None:
    outcome = examine(from_camera(saved(), "Apple"))
    assert codes(outcome) == ["JPEG-003"]
    (finding,) = outcome.findings
    assert finding.support is Support.INCONCLUSIVE
    assert finding.data["originals_measured"] >= known.MANY_ORIGINALS
    assert "Apple" in finding.explanation and "standard tables at quality 85" in finding.explanation


@pytest.mark.parametrize("name", ["samsung", "DJI", "Nobody Ever Measured", "", "\x00\x1b[31m"])
def test_other_makers_raise_nothing(name: str) -> None:
    assert codes(examine(from_camera(saved(), name))) == []


def test_the_tables_of_the_thumbnail_are_compared() -> None:
    small = saved(PICTURE.resize((160, 128)), 60)
    block = make.with_thumbnail(make.exif({0x010F: "Maker"}), small)
    measured = examine(make.with_segments(saved(), make.exif_segment(block))).measurements["thumbnail"]
    assert measured["quality"] == 60 and measured["same_tables_as_picture"] is False
    assert tuple(measured["size"]) == (160, 128)


def test_a_programs_tables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [[*range(2, 66)], [*range(3, 67)]]
    data = saved(quality=50, qtables=tables)
    key = known.digest(quantisation_tables(read_jpeg(data)))
    entry = {"digest": key, "kind": "program", "names": ["Program One"], "files": 3}
    monkeypatch.setattr(known, "_known", lambda: {key: entry})
    outcome = examine(from_camera(data, "Apple"))
    assert codes(outcome) == ["JPEG-002", "JPEG-003"]
    assert "Program One" in outcome.findings[0].explanation


def test_the_data_file_is_sound() -> None:
    entries = known._data()["table"]
    assert len({entry["digest"] for entry in entries}) == len(entries) > 50
    assert all(entry["kind"] in ("program", "camera") and entry["names"] and entry["files"] > 0 for entry in entries)
    assert all(0 <= entry["standard"] <= entry["originals"] for entry in known._data()["maker"].values())


def test_the_page_of_figures_states_the_thresholds_in_use() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "jpeg.md").read_text("utf-8")
    assert f"from **{LEAST_SCORE:.2f}** on" in page
    assert f"(score {places.LEAST_SCORE:.2f})" in page
    assert all(f"| {code} |" in page for code in JpegAnalyzer.codes)


@pytest.mark.parametrize("kind", ["noise", "stripes", "checks"])
def test_odd_pictures_saved_once_raise_nothing(kind: str) -> None:
    generator = np.random.default_rng(2)
    y, x = np.mgrid[0:320, 0:400]
    pixels = {
        "noise": generator.integers(0, 256, (320, 400)),
        "stripes": np.where(x // 3 % 2, 40, 210),
        "checks": np.where((x // 8 + y // 8) % 2, 60, 180),
    }[kind]
    for quality in (60, 80, 95):
        assert codes(examine(saved(Image.fromarray(pixels.astype(np.uint8)), quality))) == []
