"""Figures of merit of a detector: ranks, rates at a threshold, calibration error, intervals by bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % percentile-bootstrap interval and the pictures behind it."""

    value: float
    low: float
    high: float
    negatives: int
    positives: int

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


def auc(negatives: ArrayLike, positives: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Returns:
        0–1; NaN where a class is empty.
    """
    low, high = np.sort(np.asarray(negatives, float)), np.asarray(positives, float)
    if not len(low) or not len(high):
        return float("nan")
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean() / (2 * len(low)))


def auc_estimate(
    negatives: Sequence[float], positives: Sequence[float], *, paired: bool = False, rounds: int = 1000, seed: int = 0
) -> Estimate:
    """AUC with its interval; ``paired`` draws the same pictures from both classes."""
    low, high = np.asarray(negatives, float), np.asarray(positives, float)
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(rounds if len(low) and len(high) else 0):
        chosen = rng.integers(0, len(low), len(low))
        others = chosen if paired else rng.integers(0, len(high), len(high))
        drawn.append(auc(low[chosen], high[others]))
    ends = np.percentile(drawn, [2.5, 97.5]) if drawn else (float("nan"), float("nan"))
    return Estimate(auc(low, high), float(ends[0]), float(ends[1]), len(low), len(high))


def rate_at(negatives: Sequence[float], positives: Sequence[float], false_positives: float) -> float:
    """True-positive rate at the lowest threshold that keeps the false-positive rate within a limit."""
    low = np.sort(np.asarray(negatives, float))[::-1]
    if not len(low) or not len(positives):
        return float("nan")
    allowed = int(np.floor(false_positives * len(low)))
    threshold = low[allowed] if allowed < len(low) else -np.inf
    return float((np.asarray(positives, float) > threshold).mean())


def calibration_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = 10, *, balanced: bool = True) -> float:
    """Expected calibration error over equally filled bins.

    Args:
        probabilities: Predicted chance of the positive class, 0–1.
        labels: 0 or 1.
        bins: Number of bins.
        balanced: Both classes weigh alike; else every picture does.
    """
    p, y = np.asarray(probabilities, float), np.asarray(labels, int)
    weights = class_weights(y) if balanced else np.full(len(y), 1 / max(1, len(y)))
    error = 0.0
    # By value, not by rank: equal probabilities belong in one bin.
    places = np.searchsorted(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]), p, "right")
    for part in (places == place for place in range(bins)):
        share = weights[part].sum()
        if share > 0:
            gap = (weights[part] * p[part]).sum() / share - (weights[part] * y[part]).sum() / share
            error += share * abs(gap)
    return float(error)


def class_weights(labels: ArrayLike) -> NDArray[np.float64]:
    """Weights that give each class one half."""
    y = np.asarray(labels, int)
    return np.asarray(np.where(y == 1, 0.5 / max(1, (y == 1).sum()), 0.5 / max(1, (y == 0).sum())))


def fit_logistic(
    scores: ArrayLike, labels: ArrayLike, steps: int = 50, *, weights: ArrayLike | None = None, ridge: float = 1e-3
) -> tuple[float, float]:
    """Platt scaling by Newton's method: slope and offset of the log odds.

    The targets are smoothed as Platt (1999) proposes, so separable scores give finite values.

    Args:
        scores: One per picture.
        labels: 0 or 1.
        steps: Newton steps.
        weights: Of the pictures; by default those that give each class one half.
        ridge: Penalty on the squared slope.
    """
    s, y = np.asarray(scores, float), np.asarray(labels, int)
    n1, n0 = max(1, int((y == 1).sum())), max(1, int((y == 0).sum()))
    target = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    drawn = class_weights(y) if weights is None else np.asarray(weights, float)
    x = np.stack([s, np.ones_like(s)])
    beta = np.zeros(2)
    for _ in range(steps):
        p = sigmoid(beta @ x)
        gradient = x @ (drawn * (p - target)) + ridge * np.array([beta[0], 0.0])
        hessian = (x * (drawn * p * (1 - p))) @ x.T + np.diag([ridge, 1e-9])
        beta = beta - np.linalg.solve(hessian, gradient)
    return float(beta[0]), float(beta[1])


def sigmoid(x: ArrayLike) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(x, float))))
