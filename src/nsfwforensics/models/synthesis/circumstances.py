"""What rules a picture out before any model judges it: too small, crushed, flat, few colours, none, no photograph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import say
from nsfwforensics.models.synthesis import preprocess

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.models.synthesis.domain import Domain


FORMS: Mapping[str | None, str] = {
    **dict.fromkeys(("PNG", "BMP", "DIB", "TIFF", "GIF"), "lossless"),
    "WEBP": "webp",
    "HEIF": "heic",
    "AVIF": "avif",
}
"""By Pillow's name of a format, the state of pictures in it."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a picture besides its pixels.

    Attributes:
        quality: Estimated JPEG quality, or None for other formats.
        flat: Share without visible detail, 0–1.
        palette: Whether it has at most 256 colours by its format.
        form: What other format than JPEG it comes in, by the name of its state in a calibration; None for a JPEG.
    """

    quality: float | None
    flat: float
    palette: bool
    form: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Figures for the report."""
        return {"jpeg_quality_estimate": self.quality, "flat_share": round(self.flat, 3)}


def circumstances(rgb: NDArray[np.uint8], original: Any) -> Circumstances:
    """Looks at what a decoded picture tells of its file.

    Args:
        rgb: uint8 (height, width, 3).
        original: The picture as Pillow decoded it.
    """
    tables = getattr(original, "quantization", None)
    quality = preprocess.jpeg_quality(tables) if isinstance(tables, Mapping) else None
    return Circumstances(quality, preprocess.flat_share(rgb), original.mode == "P", FORMS.get(original.format))


def ruled_out(
    rgb: NDArray[np.uint8],
    known: Circumstances,
    *,
    least: int,
    min_quality: float,
    max_flat_share: float,
    domain: Domain | None = None,
) -> str | None:
    """Why a picture is outside what a model was measured on, or None.

    Args:
        rgb: uint8 (height, width, 3).
        known: What is known of it.
        least: Shorter side in pixels.
        min_quality: Least JPEG quality.
        max_flat_share: Largest share without visible detail, 0–1.
        domain: What tells photographs from other pictures, or None where that is not asked.
    """
    if min(rgb.shape[:2]) < least:
        return say("it is smaller than {least} pixels on one side, too small to judge its pixels", least=least)
    if known.quality is not None and known.quality < min_quality:
        return say(
            "it was saved with strong JPEG compression (quality about {quality:.0f}), which wipes out traces",
            quality=known.quality,
        )
    if known.flat > max_flat_share:
        return say(
            "{share:.0%} of it is flat, as in drawings, screenshots or pages of text, and the model was measured on "
            "photographs only",
            share=known.flat,
        )
    if known.palette:
        return say("it has at most 256 colours, and the model was not measured on such pictures")
    if preprocess.is_colourless(rgb):
        return say("it has no colour, and the model was measured on colour photographs only")
    return domain.ruled_out(rgb) if domain is not None else None
