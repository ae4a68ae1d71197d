"""Photographs with a region painted again: how they are made, and what is counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis import tile_map
from nsfwforensics.models.synthesis.calibration import Branch, Calibration
from nsfwforensics.models.synthesis.trace_network import TraceNetwork
from nsfwforensics.models.weights import file_sha256
from tests.training import synthetic
from training import card_edited, decoders, edited, edited_figures, edited_run, evaluate, measure
from training.data import Item, load_rgb
from training.edited import ORIGINAL, UNTOUCHED, Mapped

DECODERS = ("known", "unknown")


def item(path: Path, role: str = "test", source: str = "camera") -> Item:
    return Item(path, 0, source, source, role, "CC0")  # type: ignore[arg-type]


def inverted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return 255 - pixels


def test_masks_cover_three_to_thirty_percent_in_several_places() -> None:
    rng = np.random.default_rng(0)
    masks = [edited.region_mask(300, 400, rng) for _ in range(60)]
    shares = [float(mask.mean()) for mask in masks]
    assert 0.02 <= min(shares) < 0.06
    assert 0.2 < max(shares) <= 0.31
    assert all(mask.min() >= 0 and mask.max() <= 1 + 1e-6 for mask in masks)
    assert all(((mask > 0.05) & (mask < 0.95)).any() for mask in masks), "edges are soft"
    places = {tuple(int(axis.mean()) // 100 for axis in np.nonzero(mask > 0.5)) for mask in masks}
    assert len(places) >= 6


def test_only_the_region_is_painted() -> None:
    rgb = synthetic.picture(1, 300, 400)
    mask = edited.region_mask(300, 400, np.random.default_rng(4))
    made = edited.painted(rgb, mask, inverted)
    assert (made[mask < 1e-3] == rgb[mask < 1e-3]).all()
    inside = mask > 0.999
    assert inside.any() and (made[inside] == 255 - rgb[inside]).all()


def test_twins_differ_by_the_region_alone(tmp_path: Path) -> None:
    synthetic.save(synthetic.picture(2, 400, 480), tmp_path / "a.jpg", 90)
    made, mask = edited.twins(item(tmp_path / "a.jpg"), {"one": inverted})
    assert set(made) == {UNTOUCHED, "one"}
    away = mask[::16, ::16].repeat(16, 0).repeat(16, 1)[:400, :480] == 0
    away &= np.roll(away, 16, 0) & np.roll(away, -16, 0) & np.roll(away, 16, 1) & np.roll(away, -16, 1)
    far = np.abs(made["one"].astype(int) - made[UNTOUCHED]).max(2)
    assert far[mask > 0.9].mean() > 20
    assert np.median(far[away]) == 0, "saved alike"
    again, _ = edited.twins(item(tmp_path / "a.jpg"), {"one": inverted})
    assert (again["one"] == made["one"]).all()


def test_large_photographs_are_cut_or_reduced(tmp_path: Path) -> None:
    bases = []
    for number in range(6):
        synthetic.save(synthetic.picture(number, 1100, 1500), tmp_path / f"{number}.jpg")
        bases.append((item(tmp_path / f"{number}.jpg"), edited.base(item(tmp_path / f"{number}.jpg"))))
    assert all(max(rgb.shape[:2]) <= edited.LONGEST for _, rgb in bases)
    cut = [rgb.shape[:2] == (672, 896) and (rgb == load_rgb(one)[208:880, 288:1184]).all() for one, rgb in bases]
    assert 0 < sum(cut) < 6, "some are cut from native pixels, some reduced"


def test_maps_are_made_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def judge(tiles: NDArray[np.uint8]) -> NDArray[np.float64]:
        asked.append(len(tiles))
        return tiles.mean((1, 2, 3))

    for name, size in (("big", (420, 560)), ("small", (300, 700))):
        synthetic.save(synthetic.picture(len(name), *size), tmp_path / f"{name}.jpg")
    photographs = [item(tmp_path / f"{name}.jpg") for name in ("big", "small")]
    painters = {"one": inverted}
    first = list(edited.maps(photographs, photographs[:1], painters, judge, tmp_path / "cache"))
    assert [(row.kind, row.tier) for row in first[:6]] == [(k, t) for k in (UNTOUCHED, "one") for t in TIERS]
    assert [row.kind for row in first[6:]] == [ORIGINAL] * 6
    assert all(0 < number <= tile_map.MOST for number in asked)
    assert all(not row.scores.size for row in first if row.key.endswith("small.jpg"))
    edit = first[3]
    assert edit.scores.shape == edit.texture.shape == edit.share.shape
    assert edit.share.max() > 0.1 and first[6].share.max() == 0
    asked.clear()
    again = list(edited.maps(photographs, photographs[:1], painters, judge, tmp_path / "cache"))
    assert not asked
    assert [row.kind for row in again] == [row.kind for row in first]
    assert (again[3].share == edit.share).all()


def made_up(lift: float, count: int = 110) -> list[Mapped]:
    """Maps of noise; in edited twins a corner of 3 × 3 tiles is raised."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(2 * count):
        role, key = ("calibrate", "test")[number % 2], f"{number}"
        for tier in TIERS:
            plane, texture = rng.normal(0, 1, (8, 10)), rng.normal(0, 0.3, (8, 10))
            share = np.zeros((8, 10))
            rows.append(Mapped(key, role, "camera", ORIGINAL, tier, plane, texture, share))
            if number < 40:
                share = share.copy()
                share[1:4, 2:5] = 1
                rows.append(Mapped(key, role, "camera", UNTOUCHED, tier, plane, texture, share))
                rows += [Mapped(key, role, "camera", d, tier, plane + lift * share, texture, share) for d in DECODERS]
    none = np.zeros((0, 0))
    rows += [Mapped("tiny", "test", "camera", UNTOUCHED, tier, none, none, none) for tier in TIERS]
    return rows


