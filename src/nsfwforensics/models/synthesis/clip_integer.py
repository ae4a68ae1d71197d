"""CLIP's image tower in whole numbers, by onnxruntime, on processors that multiply bytes fast.

The weights are bytes with a scale for each output channel already. What comes into a layer is written as two bytes with
one scale (16 bits of the largest magnitude; into the last layer of a block, of each token's largest), so that a layer
is two products of bytes. Some processors (:func:`nsfwforensics.models.runtime.bytes_are_fast`) work these out several
times faster than float32, and exactly: no sum depends on the order of its terms, on threads or on neighbours.
Everything between the layers stays float32, as in :mod:`nsfwforensics.models.synthesis.clip`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.onnx_graph import CONTRIBUTED, FLOAT, UINT8, Graph
from nsfwforensics.models.onnx_session import onnx_errors, onnx_session
from nsfwforensics.models.synthesis.clip_numpy import (
    DEVIATION,
    EPSILON,
    HEADS,
    MEAN,
    MODEL,
    PATCH,
    SIDE,
    WIDTH,
    ArrayTokens,
    checked,
)

_LARGEST, _STEPS = 127.0, 255.0  # of a byte around 128; the second parts one step of the first in so many
_BELOW, _ABOVE = 43, 212  # steps of a byte below and above 0, for numbers that are hardly below
_LEAST = 1e-30  # all of them may be 0

_Digit = tuple[str, str, str]
"""Bytes, what one step of them is worth, and which of them stands for 0."""


class IntegerClip:
    """CLIP's image network (ViT-B/16) in whole numbers.

    Args:
        tensors: int8 ``*.weight`` with float32 ``*.scale``, and the float tensors.
        threads: How many threads it may use; no number depends on it.
        few: Whether it is for a few views, which are not worth laying its matrices out anew; no number depends on it.

    Raises:
        WeightsError: A tensor is missing or has another shape.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], threads: int = 1, *, few: bool = False) -> None:
        blocks = checked(tensors)
        try:
            model, self._weights = _Builder(tensors, blocks).built()
            self._session = onnx_session(model, self._weights, threads=threads, packed=not few)
            scale = tensors["projection.scale"][:, None]
            self._projection: NDArray[np.float32] = tensors["projection.weight"] * scale
        except onnx_errors() as error:
            problem = say("the tensors of {model} are not laid out as expected: {error}", model=MODEL, error=str(error))
            raise WeightsError(problem) from error

    def look(self, views: NDArray[np.uint8]) -> ArrayTokens:
        """Looks at square views, uint8 (N, 3, 224, 224), RGB; no number depends on the view's neighbours."""
        whole, last = zip(*(self._session.run(["whole", "last"], {"view": view[None]}) for view in views), strict=True)
        # Not by a matrix product, whose sums depend on the number of threads.
        embeddings = [(self._projection * rows[0]).sum(axis=1) for rows in last]
        return ArrayTokens(np.concatenate(whole), np.stack(embeddings))


