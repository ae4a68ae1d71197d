"""Tiles of a picture: bounded, judged exactly as the network judges them alone; what stands out is found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nsfwforensics.models.synthesis import tile_map
from nsfwforensics.models.synthesis.classifier import Ensemble, SynthesisClassifier
from nsfwforensics.models.synthesis.features import FeatureExtractor
from nsfwforensics.models.synthesis.standout import FEWEST, STATISTICS, standout
from nsfwforensics.models.synthesis.trace_network import TraceNetwork


@pytest.fixture(scope="module")
def network() -> TraceNetwork:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return TraceNetwork.from_tensors(TraceNetwork((4, 4, 8, 8)).state_dict())


@pytest.fixture(scope="module")
def classifier(network: TraceNetwork) -> SynthesisClassifier:
    return SynthesisClassifier(FeatureExtractor((0,)), Ensemble({}), trace=network, blend=(0.0, 1.0))


def photo(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(320, 320), (401, 640), (900, 333), (700, 1100)])
def test_a_tile_scores_as_the_network_scores_it_alone(
    network: TraceNetwork, classifier: SynthesisClassifier, height: int, width: int
) -> None:
    rgb = photo(height, width)
    found = tile_map.tiles(rgb)
    assert found is not None
    scores = tile_map.on_grid(found, classifier.tile_logits(tile_map.cut(rgb, found)))
    assert scores.shape == (len(found.ys), len(found.xs))
    row, column = len(found.ys) // 2, len(found.xs) - 1
    y, x = found.ys[row], found.xs[column]
    with torch.inference_mode():
        alone = float(network(torch.from_numpy(rgb[None, y : y + tile_map.TILE, x : x + tile_map.TILE].copy()))[0])
    assert scores[row, column] == pytest.approx(alone, abs=1e-5)
    again = classifier.tile_logits(tile_map.cut(rgb, found))
    assert np.abs(again - scores[found.usable]).max() <= 1e-5


@given(st.integers(tile_map.TILE, 70_000), st.integers(tile_map.TILE, 70_000))
def test_tiles_are_bounded_and_lie_inside(height: int, width: int) -> None:
    ys, xs = tile_map.layout(height, width)
    assert 1 <= len(ys) * len(xs) <= tile_map.MOST
    for starts, length in ((ys, height), (xs, width)):
        assert starts[0] >= 0 and starts[-1] + tile_map.TILE <= length
        assert (starts % 16 == 0).all(), "tiles keep the phase of the JPEG grid"
        assert len(starts) == 1 or np.diff(starts).min() >= tile_map.STRIDE - 16


def test_a_large_picture_costs_no_more() -> None:
    found = tile_map.tiles(np.broadcast_to(photo(64, 64).repeat(2, 0)[:1, :1], (9000, 13_000, 3)))
    assert found is not None
    assert found.usable.size <= tile_map.MOST


@pytest.mark.parametrize(("height", "width"), [(1, 1), (319, 4000), (4000, 319)])
def test_small_pictures_get_no_map(height: int, width: int) -> None:
    assert tile_map.tiles(photo(height, width)) is None


def test_flat_and_clipped_tiles_are_left_out(classifier: SynthesisClassifier) -> None:
    rgb = photo(512, 640)
    rgb[:, :256] = 90
    rgb[:, 384:] = np.where(np.random.default_rng(1).random((512, 256, 1)) < 0.5, 255, rgb[:, 384:])
    found = tile_map.tiles(rgb)
    assert found is not None
    inside = (found.xs >= 256 - 16) & (found.xs <= 384 - 128 + 16)
    assert not found.usable[:, found.xs + tile_map.TILE <= 256].any()
    assert not found.usable[:, found.xs >= 384].any()
    assert found.usable[:, inside].all()
    scores = tile_map.on_grid(found, classifier.tile_logits(tile_map.cut(rgb, found)))
    assert (np.isfinite(scores) == found.usable).all()
    flat = tile_map.tiles(np.full((400, 400, 3), 7, np.uint8))
    assert flat is not None and tile_map.cut(rgb, flat).shape == (0, tile_map.TILE, tile_map.TILE, 3)


def test_without_a_trace_network_there_are_no_maps() -> None:
    without = SynthesisClassifier(FeatureExtractor((0,)), Ensemble({}))
    assert not without.maps
    with pytest.raises(ValueError, match="trace"):
        without.tile_logits(photo(128, 128)[None])


def grid(seed: int, rows: int = 8, columns: int = 10) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (rows, columns)), rng.normal(0, 0.5, (rows, columns))


@pytest.mark.parametrize("name", STATISTICS)
def test_a_raised_region_is_found(name: str) -> None:
    scores, texture = grid(0)
    before = standout(name, scores, texture)
    scores[2:5, 3:6] += 6
    after = standout(name, scores, texture)
    assert before is not None and after is not None
    assert after.value > 1.5 * before.value
    wanted = np.zeros(scores.shape, bool)
    wanted[2:5, 3:6] = True
    assert (after.region & wanted).sum() / (after.region | wanted).sum() >= 0.5


@pytest.mark.parametrize("name", STATISTICS)
def test_level_and_unjudged_tiles_do_not_matter(name: str) -> None:
    scores, texture = grid(1)
    scores[2:4, 2:5] += 5
    first = standout(name, scores, texture)
    moved = standout(name, scores + 7.5, texture)
    assert first is not None and moved is not None
    assert moved.value == pytest.approx(first.value, abs=1e-6)
    scores[6:, :] = np.nan
    holes = standout(name, scores, texture)
    assert holes is not None and np.isfinite(holes.value)
    assert not holes.region[6:].any()


@pytest.mark.parametrize("name", STATISTICS)
def test_too_few_tiles_say_nothing(name: str) -> None:
    scores, texture = grid(2)
    scores.flat[FEWEST - 1 :] = np.nan
    assert standout(name, scores, texture) is None


@pytest.mark.parametrize("name", STATISTICS)
@given(st.integers(0, 1000), st.floats(0, 1))
def test_any_map_is_read(name: str, seed: int, holes: float) -> None:
    scores, texture = grid(seed, 5, 6)
    scores[np.random.default_rng(seed).random(scores.shape) < holes] = np.nan
    found = standout(name, scores, texture)
    assert (found is None) == (np.isfinite(scores).sum() < FEWEST)
    if found is not None:
        assert np.isfinite(found.value)
        assert not (found.region & ~np.isfinite(scores)).any()


@pytest.mark.parametrize("name", STATISTICS)
def test_equal_scores_stand_out_nowhere(name: str) -> None:
    found = standout(name, np.full((4, 5), 3.0), np.ones((4, 5)))
    assert found is not None
    assert abs(found.value) < 1e-9


def test_texture_that_explains_the_scores_is_taken_away() -> None:
    rng = np.random.default_rng(3)
    texture = rng.normal(0, 1, (8, 10))
    texture[1:4, 1:4] += 3
    scores = 2 * texture + rng.normal(0, 0.3, texture.shape)
    plain, corrected = standout("rectangle", scores, texture), standout("rectangle-texture", scores, texture)
    assert plain is not None and corrected is not None
    assert corrected.value < 0.6 * plain.value
