"""A model that a user brought, loaded: one score for a picture and for two mildly changed copies of it.

The score is a logit; what it means is said by the card at most (:mod:`nsfwforensics.models.own.card`). Every
picture is judged alone, input by input, so a score never depends on company.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models.own.card import CardCalibration, Fit, Input, ModelFormat
from nsfwforensics.models.own.files import DetectorFiles, read_model
from nsfwforensics.models.own.onnx import OnnxModel
from nsfwforensics.models.own.score import PictureScore
from nsfwforensics.models.synthesis import canonical, clip, preprocess
from nsfwforensics.models.synthesis.calibration import LEAST_SIDE
from nsfwforensics.models.synthesis.classifier import Head, SynthesisClassifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SMALLER = preprocess.RESIZED / preprocess.CROP
"""How much smaller the reduced copy is."""

MOST_PIXELS = 4_000_000
"""Larger pictures are averaged down to this for inputs that are resized anyway."""

SAME = 1e-5
"""Scores of one picture may not differ by more."""


class Detector(Protocol):
    """A model that judges pictures, whatever runs it."""

    def score(self, rgb: Pixels) -> PictureScore:
        """The score of one picture: uint8 (height, width, 3), at least :func:`least_side` each way."""


class OnnxDetector:
    """Judges pictures with an ONNX model.

    Args:
        model: The model.
        wanted: How a picture becomes inputs.
    """

    def __init__(self, model: OnnxModel, wanted: Input) -> None:
        self._model = model
        self._wanted = wanted

    def score(self, rgb: Pixels) -> PictureScore:
        """The picture's mean logit, and those of a mildly recompressed and a smaller copy."""
        base = _averaged(rgb) if self._wanted.fit is not Fit.CROPS else rgb
        size = (max(1, round(base.shape[1] * SMALLER)), max(1, round(base.shape[0] * SMALLER)))
        small = np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_AREA), np.uint8)
        own, again, reduced = (
            [self._model.logit(pixels) for pixels in inputs(view, self._wanted)]
            for view in (base, preprocess.recompressed(base, preprocess.MILD_QUALITY), small)
        )
        return PictureScore(
            score=float(np.mean(own)),
            spread=float(np.std(own)),
            recompressed=float(np.mean(again)),
            resized=float(np.mean(reduced)),
            crops=len(own),
        )


class ArchitectureDetector:
    """Judges pictures with a head of the same layout as this tool's own, over the network that is installed."""

    def __init__(self, tensors: Mapping[str, object]) -> None:
        self._classifier = SynthesisClassifier(clip.cached_clip("cpu", None), Head(tensors))  # type: ignore[arg-type]

    def score(self, rgb: Pixels) -> PictureScore:
        """The picture's score as the built-in model would make it."""
        own, again, reduced = self._classifier.logits(canonical.changed(rgb)).tolist()
        return PictureScore(score=own, spread=0.0, recompressed=again, resized=reduced, crops=1)


ARCHITECTURES: Mapping[str, Callable[[Mapping[str, object]], Detector]] = {"synthesis": ArchitectureDetector}
"""Architectures whose tensors may be brought as safetensors: those that the laboratory writes."""


def inputs(rgb: Pixels, wanted: Input) -> list[Pixels]:
    """Cuts or resizes a picture to what a model wants to see.

    Args:
        rgb: uint8 (height, width, 3).
        wanted: The card's ``[input]``.

    Returns:
        One or several uint8 (wanted height, wanted width, 3).
    """
    width, height = wanted.width, wanted.height
    if wanted.fit is Fit.CROPS:
        places = preprocess.positions(rgb, wanted.crops, width)
        return [np.ascontiguousarray(rgb[y : y + height, x : x + width]) for x, y in places]
    if wanted.fit is Fit.STRETCH:
        return [_to(rgb, width, height)]
    shorter = wanted.shorter or max(width, height)
    # Cut before it is resized: a very long picture must not become a huge one.
    scale = min(rgb.shape[:2]) / shorter
    across, down = min(rgb.shape[1], max(1, round(width * scale))), min(rgb.shape[0], max(1, round(height * scale)))
    y, x = (rgb.shape[0] - down) // 2, (rgb.shape[1] - across) // 2
    return [_to(rgb[y : y + down, x : x + across], width, height)]


def _to(rgb: Pixels, width: int, height: int) -> Pixels:
    smaller = width < rgb.shape[1] or height < rgb.shape[0]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(rgb), (width, height), interpolation=way), np.uint8)


def _averaged(rgb: Pixels) -> Pixels:
    scale = (MOST_PIXELS / (rgb.shape[0] * rgb.shape[1])) ** 0.5
    if scale >= 1:
        return rgb
    return _to(rgb, max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))


def least_side(files: DetectorFiles) -> int:
    """The shorter side, in pixels, that a picture needs: the card's, and room for a crop of the smaller copy."""
    card = files.card
    if card.input is None:
        return max(card.limits.min_side, LEAST_SIDE)
    if card.input.fit is not Fit.CROPS:
        return card.limits.min_side
    return max(card.limits.min_side, math.ceil((card.input.width + 1) / SMALLER))


def probability(claims: CardCalibration, score: float) -> float | None:
    """The probability that a card makes of a score; None where it says nothing of probabilities."""
    if claims.piecewise:
        scores, values = zip(*claims.piecewise, strict=True)
        return float(np.interp(score, scores, values))
    if claims.temperature is None:
        return None
    return float(0.5 * (1 + math.tanh(0.5 * score / claims.temperature)))


def load_detector(files: DetectorFiles) -> Detector:
    """Loads a model after checking its bytes, and has it judge a made picture twice.

    To be called only where a hostile file may do harm to nothing else: in a worker process.

    Raises:
        WeightsError: The model is not what its card says, is not allowed, gives no finite number, or gives two
            different scores for one picture.
    """
    card, data = files.card, read_model(files)
    if card.input is not None and card.detector.format is ModelFormat.ONNX:
        made: Detector = OnnxDetector(OnnxModel(data, card.input, card.output), card.input)
    else:
        made = _registered(card.detector.architecture or "", data)
    least = max(least_side(files), 64)
    trial = np.random.default_rng(7).integers(0, 256, (least + 8, least + 24, 3), dtype=np.uint8)
    first, second = made.score(trial), made.score(trial)
    if not math.isfinite(first.score):
        raise WeightsError(say("the model gives no finite number for a test picture"))
    if not abs(first.score - second.score) <= SAME:
        raise WeightsError(say("the model gives different scores for the same picture"))
    return made


def _registered(architecture: str, data: bytes) -> Detector:
    build = ARCHITECTURES.get(architecture)
    if build is None:
        known = ", ".join(sorted(ARCHITECTURES))
        raise WeightsError(
            say("no architecture “{name}” is known here; there is: {known}", name=architecture, known=known)
        )
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return build(load(data))
    except SafetensorError as error:
        raise WeightsError(say("the model is not readable safetensors: {error}", error=str(error)[:300])) from error


_LOADED: dict[tuple[str, str, str], Detector] = {}


def cached_detector(files: DetectorFiles) -> Detector:
    """The process's one detector, loaded at first use.

    Raises:
        WeightsError: As :func:`load_detector`.
    """
    key = (str(files.card_file), files.card_sha256, files.card.detector.sha256)
    if key not in _LOADED:
        _LOADED[key] = load_detector(files)
    return _LOADED[key]


__all__ = [
    "ARCHITECTURES",
    "Detector",
    "cached_detector",
    "inputs",
    "least_side",
    "load_detector",
    "probability",
]
