"""PDQ, the 256-bit perceptual hash published by Facebook in 2019, in vectorised NumPy.

Written after the published description ("The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm",
hashing.pdf in the ThreatExchange repository): luma, two passes of a box filter in each direction (Jarosz's
approximation of a tent), 64 × 64 samples, the 16 × 16 lowest non-constant DCT terms, a bit for each term above their
median; and a quality from the quantised gradients of the 64 × 64 samples. Luma, filter and sampling are all linear,
so the filter is evaluated only where it is sampled, rows first and the colour weights last.

The picture is hashed at its full decoded size. Some tools shrink large pictures before; their hashes differ by a few
bits, well inside the usual matching distance of 31.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.core.hashes import QUALITY_USABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE = 64
_TERMS = 16
_SMALLEST = 5
_STRIP_RATIO = 16
_SMALL_PIXELS = 1 << 18
_LUMA = (0.299, 0.587, 0.114)

DIHEDRAL_NAMES = (
    "original", "rotate90", "rotate180", "rotate270", "mirror", "mirror_rotate90", "flip", "mirror_rotate270",
)  # fmt: skip
"""Names of the eight transforms of :func:`pdq_dihedral`, in its order; rotations are counter-clockwise."""


@dataclass(frozen=True, slots=True)
class PdqHash:
    """One PDQ hash.

    Attributes:
        bits: The 256 bits, most significant first, as 32 bytes.
        quality: 0–100; below :data:`QUALITY_USABLE` the hash is not fit for matching.
    """

    bits: bytes
    quality: int

    def __str__(self) -> str:
        return self.bits.hex()

    @property
    def usable(self) -> bool:
        """Whether the picture has enough structure for the hash to be matched."""
        return self.quality >= QUALITY_USABLE

    def distance(self, other: PdqHash) -> int:
        """Hamming distance, 0–256 bits."""
        return (int.from_bytes(self.bits, "big") ^ int.from_bytes(other.bits, "big")).bit_count()


def pdq(pixels: NDArray[np.uint8]) -> PdqHash:
    """Hashes one picture.

    Args:
        pixels: uint8, (height, width, 3) RGB or (height, width) grey, 0–255, at full decoded size.

    Returns:
        Hash and quality. A picture less than 5 pixels high or wide has the all-zero hash with quality 0, as in the
        reference implementation.

    Raises:
        ValueError: The array is empty or of another shape or type.
    """
    return _hash_samples(pdq_samples(pixels), min(pixels.shape[:2]))


def pdq_of_reduced(pixels: NDArray[np.uint8], full_size: tuple[int, int]) -> PdqHash:
    """Hashes a picture from a reduced decode of it, each of whose pixels is the mean of a block of the full picture.

    The filter of the full size is laid over the blocks, so that its windows are not rounded to whole reduced pixels.

    Args:
        pixels: uint8, (height, width, 3) RGB or (height, width) grey, 0–255, at least 128 pixels each way.
        full_size: Height and width of the full picture in pixels, not below the reduced ones.

    Returns:
        Hash and quality, a few bits from those of the full picture; how many was measured, see the benchmarks.

    Raises:
        ValueError: The array has another shape or type, or is too small or larger than ``full_size``.
    """
    height, width = pixels.shape[:2]
    if pixels.dtype != np.uint8 or not 2 * _SIDE <= height <= full_size[0] or not 2 * _SIDE <= width <= full_size[1]:
        raise ValueError(f"expected uint8 pixels reduced from {full_size}, got {pixels.dtype} {pixels.shape}")
    grey = pixels.astype(np.float32)
    if grey.ndim == 3:
        grey = grey @ np.array(_LUMA, np.float32)
    rows, columns = _blocks_tent(full_size[0], height), _blocks_tent(full_size[1], width)
    return _hash_samples(np.ascontiguousarray(rows @ grey @ columns.T), min(full_size))


def pdq_dihedral(pixels: NDArray[np.uint8]) -> tuple[PdqHash, ...]:
    """Hashes the picture as it is, turned and mirrored: all eight symmetries of a rectangle's grid.

    Each transformed picture is hashed for itself. Turning the samples or the DCT terms instead is cheaper but gives
    other bits than hashing a mirrored file does, since filter windows and sample positions are not symmetric.

    Args:
        pixels: As for :func:`pdq`.

    Returns:
        Eight hashes, in the order of :data:`DIHEDRAL_NAMES`.
    """
    mirrored = pixels[:, ::-1]
    return tuple(pdq(np.rot90(base, turns)) for base in (pixels, mirrored) for turns in range(4))


def pdq_samples(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Luma of the picture, smoothed and sampled: float32 (64, 64), 0–255.

    Raises:
        ValueError: The array is empty or of another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)) or not pixels.size:
        raise ValueError(f"expected uint8 pixels (height, width[, 3]), got {pixels.dtype} {pixels.shape}")
    height, width = pixels.shape[:2]
    if height * width <= _SMALL_PIXELS:
        return _filtered_whole(_luma(pixels))
    if width > _STRIP_RATIO * height:  # keeps the intermediate below the size of the picture
        return np.ascontiguousarray(pdq_samples(pixels.swapaxes(0, 1)).T)
    starts, weights = _tent(height)
    reach = weights.shape[1]
    rows = np.empty((_SIDE, *pixels.shape[1:]), np.float32)
    for index, start in enumerate(starts):
        # One band of rows at a time stays in the processor's cache; a whole float copy of 12 megapixels would not.
        # einsum rather than a matrix product, since BLAS would wake all its threads for each band.
        band = pixels[start : start + reach].astype(np.float32)
        np.einsum("r,rc->c", weights[index, : len(band)], band.reshape(len(band), -1), out=rows[index].reshape(-1))
    rows = _luma(rows)
    samples = np.empty((_SIDE, _SIDE), np.float32)
    starts, weights = _tent(width)
    for index, start in enumerate(starts):
        part = rows[:, start : start + weights.shape[1]]
        np.einsum("rc,c->r", part, weights[index, : part.shape[1]], out=samples[:, index])
    return samples


def _luma(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Luma of (height, width[, 3]) as float32 (height, width), weighed in double precision; grey stays as it is."""
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    red, green, blue = (pixels[..., channel].astype(np.float64) for channel in range(3))
    return (red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]).astype(np.float32)


