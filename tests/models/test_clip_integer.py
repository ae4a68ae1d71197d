"""The network in whole numbers against the one in float32, with the shipped weights."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires

import numpy as np
import pytest
from numpy.typing import NDArray
from packaging.requirements import Requirement

from nsfwforensics.errors import WeightsError
from nsfwforensics.models import runtime, weights
from nsfwforensics.models.synthesis import classifier, clip_integer, clip_numpy
from nsfwforensics.models.synthesis.classifier import Head, cached_classifier

pytest.importorskip("onnxruntime", reason="onnxruntime is an extra that is not installed")
fast = pytest.mark.skipif(not runtime.bytes_are_fast(), reason="this processor has no AVX-512 VNNI")


@pytest.fixture(scope="module")
def views() -> NDArray[np.uint8]:
    """A smooth picture, noise and a black one: uint8 (3, 3, 224, 224)."""
    steps = np.linspace(0, 255, clip_numpy.SIDE)
    smooth = np.stack([np.add.outer(steps, steps[::-1]) / 2, np.tile(steps, (224, 1)), np.full((224, 224), 90)])
    noise = np.random.default_rng(7).integers(0, 256, smooth.shape)
    return np.stack([smooth, noise, np.zeros(smooth.shape)]).astype(np.uint8)


@fast
def test_it_says_what_the_network_in_float32_says(views: NDArray[np.uint8]) -> None:
    ours = clip_integer.cached_integer_clip(None, 1).look(views)
    theirs = clip_numpy.cached_array_clip(None).look(views)
    assert ours.whole.shape == (3, 12, clip_numpy.WIDTH)
    assert ours.embedding.shape == (3, 512)
    for one, other in ((ours.whole, theirs.whole), (ours.embedding, theirs.embedding)):
        cosines = (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)
        assert cosines.min() > 0.99999
    head = Head(weights.load_arrays("synthesis"))
    np.testing.assert_allclose(head.logits(ours.whole), head.logits(theirs.whole), atol=0.01)


@fast
def test_neither_neighbours_nor_threads_change_a_digit(views: NDArray[np.uint8]) -> None:
    together = clip_integer.cached_integer_clip(None, 1).look(views[:2])
    apart = clip_integer.IntegerClip(weights.load_arrays(clip_numpy.MODEL), threads=2, few=True).look(views[1:2])
    assert np.array_equal(together.whole[1], apart.whole[0])
    assert np.array_equal(together.embedding[1], apart.embedding[0])


@fast
def test_torch_is_not_loaded_for_many_pictures_either() -> None:
    code = """
import json, sys
import numpy as np
from nsfwforensics.models.synthesis.classifier import cached_classifier
views = np.full((2, 224, 224, 3), 90, np.uint8)
many, few = (cached_classifier("cpu", None, 1, few=few).logits(views).tolist() for few in (False, True))
print(json.dumps([many == few, "torch" in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, False]


@pytest.mark.parametrize("few", [False, True])
def test_elsewhere_the_networks_in_float32_do_it(few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "bytes_are_fast", lambda: False)
    body = cached_classifier.__wrapped__("cpu", None, 1, few=few)._body
    assert type(body).__name__ == ("ArrayClip" if few else "Clip")


@pytest.mark.parametrize(
    ("flags", "machine", "expected"),
    [
        ("flags : fpu avx512f avx512_vnni", "x86_64", True),
        ("flags : fpu avx2 avx512f", "x86_64", False),
        ("Features : fp asimd", "aarch64", False),
    ],
)
def test_which_processors_are_fast_at_bytes(
    flags: str, machine: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "version", lambda _: "1.28.0")
    monkeypatch.setattr(runtime.platform, "machine", lambda: machine)
    monkeypatch.setattr(runtime.Path, "read_text", lambda *_: flags)
    assert runtime.bytes_are_fast.__wrapped__() is expected


@pytest.mark.parametrize("found", [None, "1.29.0", "1.32.1", "2.0", "unknown"])
def test_without_the_extra_or_with_one_that_tells_its_maker_none_is(
    found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(_: str) -> str:
        if found is None:
            raise PackageNotFoundError
        return found

    monkeypatch.setattr(runtime, "version", version)
    monkeypatch.setattr(runtime.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(runtime.Path, "read_text", lambda *_: "flags : avx512_vnni")
    assert not runtime.bytes_are_fast.__wrapped__()


def test_versions_that_tell_their_maker_are_those_that_the_requirements_exclude() -> None:
    wanted = [Requirement(each) for each in requires("nsfwforensics") or ()]
    (specifier,) = {
        one.specifier for one in wanted if one.name == "onnxruntime" and one.marker.evaluate({"extra": "onnx"})
    }
    loud, silent = runtime.LOUD_FROM, (runtime.LOUD_FROM[0], runtime.LOUD_FROM[1] - 1)
    assert not specifier.contains("{}.{}.0".format(*loud))
    assert specifier.contains("{}.{}.0".format(*silent))


def test_a_tensor_of_another_shape_is_refused() -> None:
    tensors = dict(weights.load_arrays(clip_numpy.MODEL))
    odd = tensors["blocks.3.fc1.weight"].T
    with pytest.raises(WeightsError, match=r"blocks\.3\.fc1"):
        clip_integer.IntegerClip({**tensors, "blocks.3.fc1.weight": odd})
