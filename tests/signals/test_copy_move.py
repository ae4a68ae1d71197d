from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.signals.traces import copy_move as module
from nsfwforensics.signals.traces import copy_move_match
from nsfwforensics.signals.traces.copy_move import LEAST_SIDE, copy_move
from tests.pictures import natural, resaved


def photo(height: int = 480, width: int = 640, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth patches with edges and grain: enough corners for keypoints, nothing twice."""
    plane = natural(height, width, seed)[..., 1].astype(np.float32)
    random = np.random.default_rng(seed)
    for _ in range(120):
        centre = random.integers(0, (width, height))
        axes = random.integers(6, 40, 2)
        shade = float(random.uniform(20, 235))
        angle, angle_start = float(random.uniform(0, 180)), 0
        cv2.ellipse(plane, centre.tolist(), axes.tolist(), angle, angle_start, 360, shade, -1)
    grain = random.normal(0, 2, plane.shape)
    return np.clip(cv2.GaussianBlur(plane, (0, 0), 0.8) + grain, 0, 255).astype(np.uint8)


def covered(mask: NDArray[np.bool_] | None, cell: int, box: tuple[slice, slice]) -> float:
    assert mask is not None
    return float(np.kron(mask, np.ones((cell, cell), bool))[box].mean())


@pytest.mark.parametrize("quality", [75, 95])
def test_a_moved_copy_is_found_at_both_ends_and_nothing_else(quality: int) -> None:
    picture = photo()
    source, target = (slice(60, 190), slice(40, 200)), (slice(300, 430), slice(411, 571))
    picture[target] = picture[source]
    trace = copy_move(resaved(picture, quality))
    assert len(trace.regions) == 2
    assert covered(trace.mask, trace.cell, source) > 0.8
    assert covered(trace.mask, trace.cell, target) > 0.8
    assert trace.mask is not None
    both = 2 * 130 * 160
    assert trace.mask.sum() * trace.cell**2 < 1.15 * both
    data = trace.regions[0].data
    assert {abs(data["dx"]), abs(data["dy"])} == {371, 240}
    assert data["scale"] == 1
    assert data["degrees"] == 0


def test_a_turned_and_enlarged_copy_is_found_with_its_angle_and_scale() -> None:
    picture = photo(seed=3)
    matrix = cv2.getRotationMatrix2D((130, 130), 25, 1.15)
    matrix[:, 2] += (300, 170)
    over = cv2.warpAffine(picture, matrix, (640, 480), flags=cv2.INTER_CUBIC)
    disc = np.zeros(picture.shape, np.uint8)
    cv2.circle(disc, (430, 300), 85, 1, -1)
    trace = copy_move(resaved(np.where(disc > 0, over, picture), 85))
    assert len(trace.regions) == 2
    data = trace.regions[0].data
    assert min(abs(data["scale"] - 1.15), abs(data["scale"] - 1 / 1.15)) < 0.02
    assert abs(abs(data["degrees"]) - 25) < 1


def test_two_different_copies_are_two_pairs() -> None:
    picture = photo(seed=5)
    picture[330:450, 30:180] = picture[20:140, 30:180]
    picture[330:450, 430:580] = picture[20:140, 400:550]
    trace = copy_move(resaved(picture, 90))
    assert sorted(region.data["pair"] for region in trace.regions) == [0, 0, 1, 1]


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_picture_without_copies_gives_nothing(seed: int) -> None:
    trace = copy_move(resaved(photo(seed=seed), 80))
    assert trace.regions == ()
    assert trace.mask is None


def test_alike_but_not_the_same_is_no_copy() -> None:
    """The same shape with another light and another grain, as windows of one building are."""
    picture = photo(seed=7).astype(np.float32)
    grain = np.random.default_rng(1).normal(0, 6, (130, 160))
    picture[300:430, 411:571] = picture[60:190, 40:200] * 0.93 + 9 + grain
    assert copy_move(resaved(np.clip(picture, 0, 255).astype(np.uint8), 90)).regions == ()


def test_tiles_and_patterns_give_nothing() -> None:
    tile = photo(80, 80, seed=2)
    assert copy_move(np.tile(tile, (6, 8))).regions == ()
    rows, columns = np.mgrid[:480, :640]
    assert copy_move(((rows // 20 + columns // 20) % 2 * 200).astype(np.uint8)).regions == ()
    assert copy_move((127 + 100 * np.sin(columns / 5.0)).astype(np.uint8)).regions == ()


def test_a_screen_with_rows_of_the_same_drawing_gives_nothing() -> None:
    screen = np.full((600, 800), 245, np.uint8)
    for row in range(8):
        top = 20 + 70 * row
        cv2.circle(screen, (50, top + 25), 22, 90, -1)
        cv2.putText(screen, "A", (40, top + 34), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 250, 2)
        cv2.putText(screen, "Message received", (100, top + 20), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 30, 2)
        cv2.putText(screen, f"number {row * 37}", (100, top + 45), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 110, 1)
    assert copy_move(screen).regions == ()
    assert copy_move(resaved(screen, 85)).regions == ()


def test_a_picture_shown_twice_side_by_side_is_a_collage() -> None:
    half = photo(480, 400, seed=9)
    assert copy_move(np.hstack([half, half])).regions == ()


@pytest.mark.parametrize("shape", [(1, 1), (LEAST_SIDE - 1, 4000), (3, 200000)])
def test_too_small_says_so(shape: tuple[int, int]) -> None:
    trace = copy_move(np.zeros(shape, np.uint8))
    assert trace.reason is not None
    assert trace.regions == ()


def test_flat_and_noise_give_nothing() -> None:
    assert copy_move(np.full((300, 400), 128, np.uint8)).regions == ()
    noise = np.random.default_rng(0).integers(0, 256, (300, 400)).astype(np.uint8)
    assert copy_move(noise).regions == ()


def _sizes_looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen: list[int] = []

    def watch(name: str) -> None:
        real = getattr(module, name)

        def watched(gray: NDArray[np.uint8]) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
            seen.append(gray.size)
            found: tuple[NDArray[np.complex64], NDArray[np.float32]] = real(gray)
            return found

        monkeypatch.setattr(module, name, watched)

    watch("keypoints")
    watch("quick_keypoints")
    return seen


def test_a_picture_that_repeats_nothing_is_only_glanced_at(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _sizes_looked_at(monkeypatch)
    trace = copy_move(photo(900, 1000, seed=11))
    assert seen == [pytest.approx(module.GLANCE_PIXELS, rel=0.01)]
    assert trace.regions == () and trace.reason is None
    assert trace.data["working_scale"] == pytest.approx((module.GLANCE_PIXELS / 900_000) ** 0.5, abs=1e-3)


@pytest.mark.parametrize("side", [72, 110])
def test_where_a_glance_sees_something_the_answer_is_that_of_the_whole(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = photo(700, 900, seed=3)
    picture[450 : 450 + side, 600 : 600 + side] = picture[100 : 100 + side, 100 : 100 + side]
    glanced = copy_move(resaved(picture, 90))
    monkeypatch.setattr(module, "GLANCED_PIXELS", picture.size)
    whole = copy_move(resaved(picture, 90))
    assert len(whole.regions) == 2
    assert glanced.regions == whole.regions and glanced.data == whole.data


def test_a_strip_is_not_judged_by_a_glance_too_narrow_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _sizes_looked_at(monkeypatch)
    copy_move(photo(100, 9000, seed=11))
    assert seen == [900_000]


def test_a_picture_no_larger_than_a_glance_is_glanced_at_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("keypoints", "quick_keypoints"):
        plain = getattr(module, name)
        monkeypatch.setattr(module, name, lambda gray, name=name, plain=plain: asked.append(name) or plain(gray))
    trace = copy_move(photo(660, 800, seed=11))
    assert asked == ["quick_keypoints"]
    assert trace.data["working_scale"] == 1 and trace.regions == ()


def test_large_pictures_are_worked_on_at_a_capped_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _sizes_looked_at(monkeypatch)
    monkeypatch.setattr(module, "WORKING_PIXELS", 200_000)
    monkeypatch.setattr(module, "GLANCED_PIXELS", 1e9)
    picture = cv2.resize(photo(seed=3), (2400, 1800), interpolation=cv2.INTER_CUBIC)
    picture[1150:1650, 1600:2200] = picture[150:650, 150:750]
    trace = copy_move(picture)
    assert seen == [pytest.approx(200_000, rel=0.01)]
    assert covered(trace.mask, trace.cell, (slice(1150, 1650), slice(1600, 2200))) > 0.7


def test_the_same_picture_gives_the_same_answer() -> None:
    picture = photo()
    picture[300:430, 411:571] = picture[60:190, 40:200]
    first, second = copy_move(picture), copy_move(picture)
    assert first.regions == second.regions
    assert first.score == second.score


def test_samples_hold_no_copies() -> None:
    for name in ("camera-original.jpg", "reference.jpg", "screenshot.png"):
        assert copy_move(np.array(Image.open(f"samples/{name}").convert("L"))).regions == ()


@pytest.mark.parametrize("size", [(480, 640), (700, 150)])
def test_matches_are_those_of_a_search_that_sorts_every_row(size: tuple[int, int]) -> None:
    picture = photo(*size, seed=5)
    picture[300:420, 20:140] = picture[60:180, 10:130]
    where, descriptors = copy_move_match.keypoints(resaved(picture, 85))
    wanted = set()
    alike = descriptors @ descriptors.T
    for row in range(len(where)):
        alike[row, np.abs(where - where[row]) < 24] = -1
        neighbours = np.argsort(-alike[row], kind="stable")[:10]
        distances = np.sqrt(np.maximum(0, 2 - 2 * alike[row, neighbours]))
        if distances[0] < 0.6 * distances[-1]:
            wanted |= {(row, j) for _, j in copy_move_match._ratio_test(where, neighbours, distances)}
    found = copy_move_match.matches(where, descriptors)
    assert len(found) > 20
    assert set(map(tuple, found.tolist())) == wanted
