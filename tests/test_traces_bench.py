"""The bench of trace methods: masks are true, chains do what they say, formulas are right, runs can go on."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from benchmarks.traces import chains, corpus, manipulate, page, photos, run, score, summary, tampered
from benchmarks.traces.methods import METHODS, Method
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.signals.traces.trace import Trace, TraceRegion

ROOT = Path(__file__).resolve().parent.parent


def scene(seed: int, height: int = 320, width: int = 448) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    rough = rng.normal(128, 60, (height // 16, width // 16, 3)).astype(np.float32)
    smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 6, (height, width, 3)), 0, 255).astype(np.uint8)


def photograph(path: Path, seed: int, camera: str, size: tuple[int, int] = (1504, 1120)) -> Path:
    exif = Image.Exif()
    exif[271], exif[272] = "Maker", camera
    Image.fromarray(scene(seed, size[1], size[0])).save(path, quality=93, exif=exif)
    return path


@pytest.mark.parametrize("kind", [name for name in manipulate.KINDS if name != "re-synthesis"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_mask_is_where_the_pixels_changed(kind: str, seed: int) -> None:
    host, donor = scene(seed), scene(seed + 50, 200, 700)
    before = host.copy()
    made = manipulate.KINDS[kind](host, donor, np.random.default_rng(seed))
    assert np.array_equal(host, before)
    assert made.pixels.shape == host.shape and made.pixels.dtype == np.uint8
    share = made.mask.mean()
    most = manipulate.MOST_REMOVED if kind == "removal" else manipulate.MOST_SHARE
    assert 0.02 <= share <= most + 0.02
    changed = (made.pixels != host).any(axis=2)
    near = cv2.dilate(made.mask.astype(np.uint8), np.ones((49, 49))) > 0
    assert not (changed & ~near).any()
    assert changed[made.mask].mean() > 0.9
    again = manipulate.KINDS[kind](host, donor, np.random.default_rng(seed))
    assert np.array_equal(again.pixels, made.pixels) and np.array_equal(again.mask, made.mask)


def test_a_moved_region_holds_what_stood_at_its_source() -> None:
    host = scene(7)
    for seed in range(6):
        made = manipulate.copy_move(host, host, np.random.default_rng(seed))
        assert made.source is not None and not (made.source & made.mask).any()
        moved, stood = np.argwhere(made.mask), np.argwhere(made.source)
        shifts = [stood.min(axis=0) - moved.min(axis=0), stood.max(axis=0) - moved.max(axis=0)]
        inner = cv2.erode(made.mask.astype(np.uint8), np.ones((15, 15))) > 0
        rows, columns = np.nonzero(inner)
        assert len(rows)
        near = range(-2, 3)  # soft edges move corners, and edges of the picture cut copies off
        offsets = [(v[0] + dy, h[1] + dx) for v in shifts for h in shifts for dy in near for dx in near]
        copied = made.pixels[rows, columns]
        assert any(np.array_equal(copied, host[(rows + dy) % 320, (columns + dx) % 448]) for dy, dx in offsets)


def test_regions_keep_to_the_shares_asked_for() -> None:
    for seed in range(30):
        mask = manipulate.shape(300, 400, np.random.default_rng(seed), 0.03, 0.4)
        assert 0.03 <= mask.mean() <= 0.4
    assert 0.2 <= manipulate.shape(300, 400, np.random.default_rng(0), 0.29, 0.3).mean() <= 0.4


@pytest.mark.parametrize(
    ("saving", "longest", "format_"),
    [("PNG", 2000, "PNG"), ("JPEG 90", 2000, "JPEG"), ("sent, 1600", 1600, "JPEG"), ("sent, 1280", 1280, "JPEG"),
     ("sent twice", 1080, "JPEG")],
)  # fmt: skip
def test_chains_give_the_sizes_and_formats_they_name(saving: str, longest: int, format_: str) -> None:
    with Image.open(io.BytesIO(chains.save(scene(1, 1000, 2000), saving))) as opened:
        assert max(opened.size) == longest and opened.format == format_
        assert opened.width == 2 * opened.height
    small = scene(1, 300, 500)
    with Image.open(io.BytesIO(chains.save(small, saving))) as opened:
        assert opened.size == (500, 300)
    assert np.array_equal(chains.decoded(chains.save(small, "PNG")), small)


def test_a_chain_sent_twice_is_saved_with_the_second_quality() -> None:
    pixels = scene(2, 1000, 2000)
    with Image.open(io.BytesIO(chains.sent_twice(pixels))) as twice:
        tables = twice.quantization
    with Image.open(io.BytesIO(chains.jpeg(pixels, 72))) as once:
        assert once.quantization == tables


def test_auc_counts_ties_half() -> None:
    assert score.auc([2, 3], [0, 1]) == 1
    assert score.auc([0], [1]) == 0
    assert score.auc([1, 1], [1, 1, 1]) == 0.5
    assert score.auc([1, 2], [1, 0]) == pytest.approx(0.875)
    assert math.isnan(score.auc([], [1]))


def test_the_bound_of_a_rate_is_clopper_and_pearson() -> None:
    assert score.upper_bound(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300), abs=1e-9)
    assert score.upper_bound(0, 300) < 0.01
    assert score.upper_bound(1, 10) == pytest.approx(0.3942, abs=1e-4)
    assert score.upper_bound(3, 3) == score.upper_bound(0, 0) == 1


def test_overlap_and_marks() -> None:
    true = np.zeros((40, 60), bool)
    true[8:24, 16:48] = True
    mask = np.zeros((5, 8), bool)
    mask[1:3, 2:4] = True
    trace = Trace(regions=(TraceRegion(16, 8, 16, 16, 1.0),), mask=mask, cell=8)
    found = score.marked(trace, 40, 60)
    assert found.sum() == 256
    assert score.overlap(found, true) == {"f1": pytest.approx(2 / 3), "iou": 0.5, "inside": 1.0}
    assert np.array_equal(score.marked(Trace(regions=trace.regions), 40, 60), found)
    assert not score.marked(Trace(mask=mask, cell=8), 40, 60).any()
    assert score.overlap(~found & false(found), true)["f1"] == 0


def false(like: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.zeros_like(like)


def test_a_map_is_judged_by_what_stands_out_either_way() -> None:
    true = np.zeros((64, 64), bool)
    true[:16, :16] = True
    values = np.zeros((8, 8), np.float32)
    values[:2, :2] = -3
    values[7, 7] = np.nan
    assert score.map_auc(Trace(map=values, cell=8), true) == 1
    assert score.map_auc(Trace(), true) is None
    assert score.map_auc(Trace(map=values, cell=8), ~false(true)) is None


def test_for_copies_the_better_of_two_truths_counts() -> None:
    small, large = np.zeros((16, 16), bool), np.zeros((16, 16), bool)
    small[:8, :8], large[:8] = True, True
    trace = Trace(regions=(TraceRegion(0, 0, 16, 8, 1.0),))
    row = score.judged(trace, [small, large], 16, 16)
    assert row["f1"] == 1 and row["area"] == 0.5
    assert "f1" not in score.judged(trace, [], 16, 16)


def corners(evidence: Evidence) -> Trace:
    """A method that points at the upper left of everything above a brightness."""
    bright = float(evidence.rgb.mean())
    box = (TraceRegion(0, 0, 100, 100, bright),) if bright > 200 else ()
    return Trace(score=bright, regions=box)


def test_a_run_goes_on_where_it_stopped_and_sums_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "LEAST_PIXELS", 300_000)
    (tmp_path / "in").mkdir()
    for number in range(3):
        photograph(tmp_path / "in" / f"{number}.jpg", number, f"Model {number % 2}", (640, 480))
    photograph(tmp_path / "in" / "small.jpg", 9, "Model 3", (400, 300))
    (tmp_path / "in" / "note.txt").write_text("no picture")
    (tmp_path / "in" / "copy.jpg").write_bytes((tmp_path / "in" / "0.jpg").read_bytes())
    listed = photos.listed([tmp_path / "in"])
    assert len(listed) == 3 and {photo.camera for photo in listed[:2]} == {"Maker Model 0", "Maker Model 1"}

    def items() -> list[corpus.Item]:
        kinds = {"splice": manipulate.splice}
        return [*corpus.made(listed, 2, tmp_path / "work", kinds), *corpus.untouched(listed)]

    made = items()
    assert len({item.id for item in made}) == len(made) == 2 * 2 * 4 + 3
    assert {item.history for item in made} == {"camera", "shared", ""}
    (host,) = [item for item in made if item.kind == "none" and item.saving == "PNG" and item.history == "camera"]
    original = chains.decoded(
        next(p.path for p in listed if p.camera == host.camera and p.key[:16] in host.id).read_bytes()
    )
    assert np.array_equal(chains.decoded(host.path.read_bytes()), original)

    calls = []
    monkeypatch.setattr(run, "FAULTS", (ZeroDivisionError,))

    def method(evidence: Evidence) -> Trace:
        calls.append(evidence.path)
        if len(calls) == 2:
            raise ZeroDivisionError("a fault")
        return corners(evidence)

    assert not run.judge(made, [Method("corners", corners, method)], tmp_path / "answers", until=0)
    assert run.judge(made[:5], [Method("corners", corners, method)], tmp_path / "answers")
    assert run.judge(made, [Method("corners", corners, method)], tmp_path / "answers")
    assert len(calls) == len(made)
    figures = summary.summary(tmp_path / "answers", ["corners", "absent"])
    (mine,) = figures["methods"].values()
    assert mine["errors"] == 1 and mine["untouched"]["pictures"] == 3
    assert mine["untouched"]["alarms"] == 0 and mine["untouched"]["upper"] == pytest.approx(
        1 - 0.05 ** (1 / 3), abs=1e-4
    )
    assert mine["found"]["pictures"] == 8 and figures["corpus"]["hosts"] == 2
    with (tmp_path / "answers" / "corners.jsonl").open("a") as file:
        file.write('{"id": "cut off')
    assert run.Answers(tmp_path / "answers", Method("corners", corners, method)).rows.keys() == {i.id for i in made}
    changed = Method("corners", test_auc_counts_ties_half, method)
    assert not run.Answers(tmp_path / "answers", changed).rows


def test_a_masked_region_keeps_its_place_through_a_chain(tmp_path: Path) -> None:
    for number in range(2):
        photograph(tmp_path / f"{number}.jpg", number, f"Model {number}")
    listed = photos.listed([tmp_path])
    kinds = {"copy-move": manipulate.copy_move}
    (item,) = [
        item
        for item in corpus.made(listed, 1, tmp_path / "work", kinds)
        if item.kind == "copy-move" and item.saving == "sent twice"
    ]
    height, width = chains.decoded(item.path.read_bytes()).shape[:2]
    assert max(height, width) == 1080
    changed, both = corpus.truth(item, height, width)
    assert changed.shape == (height, width) and both is not None
    assert changed.sum() < both.sum() and not (changed & ~both).any()


def test_whole_findings_count_as_alarms_and_limits_decide() -> None:
    rows = [{"regions": 0, "whole": number == 0, "reason": None, "camera": str(number)} for number in range(50)]
    counted = summary.alarms(rows)
    assert (counted["alarms"], counted["whole"], counted["pictures"], counted["cameras_with_alarms"]) == (1, 1, 50, 1)
    clean = summary.alarms([{**row, "whole": False} for row in rows])
    assert page.allowed({"untouched": clean, "resaved": counted})
    assert not page.allowed({"untouched": counted, "resaved": clean})
    assert not page.allowed({"untouched": summary.alarms([]), "resaved": clean})


def test_real_pictures_are_counted_by_collection(tmp_path: Path) -> None:
    Image.fromarray(scene(1)).save(tmp_path / "a.png")
    mask = np.zeros((320, 448), np.uint8)
    mask[:100, :100] = 255
    Image.fromarray(mask).save(tmp_path / "a_gt.png")
    Image.fromarray(np.full((320, 448, 3), 255, np.uint8)).save(tmp_path / "b.png")
    index = {
        "a.png": {"set": "one", "clean": False, "mask": "a_gt.png"},
        "b.png": {"set": "one", "clean": True, "mask": None},
    }
    (tmp_path / "index.json").write_text(json.dumps(index))
    run.judge(tampered.items(tmp_path), [Method("corners", corners, corners)], tmp_path / "answers")
    figures = summary.summary(tmp_path / "answers", ["corners"])["methods"]["corners"]
    assert figures["real"] == {"one": {"tampered": [0, 1], "clean": [1, 1], "f1": 0.0, "masks": 1}}
    assert figures["untouched"]["pictures"] == 0


def test_every_method_of_the_analyzer_is_there_and_runs() -> None:
    evidence = Evidence.from_bytes(chains.jpeg(scene(3), 90))
    assert {"jpeg-grid", "ela"} <= METHODS.keys()
    for method in METHODS.values():
        assert len(method.digest) == 16
        assert isinstance(method.run(evidence), Trace)


def test_the_page_is_what_the_results_make_it() -> None:
    results = json.loads((ROOT / "benchmarks" / "traces.json").read_text("utf-8"))
    made = page.page(results)
    written = (ROOT / "docs" / "traces.md").read_text("utf-8")
    assert made == written, "run: python -m benchmarks.traces --results benchmarks/traces.json --page docs/traces.md"
