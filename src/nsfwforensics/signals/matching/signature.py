"""Local features of a picture in few bytes, to be stored with a known image and aligned with a suspect later.

A signature holds at most :data:`POINTS` keypoints of :data:`POINT_BYTES` bytes each behind a header of
:data:`HEADER_BYTES`: at most :data:`LARGEST` bytes in all. The descriptor takes half a byte per component (64 bytes for
RootSIFT's 128); place, size and direction take six bytes. What decodes is an ordinary
:class:`~nsfwforensics.signals.matching.keypoints.Keypoints`, so that alignment is the one that compares pictures.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.signals.matching.keypoints import DESCRIPTOR_NORM, Keypoints, keypoints

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHOD = "rootsift4-1"
"""Name and version of what a signature holds; signatures of different methods cannot be aligned."""

POINTS = 300
"""Most keypoints of a signature."""

EDGE = 512
"""Longest edge, in pixels, at which the keypoints of a signature are looked for."""

POINT_BYTES = 70
HEADER_BYTES = 18
LARGEST = HEADER_BYTES + POINTS * POINT_BYTES
"""Most bytes of a signature that :func:`encode` makes."""

MOST_DECODED = 4096
"""Most keypoints that :func:`decode` takes."""

_MAGIC = b"NKP"
_VERSION = 1
_HEADER = struct.Struct("<3sBIIfH")
_POINT = np.dtype([("x", "<u2"), ("y", "<u2"), ("scale", "u1"), ("angle", "u1"), ("descriptor", "u1", 64)])
_LONGEST = 1 << 24  # of a side, in pixels
_PLACES = 65535
_OUTSIDE = 2.0  # pixels by which a point found near an edge may lie beyond it
_SCALE_STEPS = 16.0  # per octave: sizes are off by at most 2.2 %
_SCALE_FROM = -1.0  # log2 of the smallest size, in pixels at working size
_LEVEL = 11.0  # a component's value per step of its four bits; those beyond 15 steps, one in a thousand, are cut


def signature(picture: NDArray[np.uint8]) -> Keypoints:
    """Finds the keypoints that a signature holds, in a picture of any size.

    Args:
        picture: uint8 (height, width, 3) RGB, or (height, width) grey.

    Returns:
        What :func:`decode` gives for the picture's signature: at most :data:`POINTS` keypoints.
    """
    return decode(encode(keypoints(picture, POINTS, EDGE)))


def encode(points: Keypoints) -> bytes:
    """Packs the first :data:`POINTS` keypoints into at most :data:`LARGEST` bytes.

    Raises:
        ValueError: The picture's sides or its reduction are out of range.
    """
    kept = points.first(POINTS)
    _check(kept.width, kept.height, kept.reduction)
    rows = np.zeros(len(kept), _POINT)
    longest = max(kept.width, kept.height)
    places = (kept.points.astype(np.float64) + _OUTSIDE) / (longest + 2 * _OUTSIDE) * _PLACES
    rows["x"], rows["y"] = np.clip(np.round(places), 0, _PLACES).T
    octaves = np.log2(np.maximum(kept.scales / kept.reduction, 1e-3)) - _SCALE_FROM
    rows["scale"] = np.clip(np.round(octaves * _SCALE_STEPS), 0, 255)
    rows["angle"] = np.round(kept.angles * (256 / 360)).astype(np.int64) % 256
    levels = np.minimum(np.round(kept.descriptors / _LEVEL), 15).astype(np.uint8)
    rows["descriptor"] = levels[:, 0::2] << 4 | levels[:, 1::2]
    return _HEADER.pack(_MAGIC, _VERSION, kept.width, kept.height, kept.reduction, len(kept)) + rows.tobytes()


def decode(data: bytes) -> Keypoints:
    """Unpacks a signature.

    Args:
        data: What :func:`encode` made; anything else is refused or gives some valid keypoints, never more than
            :data:`MOST_DECODED`.

    Raises:
        ValueError: It is no signature, of another version, or damaged.
    """
    if len(data) < _HEADER.size or data[:3] != _MAGIC:
        raise ValueError("no signature of local features")
    _, version, width, height, reduction, count = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise ValueError(f"signature of version {version}, and only {_VERSION} is understood here")
    if count > MOST_DECODED or len(data) != _HEADER.size + count * _POINT.itemsize:
        raise ValueError("the signature is damaged: its length does not fit its number of points")
    _check(width, height, reduction)
    rows = np.frombuffer(data, _POINT, count, _HEADER.size)
    longest = max(width, height)
    places = np.stack([rows["x"], rows["y"]], axis=1).astype(np.float64) / _PLACES
    places = places * (longest + 2 * _OUTSIDE) - _OUTSIDE
    places = np.clip(places, -_OUTSIDE, np.array([width, height]) + _OUTSIDE)
    levels = np.empty((count, 128), np.float32)
    levels[:, 0::2], levels[:, 1::2] = rows["descriptor"] >> 4, rows["descriptor"] & 15
    length = np.maximum(np.sqrt((levels**2).sum(axis=1, keepdims=True)), 1.0)
    return Keypoints(
        points=places.astype(np.float32),
        scales=np.asarray(np.exp2(rows["scale"] / _SCALE_STEPS + _SCALE_FROM) * reduction, np.float32),
        angles=np.asarray(rows["angle"] * (360 / 256), np.float32),
        descriptors=np.minimum(np.round(levels * (DESCRIPTOR_NORM / length)), 255).astype(np.uint8),
        width=width,
        height=height,
        reduction=reduction,
    )


def _check(width: int, height: int, reduction: float) -> None:
    if not (0 < width <= _LONGEST and 0 < height <= _LONGEST):
        raise ValueError(f"a picture of {width} × {height} pixels has no signature")
    if not 1.0 <= reduction <= _LONGEST:
        raise ValueError(f"the signature is damaged: reduction {reduction}")


__all__ = ["EDGE", "LARGEST", "METHOD", "MOST_DECODED", "POINTS", "decode", "encode", "signature"]
