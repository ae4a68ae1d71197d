"""The PDQ hashes of a picture's eight turns and mirrorings from one walk over it.

PDQ's filter and sampling are linear and separate into rows and columns, so a mirrored picture is sampled by walking the
same picture with mirrored weights, and a turned one by swapping rows and columns afterwards. Filter windows and sample
positions are thereby those that hashing the transformed picture would have; only the order of the sums differs, which
moves a bit where a DCT term lies within rounding of their median. (Transforming the samples or the DCT terms would be
cheaper still and give other hashes, since windows and positions are not symmetric.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.hashing.picture import pdq as reference
from nsfwforensics.hashing.picture.pdq import PdqHash, pdq_dihedral

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE = 64


def dihedral_hashes(pixels: NDArray[np.uint8]) -> tuple[PdqHash, ...]:
    """Hashes a picture as it is, turned and mirrored.

    Args:
        pixels: uint8, (height, width, 3) RGB or (height, width) grey, 0–255, at full decoded size.

    Returns:
        Eight hashes in the order of :data:`nsfwforensics.hashing.picture.pdq.DIHEDRAL_NAMES`, the first of them that of
        :func:`nsfwforensics.hashing.picture.pdq.pdq`. Small pictures and strips are transformed and hashed one by one.

    Raises:
        ValueError: The array is empty or of another shape or type.
    """
    height, width = pixels.shape[:2]
    ratio = max(height, width) / max(1, min(height, width))
    if pixels.size == 0 or height * width <= reference._SMALL_PIXELS or ratio > reference._STRIP_RATIO:
        return pdq_dihedral(pixels)
    rows, turned_over = _rows(pixels, mirrored=False), _rows(pixels, mirrored=True)
    original, mirror = _columns(rows, mirrored=False), _columns(rows, mirrored=True)
    flipped, turned = _columns(turned_over, mirrored=False), _columns(turned_over, mirrored=True)
    # By what np.rot90 does to the picture and to its mirror image: which mirrorings, then whether axes are swapped.
    samples = (original, mirror.T, turned, flipped.T, mirror, original.T, flipped, turned.T)
    shorter = min(height, width)
    return tuple(reference._hash_samples(np.ascontiguousarray(one), shorter) for one in samples)


def _rows(pixels: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
    """Luma filtered and sampled down the picture, or down its mirror image: float32 (64, width)."""
    height = len(pixels)
    starts, weights = reference._tent(height)
    rows = np.empty((_SIDE, *pixels.shape[1:]), np.float32)
    for index, start in enumerate(starts.tolist()):
        band, share = _part(height, start, weights[index], mirrored=mirrored)
        part = pixels[band].astype(np.float32)
        np.einsum("r,rc->c", share, part.reshape(len(part), -1), out=rows[index].reshape(-1))
    return reference._luma(rows)


def _columns(rows: NDArray[np.float32], *, mirrored: bool) -> NDArray[np.float32]:
    """The same across: float32 (64, 64)."""
    width = rows.shape[1]
    starts, weights = reference._tent(width)
    samples = np.empty((_SIDE, _SIDE), np.float32)
    for index, start in enumerate(starts.tolist()):
        band, share = _part(width, start, weights[index], mirrored=mirrored)
        np.einsum("rc,c->r", rows[:, band], share, out=samples[:, index])
    return samples


def _part(
    length: int, start: int, weights: NDArray[np.float32], *, mirrored: bool
) -> tuple[slice, NDArray[np.float32]]:
    """Which part of the signal a sample is made of, with its weights, in the signal's own direction."""
    stop = min(start + len(weights), length)
    share = weights[: stop - start]
    return (slice(length - stop, length - start), share[::-1]) if mirrored else (slice(start, stop), share)
