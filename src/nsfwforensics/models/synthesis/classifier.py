"""The synthesis classifier: a head over the middle layers of CLIP judges the whole picture; one score each.

The score is a logit without unit. What it means is said by the calibration that is stored beside the weights
(:mod:`nsfwforensics.models.synthesis.calibration`), never by the number itself.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.runtime import bytes_are_fast
from nsfwforensics.models.synthesis.calibration import PLAIN_GROUND, PORTRAIT
from nsfwforensics.models.synthesis.clip_integer import IntegerClip, cached_integer_clip
from nsfwforensics.models.synthesis.clip_numpy import WIDTH, ArrayClip, cached_array_clip
from nsfwforensics.models.synthesis.domain_probe import DomainProbe, domain_probe
from nsfwforensics.models.synthesis.ground import on_plain_ground

if TYPE_CHECKING:
    from torch import Tensor

    from nsfwforensics.models.synthesis.clip import Clip

MODEL = "synthesis"
"""Name in the weights manifest."""

Views = NDArray[np.uint8] | None

_NUMBERS = ("weight", "bias", "portrait.weight", "portrait.bias")
_KERNEL = ("projection", "offset", "landmarks", "gamma")


@dataclass(frozen=True, slots=True)
class _Kernel:
    projection: NDArray[np.float64]
    offset: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    gamma: NDArray[np.float64]

    def check(self, features: int) -> None:
        directions = self.landmarks.shape[1]
        shapes = {"projection": (features, directions), "offset": (directions,), "gamma": (1,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape or not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} of shape {getattr(self, name).shape}")

    def values(self, tokens: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of every landmark and one picture's tokens, float64 (blocks, 768)."""
        place = tokens.reshape(-1) @ self.projection - self.offset
        return np.asarray(np.exp(-self.gamma * ((self.landmarks - place) ** 2).sum(1)))


@dataclass(frozen=True, slots=True)
class WholeScore:
    """What the classifier says of one picture.

    Attributes:
        score: A logit; higher looks more generated.
        portrait: Whether it shows a face close up, by its content.
        plain_ground: Whether it stands on plain, light ground.
        outside: Whether it is no photograph by its content: its score means nothing then.
        recompressed: The score had the picture been mildly recompressed; None where that was not asked.
        resized: The score had it been made a little smaller; None where that was not asked.
    """

    score: float
    portrait: bool = False
    plain_ground: bool = False
    outside: bool = False
    recompressed: float | None = None
    resized: float | None = None

    @property
    def views(self) -> tuple[float, ...]:
        """The scores of all copies that were judged, the picture's own first."""
        return tuple(score for score in (self.score, self.recompressed, self.resized) if score is not None)

    def state(self, usual: str, measured: Container[str]) -> str:
        """The measured state that the picture is told by.

        Args:
            usual: The one by its size, colour and compression.
            measured: The states there are.
        """
        if self.portrait:
            return PORTRAIT
        return PLAIN_GROUND if self.plain_ground and PLAIN_GROUND in measured else usual


