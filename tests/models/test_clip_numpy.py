"""The network in NumPy against the one in torch, with the shipped weights."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.synthesis import clip, clip_numpy
from nsfwforensics.models.synthesis.classifier import Head, cached_classifier


@pytest.fixture(scope="module")
def views() -> NDArray[np.uint8]:
    """A smooth picture, noise and a flat one: uint8 (3, 3, 224, 224)."""
    random = np.random.default_rng(7)
    steps = np.linspace(0, 255, clip.SIDE)
    smooth = np.stack([np.add.outer(steps, steps[::-1]) / 2, np.tile(steps, (clip.SIDE, 1)), np.full((224, 224), 90)])
    noise = random.integers(0, 256, smooth.shape)
    return np.stack([smooth, noise, np.full(smooth.shape, 128)]).astype(np.uint8)


def test_the_two_agree_in_every_block_and_in_the_score(views: NDArray[np.uint8]) -> None:
    ours = clip_numpy.cached_array_clip(None).look(views)
    theirs = clip.Clip.from_tensors(weights.load_tensors(clip.MODEL)).look(torch.from_numpy(views))
    assert ours.whole.shape == (3, 12, clip.WIDTH)
    np.testing.assert_allclose(ours.whole, theirs.whole.numpy(), atol=1e-4)
    np.testing.assert_allclose(ours.embedding, theirs.embedding.numpy(), atol=1e-4)
    head = Head(weights.load_arrays("synthesis"))
    np.testing.assert_allclose(head.logits(ours.whole), head.logits(theirs.whole.numpy()), atol=1e-3)


@pytest.mark.slow
def test_neighbours_change_nothing(views: NDArray[np.uint8]) -> None:
    network = clip_numpy.cached_array_clip(None)
    together, apart = network.look(views[:2]), network.look(views[1:2])
    assert np.array_equal(together.whole[1], apart.whole[0])
    assert np.array_equal(together.embedding[1], apart.embedding[0])


def test_a_tensor_of_another_shape_is_refused() -> None:
    tensors = dict(weights.load_arrays(clip.MODEL))
    for name, odd in (("blocks.3.fc1.weight", tensors["blocks.3.fc1.weight"].T), ("positions", np.zeros((5, 768)))):
        with pytest.raises(WeightsError, match=name):
            clip_numpy.ArrayClip({**tensors, name: odd})
    del tensors["class_token"]
    with pytest.raises(WeightsError, match="class_token"):
        clip_numpy.ArrayClip(tensors)


def test_for_few_pictures_no_torch_is_loaded() -> None:
    code = """
import json, sys
import numpy as np
from nsfwforensics.models.synthesis.classifier import cached_classifier
logits = cached_classifier("cpu", None, 1, few=True).logits(np.full((1, 224, 224, 3), 90, np.uint8))
print(json.dumps([logits.tolist(), "torch" in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    logits, loaded = json.loads(done.stdout)
    assert not loaded
    expected = cached_classifier("cpu", None, 1).logits(np.full((1, 224, 224, 3), 90, np.uint8))
    assert logits == pytest.approx(expected.tolist(), abs=1e-4)
