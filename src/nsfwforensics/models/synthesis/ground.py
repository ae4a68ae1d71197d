"""Does a picture stand on plain, light ground, as in a studio or a catalogue?

Of photographs of clothes on such ground every fifth was called generated, and too few of the kind are at hand to set a
limit for them: such pictures are told by a state of their own, in which nothing is said.
"""

from __future__ import annotations

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

# ITU-R BT.709 primaries over white D65, times 4096.
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_XYZ = np.rint(4096 * _XYZ / np.array([[0.950456], [1], [1.088754]])).astype(np.int64)
_ONE = 1 << 15


def on_plain_ground(view: NDArray[np.uint8]) -> bool:
    """Whether most of a view's border is flat and of one light tone without much colour.

    Args:
        view: uint8 (224, 224, 3), as the network sees it.
    """
    count = len(view) // _CELL
    cells = view[: count * _CELL, : count * _CELL].reshape(count, _CELL, count, _CELL, 3).swapaxes(1, 2)
    ring = np.ones((count, count), bool)
    ring[_RING:-_RING, _RING:-_RING] = False
    lab = _lab(cells[ring].reshape(-1, _CELL * _CELL, 3))
    tones, spread = lab.mean(axis=1), lab.std(axis=1).max(axis=1)
    flat = spread <= _FLAT
    if flat.mean() < _SHARE:
        return False
    ground = np.median(tones[flat], axis=0)
    light = ground[0] > _LIGHT and np.abs(ground[1:] - 128).max() <= _NEUTRAL
    return bool(light and (flat & (np.abs(tones - ground).max(axis=1) <= _NEAR)).mean() >= _SHARE)


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIE 1976 L*a*b* of sRGB in bytes, L* of 0-255, a* and b* around 128.

    The very numbers of OpenCV, whose fixed-point arithmetic this is: that makes tables of all colours for a tenth of a
    second before the first pixel.
    """
    gamma = np.arange(256) / 255
    gamma = np.where(gamma <= 0.04045, gamma / 12.92, ((gamma + 0.055) / 1.055) ** 2.4)
    linear = np.rint(255 * 8 * gamma).astype(np.int64)
    roots = np.arange(3072) / (255 * 8)
    roots = np.where(roots < 0.008856, 7.787 * roots + 16 / 116, np.cbrt(roots))
    table = np.rint(_ONE * roots).astype(np.int64)
    x, y, z = np.moveaxis(table[(linear[rgb] @ _XYZ.T + 2048) >> 12], -1, 0)
    lightness = (116 * 255 + 50) // 100 * y - (16 * 255 * _ONE + 50) // 100
    lab = np.stack([lightness, 500 * (x - y) + 128 * _ONE, 200 * (y - z) + 128 * _ONE], -1)
    return np.asarray(np.clip((lab + _ONE // 2) >> 15, 0, 255), np.float64)
