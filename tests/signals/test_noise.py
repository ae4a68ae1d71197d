from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nsfwforensics.signals.traces import noise as module
from nsfwforensics.signals.traces.noise import noise_levels
from tests.pictures import natural, resaved


def photo(height: int = 512, width: int = 640, sigma: float = 3.0, seed: int = 0) -> NDArray[np.float64]:
    """A soft picture with grain that grows with brightness, as a sensor's does."""
    soft = cv2.GaussianBlur(natural(height, width, seed), (0, 0), 3).astype(float)
    grain = np.random.default_rng(seed).normal(size=soft.shape)
    return soft + grain * sigma * np.sqrt(soft / 128)


def pixels(plane: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.round(plane), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("quality", [None, 95, 85])
@pytest.mark.parametrize(("factor", "sign"), [(0.4, -1), (2.5, 1)])
def test_the_map_shows_where_the_grain_is_finer_or_coarser(quality: int | None, factor: float, sign: int) -> None:
    plane = photo()
    place = (slice(128, 320), slice(200, 424))
    soft = cv2.GaussianBlur(natural(512, 640, 0), (0, 0), 3).astype(float)
    plane[place] = soft[place] + factor * (plane - soft)[place]
    picture = pixels(plane)
    trace = noise_levels(picture if quality is None else resaved(picture, quality))
    assert trace.map is not None
    inside = np.zeros(trace.map.shape, bool)
    inside[18:38, 27:51] = True
    outside = np.ones(trace.map.shape, bool)
    outside[12:44, 21:57] = False
    difference = np.median(trace.map[inside]) - np.median(trace.map[outside])
    assert sign * difference > 0.4  # in powers of two: the grain differs by 1.3 of them


def test_even_grain_gives_an_even_map_though_brightness_differs() -> None:
    trace = noise_levels(pixels(photo()))
    assert trace.map is not None
    assert np.percentile(np.abs(trace.map), 95) < 0.3
    assert trace.score < 0.3


def test_the_noise_level_is_measured() -> None:
    # The mean of three channels of independent grain: weights 0.299, 0.587, 0.114 leave 0.67 of it.
    for sigma in (2.0, 6.0):
        trace = noise_levels(
            pixels(np.full((512, 512, 3), 128.0) + np.random.default_rng(0).normal(0, sigma, (512, 512, 3)))
        )
        assert trace.data["sigma"] == pytest.approx(0.67 * sigma, rel=0.1)


def test_it_never_accuses() -> None:
    plane = photo()
    plane[100:300, 100:300] = np.random.default_rng(1).normal(128, 25, (200, 200, 3))
    trace = noise_levels(pixels(plane))
    assert trace.score > 0.3
    assert trace.regions == ()
    assert trace.mask is None


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 9000, 3), (100, 100, 3)])
def test_too_small_says_so(shape: tuple[int, int, int]) -> None:
    trace = noise_levels(np.full(shape, 90, np.uint8))
    assert trace.reason is not None
    assert trace.map is None


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_cannot_be_judged(value: int) -> None:
    assert noise_levels(np.full((400, 400, 3), value, np.uint8)).reason is not None


def test_odd_sizes_keep_to_whole_blocks() -> None:
    trace = noise_levels(pixels(photo(301, 413)))
    assert trace.map is not None
    assert trace.map.shape == (37, 51)
    assert trace.map.dtype == np.float32
    assert np.isfinite(trace.map).all()


def test_of_large_pictures_only_some_blocks_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORKING_PIXELS", 60_000)
    trace = noise_levels(pixels(photo()))
    assert trace.cell == 24
    assert trace.map is not None
    assert trace.map.shape == (512 // 24, 640 // 24)


def test_periodic_pictures_do_no_harm() -> None:
    rows, columns = np.mgrid[:400, :600]
    board = ((rows // 3 + columns // 5) % 2 * 180 + 30).astype(np.uint8)
    trace = noise_levels(np.repeat(board[..., None], 3, axis=2))
    assert trace.map is None or np.isfinite(trace.map).all()
