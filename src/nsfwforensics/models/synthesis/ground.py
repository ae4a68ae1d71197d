"""Does a picture stand on plain, light ground, as in a studio or a catalogue?

Of photographs of clothes on such ground every fifth was called generated, and too few of the kind are at hand to set a
limit for them: such pictures are told by a state of their own, in which nothing is said.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_CELL = 8
_RING = 2
"""Width of the border that is looked at, in cells: wider than a thin frame."""

_FLAT = 3.0
"""Largest standard deviation of a flat cell, in levels of L*a*b* (0–255)."""

_NEAR = 20.0
_NEUTRAL = 8.0
_LIGHT = 150.0
_SHARE = 0.5


def on_plain_ground(view: NDArray[np.uint8]) -> bool:
    """Whether most of a view's border is flat and of one light tone without much colour.

    Args:
        view: uint8 (224, 224, 3), as the network sees it.
    """
    count = len(view) // _CELL
    lab = cv2.cvtColor(view[: count * _CELL, : count * _CELL], cv2.COLOR_RGB2LAB).astype(np.float32)
    mean, squares = (cv2.resize(each, (count, count), interpolation=cv2.INTER_AREA) for each in (lab, lab * lab))
    ring = np.ones((count, count), bool)
    ring[_RING:-_RING, _RING:-_RING] = False
    tones, spread = mean[ring], np.sqrt(np.maximum(squares - mean * mean, 0))[ring].max(axis=1)
    flat = spread <= _FLAT
    if flat.mean() < _SHARE:
        return False
    ground = np.median(tones[flat], axis=0)
    light = ground[0] > _LIGHT and np.abs(ground[1:] - 128).max() <= _NEUTRAL
    return bool(light and (flat & (np.abs(tones - ground).max(axis=1) <= _NEAR)).mean() >= _SHARE)
