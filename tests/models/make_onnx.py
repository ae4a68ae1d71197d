"""Tiny models of every kind that a stranger might hand over, written byte by byte: no exporter is needed."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np


def varint(number: int) -> bytes:
    out = bytearray()
    number &= (1 << 64) - 1
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, values: object, *, extra: bytes = b"") -> bytes:
    """A TensorProto of float32, or of int64 for whole numbers."""
    array = np.asarray(values)
    kind = 7 if array.dtype.kind == "i" else 1
    array = array.astype("<i8" if kind == 7 else "<f4")
    dims = b"".join(field(1, side) for side in array.shape)
    return dims + field(2, kind) + field(8, name) + field(9, array.tobytes()) + extra


def attribute(name: str, value: int | float | Sequence[int] | bytes) -> bytes:
    """An AttributeProto: an int, a float, ints, or an encoded subgraph (bytes)."""
    head = field(1, name)
    if isinstance(value, bytes):
        return head + field(6, value) + field(20, 5)
    if isinstance(value, float):
        return head + varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, 1)
    if isinstance(value, int):
        return head + field(3, value) + field(20, 2)
    return head + b"".join(field(8, number) for number in value) + field(20, 7)


def node(
    kind: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    domain: str = "",
    **attributes: int | float | Sequence[int] | bytes,
) -> bytes:
    parts = [field(1, name) for name in inputs] + [field(2, name) for name in outputs] + [field(4, kind)]
    parts += [field(5, attribute(name, value)) for name, value in attributes.items()]
    return b"".join(parts) + (field(7, domain) if domain else b"")


def value(name: str, shape: Sequence[int | str], kind: int = 1) -> bytes:
    dims = b"".join(field(1, field(1, side) if isinstance(side, int) else field(2, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def model(
    nodes: Sequence[bytes],
    *,
    tensors: Sequence[bytes] = (),
    shape: Sequence[int | str] = (1, 3, 64, 64),
    out: Sequence[int | str] = (1, 1),
    more_inputs: Sequence[bytes] = (),
    kind: int = 1,
    domain: str = "",
    extra: bytes = b"",
) -> bytes:
    """A ModelProto from ``x`` to ``y``."""
    graph = b"".join(field(1, one) for one in nodes) + field(2, "g") + b"".join(field(5, one) for one in tensors)
    graph += field(11, value("x", shape, kind)) + b"".join(field(11, one) for one in more_inputs)
    graph += field(12, value("y", out))
    opset = field(1, domain) + field(2, 17)
    return field(1, 8) + field(7, graph) + field(8, opset) + extra


def brightness(*, gain: float = 10.0, offset: float = -5.0, size: int = 64, classes: int = 1) -> bytes:
    """Logit = offset + gain · mean brightness (0–1); with two classes, (real, generated) = (0, that)."""
    weights = [[gain / 3]] * 3 if classes == 1 else [[0.0, gain / 3]] * 3
    bias = [float(offset)] if classes == 1 else [0.0, float(offset)]
    return model(
        [
            node("GlobalAveragePool", ["x"], ["p"]),
            node("Flatten", ["p"], ["f"]),
            node("Gemm", ["f", "w", "b"], ["y"]),
        ],
        tensors=[tensor("w", np.array(weights)), tensor("b", np.array(bias))],
        shape=("n", 3, size, size),
        out=("n", classes),
    )


def card(folder: Path, data: bytes, *, name: str = "model.onnx", replace: Mapping[str, str] | None = None) -> Path:
    """Writes a model and its card; ``replace`` swaps whole sections (``input``, ``output``, ``calibration``, …)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    sections = {
        "detector": f'name = "Brightness"\nversion = "1"\nlicence = "CC0-1.0"\nformat = "onnx"\nfile = "{name}"\n'
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        "input": 'width = 64\nheight = 64\nfit = "stretch"',
        "output": 'kind = "logit"',
        "limits": "min_side = 64\nmax_flat_share = 1.0",
        **(replace or {}),
    }
    text = "\n\n".join(f"[{section}]\n{body}" for section, body in sections.items() if section != "rates" and body)
    text += "".join(f"\n\n[[rates]]\n{body}" for body in sections.get("rates", "").split("\n---\n") if body)
    path = folder / "detector.toml"
    path.write_text(text + "\n", "utf-8")
    return path


THRESHOLD = "generated_from = 0.0"
RATES = "\n---\n".join(
    f'state = "{state}"\nreal_called = [1, 400]\ngenerated_called = [300, 400]'
    for state in ("as_is", "768_q60", "512_q40")
)
