"""What rules a picture out before any model judges it: too small, crushed, flat, few colours, none, no photograph."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import Message, say
from nsfwforensics.models.synthesis import preprocess

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.synthesis.domain import Domain


GREY = "grey"
"""The state of pictures without colour."""

SMALL_SIDE = 330
"""Pictures with a shorter side below this, in pixels, are told by a state of their own."""

SMALL = "small"
"""The state of pictures smaller than that."""


@dataclass(frozen=True, slots=True)
class Suitability:
    """What is known of a picture besides its pixels.

    Attributes:
        quality: Estimated JPEG quality, or None for other formats.
        flat: Share without visible detail, 0–1.
        palette: Whether it has at most 256 colours by its format.
        grey: Whether it has no colour.
    """

    quality: float | None
    flat: float
    palette: bool
    grey: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What a report keeps of the measurement, by key."""
        return {"jpeg_quality_estimate": self.quality, "flat_share": round(self.flat, 3)}


def cut_off(evidence: Evidence) -> Message | None:
    """Why a file that ends early cannot be judged, or None: turned ones do not keep what is missing at the bottom."""
    if evidence.decoded_share < 1 and evidence.turned:
        return say("the file ends early, and the picture in it is stored turned")
    return None


def suitability(rgb: NDArray[np.uint8], original: Any) -> Suitability:
    """Looks at what a decoded picture tells of its file.

    Args:
        rgb: uint8 (height, width, 3).
        original: The picture as Pillow decoded it.
    """
    tables = getattr(original, "quantization", None)
    quality = preprocess.jpeg_quality(tables) if isinstance(tables, Mapping) else None
    grey = preprocess.is_colourless(rgb)
    return Suitability(quality, preprocess.flat_share(rgb), original.mode == "P", grey)


def state_of(rgb: NDArray[np.uint8], known: Suitability, measured: Container[str]) -> str:
    """The state that a picture is told by: small or without colour where that was measured, else by its compression.

    Args:
        rgb: uint8 (height, width, 3).
        known: What is known of it.
        measured: The states there are.
    """
    from nsfwforensics.models.synthesis.calibration import AS_IS, LARGE, closest_state

    if known.grey and GREY in measured:
        return GREY
    if min(rgb.shape[:2]) < SMALL_SIDE and SMALL in measured:
        return SMALL
    state = closest_state(known.quality, max(rgb.shape[:2]))
    return AS_IS if state == LARGE and LARGE not in measured else state


def ruled_out(
    rgb: NDArray[np.uint8],
    known: Suitability,
    *,
    least: int,
    min_quality: float,
    max_flat_share: float,
    grey: bool = False,
    domain: Domain | None = None,
) -> str | None:
    """Why a picture is outside what a model was measured on, or None.

    Args:
        rgb: uint8 (height, width, 3).
        known: What is known of it.
        least: Shorter side in pixels.
        min_quality: Least JPEG quality.
        max_flat_share: Largest share without visible detail, 0–1.
        grey: Whether pictures without colour were measured.
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
    if known.grey and not grey:
        return say("it has no colour, and the model was measured on colour photographs only")
    return domain.ruled_out(rgb) if domain is not None else None
