"""Text hidden in the lowest bit of a picture's alpha channel, as NovelAI writes it (``stealth_pngcomp``).

Bits run down the columns, most significant first: the signature, the length of what follows in bits (32 bits,
big-endian), then a gzip stream.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIGNATURE = b"stealth_pngcomp"
MAX_PAYLOAD = 4 * 1024 * 1024
MAX_TEXT = 1024 * 1024

_GZIP = 16 + zlib.MAX_WBITS


class StealthError(ValueError):
    """The signature is there, but what follows is damaged or longer than the limits."""


def may_hold_payload(data: bytes, media_type: str | None) -> bool:
    """Whether a file's header says that its pixels have an alpha channel stored without loss."""
    if media_type == "image/png":
        return data[25:26] in (b"\x04", b"\x06")
    if media_type == "image/webp":
        return data[12:16] == b"VP8L" or (data[12:16] == b"VP8X" and bool(data[20:21] and data[20] & 0x10))
    return False


def hidden_text(alpha: NDArray[np.uint8]) -> str | None:
    """Reads the payload of one alpha channel.

    Args:
        alpha: Array of shape (height, width), uint8.

    Returns:
        The text, or None where the signature is absent.

    Raises:
        StealthError: See there.
    """
    head_bits = 8 * (len(SIGNATURE) + 4)
    if alpha.size < head_bits:
        return None
    head = _bytes(alpha, 0, head_bits)
    if head[: len(SIGNATURE)] != SIGNATURE:
        return None
    length = int.from_bytes(head[len(SIGNATURE) :], "big")
    if length > 8 * MAX_PAYLOAD or head_bits + length > alpha.size:
        raise StealthError(
            say("the hidden text announces {bits:,} bits, more than the picture or the limits allow", bits=length)
        )
    stream = zlib.decompressobj(_GZIP)
    try:
        text = stream.decompress(_bytes(alpha, head_bits, head_bits + length), MAX_TEXT)
    except zlib.error as error:
        raise StealthError(say("the hidden text is damaged: {reason}", reason=str(error))) from error
    if stream.unconsumed_tail:
        raise StealthError(say("the hidden text is longer than {limit:,} bytes", limit=MAX_TEXT))
    return text.decode("utf-8", "replace")


def _bytes(alpha: NDArray[np.uint8], start: int, stop: int) -> bytes:
    """Bits ``start`` to ``stop`` of the column-major stream of lowest bits, packed."""
    import numpy as np

    height = alpha.shape[0]
    first, last = start // height, -(-stop // height)
    bits: Any = (alpha[:, first:last] & 1).T.ravel()[start - first * height : stop - first * height]
    return np.packbits(bits).tobytes()
