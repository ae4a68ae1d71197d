"""The PDQ hashes of a picture's eight turns and mirrorings from one set of samples: quick, and off by up to some 16 bits.

PDQ's filter windows and sample positions are not symmetric, so turning the samples does not give quite what hashing the
turned picture gives. Where thousands of pictures are compared with one another that is worth its price; where the hash
is stored or exchanged, :func:`nsfwforensics.hashing.pdq.pdq` is the one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.hashing import pdq as reference
from nsfwforensics.hashing.pdq import PdqHash, pdq_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray


def turned_hashes(pixels: NDArray[np.uint8]) -> tuple[PdqHash, ...]:
    """Hashes a picture as it is, turned and mirrored.

    Args:
        pixels: uint8, (height, width, 3) RGB or (height, width) grey, 0–255.

    Returns:
        Eight hashes in the order of :data:`nsfwforensics.hashing.pdq.DIHEDRAL_NAMES`.

    Raises:
        ValueError: The array is empty or of another shape or type.
    """
    samples = pdq_samples(pixels)
    shorter = min(pixels.shape[:2])
    return tuple(
        reference._hash_samples(np.ascontiguousarray(np.rot90(base, turns)), shorter)
        for base in (samples, samples[:, ::-1])
        for turns in range(4)
    )
