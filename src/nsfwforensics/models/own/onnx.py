"""Running an ONNX model of a user's on the CPU: one thread, standard operators only, nothing read beside it.

The package ``onnxruntime`` comes with an extra. Its sessions are made from bytes that :mod:`onnx_check` has looked
through, with no other provider than the CPU and no custom operators.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models.onnx_session import onnx_errors, onnx_session
from nsfwforensics.models.own.onnx_check import check_onnx

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.models.own.card import Input, Output

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}

SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1 before they become log odds."""


class OnnxModel:
    """A session and what its card says of input and output.

    Args:
        data: The model's bytes, whose SHA-256 was checked.
        wanted: What it wants to see.
        output: What its numbers are.

    Raises:
        WeightsError: It is no model that may be run, or does not fit its card.
    """

    def __init__(self, data: bytes, wanted: Input, output: Output) -> None:
        check_onnx(data)
        self._wanted = wanted
        self._output = output
        try:
            self._session = onnx_session(data)
        except onnx_errors() as error:
            raise WeightsError(say("the ONNX model cannot be loaded: {error}", error=_short(error))) from error
        self._name, self._type = self._only_input()

    def _only_input(self) -> tuple[str, Any]:
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise WeightsError(say("the ONNX model wants {count} inputs, not one picture", count=len(inputs)))
        (found,) = inputs
        kind = _TYPES.get(found.type)
        if kind is None:
            raise WeightsError(say("the ONNX model wants {kind}, not floating-point numbers", kind=found.type))
        width, height = self._wanted.width, self._wanted.height
        expected = (1, 3, height, width) if self._wanted.layout == "nchw" else (1, height, width, 3)
        fits = len(found.shape) == 4 and all(
            not isinstance(side, int) or side == there for side, there in zip(found.shape, expected, strict=True)
        )
        if not fits:
            shape, wanted = " × ".join(map(str, found.shape)), " × ".join(map(str, expected))
            raise WeightsError(
                say("the ONNX model wants an input of {shape}; its card says {wanted}", shape=shape, wanted=wanted)
            )
        return found.name, kind

    def logit(self, pixels: NDArray[np.uint8]) -> float:
        """The model's output for one input.

        Args:
            pixels: uint8 (height, width, 3), RGB.

        Returns:
            Log odds of "generated"; NaN where the model gives no finite number.

        Raises:
            WeightsError: It cannot be run, or gives something else than its card says.
        """
        wanted = self._wanted
        x: NDArray[Any] = pixels[..., ::-1] if wanted.colour == "bgr" else pixels
        mean, std = (np.asarray(values, np.float32) for values in (wanted.mean, wanted.std))
        x = (x.astype(np.float32) / np.float32(wanted.scale) - mean) / std
        x = x.transpose(2, 0, 1) if wanted.layout == "nchw" else x
        batch = np.ascontiguousarray(x[None], self._type)
        try:
            found = self._session.run(None, {self._name: batch})[0]
        except onnx_errors() as error:
            raise WeightsError(say("the ONNX model cannot be run: {error}", error=_short(error))) from error
        return _logit(found, self._output)


def _logit(found: object, output: Output) -> float:
    values = np.asarray(found)
    wanted = 2 if output.kind == "two-class" else 1
    if values.size != wanted or values.dtype.kind not in "fiu":
        shape = " × ".join(map(str, values.shape)) or "1"
        raise WeightsError(
            say("the model gives {shape} values, not {wanted} as its card says", shape=shape, wanted=wanted)
        )
    flat = values.ravel().astype(np.float64)
    if not np.isfinite(flat).all():
        return math.nan
    if output.kind == "two-class":
        generated, real = flat[output.generated_index], flat[1 - output.generated_index]
        if output.values == "logits":
            return float(generated - real)
        return _log_odds(generated / (generated + real) if generated + real > 0 else 0.5)
    value = float(flat[0]) if output.kind == "logit" else _log_odds(float(flat[0]))
    return value if output.higher == "generated" else -value


def _log_odds(probability: float) -> float:
    if not -1e-3 <= probability <= 1 + 1e-3:
        raise WeightsError(say("the model gives {value:.3g} where its card says probability", value=float(probability)))
    kept = min(1 - SMALLEST, max(SMALLEST, float(probability)))
    return math.log(kept / (1 - kept))


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:300]
