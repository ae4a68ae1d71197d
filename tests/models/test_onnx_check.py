"""A model that is not what it should be is refused before any runtime sees it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsfwforensics.errors import WeightsError
from nsfwforensics.models.own.onnx_check import check_onnx
from tests.models.make_onnx import brightness, field, model, node, tensor, varint

IDENTITY = node("Flatten", ["x"], ["y"])
SUBGRAPH = field(1, node("Identity", ["a"], ["b"])) + field(2, "body")


def test_a_plain_network_passes() -> None:
    check_onnx(brightness())
    check_onnx(model([node("Dropout", ["x", "r"], ["y"])]))
    check_onnx(model([node("Relu", ["x"], ["y"], domain="ai.onnx")]))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (model([node("Loop", ["x"], ["y"], body=SUBGRAPH)]), "branches or loops"),
        (model([node("If", ["x"], ["y"], then_branch=SUBGRAPH)]), "branches or loops"),
        (model([node("Scan", ["x"], ["y"])]), "“Scan”, which is not allowed"),
        (model([node("RandomNormalLike", ["x"], ["y"])]), "“RandomNormalLike”"),
        (model([node("Dropout", ["x", "r", "training"], ["y"])]), "drop values at random"),
        (model([node("Relu", ["x"], ["y"], domain="com.evil")]), "operators of “com.evil”"),
        (model([node("Gelu", ["x"], ["y"], domain="com.microsoft")]), "com.microsoft"),
        (model([IDENTITY], domain="custom"), "operators of “custom”"),
        (model([IDENTITY], extra=field(25, field(1, "f"))), "functions of its own"),
        (model([IDENTITY], extra=field(20, b"")), "training steps"),
        (model([IDENTITY], tensors=[tensor("w", [1.0], extra=field(14, 1))]), "a second file"),
        (
            model([IDENTITY], tensors=[tensor("w", [1.0], extra=field(13, field(1, "location") + field(2, "/etc/p")))]),
            "a second file",
        ),
        (model([IDENTITY], tensors=[field(1, 1 << 20) + field(1, 1 << 20) + field(2, 1)]), "too many"),
        (model([IDENTITY], tensors=[field(1, varint(1 << 20) * 3) + field(2, 1)]), "too many"),
        (model([IDENTITY], tensors=[field(1, -5) + field(2, 1)]), "impossible size"),
        (model([node("Constant", [], ["c"]) + field(5, field(1, "v") + field(5, field(14, 1)))]), "a second file"),
        (model([node("Constant", [], ["c"]) + field(5, field(1, "v") + field(22, b""))]), "sparse"),
        (model([IDENTITY]) + field(7, b""), "no network"),
        (model([IDENTITY]) + field(7, 5), "breaks off"),
        (b"", "no network"),
        (b"\x08\x08", "no network"),
        (b"\x0b\x0c", "breaks off"),
        (b"\xff" * 20, "breaks off"),
        (field(7, field(1, IDENTITY) * 20_001), "20,001 steps"),
    ],
)
def test_what_is_not_allowed_is_named(data: bytes, words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        check_onnx(data)


def test_a_truncated_model_is_refused_wherever_it_ends() -> None:
    whole = brightness()
    ends = [whole.index(b"GlobalAveragePool") + 3, *range(1, len(whole) - 1, 7)]
    for end in ends:
        try:
            check_onnx(whole[:end])
        except WeightsError:
            continue
        assert end > len(whole) - 20, "only a cut in the last fields leaves the network whole"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_any_bytes_are_refused_or_pass_but_never_raise_anything_else(noise: bytes, place: int, value: int) -> None:
    damaged = bytearray(brightness())
    damaged[place % len(damaged)] = value
    for data in (noise, bytes(damaged), field(7, noise)):
        try:
            check_onnx(data)
        except WeightsError as error:
            assert error.message


def test_sizes_are_products_of_all_sides() -> None:
    check_onnx(model([IDENTITY], tensors=[tensor("w", np.zeros((4, 0, 5)))]))
