"""Every network computes as it was measured, on whatever device: in full float32, the same each time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from nsfwforensics.models import device, weights
from nsfwforensics.models.faces.embedder import cached_embedder
from nsfwforensics.models.faces.mtcnn import Mtcnn
from nsfwforensics.models.synthesis import clip
from nsfwforensics.models.synthesis.canonical import copies, square, whole
from nsfwforensics.models.synthesis.classifier import MODEL, Head, SynthesisClassifier
from tests.pictures import noise

Numbers = tuple[bool, bool, str, bool]


def numbers() -> Numbers:
    """What torch may do to numbers on a graphics card, which it can be asked without one."""
    convolution, product = torch.backends.cudnn, torch.backends.cuda.matmul
    return convolution.allow_tf32, convolution.deterministic, product.fp32_precision, torch.is_inference_mode_enabled()


EXACT: Numbers = (False, True, "ieee", True)


@pytest.fixture
def seen() -> Iterator[set[tuple[str, Numbers]]]:
    """What held in each layer that was run, by its kind."""
    found: set[tuple[str, Numbers]] = set()
    hook = register_module_forward_pre_hook(lambda layer, _: found.add((type(layer).__name__, numbers())))
    yield found
    hook.remove()


PICTURE = noise(160, 200, 3)


def run_detector() -> None:
    Mtcnn("cpu", 20).detect(PICTURE)


def run_embedder() -> None:
    cached_embedder("resnet29", "cpu", None).embed(np.zeros((1, 150, 150, 3), np.uint8))


def run_classifier() -> None:
    classifier = SynthesisClassifier(clip.cached_clip("cpu", None), Head(weights.load_arrays(MODEL, None)))
    picture = np.tile(PICTURE, (4, 4, 1))
    classifier.score([whole(picture)], lambda place, score: copies(square(picture)))


def run_vggface2() -> None:
    from nsfwforensics.models.faces import vggface2  # loads torchvision, which takes seconds

    network = vggface2.InceptionResnetV1(pretrained=None, classify=False)
    stored = io.BytesIO()
    torch.save(network.state_dict(), stored)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vggface2, "read", lambda name, folder: stored.getvalue())
        vggface2.VggFace2Embedder("face-vggface2").embed(np.zeros((1, 160, 160, 3), np.uint8))


@pytest.mark.parametrize(
    "run",
    [
        run_detector,
        run_embedder,
        pytest.param(run_classifier, marks=pytest.mark.slow),
        pytest.param(run_vggface2, marks=pytest.mark.slow),
    ],
)
def test_no_network_runs_with_tf32(run: Any, seen: set[tuple[str, Numbers]]) -> None:
    before = numbers()
    run()
    assert any(kind in ("Conv2d", "Linear") for kind, _ in seen)
    assert {what for _, what in seen} == {EXACT}
    assert numbers() == before, "what the program had set holds again"


def test_what_a_program_allowed_holds_again() -> None:
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        before = numbers()
        with device.exact():
            assert numbers() == EXACT
        with pytest.raises(ZeroDivisionError), device.exact():
            _ = 1 // 0
        assert numbers() == before
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False
