"""How far scores move when the same arithmetic is rounded otherwise, as on another device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nsfwforensics.models.synthesis.classifier import MODEL, SynthesisClassifier
from nsfwforensics.models.synthesis.preprocess import Crops, crop
from nsfwforensics.models.weights import load_tensors
from tests.training import synthetic


@pytest.fixture(scope="module")
def crops() -> list[Crops]:
    noise = np.random.default_rng(0).integers(0, 256, (340, 340, 3), np.uint8)
    return [crop(rgb) for rgb in (synthetic.picture(1, 340, 340), np.zeros((340, 340, 3), np.uint8), noise)]


@contextmanager
def in_double_precision() -> Iterator[None]:
    """Whatever is computed in single precision elsewhere is computed in double in here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)
        torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(torch.float32)


def scores(crops: list[Crops]) -> NDArray[np.float64]:
    classifier = SynthesisClassifier.from_tensors(load_tensors(MODEL))
    assert next(classifier._extractor.parameters()).dtype == torch.get_default_dtype()
    return np.array([(s.score, s.recompressed, s.resized) for s in classifier.score(crops)])


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="one set of kernels only")
@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # said by the switch itself
def test_rounding_moves_a_score_by_far_less_than_two_devices_may_differ(crops: list[Crops]) -> None:
    """A device that computes in single precision, in whatever order, is about as far from the exact score."""
    with in_double_precision():
        exact = scores(crops)
    usual = scores(crops)
    with torch.backends.mkldnn.flags(enabled=False):
        plain = scores(crops)
    assert np.isfinite(exact).all()
    assert not np.array_equal(usual, exact), "nothing was computed otherwise"
    assert not np.array_equal(usual, plain), "nothing was computed otherwise"
    assert np.abs(usual - exact).max() <= 5e-5
    assert np.abs(plain - exact).max() <= 5e-5
