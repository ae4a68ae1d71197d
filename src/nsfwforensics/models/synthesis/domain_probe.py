"""Is a picture a photograph at all, by what it shows? A linear probe of the embedding that the network makes anyway.

Measurements of the pixels (:mod:`nsfwforensics.models.synthesis.domain`) turn plain drawings, pages and charts away
before the network has to run. Shaded drawings, renderings, dark screenshots and whatever was saved again and again
pass them; those are told here. The numbers stand with what was measured in the file that ``python -m training.domain``
writes beside the weights.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.messages import say
from nsfwforensics.models import weights
from nsfwforensics.models.rates import Rate

if TYPE_CHECKING:
    from nsfwforensics.models.synthesis.domain import Domain

FILE = "domain.toml"
"""Lies beside the weights."""

LENGTH = 512
"""Numbers in an embedding."""

NO_PHOTOGRAPH = say(
    "it looks like a drawing, a page of text, a chart, a screenshot or a rendering rather than a photograph, and the "
    "model was measured on photographs only"
)


@dataclass(frozen=True, slots=True, eq=False)
class DomainProbe:
    """The fitted border between embeddings of photographs and of other pictures.

    Attributes:
        weight: float64 (512,), of an embedding of length one.
        bias: Added to the sum; above 0 a picture is not judged.
        sure_from: Score of the measurements of pixels from which on the network need not be asked.
        flat_from: Share without visible detail, 0–1, from which on it need not be asked either.
        measured: The date, ISO 8601.
        told: By kind and tier, how many of how many pictures of left-out sources are told to be no photographs.
        digest: SHA-256 of the file.
    """

    weight: NDArray[np.float64]
    bias: float
    sure_from: float
    flat_from: float
    measured: str
    told: dict[str, dict[str, Rate]]
    digest: str

    def first(self, domain: Domain | None) -> Domain | None:
        """The measurements of pixels with a limit that hardly any photograph passes: what they miss is told here."""
        return replace(domain, limit=self.sure_from) if domain is not None else None

    def outside(self, embedding: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which pictures are no photographs: bool (N,), by embeddings, float32 (N, 512)."""
        rows = embedding.astype(np.float64)
        return np.array([float(row @ self.weight) / float(np.linalg.norm(row)) + self.bias > 0 for row in rows], bool)


@cache
def domain_probe(folder: Path | None = None) -> DomainProbe:
    """The probe that lies beside the weights.

    Args:
        folder: A folder to look in before the installed weights.

    Raises:
        WeightsError: It is missing, or cannot be understood.
    """
    return weights.measured(FILE, _probe, folder)


def _probe(tables: dict[str, Any], digest: str) -> DomainProbe:
    weight = np.frombuffer(base64.b64decode(tables["weight"], validate=True), "<f4").astype(np.float64)
    bias, sure_from, flat_from = (float(tables[name]) for name in ("bias", "sure_from", "flat_from"))
    if weight.shape != (LENGTH,) or not np.isfinite([*weight, bias, sure_from, flat_from]).all():
        raise ValueError("a probe of another length")
    told = {
        kind: {tier: Rate(int(count), int(total), int(series)) for tier, (count, total, series) in tiers.items()}
        for kind, tiers in tables["told"].items()
    }
    return DomainProbe(weight, bias, sure_from, flat_from, str(tables["measured"]), told, digest)
