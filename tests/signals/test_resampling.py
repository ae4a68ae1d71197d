from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nsfwforensics.signals.traces import resampling as module
from nsfwforensics.signals.traces.resampling import LEAST_SIDE, resampling
from tests.pictures import natural, resaved


def photo(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    plane = natural(height, width, seed)[..., 1] + np.random.default_rng(seed).normal(0, 4, (height, width))
    return np.clip(plane, 0, 255).astype(np.uint8)


def enlarged(factor: float, interpolation: int, seed: int = 1) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.resize(photo(700, 700, seed), None, fx=factor, fy=factor, interpolation=interpolation), np.uint8
    )


def pasted(factor: float, interpolation: int = cv2.INTER_CUBIC) -> NDArray[np.uint8]:
    picture = photo(1024, 1280)
    picture[320:832, 500:1012] = enlarged(factor, interpolation)[37:549, 51:563]
    return picture


@pytest.mark.parametrize("interpolation", [cv2.INTER_LINEAR, cv2.INTER_CUBIC])
@pytest.mark.parametrize("factor", [1.17, 1.25, 1.3])
def test_an_enlarged_part_is_found_where_it_is(factor: float, interpolation: int) -> None:
    trace = resampling(pasted(factor, interpolation))
    assert trace.mask is not None
    found = np.kron(trace.mask, np.ones((trace.cell, trace.cell), bool))
    truth = np.zeros(found.shape, bool)
    truth[320:832, 500:1012] = True
    assert (found & truth).sum() / (found | truth).sum() > 0.6
    cycles = trace.regions[0].data["frequency"]
    harmonics = [abs((n / factor + 0.5) % 1 - 0.5) for n in (1, 2)]
    assert min(abs(cycles - harmonic) for harmonic in harmonics) < 0.01


def test_it_survives_jpeg_at_quality_95_but_not_a_messenger() -> None:
    assert resampling(resaved(pasted(1.3), 95)).regions
    small = cv2.resize(resaved(pasted(1.3), 95), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    assert resampling(resaved(small, 75)).regions == ()


@pytest.mark.parametrize("quality", [None, 95, 80, 60])
def test_an_untouched_picture_gives_nothing(quality: int | None) -> None:
    picture = photo(1024, 1280, seed=4)
    assert resampling(picture if quality is None else resaved(picture, quality)).regions == ()


def test_the_grid_of_an_earlier_jpeg_is_no_resampling() -> None:
    picture = resaved(photo(1024, 1280, seed=4), 60)
    picture[300:812, 300:812] = resaved(photo(1024, 1280, seed=5), 40)[3:515, 5:517]
    assert resampling(picture).regions == ()


def test_a_picture_resampled_as_a_whole_has_a_score_but_no_region() -> None:
    trace = resampling(enlarged(1.4, cv2.INTER_CUBIC))
    assert trace.score > 1.8
    assert trace.data["share"] > 0.5
    assert trace.regions == ()


def test_regular_patterns_give_nothing() -> None:
    rows, columns = np.mgrid[:1024, :1280]
    picture = photo(1024, 1280, seed=6).astype(np.float64)
    for period in (4.7, 7.3, 11.0):
        part = picture.copy()
        wave = 25 * (np.sin(2 * np.pi * rows / period) + np.sin(2 * np.pi * columns / period))
        part[256:768, 256:768] += wave[256:768, 256:768]
        assert resampling(np.clip(part, 0, 255).astype(np.uint8)).regions == ()


@pytest.mark.parametrize("shape", [(1, 1), (LEAST_SIDE - 1, 3000), (2, 100000)])
def test_too_small_says_so(shape: tuple[int, int]) -> None:
    assert resampling(np.zeros(shape, np.uint8)).reason is not None


def test_flat_noise_and_checks_give_nothing() -> None:
    rows, columns = np.mgrid[:600, :700]
    for picture in (
        np.full((600, 700), 128),
        np.random.default_rng(0).integers(0, 256, (600, 700)),
        (rows // 5 + columns // 5) % 2 * 200,
    ):
        trace = resampling(picture.astype(np.uint8))
        assert trace.regions == ()
        assert trace.map is not None
        assert np.isfinite(trace.map).all()


def test_of_large_pictures_fewer_lines_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS_READ", 700_000)
    trace = resampling(pasted(1.3))
    assert trace.cell == 128
    assert trace.map is not None
    assert trace.map.shape == (8, 10)
    assert trace.regions


def test_samples_give_nothing() -> None:
    for name in ("camera-original.jpg", "reference.jpg", "screenshot.png", "IMG-20260112-WA0007.jpg"):
        assert resampling(np.array(Image.open(f"samples/{name}").convert("L"))).regions == ()
