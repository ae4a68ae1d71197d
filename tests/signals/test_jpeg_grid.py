"""JPEG grids: pasted areas and crops are found, everyday pictures raise no alarm."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from nsfwforensics.signals.traces import jpeg_grid
from nsfwforensics.signals.traces.jpeg_regions import dense_grids, dense_rows, nfa
from nsfwforensics.signals.traces.jpeg_votes import NEAR_ZERO, NO_VOTE, ZERO, counts, histogram, tally, votes, zeros
from nsfwforensics.signals.traces.trace import Trace
from tests.pictures import resaved


def photo(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Something with the falling spectrum of a photograph, and a little noise."""
    generator = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    frequency[0, 0] = 1.0
    spectrum = np.fft.fft2(generator.normal(size=(height, width))) / frequency
    scene = np.fft.ifft2(spectrum).real
    noisy = 128 + 38 * (scene - scene.mean()) / scene.std() + generator.normal(0, 1.5, scene.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def overlap(trace: Trace, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> float:
    """Intersection over union of all regions with the box (left, top, width, height)."""
    found, true = np.zeros(shape, bool), np.zeros(shape, bool)
    true[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
    for region in trace.regions:
        found[region.y : region.y + region.height, region.x : region.x + region.width] = True
    return float((found & true).sum() / (found | true).sum())


HOST, DONOR = photo(416, 544, 1), photo(416, 544, 2)
BOX = (203, 101, 160, 144)


def spliced(host: NDArray[np.uint8], donor: NDArray[np.uint8], left: int = 48, top: int = 64) -> NDArray[np.uint8]:
    x, y, width, height = BOX
    picture = host.copy()
    picture[y : y + height, x : x + width] = donor[top : top + height, left : left + width]
    return picture


@pytest.mark.parametrize(("host", "donor", "last"), [(85, 75, None), (70, 90, None), (90, 75, 96), (95, 70, 95)])
def test_a_pasted_area_is_found_with_its_grid(host: int, donor: int, last: int | None) -> None:
    picture = spliced(resaved(HOST, host), resaved(DONOR, donor))
    picture = resaved(picture, last) if last else picture
    trace = jpeg_grid.grid(picture)
    assert overlap(trace, BOX, picture.shape) > 0.7
    assert trace.data["origin"] == (0, 0)
    first = trace.regions[0]
    assert first.data["kind"] == "foreign"
    assert first.data["origin"] == ((BOX[0] - 48) % 8, (BOX[1] - 64) % 8)
    assert first.score > 3
    assert trace.mask is not None and trace.map is not None
    assert trace.mask.shape == trace.map.shape == (52, 68)
    assert trace.mask[20, 35] and not trace.mask[5, 5]


def test_an_area_without_the_grid_is_found() -> None:
    picture = spliced(resaved(HOST, 80), DONOR)
    trace = jpeg_grid.grid(picture)
    assert [region.data["kind"] for region in trace.regions] == ["missing"]
    assert overlap(trace, BOX, picture.shape) > 0.6
    assert not jpeg_grid.grid(picture, missing=False).regions


@pytest.mark.parametrize(("left", "top"), [(1, 0), (3, 6), (8, 4)])
@pytest.mark.parametrize("again", [None, 96])
def test_a_crop_is_told_by_the_origin_of_its_grid(left: int, top: int, again: int | None) -> None:
    cut = resaved(HOST, 75)[top:, left:]
    picture = resaved(cut, again) if again else cut
    trace = jpeg_grid.grid(picture)
    assert trace.data["offset"] == (-left % 8, -top % 8)
    assert trace.regions == ()


@pytest.mark.parametrize("quality", [30, 60, 75, 85, 95, 100])
def test_a_picture_saved_once_raises_no_alarm(quality: int) -> None:
    trace = jpeg_grid.grid(resaved(HOST, quality))
    assert trace.regions == () and trace.mask is None
    assert trace.score < 3
    assert trace.data["offset"] is None


def _checks(side: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:256, :256]
    return np.asarray((x // side + y // side) % 2 * 200 + 20, np.uint8)


def _gradient() -> NDArray[np.uint8]:
    y, x = np.mgrid[:256, :256]
    return np.asarray((x + y) // 3, np.uint8)


def _text() -> NDArray[np.uint8]:
    page = np.full((512, 512), 255, np.uint8)
    for row in range(24, 500, 24):
        cv2.putText(page, "the quick brown fox 0123456789", (8, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 1, cv2.LINE_AA)
    return page


PLAIN = {
    "black": np.zeros((200, 300), np.uint8),
    "white": np.full((200, 300), 255, np.uint8),
    "noise": np.random.default_rng(3).integers(0, 256, (256, 256)).astype(np.uint8),
    "faint noise": np.random.default_rng(4).integers(126, 130, (256, 256)).astype(np.uint8),
    "no grid": HOST,
    "halved": cv2.resize(resaved(HOST, 80), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "gradient": _gradient(),
    "text": _text(),
    "saturated": np.clip(HOST.astype(int) * 2, 0, 255).astype(np.uint8),
    **{f"checks of {side}": _checks(side) for side in (1, 3, 5, 8, 16)},
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("quality", [None, 80])
def test_pictures_without_an_edit_raise_no_alarm(name: str, quality: int | None) -> None:
    picture = np.asarray(PLAIN[name], np.uint8)
    trace = jpeg_grid.grid(resaved(picture, quality) if quality else picture)
    assert trace.regions == () and trace.data["offset"] is None


@pytest.mark.parametrize("shape", [(1, 1), (7, 900), (900, 8), (63, 64)])
def test_a_picture_too_small_is_not_judged(shape: tuple[int, int]) -> None:
    trace = jpeg_grid.grid(np.zeros(shape, np.uint8))
    assert trace.reason and trace.regions == ()


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(64, 90), st.integers(64, 90))))
def test_any_pixels_give_a_well_formed_trace(luma: NDArray[np.uint8]) -> None:
    trace = jpeg_grid.grid(luma)
    assert trace.map is not None and trace.map.shape == (luma.shape[0] // 8, luma.shape[1] // 8)
    for region in trace.regions:
        assert region.x >= 0 and region.y >= 0
        assert region.x + region.width <= luma.shape[1] and region.y + region.height <= luma.shape[0]


def test_the_same_pixels_give_the_same_trace() -> None:
    picture = spliced(resaved(HOST, 85), resaved(DONOR, 75))
    first, second = jpeg_grid.grid(picture), jpeg_grid.grid(picture.copy())
    assert first.regions == second.regions and first.data == second.data
    assert np.array_equal(first.map, second.map)  # type: ignore[arg-type]


@pytest.fixture
def glancing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pictures of any size are glanced at; how many rows of pixels voted each time."""
    asked: list[int] = []
    plain = jpeg_grid.votes

    def watched(luma: NDArray[np.uint8], rows: Sequence[tuple[int, int]], *rest: object) -> list[NDArray[np.uint8]]:
        asked.append(sum(last - first for first, last in rows))
        return plain(luma, rows, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(jpeg_grid, "votes", watched)
    monkeypatch.setattr(jpeg_grid, "GLANCE_PIXELS", 0)
    return asked


@pytest.mark.parametrize("quality", [60, 85, 95, None])
def test_where_rows_of_pixels_see_nothing_no_others_vote(quality: int | None, glancing: list[int]) -> None:
    picture = resaved(HOST, quality) if quality else HOST
    seen = jpeg_grid.grid(picture, missing=False, glance=True)
    assert glancing == [17]
    whole = jpeg_grid.grid(picture, missing=False)
    assert seen.regions == whole.regions == () and seen.reason is None
    assert (seen.map, seen.mask, seen.score) == (None, None, 0)
    assert seen.data.keys() == whole.data.keys()
    assert seen.data["origin"] == whole.data["origin"] and seen.data["offset"] is None
    assert seen.data["analysed_share"] == pytest.approx(1 / 3, abs=0.02)
    if quality:
        assert seen.data["rate"] == pytest.approx(whole.data["rate"], abs=0.03)


@pytest.mark.parametrize(
    "kind", ["pasted", "pasted and saved", "small", "no grid of its own", "cropped", "scaled by half"]
)
def test_where_rows_of_pixels_see_something_the_answer_is_that_of_the_whole(kind: str, glancing: list[int]) -> None:
    host, donor = resaved(HOST, 85), resaved(DONOR, 75)
    small = host.copy()
    small[200:264, 301:365] = donor[203:267, 304:368]
    picture = {
        "pasted": lambda: spliced(host, donor),
        "pasted and saved": lambda: resaved(spliced(resaved(HOST, 90), donor), 96),
        "small": lambda: small,
        "no grid of its own": lambda: spliced(host, DONOR),
        "cropped": lambda: resaved(np.ascontiguousarray(resaved(HOST, 70)[3:, 5:]), 96),
        "scaled by half": lambda: PLAIN["halved"],
    }[kind]()
    seen = jpeg_grid.grid(picture, glance=True)
    assert len(glancing) > 1 or kind == "scaled by half"
    whole = jpeg_grid.grid(picture)
    assert whole.regions or whole.data["offset"] or kind == "scaled by half"
    assert (seen.regions, seen.data["offset"]) == (whole.regions, whole.data["offset"])
    if seen.regions:
        assert (seen.score, seen.data) == (whole.score, whole.data)
        np.testing.assert_array_equal(seen.mask, whole.mask)


@pytest.mark.parametrize("shape", [(64, 13_000), (13_000, 64), (903, 905)])
def test_a_glance_is_possible_at_any_shape(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(2).integers(100, 140, shape).astype(np.uint8)
    seen = jpeg_grid.grid(noise, glance=True)
    assert seen.regions == () and seen.data["offset"] is None and seen.reason is None


def test_a_picture_of_usual_screen_size_is_not_only_glanced_at() -> None:
    picture = resaved(HOST, 85)
    seen, whole = jpeg_grid.grid(picture, glance=True), jpeg_grid.grid(picture)
    assert seen.data == whole.data and seen.map is not None


def test_a_large_picture_is_analysed_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    host, donor = resaved(photo(1600, 400, 5), 85), resaved(photo(1600, 400, 6), 75)
    picture = host.copy()
    picture[400:1203, 100:299] = donor[401:1204, 103:302]
    monkeypatch.setattr(jpeg_grid, "MOST_PIXELS", 320_000)
    trace = jpeg_grid.grid(picture)
    assert 0.4 < trace.data["analysed_share"] < 0.6
    assert overlap(trace, (100, 400, 199, 803), picture.shape) > 0.7
    assert trace.map is not None and trace.map.shape == (200, 50)
    assert np.isnan(trace.map).mean() == pytest.approx(1 - trace.data["analysed_share"], abs=0.01)


def test_zeros_are_those_of_the_transform() -> None:
    luma = photo(64, 300, 7)
    (found,) = zeros(luma)
    for y, x in itertools.product((0, 9, 56), (0, 5, 255, 256, 292)):
        block = cv2.dct(luma[y : y + 8, x : x + 8].astype(np.float64))
        block[0, 0] = 99
        assert found[y, x] == (np.abs(block) < ZERO).sum()


@pytest.mark.parametrize("shape", [(8, 8), (9, 807), (30, 808), (47, 1700)])
def test_zeros_are_those_of_the_transform_across_strips_and_tiles(shape: tuple[int, int]) -> None:
    luma = photo(*shape, 9)
    index = np.arange(8)
    matrix = 0.5 * np.cos((2 * index[None, :] + 1) * index[:, None] * np.pi / 16)
    matrix[0] /= np.sqrt(2)
    blocks = np.lib.stride_tricks.sliding_window_view(luma, (8, 8)).astype(np.float64)
    sizes = np.abs(matrix @ blocks @ matrix.T)
    sizes[..., 0, 0] = 99
    for found, least in zip(zeros(luma, (ZERO, NEAR_ZERO)), (ZERO, NEAR_ZERO), strict=True):
        unsure = (np.abs(sizes - least) < 1e-4).sum(axis=(2, 3))  # single precision may fall on either side
        assert (np.abs(found.astype(int) - (sizes < least).sum(axis=(2, 3))) <= unsure).all()


def test_votes_are_those_of_a_search_through_all_blocks() -> None:
    luma = resaved(photo(64, 72, 8), 80)
    luma[30:50, 20:48] = 77  # no vote: flat
    (found,) = votes(luma, [(0, 40), (40, 64)])
    (number,) = zeros(luma)
    for y, x in itertools.product(range(7, 57, 3), range(7, 65, 5)):
        around = number[y - 7 : y + 1, x - 7 : x + 1]
        best = np.argwhere(around == around.max())
        top, left = best[0] + (y - 7, x - 7)
        block = luma[top : top + 8, left : left + 8]
        constant = (block == block[:1]).all() or (block == block[:, :1]).all()
        expected = NO_VOTE if len(best) > 1 or constant else top % 8 * 8 + left % 8
        assert found[y, x] == expected
    assert (found[:7] == NO_VOTE).all() and (found[:, -7:] == NO_VOTE).all()
    assert counts(found).sum() == (found[:64, :72] != NO_VOTE).sum()


def test_pixels_are_counted_per_cell_and_per_grid_as_one_by_one() -> None:
    found = np.random.default_rng(5).integers(0, 65, (83, 126)).astype(np.uint8)
    found[:20, :60] = NO_VOTE
    found[32:56, 40:80] = 13
    cells = counts(found)
    assert cells.shape == (10, 15, 64)
    assert cells[4, 5, 13] == 64 and cells[0, 0].sum() == 0
    for grid in range(64):
        np.testing.assert_array_equal(tally(found == grid), cells[..., grid])
    np.testing.assert_array_equal(histogram(found), np.bincount(found.ravel(), minlength=65))


@pytest.mark.parametrize("grids", [(9,), (9, 30), (0, 9)])
def test_counting_only_rows_where_others_are_many_finds_every_dense_grid(grids: tuple[int, ...]) -> None:
    generator = np.random.default_rng(len(grids))
    found = np.where(generator.random((400, 320)) < 0.95, 0, generator.integers(0, 65, (400, 320))).astype(np.uint8)
    for number, grid in enumerate(grids):
        top = 40 + 200 * number
        part = found[top : top + 48, 100:148]
        part[generator.random(part.shape) < 0.4] = grid
    cells = counts(found)
    rows = dense_rows(tally((found != 0) & (found != NO_VOTE)))
    assert rows and sum(last - first for first, last in rows) < 40
    some = np.zeros(64, bool)
    for first, last in rows:
        some |= dense_grids(cells[first:last])
    every = dense_grids(cells)
    assert set(np.flatnonzero(every)) == {0, *grids}
    np.testing.assert_array_equal(some[1:], every[1:])


def test_the_bound_is_never_below_the_exact_tail() -> None:
    from math import comb, log10

    for blocks, hits, chance in ((20, 5, 1 / 64), (60, 9, 0.05), (10, 10, 0.5), (30, 1, 0.2)):
        exact = sum(comb(blocks, k) * chance**k * (1 - chance) ** (blocks - k) for k in range(hits, blocks + 1))
        assert nfa(blocks, hits, chance, 0.0) >= log10(exact) - 1e-9


@pytest.mark.parametrize("kind", ["once", "pasted", "no grid", "cropped", "cropped and saved"])
def test_grids_that_are_dense_nowhere_are_left_out_without_a_difference(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = {
        "once": lambda: resaved(HOST, 80),
        "pasted": lambda: resaved(spliced(resaved(HOST, 70), resaved(DONOR, 90)), 96),
        "no grid": lambda: HOST,
        "cropped": lambda: np.ascontiguousarray(resaved(HOST, 70)[3:, 5:]),
        "cropped and saved": lambda: resaved(np.ascontiguousarray(resaved(HOST, 70)[3:, 5:]), 92),
    }[kind]()
    asked: list[int] = []
    plain = jpeg_grid.grid_areas
    monkeypatch.setattr(jpeg_grid, "grid_areas", lambda own, grid, *rest: asked.append(grid) or plain(own, grid, *rest))
    quick = jpeg_grid.grid(picture)
    assert len(asked) < 20
    monkeypatch.setattr(jpeg_grid._Cells, "dense", lambda cells, main: np.ones(64, bool))
    slow = jpeg_grid.grid(picture)
    assert len(asked) > 120
    assert (quick.score, quick.regions, quick.data) == (slow.score, slow.regions, slow.data)
    np.testing.assert_array_equal(quick.map, slow.map)
    np.testing.assert_array_equal(quick.mask, slow.mask)


@pytest.mark.parametrize("width", [24, 100, 700])
def test_zeros_are_the_same_whatever_is_transformed_together(width: int) -> None:
    luma = np.random.default_rng(5).integers(100, 140, (41, 2600), dtype=np.uint8)
    whole = zeros(luma, (ZERO, NEAR_ZERO))
    part = zeros(luma[3:, 1201 : 1201 + width], (ZERO, NEAR_ZERO))
    assert (part == whole[:, 3:, 1201 : 1201 + width - 7]).all()
