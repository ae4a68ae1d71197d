"""What the deepfake analyzer takes from a file: crops, features of faces, and what rules a statement out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.messages import Message, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.analyzers.deepfake.map import MapSample
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.synthesis.calibration import Calibration
    from nsfwforensics.models.synthesis.preprocess import Crops

Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels."""

MIN_FACE = 56
"""Shorter side of the smallest face examined, in pixels."""

MAX_FACES = 2
"""Most faces examined per picture, largest first."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one file sends to the model: crops, features and the circumstances that limit what may be said.

    Attributes:
        crops: Native crops and their views, or None where the picture is ruled out.
        faces: float32 (N, width), features of faces.
        boxes: Left, top, width, height of each of them, in pixels.
        state: The measured state that resembles the picture most by compression.
        form: The state that the whole picture is told by: its format, where photographs were measured in it.
        ruled_out: Why the picture is outside what was measured, or None.
        facts: Figures for the report.
        map: What a score map is made of, where one was asked for.
    """

    crops: Crops | None
    faces: NDArray[np.float32] | None
    boxes: tuple[tuple[int, int, int, int], ...]
    state: str
    form: str
    ruled_out: str | None
    facts: Mapping[str, Any]
    map: MapSample | None = None


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

    from nsfwforensics.models.synthesis import preprocess
    from nsfwforensics.models.synthesis.calibration import closest_state
    from nsfwforensics.models.synthesis.circumstances import circumstances, ruled_out
    from nsfwforensics.models.synthesis.face_statistics import face_features

    rgb = decoded_rows(evidence)
    known = circumstances(rgb, evidence.original)
    reason = cut_off(evidence) or ruled_out(
        rgb,
        known,
        least=limits.least_side,
        min_quality=limits.min_quality,
        max_flat_share=limits.max_flat_share,
        domain=limits.domain,
    )
    crops = None if reason else preprocess.crop(rgb)
    chosen = [box for box in faces if min(box[2:]) >= MIN_FACE][:MAX_FACES]
    measured = np.stack([face_features(evidence.rgb, box) for box in chosen]) if chosen else None
    boxes = tuple((int(x), int(y), int(w), int(h)) for x, y, w, h in chosen)
    state = closest_state(known.quality)
    form = limits.image.state(known.form, known.quality)
    return Sample(crops, measured, boxes, state, form, reason, known.facts)


def cut_off(evidence: Evidence) -> Message | None:
    """Why a file that ends early cannot be judged, or None: turned ones do not keep what is missing at the bottom."""
    if evidence.decoded_share < 1 and evidence.turned:
        return say("the file ends early, and the picture in it is stored turned")
    return None


def decoded_rows(evidence: Evidence) -> NDArray[np.uint8]:
    """The rows that could be decoded: the others are filled with one colour, which is no part of the picture.

    Of a picture that is stored turned they lie elsewhere: see :func:`cut_off`.
    """
    return evidence.rgb[: max(1, int(evidence.rgb.shape[0] * evidence.decoded_share))]
