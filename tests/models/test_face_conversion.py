from __future__ import annotations

import importlib.util
import struct
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.models.faces.embedder import BLOCKS, FaceResNet29

TOOL = Path(__file__).parents[2] / "tools" / "convert_face_model.py"


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("convert_face_model", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


tool = _tool()


def packed(value: int) -> bytes:
    body = abs(value).to_bytes(max(1, (abs(value).bit_length() + 7) // 8), "little")
    return bytes([len(body) | (0x80 if value < 0 else 0)]) + body


def tensor(values: np.ndarray, samples: int = 1) -> bytes:
    flat = values.astype("<f4").ravel()
    return b"".join(map(packed, (2, samples, flat.size // samples, 1, 1))) + flat.tobytes()


def original(state: dict[str, torch.Tensor]) -> bytes:
    """Writes a state dict in the layout that the tool reads, with other text between the layers."""
    parts = [b"\x01\x05head"]
    for name in ["stem", *(f"blocks.{i}.{part}" for i in range(len(BLOCKS)) for part in ("first", "second"))]:
        conv = np.concatenate([state[f"{name}.conv.weight"].numpy().ravel(), state[f"{name}.conv.bias"].numpy()])
        affine = np.concatenate([state[f"{name}.gamma"].numpy().ravel(), state[f"{name}.beta"].numpy().ravel()])
        parts += [b"con_4", tensor(conv), b"relu_", b"affine_", tensor(affine, 2), b"add_prev1"]
    parts += [b"fc_2", packed(128), packed(256), tensor(state["projection"].numpy(), 256)]
    return b"".join(parts)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return {name: torch.randn(t.shape) for name, t in FaceResNet29().state_dict().items()}


def test_every_parameter_arrives_where_it_belongs(state: dict[str, torch.Tensor]) -> None:
    converted = tool.convert(original(state))
    assert converted.keys() == state.keys()
    assert all(torch.equal(converted[name], tensor) for name, tensor in state.items())


def test_a_file_that_lacks_a_layer_is_refused(state: dict[str, torch.Tensor]) -> None:
    whole = original(state)
    with pytest.raises(tool.LayoutError, match="29 convolutions"):
        tool.convert(whole[whole.index(b"con_4", 20) :])
    with pytest.raises(tool.LayoutError):
        tool.convert(whole[:-4])
    with pytest.raises(tool.LayoutError):
        tool.convert(b"")


@given(st.binary(max_size=60))
def test_whatever_follows_a_layers_name_is_read_or_refused(tail: bytes) -> None:
    try:
        layers = tool.read_layers(b"con_4" + tail)
    except tool.LayoutError:
        return
    assert all(np.isfinite(values.size) for values in layers["con"])


@given(st.integers(-(2**40), 2**40))
def test_packed_integers(value: int) -> None:
    reader = tool._Reader(packed(value) + struct.pack("<f", 1.0), 0)
    assert reader.integer() == value
    assert reader.position == len(packed(value))