def test_edits_that_stand_out_are_reported_and_the_card_says_so() -> None:
    limits, found = edited_figures.measure(made_up(6.0), DECODERS, "unknown")
    assert found["auc"]["unknown"]["as_is"].value > 0.95
    assert found["tiles"]["known"]["as_is"].value > 0.95
    assert found["overlap"]["unknown"]["as_is"].value > 0.7
    assert found["marked"]["unknown"]["as_is"].share > 0.8
    assert found["photographs"]["test"]["as_is"]["all"].share <= 0.05
    assert found["photographs"]["calibrate"]["as_is"]["all"].count <= 1
    assert (found["too_small"]["as_is"].count, found["too_small"]["as_is"].total) == (1, 21)
    assert limits.rate("as_is", "untouched_marked").total == 110
    figures = evaluate.plain(found) | {"tile": 128, "stride": 96, "most": 80, "longest": 896}
    figures |= {"speaks": {tier: limits.speaks(tier) for tier in TIERS}}
    assert json.loads(json.dumps(figures)) == figures
    text = card_edited.section(figures)
    assert "unknown, never trained on" in text and "known, trained on" in text
    assert "nan" not in text


def test_edits_that_do_not_stand_out_stay_silent() -> None:
    limits, found = edited_figures.measure(made_up(0.0), DECODERS, "unknown")
    assert found["auc"]["unknown"]["as_is"].value == pytest.approx(0.5)
    assert not any(limits.speaks(tier) for tier in TIERS)
    figures = evaluate.plain(found) | {
        "tile": 128,
        "stride": 96,
        "most": 80,
        "longest": 896,
        "speaks": dict.fromkeys(TIERS, False),
    }
    assert "not reliable enough for a finding" in card_edited.section(figures)


def test_too_few_photographs_give_no_threshold() -> None:
    limits, found = edited_figures.measure(made_up(6.0, 20), DECODERS, "unknown")
    assert found["threshold"] is None
    assert limits.rate("as_is", "edited_marked").count == 0
    assert not limits.speaks("as_is")


