"""How alike two pictures look to a network that was trained on what pictures show: CLIP's embedding, compared.

Photographs have much in common to such a network, whatever they show. That common part, measured on photographs of many
sources, is taken away before two embeddings are compared. It stands with the thresholds and with how often they were
wrong in the file that ``tools/measure_scene.py`` writes beside the weights.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import ModelRecord
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.synthesis import canonical, clip
from nsfwforensics.models.synthesis.calibration import LEAST_SIDE, cached_calibration

FILE = "scene.toml"
"""Lies beside the weights."""

METHOD = "clip-vit-b16/1"
"""What a kept embedding is called: the network, and the form in which it is kept."""

LENGTH = 512
"""Numbers in an embedding."""


@dataclass(frozen=True, slots=True)
class CountedPairs:
    """How often it was wrong, of how many pairs."""

    errors: int
    pairs: int


@dataclass(frozen=True, slots=True, eq=False)
class SceneFigures:
    """What two pictures share anyway, the thresholds, and what was measured at them.

    Attributes:
        measured: The date, ISO 8601.
        centre: float32 (512,), what photographs have in common.
        alike_from: Least similarity that is called the same scene when one picture is looked for.
        sure_from: Least similarity at which pictures of a folder are put together.
        unrelated: Pairs of pictures of different sources at ``alike_from`` and above.
        unrelated_sure: The same at ``sure_from``.
        strangers: Pairs of portraits of different people at ``alike_from`` and above.
        one_person: Pairs of different photographs of one public figure at ``alike_from`` and above.
        missed: Pictures and what editors made of them, below ``alike_from``.
        missed_sure: The same below ``sure_from``.
        digest: SHA-256 of the file.
    """

    measured: str
    centre: NDArray[np.float32]
    alike_from: float
    sure_from: float
    unrelated: CountedPairs
    unrelated_sure: CountedPairs
    strangers: CountedPairs
    one_person: CountedPairs
    missed: CountedPairs
    missed_sure: CountedPairs
    digest: str

    def similarities(self, ones: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosines of embeddings without what all photographs share: float32 (n, m), at most 1.

        Args:
            ones: float32 (n, 512), as :func:`embeddings` makes them.
            others: float32 (m, 512).
        """
        return np.asarray(unit(ones - self.centre) @ unit(others - self.centre).T, np.float32)


@cache
def scene_figures(folder: Path | None = None) -> SceneFigures:
    """The measured figures of the scene comparison.

    Args:
        folder: A folder to look in before the installed weights.

    Raises:
        WeightsError: They are missing, or cannot be understood.
    """
    return weights.measured(FILE, _figures, folder)


def _figures(tables: dict[str, Any], digest: str) -> SceneFigures:
    centre = np.frombuffer(base64.b64decode(tables.pop("centre"), validate=True), "<f2").astype(np.float32)
    if centre.shape != (LENGTH,) or not np.isfinite(centre).all():
        raise ValueError("a centre of another length")
    return SceneFigures(
        measured=str(tables["measured"]),
        centre=centre,
        alike_from=float(tables["alike_from"]),
        sure_from=float(tables["sure_from"]),
        **{name: CountedPairs(**tables[name]) for name in COUNTED},
        digest=digest,
    )


COUNTED = ("unrelated", "unrelated_sure", "strangers", "one_person", "missed", "missed_sure")


def records(used_by: str) -> tuple[ModelRecord, ...]:
    """The network, as the manifest names it.

    Args:
        used_by: Name of an analyzer.
    """
    entry = weights.manifest()[clip.MODEL]
    return (ModelRecord(name=entry.name, version=entry.version, file=entry.file, sha256=entry.sha256, used_by=used_by),)


def view(evidence: Evidence, folder: Path | None = None) -> NDArray[np.uint8] | Message:
    """A picture's middle square as the network sees it, uint8 (224, 224, 3), or why its likeness would say nothing.

    Args:
        evidence: The file.
        folder: A folder to look for weights in before the installed ones.

    Raises:
        EvidenceError: The picture cannot be decoded.
        WeightsError: What tells photographs from other pictures is missing or altered.
    """
    rgb = evidence.rgb
    least = LEAST_SIDE
    if min(rgb.shape[:2]) < least:
        return say("it is smaller than {least} pixels on one side, too small to judge its pixels", least=least)
    # The thresholds were measured on photographs: what two pages of text have in common was not.
    domain = cached_calibration(folder).domain
    reason = domain.ruled_out(rgb) if domain is not None else None
    return canonical.whole(rgb) if reason is None else reason


def embeddings(
    views: Sequence[NDArray[np.uint8]], device: str = "cpu", folder: Path | None = None
) -> NDArray[np.float32]:
    """What the network makes of views: float32 (n, 512) of length 1.

    Args:
        views: As :func:`view` makes them.
        device: A resolved device name.
        folder: A folder to look for weights in before the installed ones.

    Raises:
        WeightsError: The weights are missing or altered.
    """
    if not views:
        return np.zeros((0, LENGTH), np.float32)
    made = clip.cached_clip(device, folder).look(torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2))
    return unit(np.asarray(made.embedding.numpy(), np.float32))


def encode(embedding: NDArray[np.float32]) -> bytes:
    """An embedding in the form in which it is kept: 1,024 bytes."""
    return embedding.astype("<f2").tobytes()


def decode(kept: bytes) -> NDArray[np.float32]:
    """A kept embedding: float32 (512,).

    Raises:
        ValueError: It is none.
    """
    made = np.frombuffer(kept, "<f2").astype(np.float32)
    if made.shape != (LENGTH,) or not np.isfinite(made).all():
        raise ValueError(f"no embedding of {LENGTH} numbers")
    return made


def similar(wanted: NDArray[np.float32], kept: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, float]]:
    """How alike kept embeddings are to one that is looked for, as (name, similarity), in their order.

    Args:
        wanted: float32 (512,).
        kept: Names and kept embeddings.

    Raises:
        WeightsError: One of them is no embedding, or the measured figures are missing.
    """
    figures = scene_figures()
    for name, data in kept:
        try:
            yield name, float(figures.similarities(wanted[None], decode(data)[None])[0, 0])
        except ValueError as error:
            raise WeightsError(
                say("the embedding of {name} cannot be used: {error}", name=name, error=str(error))
            ) from error


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows brought to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), np.float32)


__all__ = [
    "METHOD", "CountedPairs", "SceneFigures", "decode", "embeddings", "encode", "records", "scene_figures", "similar",
    "unit", "view",
]  # fmt: skip