class Head:
    """Judges class tokens, each block's of length one: by a Gaussian kernel over landmarks, or by a linear layer.

    Args:
        tensors: ``blocks`` (which, counted from 0), ``weight``, ``bias`` (1); ``portrait.weight`` float32 (512) and
            ``portrait.bias``, of a probe of the embedding for faces close up. A linear layer's weight has the shape
            (blocks, 768). With ``landmarks`` (landmarks, directions) the weights are those of the kernel
            ``exp(-gamma * squared distance)`` around them, of what ``projection`` (blocks * 768, directions) makes of
            the tokens less ``offset`` (directions).

    Raises:
        WeightsError: The tensors have another layout.
    """

    def __init__(self, tensors: Mapping[str, Tensor] | Mapping[str, NDArray[Any]]) -> None:
        try:
            self._blocks = [int(block) for block in tensors["blocks"]]
            wanted = (*_NUMBERS, *(_KERNEL if "landmarks" in tensors else ()))
            numbers = {name: np.asarray(tensors[name], np.float64) for name in wanted}
            self._weight, self._bias = numbers["weight"], numbers["bias"].item()
            self._close = numbers["portrait.weight"], numbers["portrait.bias"].item()
            self._kernel = _Kernel(*(numbers[name] for name in _KERNEL)) if "landmarks" in tensors else None
            shape: tuple[int, ...] = (len(self._blocks), WIDTH)
            if self._kernel is not None:
                self._kernel.check(len(self._blocks) * WIDTH)
                shape = (len(self._kernel.landmarks),)
            if self._weight.shape != shape or not np.isfinite(self._weight).all():
                raise ValueError(f"weight of shape {self._weight.shape}")
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            problem = say("the synthesis weights have an unknown layout: {error}", error=str(error))
            raise WeightsError(problem) from error

    def logits(self, whole: NDArray[np.float32]) -> NDArray[np.float64]:
        """Judges class tokens.

        Args:
            whole: float32 (N, 12, 768).

        Returns:
            float64 (N,); higher looks more generated.
        """
        tokens = whole[:, self._blocks].astype(np.float64)
        tokens /= np.linalg.norm(tokens, axis=2, keepdims=True)
        # Row by row: how numbers are added up would depend on how many rows there are.
        if self._kernel is None:
            return np.array([float((row * self._weight).sum()) + self._bias for row in tokens])
        return np.array([float(self._kernel.values(row) @ self._weight) + self._bias for row in tokens])

    def portraits(self, embedding: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which pictures show a face close up: bool (N,), by embeddings, float32 (N, 512)."""
        rows = embedding.astype(np.float64)
        weight, bias = self._close
        return np.array([float(row @ weight) / float(np.linalg.norm(row)) + bias > 0 for row in rows], bool)


class SynthesisClassifier:
    """Judges square views of pictures.

    Args:
        body: The network, on its device.
        head: What judges its tokens.
        domain: What tells photographs from other pictures by the embedding, or None where that is not asked.
    """

    def __init__(self, body: Clip | ArrayClip | IntegerClip, head: Head, domain: DomainProbe | None = None) -> None:
        self._body = body
        self._head = head
        self._domain = domain

    def logits(self, views: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Judges views; the same view gives the same number whatever else is in the batch.

        Args:
            views: uint8 (N, 224, 224, 3).

        Returns:
            float64 (N,); higher looks more generated.
        """
        return self._judged(views)[0]

    def _judged(self, views: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Logits, which are portraits, and which no photographs."""
        if not len(views):
            return np.zeros(0), np.zeros(0, bool), np.zeros(0, bool)
        pixels: Any = np.ascontiguousarray(views.transpose(0, 3, 1, 2))
        if not isinstance(self._body, ArrayClip | IntegerClip):
            import torch

            pixels = torch.from_numpy(pixels)
        found = self._body.look(pixels)
        embedding = np.asarray(found.embedding)
        outside = self._domain.outside(embedding) if self._domain is not None else np.zeros(len(views), bool)
        return self._head.logits(np.asarray(found.whole)), self._head.portraits(embedding), outside

    def score(self, batch: Sequence[NDArray[np.uint8]], copies: Callable[[int, WholeScore], Views]) -> list[WholeScore]:
        """Judges many pictures, aligned one to one.

        Args:
            batch: Of each picture its view, uint8 (224, 224, 3).
            copies: Gives the changed copies of a picture that are judged too, uint8 (2, 224, 224, 3): recompressed,
                made smaller; or None, by the picture's place and its score as it is. Never asked of what is no
                photograph.
        """
        if not batch:
            return []
        found = [
            WholeScore(float(score), bool(close), on_plain_ground(view), bool(outside))
            for score, close, outside, view in zip(*self._judged(np.stack(batch)), batch, strict=True)
        ]
        made = {index: copies(index, score) for index, score in enumerate(found) if not score.outside}
        again = {index: views for index, views in made.items() if views is not None}
        pairs = self.logits(np.concatenate([*again.values()])) if again else np.zeros(0)
        for index, (recompressed, resized) in zip(again, pairs.reshape(-1, 2).tolist(), strict=True):
            found[index] = replace(found[index], recompressed=recompressed, resized=resized)
        return found


@cache
def cached_classifier(device: str, folder: Path | None, threads: int, *, few: bool = False) -> SynthesisClassifier:
    """The process's one classifier for a device, made at first use.

    Args:
        device: A resolved device name.
        folder: A folder to look for weights in before the installed one.
        threads: How many threads the numerical library may use.
        few: Whether it is for so few pictures that loading torch would take longer; on a CPU only.

    Raises:
        WeightsError: The weights are missing, altered or of an unknown layout.
    """
    head, probe = Head(weights.load_arrays(MODEL, folder)), domain_probe(folder)
    if device == "cpu" and bytes_are_fast():
        return SynthesisClassifier(cached_integer_clip(folder, threads, few=few), head, probe)
    if device == "cpu" and few:
        return SynthesisClassifier(cached_array_clip(folder), head, probe)
    import torch

    from nsfwforensics.models.synthesis import clip

    if device == "cpu":
        torch.set_num_threads(threads)
    return SynthesisClassifier(clip.cached_clip(device, folder), head, probe)
