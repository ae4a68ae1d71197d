from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.signals.traces import recompression
from nsfwforensics.signals.traces.double_quantisation import double_quantisation, unclipped_blocks
from nsfwforensics.signals.traces.recompression import LEAST_SCORE, MODES, history, ijg_table
from nsfwforensics.signals.traces.trace import Trace
from tests.pictures import natural

pytest.importorskip("jpeglib", reason="jpeglib has no wheel for this platform")


def saved(pixels: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def opened(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def coefficients(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    from nsfwforensics.formats.dct import read_coefficients

    read = read_coefficients(data)
    return read.luma, read.tables[0]


def traced(data: bytes) -> Trace:
    luma, table = coefficients(data)
    return double_quantisation(luma, table, unclipped_blocks(opened(data), luma.shape))


def scene(seed: int = 3) -> np.ndarray:
    """A made photograph that stays clear of black and white."""
    return (natural(480, 640, seed).astype(float) * 0.6 + 50).astype(np.uint8)


def pasted(first: int, last: int, box: tuple[int, int, int, int]) -> bytes:
    x, y, width, height = box
    host = opened(saved(scene(), first))
    host[y : y + height, x : x + width] = scene(9)[50 : 50 + height, 60 : 60 + width]
    return saved(host, last)


@pytest.mark.parametrize(("first", "last"), [(60, 80), (70, 90), (80, 95)])
def test_what_was_pasted_between_two_savings_is_marked(first: int, last: int) -> None:
    box = (203, 117, 200, 160)
    trace = traced(pasted(first, last, box))
    assert abs(trace.data["earlier_quality"] - first) <= 2
    assert len(trace.regions) == 1 and trace.mask is not None and trace.map is not None
    truth = np.zeros(trace.mask.shape, bool)
    truth[117 // 8 : 277 // 8, 203 // 8 : 403 // 8] = True
    assert (trace.mask & truth).sum() / (trace.mask | truth).sum() > 0.6
    (region,) = trace.regions
    assert abs(region.x - box[0]) < 40 and abs(region.y - box[1]) < 40
    assert abs(region.width - box[2]) < 64 and abs(region.height - box[3]) < 64
    assert region.score > 20 and trace.cell == 8


@pytest.mark.parametrize(("first", "last"), [(60, 80), (70, 90), (80, 95), (85, 70), (75, 75), (95, 98)])
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_marked_where_nothing_was_changed(first: int, last: int, seed: int) -> None:
    trace = traced(saved(opened(saved(scene(seed), first)), last))
    assert trace.regions == () and trace.mask is None


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_a_picture_saved_once_is_not_judged(quality: int) -> None:
    trace = traced(saved(scene(), quality))
    assert trace.regions == () and trace.score == 0
    assert trace.reason is not None and "saved twice" in trace.reason


def test_clipped_places_are_left_out() -> None:
    pixels = scene()
    pixels[100:300, 200:420] = np.clip(pixels[100:300, 200:420].astype(int) * 3, 0, 255)
    data = saved(opened(saved(pixels, 60)), 85)
    luma, _ = coefficients(data)
    assert not unclipped_blocks(opened(data), luma.shape)[20:30, 30:45].any()
    assert traced(data).regions == ()


def test_clipping_in_one_colour_counts() -> None:
    pixels = np.full((20, 30, 3), 128, np.uint8)
    pixels[9, 17, 2] = 255
    kept = unclipped_blocks(pixels, (3, 4))
    assert kept.tolist() == [[True] * 4, [True, True, False, True], [True] * 4]


def test_without_knowing_what_is_clipped_there_is_a_map_and_no_region() -> None:
    luma, table = coefficients(pasted(60, 85, (200, 120, 200, 160)))
    trace = double_quantisation(luma, table)
    assert trace.regions == () and trace.map is not None and trace.score > 100


def test_small_and_plain_pictures_have_a_reason() -> None:
    for pixels in (np.zeros((1, 1, 3), np.uint8), scene()[:64, :64], np.full((400, 400, 3), 90, np.uint8)):
        trace = traced(saved(pixels, 80))
        assert trace.reason and not trace.regions


def test_the_shape_of_the_picture_does_not_matter() -> None:
    tall = np.ascontiguousarray(np.tile(natural(4000, 40, seed=4), (1, 1, 1)))
    assert traced(saved(tall, 80)).regions == ()
    assert traced(saved(np.ascontiguousarray(tall.transpose(1, 0, 2)), 80)).regions == ()


def test_a_large_picture_is_judged_on_a_part_of_it() -> None:
    luma, table = coefficients(saved(opened(saved(scene(), 65)), 90))
    large = np.tile(luma, (8, 8, 1, 1))
    past = history(large, table)
    assert past.score > LEAST_SCORE and past.quality is not None and abs(past.quality - 65) <= 1
    assert past.coefficients < 16_384 * len(MODES)


def test_the_tables_tried_are_those_of_the_library() -> None:
    for quality in (1, 40, 50, 75, 96, 100):
        _, table = coefficients(saved(scene(), quality))
        assert (ijg_table(quality) == table).all()


@pytest.mark.parametrize(("last", "kept"), [(90, True), (50, False)])
def test_tables_that_are_kept_are_those_of_the_formula(last: int, kept: bool) -> None:
    luma, table = coefficients(saved(opened(saved(scene(), 65)), last))
    recompression._moved.cache_clear()
    first = history(luma, table)
    before = recompression._moved.cache_info()
    assert history(luma, table).gains == first.gains
    assert recompression._moved.cache_info().misses == before.misses  # all were kept
    steps = [(int(ijg_table(quality)[0, 1]), int(table[0, 1])) for quality in recompression.QUALITIES]
    for earlier, step in sorted(set(steps))[::4]:
        assert (step <= 8 * earlier) or not kept
        _, found = recompression._moved(earlier, step)
        limit = found.shape[0] // 2
        for level in (0, limit // 2, limit + 1):
            for value in (-24, -1, 0, 5, 24):
                centre, spread = (level - limit) * earlier, 0.6 * math.sqrt(2)
                low, high = (math.erf(((value + half) * step - centre) / spread) for half in (-0.5, 0.5))
                assert found[level, value + 24] == pytest.approx((high - low) / 2, abs=1e-6)


@pytest.mark.parametrize(("first", "step"), [(1, 1), (3, 5), (16, 7), (99, 2)])
def test_levels_counted_in_sorted_values_are_those_of_rounding(first: int, step: int) -> None:
    generator = np.random.default_rng(first)
    content = (generator.laplace(0, 30, 4000)).astype(np.float32).astype(np.float64)
    content[:400] = (generator.integers(-90, 90, 400) + 0.5) * first  # exactly between two levels
    limit = recompression._limit(first, step)
    levels = np.clip(np.rint(content / first), -limit, limit).astype(int) + limit
    mass = np.bincount(levels, minlength=2 * limit + 1)
    wanted = recompression._smoothed(mass @ recompression._moved(first, step)[1])
    found = recompression._twice(np.sort(content), (step, first), step)
    assert found.shape == (2, 49) and (found[1] == wanted).all()


def test_what_is_said_of_all_qualities_at_once_is_what_is_said_of_each() -> None:
    luma, table = coefficients(saved(opened(saved(scene(), 65)), 90))
    past = history(luma, table)
    bands = recompression._bands(luma)
    assert bands is not None
    content = recompression._content(bands, table.astype(np.float64))
    weights = recompression._histograms(bands)
    assert content is not None and weights is not None and past.single is not None
    weights[:, recompression.REACH] = 0
    flat = -math.log(2 * recompression.REACH)
    for quality in (40, 65, 66, 90, 99):
        gain, agreeing = 0.0, 0
        for i, mode in enumerate(MODES):
            twice = recompression._twice(np.sort(content[i]), (int(ijg_table(quality)[mode]),), int(table[mode]))[0]
            plain = max((weights[i] * np.log(past.single[i])).sum(), weights[i].sum() * flat)
            by_mode = (weights[i] * np.log(twice)).sum() - plain
            gain, agreeing = gain + by_mode, agreeing + (by_mode > 0)
            if quality == past.quality:
                assert past.double is not None and (past.double[i] == twice).all()
        assert past.gains[quality] == pytest.approx(gain / past.coefficients, rel=1e-12)
        if quality == past.quality:
            assert agreeing == past.agreeing


def test_the_content_is_that_of_the_picture_moved_by_four_pixels() -> None:
    luma, table = coefficients(saved(scene(), 80))
    content = recompression._content([luma], table.astype(np.float64))
    assert content is not None
    k = np.arange(8)
    dct = np.cos((2 * k[None, :] + 1) * k[:, None] * np.pi / 16) * np.where(k[:, None] == 0, math.sqrt(1 / 8), 0.5)
    rows, columns = luma.shape[:2]
    pixels = np.clip(np.rint(dct.T @ (luma.astype(np.float64) * table) @ dct + 128), 0, 255) - 128
    plane = pixels.transpose(0, 2, 1, 3).reshape(rows * 8, columns * 8)[4:-4, 4:-4]
    again = dct @ plane.reshape(rows - 1, 8, columns - 1, 8).transpose(0, 2, 1, 3) @ dct.T
    for i, (u, v) in enumerate(MODES):
        difference = np.abs(content[i] - again[:, :, u, v].ravel())
        assert np.median(difference) < 1e-4 and (difference > 0.01).mean() < 0.001  # halves may be rounded either way