def _filtered_whole(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Filters a small picture as the reference does, with running sums in single precision, and samples it.

    In small drawn pictures half of the DCT terms are zero but for rounding, and their bits agree with the reference
    only if every step rounds alike. Photographs have no such terms, so large pictures take the quicker way.
    """
    for _ in range(2):
        luma = _running_mean(_running_mean(luma).T).T
    rows, columns = (((np.arange(_SIDE) + 0.5) * length / _SIDE).astype(np.intp) for length in luma.shape)
    return np.ascontiguousarray(luma[np.ix_(rows, columns)])


def _running_mean(lines: NDArray[np.float32]) -> NDArray[np.float32]:
    """One box filter along each line: every step adds the value entering the window and takes off the one leaving."""
    number, length = lines.shape
    window = _window(length)
    right = (window + 2) // 2 - 1
    leave = length - window + right
    steps = np.zeros((number, length + right, 2), np.float32)
    steps[:, :length, 0] = lines
    np.negative(lines[:, :leave], out=steps[:, window : window + leave, 1])
    sums = np.cumsum(steps.reshape(number, -1), axis=1, dtype=np.float32)[:, 2 * right + 1 :: 2]
    end = np.arange(length) + right + 1
    inside = np.minimum(end, length) - np.maximum(end - window, 0)
    np.divide(sums, inside.astype(np.float32), out=sums)
    return sums


def pdq_quality(samples: NDArray[np.float32]) -> int:
    """Quality of a hash, 0–100: the sum of the samples' quantised gradients, scaled and capped.

    Args:
        samples: float32 (64, 64), 0–255.
    """
    total = 0
    for axis in (0, 1):
        steps = np.diff(samples, axis=axis) * np.float32(100) / np.float32(255)
        total += int(np.abs(np.trunc(steps)).sum())
    return min(100, int(total / 90))


def _hash_samples(samples: NDArray[np.float32], shorter_side: int) -> PdqHash:
    if shorter_side < _SMALLEST:
        return PdqHash(bytes(32), 0)
    terms = _low_terms(samples).ravel()
    median = np.partition(terms, terms.size // 2 - 1)[terms.size // 2 - 1]
    bits = np.packbits((terms > median)[::-1]).tobytes()
    return PdqHash(bits, pdq_quality(samples))


def _low_terms(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 16 × 16 lowest DCT terms without the constant row and column: float32 (16, 16).

    Summed in single precision and index order, as a plain loop does: in drawn pictures many terms are zero but for
    rounding, and their bits agree with other implementations only if they round alike.
    """
    basis = _dct_basis()
    half = np.zeros((_TERMS, _SIDE), np.float32)
    for k in range(_SIDE):
        half += basis[:, k, None] * samples[None, k, :]
    terms = np.zeros((_TERMS, _TERMS), np.float32)
    for k in range(_SIDE):
        terms += half[:, k, None] * basis[None, :, k]
    return terms


@lru_cache(maxsize=1)
def _dct_basis() -> NDArray[np.float32]:
    """Rows 1–16 of the orthonormal DCT-II of length 64, without the constant row 0: float32 (16, 64)."""
    order = np.arange(1, _TERMS + 1)[:, None]
    position = 2 * np.arange(_SIDE)[None, :] + 1
    basis: NDArray[np.float64] = np.cos(np.pi / 2 / _SIDE * order * position)
    return (np.float64(np.float32(np.sqrt(2.0 / _SIDE))) * basis).astype(np.float32)


def _window(length: int) -> int:
    return (length + 2 * _SIDE - 1) // (2 * _SIDE)


@lru_cache(maxsize=64)
def _tent(length: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Where the twice box-filtered signal is sampled, as weights on the signal itself.

    The filter's window is ``ceil(length / 128)`` wide, leans to the right by one where that is even, and is cut and
    renormalised at the ends.

    Args:
        length: Number of rows or columns, at least 1.

    Returns:
        First index of each of the 64 samples' support, intp (64,), and weights from there on, float32 (64, reach),
        zero beyond the support and the end of the signal.
    """
    window = _window(length)
    right = (window + 2) // 2 - 1
    left = window - 1 - right
    centre = ((np.arange(_SIDE) + 0.5) * length / _SIDE).astype(np.intp)
    first = np.maximum(centre - 2 * left, 0)

    outer = centre[:, None] + np.arange(-left, right + 1)[None, :]
    inside = (outer >= 0) & (outer < length)
    low = np.maximum(outer - left, 0)
    high = np.minimum(outer + right + 1, length)
    share = np.where(inside, 1.0 / (inside.sum(axis=1, keepdims=True) * np.maximum(high - low, 1)), 0.0)

    reach = 2 * window - 1
    edges = np.zeros((_SIDE, reach + 1))
    sample = np.broadcast_to(np.arange(_SIDE)[:, None], outer.shape)[inside]
    np.add.at(edges, (sample, (low - first[:, None])[inside]), share[inside])
    np.subtract.at(edges, (sample, (high - first[:, None])[inside]), share[inside])
    return first, np.cumsum(edges, axis=1)[:, :reach].astype(np.float32)


@lru_cache(maxsize=64)
def _blocks_tent(length: int, reduced: int) -> NDArray[np.float32]:
    """The weights of :func:`_tent` summed over the blocks that a reduced signal's elements stand for.

    Args:
        length: Of the full signal.
        reduced: Of the reduced one.

    Returns:
        float32 (64, reduced).
    """
    starts, weights = _tent(length)
    places = np.minimum(starts[:, None] + np.arange(weights.shape[1])[None, :], length - 1)
    blocks = ((places + 0.5) * reduced / length).astype(np.intp)
    summed = np.zeros((_SIDE, reduced), np.float64)
    np.add.at(summed, (np.arange(_SIDE)[:, None], blocks), weights)
    return summed.astype(np.float32)
