"""Binary codes of local descriptors: 128 bits whose Hamming distance follows the angle between two descriptors.

The descriptors are centred and turned by a fixed rotation (a Walsh–Hadamard transform of components with fixed signs);
a bit is the sign of each component (random hyperplanes: Charikar, STOC 2002). Nothing is trained on what is indexed, so
codes of different indexes and machines agree.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 128

# Means of RootSIFT components, times 512, over the keypoints of photographs: by symmetry there are three kinds of cells
# (at a corner, an edge, the middle of the 4 × 4), and the eight directions are counted from the keypoint's own.
_CORNER = (43, 30, 23, 24, 29, 24, 23, 30)
_SIDE = (66, 40, 25, 24, 29, 24, 25, 40)
_MIDDLE = (86, 49, 29, 31, 38, 31, 29, 49)
_EDGE = (46, 31, 26, 30, 36, 30, 26, 31)


class Codes(NamedTuple):
    """Binary codes of descriptors, by which neighbours are searched.

    Attributes:
        bits: uint64 (n, 2), the 128 bits.
        margins: float32 (n, 128), how far each component is from the threshold of its bit; bit k of the row is set
            where component k is positive.
    """

    bits: NDArray[np.uint64]
    margins: NDArray[np.float32]


def codes(descriptors: NDArray[np.uint8]) -> Codes:
    """Codes of RootSIFT descriptors: uint8 (n, 128)."""
    margins = np.asarray((descriptors.astype(np.float32) - _mean()) @ _rotation(), np.float32)
    packed = np.packbits(margins > 0, axis=1, bitorder="little")
    return Codes(np.ascontiguousarray(packed).view("<u8").astype(np.uint64), margins)


@cache
def _mean() -> NDArray[np.float32]:
    rows = [_CORNER, _SIDE, _SIDE, _CORNER], [_EDGE, _MIDDLE, _MIDDLE, _EDGE]
    return np.array([*rows[0], *rows[1], *rows[1], *rows[0]], np.float32).reshape(BITS)


@cache
def _rotation() -> NDArray[np.float32]:
    """float32 (128, 128): signs, then the transform, each column a hyperplane."""
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < BITS:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    drawn = np.frombuffer(hashlib.shake_128(b"codes of local descriptors").digest(BITS), np.uint8)
    signs = np.where(drawn & 1, 1.0, -1.0).astype(np.float32)
    order = np.argsort(_ranks(), kind="stable")
    return np.ascontiguousarray((signs[:, None] * matrix)[:, order] / np.float32(BITS**0.5))


def _ranks() -> NDArray[np.uint16]:
    """Fixed numbers that put the hyperplanes into an order without the transform's own."""
    return np.frombuffer(hashlib.shake_128(b"order of hyperplanes").digest(2 * BITS), "<u2").astype(np.uint16)


__all__ = ["BITS", "Codes", "codes"]
