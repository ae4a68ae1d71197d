"""Fits the head: one linear layer over the class tokens of several blocks, each block's token of length one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

BLOCKS = tuple(range(3, 12))
"""Blocks that the head sees, counted from 0."""

PENALTY = 1e-6
"""Weight of the squared length of the coefficients over standardised features, times the features' number."""

_STEPS = 12

FULL = 40
"""Pictures of a publisher beyond which more of them weigh no more together."""


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer over standardised features.

    Attributes:
        mean: float32 (features).
        scale: float32 (features), standard deviations.
        weight: float32 (features), over standardised features.
        bias: Added to the sum.
    """

    mean: Matrix
    scale: Matrix
    weight: Matrix
    bias: float

    def logits(self, features: Matrix) -> NDArray[np.float64]:
        """Judges features: float64 (N,); higher looks more generated."""
        plain = self.weight.astype(np.float64) / self.scale
        return np.asarray(features.astype(np.float64) @ plain - float(self.mean @ plain) + self.bias)


def features_of(whole: NDArray[np.floating], blocks: Sequence[int] = BLOCKS) -> Matrix:
    """Class tokens as the head sees them.

    Args:
        whole: (N, 12, 768).
        blocks: Which blocks.

    Returns:
        float32 (N, len(blocks) * 768), each block's token of length one.
    """
    tokens = whole[:, list(blocks)].astype(np.float32)
    tokens /= np.linalg.norm(tokens, axis=2, keepdims=True)
    return tokens.reshape(len(tokens), -1)


def balance(publishers: Sequence[str], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights that sum to one: half for each class, within it by publisher, up to :data:`FULL` pictures each."""
    counts = Counter(zip(publishers, labels.tolist(), strict=True))
    weights = np.array([min(1.0, FULL / counts[key]) for key in zip(publishers, labels.tolist(), strict=True)])
    for label in (0, 1):
        weights[labels == label] /= 2 * weights[labels == label].sum()
    return weights


@dataclass(frozen=True, slots=True)
class Space:
    """Features, standardised, and their inner products: what fits on parts of the pictures share.

    Attributes:
        mean: float32 (features).
        scale: float32 (features).
        standard: float32 (N, features).
        gram: float64 (N, N), divided by the number of features.
    """

    mean: Matrix
    scale: Matrix
    standard: Matrix
    gram: NDArray[np.float64]

    @classmethod
    def of(cls, features: Matrix) -> Space:
        """Standardises features; no label is looked at."""
        mean = features.mean(0, dtype=np.float64).astype(np.float32)
        scale = np.maximum(features.std(0, dtype=np.float64), 1e-8).astype(np.float32)
        standard = (features - mean) / scale
        return cls(mean, scale, standard, (standard @ standard.T).astype(np.float64) / features.shape[1])

    def head(self, rows: NDArray[np.int64], dual: NDArray[np.float64], bias: float) -> Head:
        """The linear layer that a fit on some rows found."""
        weight = dual.astype(np.float32) @ self.standard[rows] / self.standard.shape[1]
        return Head(self.mean, self.scale, weight, bias)


def fit(
    gram: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64], penalty: float = PENALTY
) -> tuple[NDArray[np.float64], float]:
    """Penalised logistic regression over inner products, by Newton's method: exact and without chance.

    Args:
        gram: float64 (N, N).
        labels: (N,) of 0 and 1.
        weights: (N,), summing to one.
        penalty: See :data:`PENALTY`.

    Returns:
        The dual coefficients, float64 (N,), and the bias: ``gram @ dual + bias`` are the logits.
    """
    from scipy.linalg import cho_factor, cho_solve

    logits, ones = np.zeros(len(labels)), np.ones(len(labels))
    dual, bias, best = np.zeros(len(labels)), 0.0, np.inf
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-logits))
        curve = np.maximum(weights * share * (1 - share), 1e-9 * weights)
        factor = cho_factor(gram + np.diag(2 * penalty / curve), lower=True, overwrite_a=True, check_finite=False)
        wanted = logits - weights * (share - labels) / curve
        first, second = cho_solve(factor, wanted), cho_solve(factor, ones)
        shift = first.sum() / second.sum()
        step, stride = first - shift * second, 1.0
        while True:
            trial, offset = dual + stride * (step - dual), bias + stride * (shift - bias)
            found = gram @ trial + offset
            loss = float(
                weights @ np.logaddexp(0, np.where(labels == 1, -found, found)) + penalty * trial @ (found - offset)
            )
            if loss <= best or stride < 1e-3:
                break
            stride /= 2
        done = best - loss < 1e-6
        dual, bias, logits, best = trial, offset, found, loss
        if done:
            break
    return dual, bias


def auc(generated: NDArray[np.floating], photographs: NDArray[np.floating]) -> float:
    """Chance that a generated picture scores above a photograph; NaN without either."""
    if not len(generated) or not len(photographs):
        return float("nan")
    order = np.sort(photographs)
    below = np.searchsorted(order, generated, "left") + np.searchsorted(order, generated, "right")
    return float(below.mean() / (2 * len(order)))
