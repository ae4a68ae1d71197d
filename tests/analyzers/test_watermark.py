from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tools.watermark_writer import watermarked

from nsfwforensics.analyzers.watermark import PRODUCERS, Producer, WatermarkAnalyzer
from nsfwforensics.core.analyzer import AnalyzerOptions, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Severity, Support
from nsfwforensics.errors import EvidenceError
from tests.pictures import natural, saved

by_producer = pytest.mark.parametrize("producer", PRODUCERS, ids=lambda producer: producer.code)


def examine(data: bytes) -> Outcome:
    return WatermarkAnalyzer(AnalyzerOptions(), Resources()).examine(Evidence.from_bytes(data))


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]


@by_producer
@pytest.mark.parametrize("order", ["bgr", "rgb"])
@pytest.mark.parametrize("arithmetic", ["uint8", "float"])
def test_every_payload_is_found_in_every_way_of_writing(producer: Producer, order: str, arithmetic: str) -> None:
    outcome = examine(saved(watermarked(natural(448, 512, seed=1), producer.payload, order, arithmetic)))
    assert codes(outcome) == [producer.code]
    (finding,) = outcome.findings
    assert (finding.severity, finding.support) == (Severity.MEDIUM, Support.SUPPORTS)
    assert finding.data["channel_order"] == order
    assert finding.data["correlation"] >= producer.threshold
    assert "consistent with" in finding.explanation
    assert "Anyone can write" in finding.caveat
    assert finding.likelihood is None


@by_producer
def test_payloads_are_what_their_makers_publish(producer: Producer) -> None:
    expected = {
        "WMK-001": (48, 0xB3EC907BB19E),
        "WMK-002": (46, 0b001010101111111010000111100111001111010100101110),
        "WMK-003": (136, int.from_bytes(b"StableDiffusionV1", "big")),
        "WMK-004": (32, int.from_bytes(b"SDV2", "big")),
    }
    text = "".join(map(str, producer.payload.tolist()))
    assert (len(text), int(text, 2)) == expected[producer.code]


@by_producer
@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 95, "subsampling": 0}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("BMP", {})],
)
def test_formats_that_keep_colour_keep_the_mark(producer: Producer, kind: str, options: dict[str, object]) -> None:
    marked = watermarked(natural(512, 512, seed=6), producer.payload, "rgb", "float")
    assert codes(examine(saved(marked, kind, **options))) == [producer.code]


def test_an_alpha_channel_changes_nothing() -> None:
    marked = Image.fromarray(watermarked(natural(320, 320, seed=7), PRODUCERS[0].payload))
    marked.putalpha(Image.fromarray(natural(320, 320, seed=8)[..., 0]))
    assert codes(examine(saved(marked))) == ["WMK-001"]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_orientation_tag_changes_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    marked = Image.fromarray(watermarked(natural(320, 400, seed=9), PRODUCERS[1].payload))
    assert codes(examine(saved(marked, "PNG", exif=exif))) == ["WMK-002"]


@pytest.mark.slow
def test_a_large_picture_is_read_from_its_top() -> None:
    marked = watermarked(natural(2048, 2048, seed=12), PRODUCERS[0].payload)
    started = time.process_time()
    assert codes(examine(saved(np.concatenate([marked, np.zeros((4000, 2048, 3), np.uint8)]), "BMP"))) == ["WMK-001"]
    assert time.process_time() - started < 20


@pytest.mark.parametrize("seed", range(8))
def test_nothing_found_in_unmarked_pictures(seed: int) -> None:
    outcome = examine(saved(natural(384, 256 + 32 * seed, seed=20 + seed)))
    assert outcome.status is AnalyzerStatus.NOTHING_FOUND
    assert set(outcome.measurements) == {producer.code for producer in PRODUCERS}
    assert all(entry["correlation"] < 0.75 for entry in outcome.measurements.values())


def test_other_payloads_are_not_taken_for_known_ones() -> None:
    generator = np.random.default_rng(4)
    pixels = natural(400, 400, seed=30)
    for length in (32, 46, 48, 136):
        payload = generator.integers(0, 2, length).astype(np.uint8)
        assert codes(examine(saved(watermarked(pixels, payload)))) == []


@pytest.mark.parametrize("shade", [0, 17, 128, 255])
def test_flat_and_striped_pictures_carry_nothing(shade: int) -> None:
    flat = np.full((512, 512, 3), shade, np.uint8)
    assert examine(saved(flat)).status is AnalyzerStatus.NOTHING_FOUND
    for period in (8, 16, 32, 64, 256):
        striped = flat.copy()
        striped[:, (np.arange(512) // period) % 2 == 1, 2] = 255 - shade // 2
        assert examine(saved(striped)).status is AnalyzerStatus.NOTHING_FOUND


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (Image.fromarray(natural(255, 256, seed=1)), "smaller than"),
        (Image.fromarray(natural(300, 300, seed=1)).convert("L"), "RGB colour"),
        (Image.new("RGB", (7, 20_000)), "too narrow"),
    ],
)
def test_where_there_cannot_be_one_it_says_so(picture: Image.Image, why: str) -> None:
    outcome = examine(saved(picture))
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE
    assert why in (outcome.reason or "")


def test_a_printer_picture_is_not_applicable() -> None:
    outcome = examine(saved(Image.fromarray(natural(300, 300)).convert("CMYK"), "JPEG"))
    assert outcome.status is AnalyzerStatus.NOT_APPLICABLE


@pytest.mark.shared_data
def test_no_photograph_carries_a_mark(shared_data: Path) -> None:
    looked = 0
    for folder in ("real", "exif", "faces"):
        for path in sorted((shared_data / folder).rglob("*")):
            if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp", ".tif", ".heic"):
                evidence = Evidence.open(path)
                try:
                    outcome = WatermarkAnalyzer(AnalyzerOptions(), Resources()).examine(evidence)
                except EvidenceError:
                    continue
                assert not outcome.findings, path
                looked += outcome.status is AnalyzerStatus.NOTHING_FOUND
    assert looked > 200


def test_the_page_of_figures_states_the_thresholds_in_use() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "watermark.md").read_text("utf-8")
    for producer in PRODUCERS:
        assert f"| {producer.name} | {producer.threshold:.2f} |" in page
