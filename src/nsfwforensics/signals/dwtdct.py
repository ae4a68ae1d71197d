"""The ``dwtDct`` invisible watermark: what bit each block of a picture votes for, and what payload that spells.

The method is that of the invisible-watermark library (class ``EmbedMaxDct``, which despite the name applies no DCT):
one level of the Haar wavelet on the U channel of OpenCV's BGR→YUV; the approximation band cut into blocks of 4×4; in
each block the coefficient of largest magnitude, the first one left out, moved to a quarter (bit 0) or three quarters
(bit 1) of a multiple of 36; bits repeat in reading order of the blocks. Nothing marks the beginning or the length, so
a payload can only be looked for, never discovered.

Two details decide whether marks written by real pipelines are found. Some hand over RGB where BGR is expected, so both
orders are read. And most hand over floating-point pixels, for which OpenCV centres U on 0.5 instead of 128: magnitudes
are then counted from another zero, so both centres are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STEP = 36.0
"""Quantisation step of the coefficients; a coefficient of the approximation band is twice the mean of four pixels."""

LEAST_PIXELS = 256 * 256
"""The library refuses to mark smaller pictures."""

MOST_PIXELS = 4_000_000
"""Rows read: as many from the top as make this many pixels. Blocks are numbered from the top, so the rest only
repeats what they say."""

_BLOCK = 4
_STRIP = 16 * 2 * _BLOCK  # rows made at a time, a whole number of blocks: what fits a processor's cache
_FLOAT_ZERO = 255.0  # where OpenCV's floating-point U of 0 lies among coefficients of its 8-bit U: 2 · (128 − 0.5)


@dataclass(frozen=True, slots=True)
class BlockVotes:
    """What the blocks of one picture say under one way of writing.

    Attributes:
        order: Channel order in which the pixels were handed to the writer: ``bgr`` or ``rgb``.
        arithmetic: ``uint8`` or ``float``, what the writer computed in.
        votes: One bit per block in reading order, uint8 (blocks,), 0 or 1.
    """

    order: str
    arithmetic: str
    votes: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PayloadMatch:
    """How well a reading spells a payload.

    Attributes:
        correlation: Pearson's correlation, over the payload's bits, of the bit with the share of its blocks that vote
            1; −1 to 1, and 0 where all shares are equal. It sees a payload through blocks that all lean one way, as
            they do in grey or pale areas, where a majority per bit no longer does.
        contrast: Mean of that share over the bits that are 1, less its mean over the others; −1 to 1.
        bits: How many bits a majority of their blocks spells right.
        length: How many bits the payload has.
    """

    correlation: float
    contrast: float
    bits: int
    length: int


def readings(rgb: NDArray[np.uint8]) -> tuple[BlockVotes, ...]:
    """Reads the votes of a picture in all four ways of writing.

    Args:
        rgb: The stored pixels, uint8 (height, width, 3), RGB, never resized, turned or composed.

    Returns:
        ``bgr`` and ``rgb``, each for ``uint8`` and ``float``. Empty for a picture too small to be marked.
    """
    import cv2
    import numpy as np

    height, width = rgb.shape[:2]
    if height * width < LEAST_PIXELS or min(height, width) < 2 * _BLOCK:
        return ()
    rows = max(2 * _BLOCK, MOST_PIXELS // width)
    part = np.ascontiguousarray(rgb[: min(height, rows) // 4 * 4, : width // 4 * 4])
    found = []
    for order, conversion in (("bgr", cv2.COLOR_RGB2YUV), ("rgb", cv2.COLOR_BGR2YUV)):
        strips = [
            _extremes(np.asarray(cv2.extractChannel(cv2.cvtColor(part[top : top + _STRIP], conversion), 1), np.uint8))
            for top in range(0, len(part), _STRIP)
        ]
        most, least = (np.concatenate(each) for each in zip(*strips, strict=True))
        found.append(BlockVotes(order, "uint8", _votes(most)))
        found.append(BlockVotes(order, "float", _votes(np.maximum(most - _FLOAT_ZERO, _FLOAT_ZERO - least))))
    return tuple(found)


def shares(votes: NDArray[np.uint8], length: int) -> NDArray[np.float64]:
    """For each bit of a payload of this length, the share of its blocks that vote 1.

    Args:
        votes: As in :class:`BlockVotes`.
        length: Bits of the payload; at most the number of blocks.

    Returns:
        float64 (length,), 0–1.
    """
    import numpy as np

    whole = votes.size // length * length
    ones = votes[:whole].reshape(-1, length).sum(axis=0, dtype=np.float64)
    ones[: votes.size - whole] += votes[whole:]
    blocks = np.full(length, votes.size // length)
    blocks[: votes.size - whole] += 1
    found: NDArray[np.float64] = ones / blocks
    return found


def match(votes: NDArray[np.uint8], payload: NDArray[np.uint8]) -> PayloadMatch:
    """Compares a reading with a payload.

    Args:
        votes: As in :class:`BlockVotes`; at least as many as the payload has bits.
        payload: uint8 (length,), 0 or 1, not all alike.
    """
    import numpy as np

    found = shares(votes, payload.size)
    centred, pattern = found - found.mean(), payload - payload.mean()
    size = float(np.sqrt((centred**2).sum() * (pattern**2).sum()))
    return PayloadMatch(
        correlation=float(centred @ pattern) / size if size > 1e-9 else 0.0,
        contrast=float(found[payload == 1].mean() - found[payload == 0].mean()),
        bits=int(((found * 255.0 > 127.0) == (payload == 1)).sum()),  # the library's own rounding: a tie is a 1
        length=payload.size,
    )


def bits(text: str | bytes) -> NDArray[np.uint8]:
    """A payload from a string of ``0`` and ``1``, or from bytes, each with its highest bit first."""
    import numpy as np

    if isinstance(text, bytes):
        return np.unpackbits(np.frombuffer(text, np.uint8))
    return np.array([int(character) for character in text], np.uint8)


def _extremes(channel: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Largest and smallest coefficient of every block of the approximation band, its first one left out.

    The band of a Haar step is half the sum of two by two pixels: sums of bytes are exact, and no transform is needed.
    """
    import numpy as np

    down = channel[::2].astype(np.uint16)
    down += channel[1::2]
    band = down[:, ::2] + down[:, 1::2]
    band = band[: band.shape[0] // _BLOCK * _BLOCK, : band.shape[1] // _BLOCK * _BLOCK]
    band[::_BLOCK, ::_BLOCK] = band[::_BLOCK, 1::_BLOCK]  # left out: its neighbour counts twice
    found = []
    for extreme in (np.maximum, np.minimum):
        rows = extreme.reduce([band[row::_BLOCK] for row in range(_BLOCK)])
        found.append(extreme.reduce([rows[:, column::_BLOCK] for column in range(_BLOCK)]).ravel() / np.float32(2))
    return found[0], found[1]


def _votes(magnitude: NDArray[np.float32]) -> NDArray[np.uint8]:
    import numpy as np

    return (magnitude % STEP > STEP / 2).astype(np.uint8)


__all__ = ["LEAST_PIXELS", "MOST_PIXELS", "STEP", "BlockVotes", "PayloadMatch", "bits", "match", "readings", "shares"]