def test_the_section_replaces_an_earlier_one() -> None:
    _, found = edited_figures.measure(made_up(3.0, 20), DECODERS, "unknown")
    figures = evaluate.plain(found) | {
        "tile": 128,
        "stride": 96,
        "most": 80,
        "longest": 896,
        "speaks": dict.fromkeys(TIERS, True),
    }
    card = "# Card\n\ntext\n\n## Data\n\nmore\n"
    once = card_edited.placed(card, figures)
    assert once.startswith(card.rstrip()) and once.count(card_edited.HEADING) == 1
    assert card_edited.placed(once, figures) == once
    middle = f"# Card\n\n{card_edited.HEADING}\n\nold\n\n## Data\n\nmore\n"
    replaced = card_edited.placed(middle, figures)
    assert "\nold\n" not in replaced and replaced.endswith("## Data\n\nmore\n")


def test_photographs_are_chosen_by_role_without_portraits() -> None:
    items = [item(Path(f"{n}.jpg"), "test", s) for n, s in enumerate(("portraits", "bsds", "camera", "wallpapers"))]
    items.append(item(Path("c.jpg"), "calibrate", "coco"))
    chosen = edited.chosen(items, {"calibrate": 3, "test": 2})
    assert chosen[0].source == "coco"
    assert {one.source for one in chosen[1:]} == {"camera", "wallpapers"}
    assert edited.spread(items, None) == items
    assert len(edited.spread(items, 2)) == 3


def test_the_unseen_decoder_is_one_that_never_trained() -> None:
    assert edited_run.UNSEEN == "trans4-c8"


MANIFEST = """
[[model]]
name = "synthesis"
version = "1"
file = "synthesis.safetensors"
sha256 = ""

[[model]]
name = "synthesis-calibration"
version = "1"
file = "synthesis.calibration.json"
sha256 = "0123"
"""


@pytest.mark.slow
def test_the_whole_measurement_reaches_calibration_card_and_manifest(tmp_path: Path) -> None:
    data, out, weights = (tmp_path / name for name in ("data", "out", "weights"))
    for number in range(3):
        synthetic.save(synthetic.picture(number, 360, 500), data / "real" / "coco" / f"{number}.jpg")
        synthetic.save(synthetic.picture(50 + number, 500, 360), data / "real" / "cc0" / f"{number}.jpg")
    synthetic.models(data / "models")
    out.mkdir()
    measure.claim(out)
    weights.mkdir()
    torch.manual_seed(0)
    save_file(TraceNetwork((4, 4, 8, 8)).state_dict(), out / "trace.safetensors")
    spec = next(spec for spec in decoders.SPECS if spec.name == edited_run.UNSEEN)
    decoders.save(decoders.build(spec), out / f"decoder-{spec.name}.safetensors")
    (weights / "manifest.toml").write_text(MANIFEST)
    (weights / "synthesis.safetensors").write_bytes(b"x")
    (weights / "synthesis.md").write_text("# Card\n")
    plain = Calibration(Branch({"as_is": [0.0]}, {}, 0.01, 0.1, True), None, 0.75, 50.0)
    (weights / "synthesis.calibration.json").write_text(plain.dumps())

    words = ["--data", str(data), "--out", str(out), "--weights", str(weights)]
    assert edited_run.main(words) == 0
    stored = json.loads((out / "edited.json").read_text())
    assert stored["figures"]["auc"]["taef2"]["as_is"]["negatives"] == 3
    kept = Calibration.loads((weights / "synthesis.calibration.json").read_text())
    assert kept.regions is not None and kept.image == plain.image
    assert kept.regions.plain() == stored["limits"]
    assert not kept.regions.speaks("as_is"), "three photographs carry no claim"
    assert card_edited.HEADING in (weights / "synthesis.md").read_text()
    assert file_sha256(weights / "synthesis.calibration.json") in (weights / "manifest.toml").read_text()
    before = {path: path.stat().st_mtime_ns for path in out.glob("edited-*/*.json")}
    assert edited_run.main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("edited-*/*.json")} == before, "nothing is painted twice"
