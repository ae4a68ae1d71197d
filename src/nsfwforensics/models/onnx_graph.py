"""Writing a network of our own as ONNX, for onnxruntime: a graph whose weights are handed over beside it.

The few messages of the format (``onnx.proto``, IR version 8) that such a graph needs; the library that writes all of
them is ten times the size of what it would write here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT, UINT8, INT8, INT64 = 1, 2, 3, 7
"""Types of elements, as the format numbers them."""

CONTRIBUTED = "com.microsoft"
"""The domain of operators that onnxruntime adds to the standard's."""

Attribute = int | float | Sequence[int]

_OPSET, _CONTRIBUTED_OPSET, _IR = 17, 1, 8
_KINDS = {np.dtype(np.float32): FLOAT, np.dtype(np.uint8): UINT8, np.dtype(np.int8): INT8, np.dtype(np.int64): INT64}


class Graph:
    """A graph under construction; values are known by their names."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Attribute) -> str:
        """Adds a node with one output.

        Args:
            kind: Name of the operator.
            inputs: Names of values; an empty one where an operator's input is left out.
            domain: The operator's; the standard's if empty.
            attributes: By name.

        Returns:
            The name of its output.
        """
        output = f"v{len(self._nodes)}"
        parts = [_field(1, name) for name in inputs]
        parts += [_field(2, output), _field(4, kind)]
        parts += [_field(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(b"".join(parts) + (_field(7, domain) if domain else b""))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        """Adds a small constant that stands in the graph itself, and gives its name; the same one stands there once."""
        data = b"".join(_field(1, side) for side in value.shape) + _field(2, _KINDS[value.dtype])
        data += _field(9, value.tobytes())
        name = next((name for name, known in self._constants.items() if known == data), f"c{len(self._constants)}")
        self._constants[name] = data
        return name

    def encoded(
        self,
        inputs: Mapping[str, tuple[int, Sequence[int]]],
        outputs: Mapping[str, str],
        weights: Mapping[str, NDArray[Any]],
    ) -> bytes:
        """The model as bytes.

        Args:
            inputs: By name, type of element and shape.
            outputs: By name, the float32 value that each has.
            weights: By name, what is handed over beside the graph; only types and shapes are written.
        """
        nodes = self._nodes + [
            _field(1, value) + _field(2, name) + _field(4, "Identity") for name, value in outputs.items()
        ]
        initial = [data + _field(8, name) for name, data in self._constants.items()]
        for name, value in weights.items():
            dims = b"".join(_field(1, side) for side in value.shape)
            place = _field(13, _field(1, "location") + _field(2, "beside"))
            initial.append(dims + _field(2, _KINDS[value.dtype]) + _field(8, name) + place + _field(14, 1))
        graph = b"".join(_field(1, each) for each in nodes) + _field(2, "graph")
        graph += b"".join(_field(5, each) for each in initial)
        graph += b"".join(_field(11, _value(name, *about)) for name, about in inputs.items())
        graph += b"".join(_field(12, _value(name, FLOAT, None)) for name in outputs)
        sets = _field(8, _field(2, _OPSET)) + _field(8, _field(1, CONTRIBUTED) + _field(2, _CONTRIBUTED_OPSET))
        return _field(1, _IR) + _field(7, graph) + sets


def _varint(number: int) -> bytes:
    out = bytearray()
    number &= (1 << 64) - 1  # negative numbers are written as what they are modulo 2^64
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _attribute(name: str, value: Attribute) -> bytes:
    head = _field(1, name)
    if isinstance(value, float):
        return head + _varint(2 << 3 | 5) + struct.pack("<f", value) + _field(20, 1)
    if isinstance(value, int):
        return head + _field(3, value) + _field(20, 2)
    return head + b"".join(_field(8, number) for number in value) + _field(20, 7)


def _value(name: str, kind: int, shape: Sequence[int] | None) -> bytes:
    about = _field(1, kind)
    if shape is not None:
        about += _field(2, b"".join(_field(1, _field(1, side)) for side in shape))
    return _field(1, name) + _field(2, _field(1, about))
