"""Lengths in CBOR that cannot be true."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.formats.cbor import TOLERATED, lying_length


def head(major: int, value: int) -> bytes:
    if value < 24:
        return bytes((major << 5 | value,))
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << (8 * width):
            return bytes((major << 5 | info,)) + value.to_bytes(width, "big")
    raise ValueError(value)


def encode(value: object) -> bytes:
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(encode(item) for item in value)
    assert isinstance(value, dict)
    return head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.binary(max_size=300) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=5), inner, max_size=30),
)


@given(_VALUES)
def test_true_lengths_pass(value: object) -> None:
    assert lying_length(encode(value)) is None


@given(_VALUES, st.sampled_from([2, 3, 4, 5]), st.integers(TOLERATED * 64, 2**64 - 1))
def test_a_length_far_beyond_the_end_is_found(value: object, major: int, claimed: int) -> None:
    before = encode([value])
    assert lying_length(before + head(major, claimed) + b"rest") == len(before)


@given(st.binary(max_size=500))
def test_any_bytes_are_walked(data: bytes) -> None:
    place = lying_length(data)
    assert place is None or 0 <= place < len(data)


@pytest.mark.parametrize("unit", [b"\x00", b"\x81", b"\x41a", b"\x18\xff", b"\xc0"])
def test_the_walk_is_linear(unit: bytes) -> None:
    start = time.process_time()
    assert lying_length(unit * 200_000) is None
    assert time.process_time() - start < 2
