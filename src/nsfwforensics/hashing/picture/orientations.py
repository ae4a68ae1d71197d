"""PDQ hashes of a picture's eight turns and mirrorings from one transform, for comparing thousands with one another.

Mirroring the 64 × 64 samples changes the sign of every other DCT term, turning them swaps rows and columns. PDQ's own
filter windows and sample positions are not symmetric; here they are, and lie on 256 × 256 pixels whatever the picture's
size. So the hash of a turned picture is the turned hash, and that of one saved smaller moves by fewer bits than PDQ's
(2 instead of 8 on average). The hash lies up to some 16 bits from PDQ's: where a hash is stored or exchanged,
:func:`nsfwforensics.hashing.picture.pdq.pdq` is the one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.hashing.picture import pdq as reference
from nsfwforensics.hashing.picture.pdq import PdqHash, pdq_quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EDGE = 256  # pixels each way: four for each sample, and two for the window of each of the two box filters
_TENT = np.kron(np.eye(reference._SIDE), [1, 3, 3, 1]).astype(np.float32) / 8


def turned_hashes(pixels: NDArray[np.uint8]) -> tuple[PdqHash, ...]:
    """Hashes a picture as it is, turned and mirrored.

    Args:
        pixels: uint8, (height, width, 3) RGB or (height, width) grey, 0–255.

    Returns:
        Eight hashes in the order of :data:`nsfwforensics.hashing.picture.pdq.DIHEDRAL_NAMES`, the first of them some
        bits from that of :func:`nsfwforensics.hashing.picture.pdq.pdq`.

    Raises:
        ValueError: The array is empty or of another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)) or not pixels.size:
        raise ValueError(f"expected uint8 pixels (height, width[, 3]), got {pixels.dtype} {pixels.shape}")
    if min(pixels.shape[:2]) < reference._SMALLEST:
        return (PdqHash(bytes(32), 0),) * 8
    samples = _samples(pixels)
    quality = pdq_quality(samples)
    basis = reference._dct_basis()
    terms = basis @ samples @ basis.T
    signs = np.where(np.arange(1, len(terms) + 1) % 2, -1, 1).astype(np.float32)
    hashes = []
    for turned in (terms, terms * signs):
        for _ in range(4):
            flat = turned.ravel()
            median = np.partition(flat, flat.size // 2 - 1)[flat.size // 2 - 1]
            hashes.append(PdqHash(np.packbits((flat > median)[::-1]).tobytes(), quality))
            turned = signs[:, None] * turned.T  # a quarter counter-clockwise
    return tuple(hashes)


def _samples(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Luma, smoothed and sampled: float32 (64, 64), 0–255."""
    import cv2

    small = cv2.resize(np.ascontiguousarray(pixels), (_EDGE, _EDGE), interpolation=cv2.INTER_AREA)
    return np.asarray(_TENT @ reference._luma(np.asarray(small, np.uint8)) @ _TENT.T, np.float32)
