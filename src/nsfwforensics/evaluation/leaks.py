"""Can two folders be told apart without looking at what their pictures show? Then a detector's figures mean little.

Photographs often come as JPEG of a camera's size, generated pictures as PNG of a model's. A detector that has learned
that looks excellent on such folders and fails on the first re-saved picture. Each fact alone and all of them together
(a linear discriminant, judged on pictures it was not fitted on) are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.evaluation.file_facts import FACTS
from nsfwforensics.evaluation.judging import Judged
from nsfwforensics.evaluation.metrics import Estimate, auc_estimate

ALARM, ALARM_LOW = 0.70, 0.60
"""An AUC from the first, with its interval above the second, is a leak."""

FOLDS = 5
_ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Leaks:
    """How well the folders are told apart without a look at the pixels.

    Attributes:
        probes: AUC by what was looked at; below 0.5 is turned round, so that 0.5 is guessing.
        formats: By media type, how many photographs and how many generated pictures.
    """

    probes: dict[str, Estimate]
    formats: dict[str, tuple[int, int]]

    @property
    def worst(self) -> list[str]:
        """What tells the folders apart, the strongest first."""
        found = [name for name, e in self.probes.items() if e.value >= ALARM and e.low >= ALARM_LOW]
        return sorted(found, key=lambda name: -self.probes[name].value)

    @property
    def alarm(self) -> bool:
        """Whether some fact tells the folders apart well enough to be warned of."""
        return bool(self.worst)


def look_for_leaks(real: Sequence[Judged], generated: Sequence[Judged]) -> Leaks:
    """Tries to tell two folders apart by format, size and compression."""
    every = [*real, *generated]
    kinds = sorted({one.format for one in every})
    labels = np.array([0] * len(real) + [1] * len(generated))
    facts = np.array([one.facts for one in every], float).reshape(len(every), len(FACTS))
    by_format = np.array([[one.format == kind for kind in kinds] for one in every], float)
    formats = {k: (sum(o.format == k for o in real), sum(o.format == k for o in generated)) for k in kinds}
    probes: dict[str, Estimate] = {}
    if not len(real) or not len(generated):
        return Leaks(probes, formats)
    for index, name in enumerate(FACTS):
        probes[name] = _either_way(facts[:, index], labels)
    probes["file format"] = _either_way(_linear(by_format, labels), labels)
    probes["all of these together"] = _either_way(_linear(np.hstack([facts, by_format]), labels), labels)
    return Leaks(probes, formats)


def _either_way(values: NDArray[np.float64], labels: NDArray[np.int64]) -> Estimate:
    found = auc_estimate(values[labels == 0].tolist(), values[labels == 1].tolist(), rounds=_ROUNDS)
    if found.value >= 0.5:
        return found
    return Estimate(1 - found.value, 1 - found.high, 1 - found.low, found.negatives, found.positives)


def _linear(features: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores of a ridge regression on the labels, each picture by one that was fitted without its fold."""
    folds = folds_of(labels)
    scores = np.zeros(len(labels))
    for fold in range(FOLDS):
        kept = folds != fold
        if len(np.unique(labels[kept])) < 2 or not (~kept).any():
            continue
        middle, scale = features[kept].mean(0), features[kept].std(0) + 1e-6
        x = np.c_[(features - middle) / scale, np.ones(len(features))]
        share = np.where(labels == 1, 0.5 / max(1, (labels[kept] == 1).sum()), 0.5 / max(1, (labels[kept] == 0).sum()))
        weighted = x[kept] * share[kept, None]
        beta = np.linalg.solve(x[kept].T @ weighted + 1e-2 * np.eye(x.shape[1]), weighted.T @ (2 * labels[kept] - 1))
        scores[~kept] = x[~kept] @ beta
    return scores


def folds_of(labels: NDArray[np.int64], seed: int = 0) -> NDArray[np.int64]:
    """Assigns each picture to one of :data:`FOLDS` folds, both classes evenly, the same for the same labels."""
    rng = np.random.default_rng(seed)
    folds = np.zeros(len(labels), np.int64)
    for label in (0, 1):
        places = np.flatnonzero(labels == label)
        folds[rng.permutation(places)] = np.arange(len(places)) % FOLDS
    return folds
