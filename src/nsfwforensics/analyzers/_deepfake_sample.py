"""What the deepfake analyzer takes from a file: crops, faces, and the circumstances that rule a statement out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.calibration import Calibration
    from nsfwforensics.models.preprocess import Crops

Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels."""

MIN_FACE = 56
"""Shorter side of the smallest face examined, in pixels."""

MAX_FACES = 2
"""Most faces examined per picture, largest first."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one file sends to the model: crops and the circumstances that limit what may be said.

    Attributes:
        crops: Native crops and their views, or None where the picture is ruled out.
        faces: uint8 (N, 256, 256, 3), face crops.
        boxes: Left, top, width, height of each of them, in pixels.
        state: The measured state that resembles the picture most.
        ruled_out: Why the picture is outside what was measured, or None.
        facts: Figures for the report.
    """

    crops: Crops | None
    faces: NDArray[np.uint8] | None
    boxes: tuple[tuple[int, int, int, int], ...]
    state: str
    ruled_out: str | None
    facts: Mapping[str, Any]


def take(evidence: Evidence, limits: Calibration, faces: Sequence[Box]) -> Sample:
    """Cuts what the model is shown.

    Args:
        evidence: The file.
        limits: What pictures were measured.
        faces: Boxes of the faces in it, largest first.

    Raises:
        EvidenceError: The picture cannot be decoded.
    """
    import numpy as np

    from nsfwforensics.models import preprocess
    from nsfwforensics.models.calibration import closest_state

    # Rows that could not be decoded are filled with one colour, which is no part of the picture.
    rgb = evidence.rgb[: max(1, int(evidence.rgb.shape[0] * evidence.decoded_share))]
    tables = getattr(evidence.original, "quantization", None)
    quality = preprocess.jpeg_quality(tables) if isinstance(tables, Mapping) else None
    flat = preprocess.flat_share(rgb)
    facts = {"jpeg_quality_estimate": quality, "flat_share": round(flat, 3)}
    palette = evidence.original.mode == "P"
    reason = _ruled_out(rgb, quality, flat, palette, limits)
    crops = None if reason else preprocess.crop(rgb)
    chosen = [box for box in faces if min(box[2:]) >= MIN_FACE][:MAX_FACES]
    cut = np.stack([preprocess.face_crop(evidence.rgb, box) for box in chosen]) if chosen else None
    boxes = tuple((int(x), int(y), int(w), int(h)) for x, y, w, h in chosen)
    return Sample(crops, cut, boxes, closest_state(quality), reason, facts)


def _ruled_out(
    rgb: NDArray[np.uint8], quality: float | None, flat: float, palette: bool, limits: Calibration
) -> str | None:
    from nsfwforensics.models.preprocess import CROP, is_colourless

    if min(rgb.shape[:2]) < CROP:
        return say("it is smaller than {least} pixels on one side, too small to judge its pixels", least=CROP)
    if quality is not None and quality < limits.min_quality:
        return say(
            "it was saved with strong JPEG compression (quality about {quality:.0f}), which wipes out traces",
            quality=quality,
        )
    if flat > limits.max_flat_share:
        return say(
            "{share:.0%} of it is flat, as in drawings, screenshots or pages of text, and the model was measured on "
            "photographs only",
            share=flat,
        )
    if palette:
        return say("it has at most 256 colours, and the model was not measured on such pictures")
    if is_colourless(rgb):
        return say("it has no colour, and the model was measured on colour photographs only")
    return None
