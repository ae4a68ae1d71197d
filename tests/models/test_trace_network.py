"""The trace network: any crop size, the same numbers alone and in company, weights that come back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nsfwforensics.errors import WeightsError
from nsfwforensics.models.synthesis.classifier import SynthesisClassifier
from nsfwforensics.models.synthesis.features import FeatureExtractor
from nsfwforensics.models.synthesis.preprocess import crop
from nsfwforensics.models.synthesis.trace_network import TraceNetwork, middle

WIDTHS = (4, 4, 8, 8)


@pytest.fixture
def network() -> TraceNetwork:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return TraceNetwork.from_tensors(TraceNetwork(WIDTHS).state_dict())


def _pixels(count: int, side: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, side, side, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.mark.parametrize("side", [64, 100, 256])
def test_one_logit_per_crop_of_any_size(network: TraceNetwork, side: int) -> None:
    crops = _pixels(3, side)
    with torch.inference_mode():
        together = network(crops)
        alone = torch.cat([network(crops[i : i + 1]) for i in range(3)])
    assert together.shape == (3,)
    assert torch.allclose(together, alone, atol=1e-5)


def test_first_filters_ignore_brightness() -> None:
    torch.manual_seed(0)
    kernel = TraceNetwork(WIDTHS).first.weight
    assert kernel.sum((2, 3)).abs().max().item() < 1e-5


def test_the_middle_of_large_and_small_crops() -> None:
    crops = _pixels(2, 256).numpy()
    assert np.array_equal(middle(crops), crops[:, 32:224, 32:224])
    assert middle(crops[:, :100, :224]).shape == (2, 100, 192, 3)


def test_widths_come_back_from_tensors(network: TraceNetwork) -> None:
    state = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    again = TraceNetwork.from_tensors(state)
    with torch.inference_mode():
        assert torch.equal(network(_pixels(1, 64)), again(_pixels(1, 64)))


def test_folded_batch_norms_judge_alike(network: TraceNetwork) -> None:
    generator = torch.Generator().manual_seed(3)
    for name, value in network.state_dict().items():
        if name.endswith(("running_mean", "running_var", "weight", "bias")):
            value.add_(torch.rand(value.shape, generator=generator) * 0.1)
    crops = torch.randint(0, 256, (4, 96, 80, 3), generator=generator, dtype=torch.uint8)
    folded = network.folded()
    with torch.inference_mode():
        before, after = network(crops), folded(crops)
    assert float((before - after).abs().max()) < 1e-4 * float(before.abs().max())
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    assert any(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules()), "the network itself stays"


def test_a_missing_tensor_is_named(network: TraceNetwork) -> None:
    state = dict(network.state_dict())
    del state["stages.1.1.running_mean"]
    with pytest.raises(KeyError, match=r"stages\.1\.1\.running_mean"):
        TraceNetwork.from_tensors(state)


def _tensors(network: TraceNetwork) -> dict[str, torch.Tensor]:
    extractor = FeatureExtractor((-1, 0))
    tensors = {f"backbone.{name}": value for name, value in extractor.state_dict().items()}
    width = extractor.width
    head = {"mean": torch.zeros(width), "scale": torch.ones(width), "w1": torch.randn(1, width, 2) * 0.1,
            "b1": torch.zeros(1, 2), "w2": torch.ones(1, 2), "b2": torch.zeros(1)}  # fmt: skip
    tensors |= {f"image.{name}": value for name, value in head.items()}
    tensors |= {f"trace.{name}": value for name, value in network.state_dict().items() if "num_batches" not in name}
    return tensors | {"taps": torch.tensor([-1, 0]), "blend": torch.tensor([0.5, 2.0], dtype=torch.float64)}


def test_the_classifier_adds_both_parts(network: TraceNetwork) -> None:
    tensors = _tensors(network)
    crops = _pixels(2, 256).numpy()
    both = SynthesisClassifier.from_tensors(tensors).logits(crops)
    tensors["blend"] = torch.tensor([0.5, 0.0], dtype=torch.float64)
    seen = SynthesisClassifier.from_tensors(tensors).logits(crops)
    with torch.inference_mode():
        painted = torch.cat([network(torch.from_numpy(part[None])) for part in middle(crops)]).numpy()
    assert both == pytest.approx(seen + 2.0 * painted.astype(float), abs=1e-5)
    tensors["blend"] = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert SynthesisClassifier.from_tensors(tensors).logits(crops) == pytest.approx(painted.astype(float), abs=1e-6)


def test_company_does_not_change_a_score(network: TraceNetwork) -> None:
    rng = np.random.default_rng(3)
    classifier = SynthesisClassifier.from_tensors(_tensors(network))
    pictures = [crop(rng.integers(0, 256, (300, 300 + 40 * n, 3), np.uint8)) for n in range(3)]
    alone = [classifier.score([picture])[0].score for picture in pictures]
    together = [found.score for found in classifier.score(pictures)]
    assert together == pytest.approx(alone, abs=1e-5)


def test_weights_without_their_blend_are_refused(network: TraceNetwork) -> None:
    tensors = _tensors(network)
    del tensors["blend"]
    with pytest.raises(WeightsError, match="blend"):
        SynthesisClassifier.from_tensors(tensors)
