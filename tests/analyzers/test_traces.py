"""The traces analyzer on files: findings in pixels as shown, honest words, maps only when asked for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from nsfwforensics.analyzers.traces.analyzer import TracesAnalyzer, TracesOptions
from nsfwforensics.analyzers.traces.methods import BY_NAME, METHODS, place
from nsfwforensics.core.analyzer import Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Finding, Support
from nsfwforensics.signals.traces.trace import TraceRegion
from tests.pictures import saved

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

BOX = (203, 101, 160, 144)
_ORIENTATION = 0x0112


def photo(height: int, width: int, seed: int) -> Image.Image:
    generator = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    frequency[0, 0] = 1.0
    planes = []
    for _ in range(2):
        scene = np.fft.ifft2(np.fft.fft2(generator.normal(size=(height, width))) / frequency).real
        planes.append((scene - scene.mean()) / scene.std())
    light, tint = planes
    rgb = np.stack([light + 0.2 * tint, light, light - 0.2 * tint], axis=-1)
    noisy = 128 + 38 * rgb + generator.normal(0, 1.5, rgb.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(saved(picture, "JPEG", quality=quality))).convert("RGB")


def spliced(host: int = 90, donor: int = 75) -> Image.Image:
    x, y, width, height = BOX
    picture, other = jpeg(photo(416, 544, 1), host), jpeg(photo(416, 544, 2), donor)
    picture.paste(other.crop((48, 64, 48 + width, 64 + height)), (x, y))
    return picture


def examined(data: bytes, **options: Any) -> Outcome:
    analyzer = TracesAnalyzer(TracesOptions.model_validate(options), Resources())
    return analyzer.examine(Evidence.from_bytes(data, "picture"))


def named(outcome: Outcome, code: str) -> list[Finding]:
    return [finding for finding in outcome.findings if finding.code == code]


def overlap(finding: Finding, box: tuple[int, int, int, int]) -> float:
    assert finding.region is not None
    region = finding.region
    across = min(region.x + region.width, box[0] + box[2]) - max(region.x, box[0])
    down = min(region.y + region.height, box[1] + box[3]) - max(region.y, box[1])
    both = max(across, 0) * max(down, 0)
    return both / (region.width * region.height + box[2] * box[3] - both)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("JPEG", {"quality": 96})])
def test_a_part_of_another_jpeg_is_found(kind: str, options: dict[str, Any]) -> None:
    outcome = examined(saved(spliced(), kind, **options))
    (finding,) = named(outcome, "TRACE-001")
    assert finding.support is Support.SUPPORTS
    assert overlap(finding, BOX) > 0.7
    assert "consistent with" in finding.explanation and "in the middle" in finding.explanation
    assert "collages" in finding.caveat and "no more and no less genuine" in finding.caveat
    assert finding.data["origin"] == [(BOX[0] - 48) % 8, (BOX[1] - 64) % 8]
    assert "ZERO" in str(finding.data["source"]) and finding.data["destroyed_by"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_are_in_pixels_of_the_picture_as_shown(orientation: int) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    data = saved(spliced(), "JPEG", quality=96, exif=exif)
    mark = np.zeros((416, 544), np.uint8)
    mark[BOX[1] : BOX[1] + BOX[3], BOX[0] : BOX[0] + BOX[2]] = 255
    stored = Image.fromarray(mark)
    turns = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180], 4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE], 6: [Image.Transpose.ROTATE_270], 7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_90],
    }  # fmt: skip
    for turn in turns.get(orientation, []):
        stored = stored.transpose(turn)
    left, top, right, bottom = stored.getbbox() or (0, 0, 0, 0)
    outcome = examined(data, methods=("jpeg-grid",), maps=True)
    (finding,) = named(outcome, "TRACE-001")
    assert overlap(finding, (left, top, right - left, bottom - top)) > 0.7
    drawn = cv2.imdecode(np.frombuffer(outcome.artifacts[0].data or b"", np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None and drawn.shape[:2] == (stored.height, stored.width)


def test_a_crop_is_reported_without_a_place() -> None:
    picture = jpeg(photo(416, 544, 1), 75).crop((3, 6, 544, 416))
    (finding,) = named(examined(saved(picture, "PNG")), "TRACE-002")
    assert finding.support is Support.INCONCLUSIVE and finding.region is None
    assert (finding.data["cut_x"], finding.data["cut_y"]) == (3, 6)
    assert "screenshots" in finding.caveat


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_untouched_picture_gives_no_findings(kind: str) -> None:
    outcome = examined(saved(jpeg(photo(416, 544, 1), 85), kind))
    assert outcome.status is AnalyzerStatus.NOTHING_FOUND
    assert outcome.artifacts == ()
    assert outcome.measurements["jpeg-grid"]["regions"] == 0
    assert "noise" not in outcome.measurements  # draws a map, and none was asked for


def test_maps_are_drawn_only_when_asked_for_and_are_no_findings() -> None:
    outcome = examined(saved(jpeg(photo(416, 544, 1), 85), "JPEG", quality=90), maps=True)
    names = [artifact.name for artifact in outcome.artifacts]
    assert {"map of jpeg-grid", "map of noise", "error level analysis", "noise residual"} <= set(names)
    assert len(set(names)) == len(names)
    for artifact in outcome.artifacts:
        assert artifact.media_type == "image/png" and artifact.data is not None
        assert Image.open(io.BytesIO(artifact.data)).size == (544, 416)
    assert outcome.findings == ()
    assert "no error rate" in outcome.measurements["maps"]


def test_methods_can_be_chosen() -> None:
    data = saved(jpeg(photo(200, 200, 1), 85), "PNG")
    outcome = examined(data, methods=("copy-move, noise", "copy-move"))
    assert set(outcome.measurements) == {"copy-move", "noise"}
    with pytest.raises(ValidationError, match="no such method"):
        TracesOptions(methods=("guessing",))


def test_rows_that_were_not_decoded_are_no_edit() -> None:
    whole = saved(photo(416, 544, 1), "JPEG", quality=90)
    outcome = examined(whole[: len(whole) // 2])
    assert outcome.findings == ()
    assert outcome.measurements["double-quantisation"] == {"not_judged": "the file is cut short"}


@pytest.mark.parametrize("mode", ["P", "1", "CMYK"])
def test_pictures_whose_colours_imitate_traces_are_not_judged(mode: str) -> None:
    picture = photo(200, 200, 1).convert(mode)
    outcome = examined(saved(picture, "TIFF"))
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE and mode in (outcome.reason or "")


def test_a_tiny_picture_is_not_applicable_with_every_reason() -> None:
    outcome = examined(saved(photo(12, 12, 1), "PNG"))
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE
    assert "64 pixels" in (outcome.reason or "")


def test_a_region_is_placed_in_words() -> None:
    def at(x: int, y: int, width: int = 30, height: int = 30) -> str:
        return place(TraceRegion(x, y, width, height, 1.0), (300, 300))

    assert at(0, 0) == "at the top on the left (about 1 % of the picture)"
    assert at(130, 130, 10, 10) == "in the middle (less than 1 % of the picture)"
    assert at(200, 270, 100, 30) == "at the bottom on the right (about 3 % of the picture)"


def test_every_method_says_what_it_is_worth() -> None:
    assert len(BY_NAME) == len(METHODS)
    codes = [kind.code for method in METHODS for kind in method.kinds]
    assert len(set(codes)) == len(codes)
    for method in METHODS:
        assert method.title and method.source and method.destroyed_by and method.audience
        for kind in method.kinds:
            values = {"place": "in the middle", "origin_x": 1, "origin_y": 2, "cut_x": 7, "cut_y": 6}
            explanation = kind.explanation(**values) if kind.whole else kind.explanation(place=values["place"])
            assert "consistent with" in explanation or "as after" in explanation
            assert kind.error_rates, "how often it is wrong must be known"
            assert method.caveat(kind).endswith("genuine.")
            assert not any(word in explanation.lower() for word in ("fake", "proves", "certainly"))


def _read(data: bytes | None) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data or b"")), np.uint8)


def test_error_levels_show_what_was_saved_differently() -> None:
    from nsfwforensics.signals.traces.visualisation import ela, map_png, outline

    picture = jpeg(photo(256, 256, 1), 70)
    picture.paste(photo(256, 256, 2).crop((0, 0, 96, 96)), (80, 80))
    levels = ela(np.asarray(picture), 70)
    assert levels[90:160, 90:160].mean() > 1.5 * levels[:64].mean()
    drawn = _read(map_png(levels, (256, 256)))
    assert drawn.shape == (256, 256, 3)
    assert _read(map_png(np.full((4, 4), np.nan), (4000, 2000))).shape == (800, 1600, 3)
    mask = np.zeros((20, 20), bool)
    mask[2:16, 2:8] = mask[2:8, 2:18] = True
    corners = outline(mask, 8, (16, 16, 128, 112))
    assert len(corners) >= 5 and all(16 <= x <= 144 and 16 <= y <= 128 for x, y in corners)
    assert not any(x > 72 and y > 72 for x, y in corners)
    assert outline(np.ones((4, 4), bool), 8, (0, 0, 32, 32)) == ()


@pytest.mark.parametrize("thumbnails", [False, True])
def test_maps_stand_in_the_page_only_where_pictures_were_asked_for(thumbnails: bool) -> None:
    resources = Resources(thumbnails=thumbnails)
    outcome = TracesAnalyzer(TracesOptions(maps=True), resources).examine(Evidence.open(SAMPLES / "edited-copy.jpg"))
    assert {artifact.embed for artifact in outcome.artifacts} == {thumbnails}
