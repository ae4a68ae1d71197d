"""The synthesis classifier: a trace network and an ensemble over frozen features judge crops; one score per picture.

The score is a mean logit without unit. What it means is said by the calibration that is stored beside the weights
(:mod:`nsfwforensics.models.synthesis.calibration`), never by the number itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.device import exact
from nsfwforensics.models.synthesis.face_statistics import WIDTH as FACE_WIDTH
from nsfwforensics.models.synthesis.features import TAPS, FeatureExtractor
from nsfwforensics.models.synthesis.preprocess import Crops
from nsfwforensics.models.synthesis.trace_network import TraceNetwork, middle

MODEL = "synthesis"
"""Name in the weights manifest."""

_Work = tuple[torch.nn.Module, NDArray[np.uint8]]
"""A network and the crops that it judges."""

_CPU_CHUNK = 1
_DEVICE_CHUNK = 32


@dataclass(frozen=True, slots=True)
class PictureScore:
    """What the classifier says of one picture.

    Attributes:
        score: Mean logit over crops and members; higher looks more generated.
        spread: Standard deviation of the crops' logits.
        recompressed: The score had the picture been mildly recompressed.
        resized: The score had it been made a little smaller.
        crops: How many native crops were judged.
    """

    score: float
    spread: float
    recompressed: float
    resized: float
    crops: int


class Ensemble:
    """Perceptrons with one hidden layer over standardised features.

    Args:
        tensors: By name, as the weights file holds them.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._t = {name: value.float() for name, value in tensors.items()}

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Judges features, one row at a time in effect: rows do not influence each other.

        Args:
            features: float32 (N, width).

        Returns:
            float64 (N,): mean logit of the members.
        """
        t = self._t
        found = np.empty(len(features))
        with exact():
            for row, values in enumerate(torch.from_numpy(np.ascontiguousarray(features, np.float32))):
                x = ((values - t["mean"]) / t["scale"]).clamp(-6, 6)
                hidden = torch.relu(torch.einsum("f,kfh->kh", x, t["w1"]) + t["b1"])
                found[row] = float(((hidden * t["w2"]).sum(1) + t["b2"]).mean())
        return found


class SynthesisClassifier:
    """Judges pictures by their crops, and faces by a head of their own.

    Args:
        extractor: Measures crops.
        image: Judges the whole picture's crops.
        face: Judges the features of faces, or None where no face head was trained.
        trace: Looks for traces in the whole picture's crops, or None where none was trained.
        blend: Weights of the ensemble's and the trace network's logits.
        device: A resolved device name.
        threads: Crops judged at the same time on the CPU.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        image: Ensemble,
        face: Ensemble | None = None,
        trace: TraceNetwork | None = None,
        blend: tuple[float, float] = (1.0, 0.0),
        device: str = "cpu",
        threads: int = 1,
    ) -> None:
        self._extractor = extractor.to(device)
        self._image = image
        self._face = face
        self._trace = trace.to(device) if trace is not None else None
        self._blend = blend
        self._device = torch.device(device)
        self._threads = threads if self._device.type == "cpu" else 1

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], device: str = "cpu", threads: int = 1) -> SynthesisClassifier:
        """Builds the classifier from ``backbone.*``, ``image.*``, ``face.*``, ``trace.*``, ``taps`` and ``blend``.

        Raises:
            WeightsError: The tensors have another layout.
        """
        groups = {name: _below(tensors, name) for name in ("backbone", "image", "face", "trace")}
        try:
            taps = tuple(int(tap) for tap in tensors["taps"]) if "taps" in tensors else TAPS
            extractor = FeatureExtractor.from_tensors(groups["backbone"], taps)
            if groups["image"]["mean"].shape != (extractor.width,):
                raise WeightsError(say("the synthesis weights do not fit their own features"))
            trace = TraceNetwork.from_tensors(groups["trace"]).folded() if groups["trace"] else None
            blend = (float(tensors["blend"][0]), float(tensors["blend"][1])) if trace is not None else (1.0, 0.0)
        except (KeyError, IndexError, RuntimeError) as error:
            problem = say("the synthesis weights have an unknown layout: {error}", error=str(error))
            raise WeightsError(problem) from error
        # A head of an older version, for other features, is no head.
        fits = "mean" in groups["face"] and groups["face"]["mean"].shape == (FACE_WIDTH,)
        face = Ensemble(groups["face"]) if fits else None
        return cls(extractor, Ensemble(groups["image"]), face, trace, blend, device, threads)

    def features(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Measures crops; the same crop gives the same numbers whatever else is in the batch.

        On the CPU crops go one by one (which is also fastest there: a crop's layers stay in the cache); elsewhere
        in chunks of a fixed size, the last one filled up.

        Args:
            crops: uint8 (N, height, width, 3).

        Returns:
            float32 (N, features).
        """
        found = self._in_chunks(self._extractor, crops)
        return found if len(found) else np.empty((0, self._extractor.width), np.float32)

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Judges the whole picture's crops.

        Args:
            crops: uint8 (N, height, width, 3).

        Returns:
            float64 (N,); higher looks more generated.
        """
        return self._logits([crops])[0]

    def _logits(self, groups: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float64]]:
        """As :meth:`logits` for groups of crops that differ in size, all judged at the same time."""
        seen, painted = self._blend
        judged = [middle(crops) if len(crops) else crops for crops in groups]
        work: list[_Work] = [(self._extractor, crops if seen else crops[:0]) for crops in judged]
        work += [(self._trace, crops) for crops in judged] if self._trace is not None else []
        rows = self._rows(work)
        found = [seen * self._image.logits(part) if len(part) else np.zeros(len(crops))
                 for part, crops in zip(rows, judged, strict=False)]  # fmt: skip
        traces = rows[len(judged) :] or [np.zeros(len(crops), np.float32) for crops in judged]
        return [part + painted * trace.astype(np.float64) for part, trace in zip(found, traces, strict=True)]

    @property
    def maps(self) -> bool:
        """Whether there is a trace network, so that tiles can be judged."""
        return self._trace is not None

    def tile_logits(self, tiles: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Judges tiles of a picture by the trace network alone, each as if nothing were around it.

        Args:
            tiles: uint8 (N, height, width, 3).

        Returns:
            float64 (N,): logits; higher looks more painted by a decoder.

        Raises:
            ValueError: There is no trace network (:attr:`maps`).
        """
        if self._trace is None:
            raise ValueError("no trace network")
        return self._in_chunks(self._trace, tiles).astype(np.float64)

    def _in_chunks(self, network: torch.nn.Module, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._rows([(network, crops)])[0]

    def _rows(self, work: Sequence[_Work]) -> list[NDArray[np.float32]]:
        """Runs networks over their crops, chunk by chunk, chunks at the same time where there are threads."""
        chunk = _CPU_CHUNK if self._device.type == "cpu" else _DEVICE_CHUNK
        pieces = [
            (place, network, crops[start : start + chunk], chunk)
            for place, (network, crops) in enumerate(work)
            for start in range(0, len(crops), chunk)
        ]
        with exact():
            if self._threads == 1 or len(pieces) < 2:
                judged = [self._judged(*piece[1:]) for piece in pieces]
            else:
                judged = list(self._pool.map(lambda piece: self._judged(*piece[1:]), pieces))
        parts: list[list[NDArray[np.float32]]] = [[] for _ in work]
        for piece, rows in zip(pieces, judged, strict=True):
            parts[piece[0]].append(rows)
        return [np.concatenate(rows) if rows else np.zeros(0, np.float32) for rows in parts]

    def _judged(self, network: torch.nn.Module, part: NDArray[np.uint8], chunk: int) -> NDArray[np.float32]:
        count = len(part)
        if count < chunk:
            part = np.concatenate([part, np.repeat(part[-1:], chunk - count, axis=0)])
        with torch.inference_mode():  # of this thread; the rest of "exact" holds for the process
            rows = network(torch.from_numpy(np.ascontiguousarray(part)).to(self._device))
            return np.asarray(rows[:count].cpu().numpy())

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """A crop per thread: a single crop's layers are too small to be shared out well."""
        return ThreadPoolExecutor(self._threads, initializer=torch.set_num_threads, initargs=(1,))

    def score(self, batch: Sequence[Crops]) -> list[PictureScore]:
        """Judges many pictures, aligned one to one.

        Args:
            batch: Their crops.
        """
        if not batch:
            return []
        counts = [len(picture.native) for picture in batch]
        views = [len(picture.viewed) for picture in batch]
        groups = ([p.native for p in batch], [p.recompressed for p in batch], [p.resized for p in batch])
        judged = self._logits([np.concatenate([part for part in group if len(part)] or group) for group in groups])
        native, again, small = (
            np.split(logits, np.cumsum(of)[:-1]) for logits, of in zip(judged, (counts, views, views), strict=True)
        )
        return [_picture(*row) for row in zip(native, again, small, (p.viewed for p in batch), strict=True)]

    def score_faces(self, faces: NDArray[np.float32]) -> NDArray[np.float64]:
        """Judges faces.

        Args:
            faces: float32 (N, width) from :func:`nsfwforensics.models.synthesis.face_statistics.face_features`.

        Returns:
            float64 (N,): logits; higher looks more blended or painted. NaN without a face head.
        """
        if self._face is None or not len(faces):
            return np.full(len(faces), np.nan)
        return self._face.logits(faces)


def _below(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key[len(name) + 1 :]: value for key, value in tensors.items() if key.startswith(f"{name}.")}


def _picture(
    native: NDArray[np.float64], again: NDArray[np.float64], small: NDArray[np.float64], viewed: tuple[int, ...]
) -> PictureScore:
    score = float(native.mean())
    base = native[list(viewed)].mean() if viewed else 0.0
    return PictureScore(
        score=score,
        spread=float(native.std()),
        recompressed=score + float(again.mean() - base) if viewed else score,
        resized=score + float(small.mean() - base) if viewed else score,
        crops=len(native),
    )


@cache
def cached_classifier(device: str, folder: Path | None, threads: int) -> SynthesisClassifier:
    """The process's one classifier for a device, made at first use.

    Args:
        device: A resolved device name.
        folder: A folder to look for weights in before the installed one.
        threads: How many threads the numerical library may use.

    Raises:
        WeightsError: The weights are missing, altered or of an unknown layout.
    """
    if device == "cpu":
        torch.set_num_threads(threads)
    return SynthesisClassifier.from_tensors(weights.load_tensors(MODEL, folder), device, threads)
