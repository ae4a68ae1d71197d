"""The PDQ hashes of a picture's eight turns and mirrorings from one transform: quick, and off by up to some 16 bits.

Mirroring the 64 × 64 samples changes the sign of every other DCT term, turning them swaps rows and columns. PDQ's
filter windows and sample positions are not symmetric, so this is not quite what hashing the turned picture gives. Where
thousands of pictures are compared with one another that is worth its price; where the hash is stored or exchanged,
:func:`nsfwforensics.hashing.picture.pdq.pdq` is the one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.hashing.picture import pdq as reference
from nsfwforensics.hashing.picture.pdq import PdqHash, pdq_quality, pdq_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray


def turned_hashes(pixels: NDArray[np.uint8]) -> tuple[PdqHash, ...]:
    """Hashes a picture as it is, turned and mirrored.

    Args:
        pixels: uint8, (height, width, 3) RGB or (height, width) grey, 0–255.

    Returns:
        Eight hashes in the order of :data:`nsfwforensics.hashing.picture.pdq.DIHEDRAL_NAMES`, the first of them that of
        :func:`nsfwforensics.hashing.picture.pdq.pdq`.

    Raises:
        ValueError: The array is empty or of another shape or type.
    """
    samples = pdq_samples(pixels)
    if min(pixels.shape[:2]) < reference._SMALLEST:
        return (PdqHash(bytes(32), 0),) * 8
    quality = pdq_quality(samples)
    terms = reference._low_terms(samples)
    signs = np.where(np.arange(1, len(terms) + 1) % 2, -1, 1).astype(np.float32)
    hashes = []
    for turned in (terms, terms * signs):
        for _ in range(4):
            flat = turned.ravel()
            median = np.partition(flat, flat.size // 2 - 1)[flat.size // 2 - 1]
            hashes.append(PdqHash(np.packbits((flat > median)[::-1]).tobytes(), quality))
            turned = signs[:, None] * turned.T  # a quarter counter-clockwise
    return tuple(hashes)
