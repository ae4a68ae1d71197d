"""Pairs share everything but the decoder; the trace network learns from them, and a stopped run goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nsfwforensics.evaluation.metrics import auc
from nsfwforensics.models.synthesis.trace_network import TraceNetwork
from tests.training import synthetic
from training import augment, pairs, traces
from training.pairs import Batches, Material, Region
from training.past import Past
from training.traces import TraceSettings

FULL_COLOUR = Past((tuple([3] * 64), tuple([5] * 64)), 0, False)

SETTINGS = TraceSettings(steps=40, pairs=4, others=0, widths=(8, 8, 8, 8), rate=5e-3)


def _material(count: int = 6) -> Material:
    real = np.stack([synthetic.picture(seed) for seed in range(count)])
    copies = np.stack([synthetic.smooth(seed) for seed in range(count)])
    about = [Region("imagenet", "imagenet", FULL_COLOUR) for _ in range(count)]
    none = np.zeros((0, pairs.REGION, pairs.REGION, 3), np.uint8)
    return Material(real, about, {"soft": copies}, {"soft": 1.0}, none, [])


def test_an_unpainted_copy_cannot_be_told_from_its_photograph() -> None:
    material = _material()
    same = replace(material, copies={"none": material.real}, share={"none": 1.0},
                   about_real=[Region("a", "a", None)] * 6)  # fmt: skip
    crops, labels = next(iter(Batches(same, 8, 0, 0)))
    assert labels.tolist() == [0, 1] * 8
    assert torch.equal(crops[0::2], crops[1::2])


def test_saving_once_more_in_the_same_way_hardly_tells_a_pair_apart() -> None:
    """Photographs in full colour, and copies of the very same pixels that get the photographs' past."""
    material = _material()
    real = np.stack([FULL_COLOUR.saved(pixels) for pixels in material.real])
    same = replace(material, real=real, copies={"none": real}, share={"none": 1.0})
    crops, _ = next(iter(Batches(same, 24, 0, 0)))
    gaps = (crops[::2].float() - crops[1::2].float()).abs().mean((1, 2, 3))
    assert gaps.median() < 0.5


def test_lossless_galleries_are_saved_as_photographs_are() -> None:
    """Full colour for photographs, and for a gallery of the same pictures that was never saved before."""
    material = _material()
    real = np.stack([FULL_COLOUR.saved(pixels) for pixels in material.real])
    mixed = replace(material, real=real, fake=material.real, about_fake=[Region("gallery", "x", None)] * 6)
    crops, labels = next(iter(Batches(mixed, 0, 300, 0)))
    colour = (crops[..., 0].float() - crops[..., 1].float()).diff(dim=2).abs().mean((1, 2))
    assert auc(colour[labels == 0].tolist(), colour[labels == 1].tolist()) == pytest.approx(0.5, abs=0.08)


def test_batches_repeat_with_their_seed() -> None:
    material = _material()
    first, again, other = (next(iter(Batches(material, 3, 0, seed)))[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (6, pairs.CROP, pairs.CROP, 3)


def test_galleries_come_with_as_many_photographs() -> None:
    material = _material()
    mixed = replace(material, fake=material.copies["soft"], about_fake=[Region("gallery", "x", None)] * 6)
    crops, labels = next(iter(Batches(mixed, 2, 3, 0)))
    assert labels.tolist() == [0, 1, 0, 1, 1, 1, 1, 0, 0, 0]
    assert len(crops) == 10


def test_trace_chains_repeat_and_keep_the_size() -> None:
    for seed in range(20):
        one, two = (augment.for_traces(synthetic.picture(1), np.random.default_rng(seed), 128) for _ in range(2))
        assert one.shape == (128, 128, 3)
        assert np.array_equal(one, two)


def test_painting_resumes(tmp_path: Path) -> None:
    real = _material().real
    seen: list[int] = []

    def paint(rgb: np.ndarray, place: int) -> np.ndarray:
        seen.append(place)
        return 255 - rgb

    path = tmp_path / "painted.npy"
    assert np.array_equal(pairs.painted(real, paint, path), 255 - real)
    path.with_suffix(".done").write_text("4")
    pairs.painted(real, paint, path)
    assert seen == [0, 1, 2, 3, 4, 5, 4, 5]


def test_the_network_learns_a_soft_decoder_and_a_finished_run_is_kept(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    said: list[str] = []
    tensors = traces.train(_material(), SETTINGS, tmp_path / "check.pt", said.append, workers=0)
    network = TraceNetwork.from_tensors(tensors)
    with torch.inference_mode():
        real = network(torch.from_numpy(np.stack([synthetic.picture(50 + seed) for seed in range(8)]))).tolist()
        soft = network(torch.from_numpy(np.stack([synthetic.smooth(50 + seed) for seed in range(8)]))).tolist()
    assert auc(real, soft) > 0.9
    again = traces.train(_material(), SETTINGS, tmp_path / "check.pt", said.append, workers=0)
    assert all(torch.equal(tensors[name], again[name]) for name in tensors)
    assert len(said) == 1, "the checkpoint was finished: nothing was trained again"


def test_the_hinge_looks_at_pairs_only() -> None:
    labels = torch.tensor([0.0, 1.0, 1.0])
    settings = TraceSettings(pairs=1)
    apart = traces.loss(torch.tensor([-2.0, 2.0, 0.0]), labels, settings)
    swapped = traces.loss(torch.tensor([2.0, -2.0, 0.0]), labels, settings)
    assert apart < swapped
