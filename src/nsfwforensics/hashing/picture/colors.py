"""How many pixels of a picture are black, grey, faintly or brightly coloured, and of which hue.

These are the counts behind ImageHash's colour hash, which takes them from Pillow's conversion to HSV. That conversion
is slow, and almost all of it can be had from comparisons: saturation classes are bounds on the smallest channel given
the largest, and the sixth of the hue circle is the order of the three channels. Only pixels so close to a bound that
rounding decides go through Pillow, so that the counts are exactly its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

SIXTHS = 6
_BLACK_BELOW = 32
_GREY, _FAINT, _BETWEEN, _BRIGHT = range(4)
_BLACK, _UNSURE = 32, 64  # bits of a pixel's code, above the saturation class times 8 and the order of the channels
_STRIP_PIXELS = 1 << 17
_ORDERS = (3, 2, 6, 4, 5, 1)  # (r > g) + 2 (g > b) + 4 (b > r) for each sixth of the hue circle, from red on


@dataclass(frozen=True, slots=True)
class ColorCounts:
    """Pixels by class; ``faint`` and ``bright`` by sixth of the hue circle, int64 (6,).

    ``colored`` also holds pixels whose saturation lies exactly between faint and bright.
    """

    black: int
    grey: int
    colored: int
    faint: NDArray[np.int64]
    bright: NDArray[np.int64]


def count_colors(rgb: Bytes | None, grey: Bytes) -> ColorCounts:
    """Counts the pixels of one picture.

    Args:
        rgb: uint8 (height, width, 3), or None for a grey picture.
        grey: The same in grey as Pillow weighs it, uint8 (height, width).
    """
    counts = np.zeros((4, SIXTHS), np.int64)
    values = grey.reshape(-1)
    pixels = None if rgb is None else rgb.reshape(-1, 3)
    black = 0
    for start in range(0, values.size, _STRIP_PIXELS):
        part = values[start : start + _STRIP_PIXELS]
        if pixels is None:
            dark = int(np.count_nonzero(part < _BLACK_BELOW))
            counts[_GREY, 0] += part.size - dark
        else:
            dark = _count_strip(pixels[start : start + _STRIP_PIXELS], part, counts)
        black += dark
    gray = int(counts[_GREY].sum())
    return ColorCounts(black, gray, values.size - black - gray, counts[_FAINT], counts[_BRIGHT])


def _count_strip(pixels: Bytes, grey: Bytes, counts: NDArray[np.int64]) -> int:
    """Adds a strip's pixels to ``counts`` (class, sixth) and returns how many are black."""
    import cv2

    red, green, blue = (channel.reshape(-1) for channel in cv2.split(pixels[None]))
    largest = np.maximum(np.maximum(red, green), blue)
    smallest = np.minimum(np.minimum(red, green), blue)
    middle = red + green + blue - largest - smallest  # wraps round twice and comes out right
    level = np.zeros(len(pixels), np.uint8)
    for bound in _saturation_bounds():
        level += smallest < cv2.LUT(largest, bound).reshape(-1)
    order = (red > green) + ((green > blue).view(np.uint8) << 1) + ((blue > red).view(np.uint8) << 2)
    code = order + (level << 3) + (grey < _BLACK_BELOW).view(np.uint8) * np.uint8(_BLACK)
    near = (largest - middle <= (largest - smallest) >> 6) | (middle == smallest)
    unsure = np.flatnonzero(near & (code >= _FAINT << 3) & (code < _BLACK))
    code[unsure] |= _UNSURE
    histogram = cv2.calcHist([code[None]], [0], None, [128], [0, 128]).ravel().astype(np.int64)
    classes = histogram[:_BLACK].reshape(4, 8)
    counts[_GREY, 0] += classes[_GREY].sum()
    counts[_FAINT:] += classes[_FAINT:, _ORDERS]
    if len(unsure):
        sixth = _hue_sixths()[_hsv(pixels[unsure])[:, 0]]
        np.add.at(counts, (level[unsure], sixth), 1)
    return int(histogram[_BLACK:_UNSURE].sum())


def _hsv(pixels: Bytes) -> Bytes:
    """Pillow's own conversion of uint8 (number, 3)."""
    from PIL import Image

    converted: Bytes = np.asarray(Image.fromarray(pixels[None]).convert("HSV"))[0]
    return converted


@lru_cache(maxsize=1)
def _saturation_bounds() -> tuple[Bytes, ...]:
    """For each largest channel, how many values of the smallest reach a saturation of 85, of 170, and exceed 170."""
    largest, smallest = np.tril_indices(256)
    saturation = _hsv(np.stack([largest, smallest, smallest], axis=1).astype(np.uint8))[:, 1]
    chosen = (saturation >= 85, saturation >= 170, saturation > 170)
    return tuple(np.bincount(largest[mask], minlength=256).astype(np.uint8) for mask in chosen)


@lru_cache(maxsize=1)
def _hue_sixths() -> NDArray[np.intp]:
    """The sixth of the hue circle for each hue (0–255), as NumPy's histogram bins it: intp (256,)."""
    edges = np.linspace(0, 255, SIXTHS + 1)
    return np.minimum(np.searchsorted(edges, np.arange(256), side="right") - 1, SIXTHS - 1)