class _Builder:
    """Lays the network out as a graph, for one view at a time, and its weights as the graph wants them."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], blocks: int) -> None:
        self._tensors, self._blocks = tensors, blocks
        self._graph = Graph()
        self._weights: dict[str, NDArray[Any]] = {}
        self._middle = self._graph.constant(np.array(128, np.uint8))

    def built(self) -> tuple[bytes, dict[str, NDArray[Any]]]:
        """The model's bytes, and what is handed over beside them."""
        node = self._graph.node
        x = self._norm(self._laid_out(), "norm_before")
        whole = []
        for index in range(self._blocks):
            x = self._block(f"blocks.{index}", x, only_first=index + 1 == self._blocks)
            whole.append(self._first(x))
        outputs = {"whole": node("Concat", *whole, axis=1), "last": self._norm(whole[-1], "norm_after")}
        inputs = {"view": (UINT8, (1, 3, SIDE, SIDE))}
        return self._graph.encoded(inputs, outputs, self._weights), self._weights

    def _laid_out(self) -> str:
        node, tensors = self._graph.node, self._tensors
        mean, deviation = (np.array(each, np.float32)[None, :, None, None] * 255 for each in (MEAN, DEVIATION))
        pixels = node("Sub", node("Cast", "view", to=FLOAT), self._graph.constant(mean))
        kernels = self._given("patches", tensors["patches"] / deviation)
        patches = node("Conv", pixels, kernels, strides=(PATCH, PATCH), kernel_shape=(PATCH, PATCH))
        patches = node("Transpose", self._shaped(patches, 1, WIDTH, -1), perm=(0, 2, 1))
        first = self._given("class_token", tensors["class_token"][None, None])
        return node("Add", node("Concat", first, patches, axis=1), self._given("positions", tensors["positions"]))

    def _block(self, key: str, x: str, *, only_first: bool) -> str:
        node = self._graph.node
        packed = self._digits(self._norm(x, f"{key}.norm1"))
        if only_first:  # the other tokens are not looked at any more
            x = self._first(x)
            q = self._product([(self._first(digit), step, nought) for digit, step, nought in packed], key, "q")
            k, v = self._parts(self._product(packed, key, "kv"), 2)
        else:
            q, k, v = self._parts(self._product(packed, key, "qkv"), 3)
        seen = node("MultiHeadAttention", q, k, v, domain=CONTRIBUTED, num_heads=HEADS)
        x = node("Add", x, self._product(self._digits(seen), key, ["out"]))
        wide = self._product(self._digits(self._norm(x, f"{key}.norm2")), key, ["fc1"])
        wide = node("QuickGelu", wide, domain=CONTRIBUTED, alpha=1.702)
        # A few of these numbers are a hundred times as large as the others, which one scale for all makes coarse: each
        # token has its own. They are hardly below 0 (-0.17): most of the first byte's steps are for those above.
        number = self._graph.constant
        reach = node("Neg", node("ReduceMin", wide, axes=(-1,))), number(np.array(_ABOVE / _BELOW, np.float32))
        tops = node("ReduceMax", wide, axes=(-1,)), node("Mul", *reach), number(np.array(_LEAST, np.float32))
        largest = node("Max", *tops)
        shares = self._digits(node("Div", wide, largest), number(np.array(1 / _ABOVE, np.float32)), _BELOW)
        narrow = node("Mul", self._product(shares, key, ["fc2"], biased=False), largest)
        return node("Add", x, node("Add", narrow, self._given(f"{key}.fc2.bias", self._tensors[f"{key}.fc2.bias"])))

    def _digits(self, x: str, coarse: str | None = None, zero: int = 128) -> list[_Digit]:
        """A tensor as two bytes, the coarser first, whose step fits the largest magnitude unless one is given."""
        node, number = self._graph.node, self._graph.constant
        if coarse is None:  # the largest magnitude without a copy of all of them
            ends = node("ReduceMax", x, keepdims=0), node("Neg", node("ReduceMin", x, keepdims=0))
            largest = node("Max", *ends, number(np.array(_LEAST, np.float32)))
            coarse = node("Mul", largest, number(np.array(1 / _LARGEST, np.float32)))
        nought = number(np.array(zero, np.uint8))
        first = node("QuantizeLinear", x, coarse, nought)
        rest = node("Sub", x, node("DequantizeLinear", first, coarse, nought))
        fine = node("Mul", coarse, number(np.array(1 / _STEPS, np.float32)))
        return [(first, coarse, nought), (node("QuantizeLinear", rest, fine, self._middle), fine, self._middle)]

    def _product(self, digits: Sequence[_Digit], key: str, layers: Iterable[str], *, biased: bool = True) -> str:
        """What layers with one input make of its digits, side by side: float32 (1, tokens, columns)."""
        weight, scale, bias = (
            np.concatenate([self._tensors[f"{key}.{layer}.{part}"] for layer in layers])
            for part in ("weight", "scale", "bias")
        )
        name = f"{key}.{''.join(layers)}"
        # at bytes OpenCV's is several times as fast as NumPy's
        factors = self._given(name, cv2.transpose(weight.view(np.uint8)).view(np.int8))
        scales, first = self._given(f"{name}.scale", scale), self._given(f"{name}.bias", bias) if biased else ""
        made = [
            self._graph.node("MatMulIntegerToFloat", digit, factors, step, scales, nought, "", more, domain=CONTRIBUTED)
            for (digit, step, nought), more in zip(digits, (first, ""), strict=True)
        ]
        return self._graph.node("Add", *made)

    def _norm(self, x: str, name: str) -> str:
        # In single steps, each of which uses the processor's wide registers; onnxruntime's own goes number by number.
        node = self._graph.node
        weight, bias = (self._given(f"{name}.{part}", self._tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        x = node("Sub", x, node("ReduceMean", x, axes=(-1,)))
        variance = node("ReduceMean", node("Mul", x, x), axes=(-1,))
        spread = node("Sqrt", node("Add", variance, self._graph.constant(np.array(EPSILON, np.float32))))
        return node("Add", node("Mul", node("Div", x, spread), weight), bias)

    def _given(self, name: str, value: NDArray[Any]) -> str:
        kept = value if value.dtype == np.int8 else value.astype(np.float32)
        self._weights[name] = np.ascontiguousarray(kept)
        return name

    def _first(self, x: str) -> str:
        return self._graph.node("Gather", x, self._graph.constant(np.array([0])), axis=1)

    def _parts(self, x: str, count: int) -> list[str]:
        number = self._graph.constant
        edges = [number(np.array([WIDTH * i])) for i in range(count + 1)]
        axis = number(np.array([2]))
        return [self._graph.node("Slice", x, *edges[i : i + 2], axis) for i in range(count)]

    def _shaped(self, x: str, *shape: int) -> str:
        return self._graph.node("Reshape", x, self._graph.constant(np.array(shape)))


@cache
def cached_integer_clip(folder: Path | None, threads: int, *, few: bool = False) -> IntegerClip:
    """The process's one such network, made at first use; see :func:`.clip.cached_clip`."""
    return IntegerClip(weights.load_arrays(MODEL, folder), threads, few=few)
