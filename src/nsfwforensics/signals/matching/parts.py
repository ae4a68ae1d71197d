"""Keypoints for finding a known picture as a part of another: few are kept with it, more are asked for of a suspect.

A signature is computed at a small size, so that it is small itself. A suspect is looked at more closely: in a
screenshot the known picture may fill no more than a fifth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.signals.matching.keypoints import Keypoints, keypoints
from nsfwforensics.signals.matching.signature import EDGE, METHOD, POINTS, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.core.evidence import Evidence

ASKED_EDGE = 768
"""Longest edge at which keypoints of a suspect are looked for, in pixels."""

ASKED_POINTS = 600
"""Most keypoints of a suspect."""

REDUCED_EDGE = 384
"""Shortest edge, in pixels, that a scaled decode must keep to be taken for a signature."""


def kept_points(picture: NDArray[np.uint8]) -> Keypoints:
    """The keypoints that a signature holds.

    Args:
        picture: uint8 (height, width, 3) RGB, or (height, width) grey.
    """
    return keypoints(picture, POINTS, EDGE)


def asked_points(picture: NDArray[np.uint8]) -> Keypoints:
    """The keypoints that a suspect is looked up by.

    Args:
        picture: uint8 (height, width, 3) RGB, or (height, width) grey.
    """
    return keypoints(picture, ASKED_POINTS, ASKED_EDGE)


def picture_signature(evidence: Evidence) -> bytes:
    """The signature of a picture, from a scaled decode where there is one; it depends on the bytes alone.

    Raises:
        EvidenceError: The picture cannot be decoded.
    """
    reduced = evidence.reduced(REDUCED_EDGE)
    points = kept_points(np.asarray(evidence.image if reduced is None else reduced))
    info = evidence.info()
    return encode(_at_size(points, info.width or points.width, info.height or points.height))


def _at_size(points: Keypoints, width: int, height: int) -> Keypoints:
    """Keypoints of a reduced picture in the pixels of the full one."""
    if (width, height) == (points.width, points.height):
        return points
    factor = np.array([width / points.width, height / points.height], np.float32)
    return replace(
        points,
        points=np.asarray((points.points + 0.5) * factor - 0.5, np.float32),
        scales=np.asarray(points.scales * factor.max(), np.float32),
        width=width,
        height=height,
        reduction=max(1.0, points.reduction * float(factor.max())),
    )


__all__ = ["ASKED_EDGE", "ASKED_POINTS", "METHOD", "asked_points", "kept_points", "picture_signature"]
