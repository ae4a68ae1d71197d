"""Fits the head: a Gaussian kernel over landmarks, in the main directions of the class tokens of several blocks.

A kernel logistic regression with a Gaussian kernel (Williams and Seeger, *Using the Nyström Method to Speed Up Kernel
Machines*): the kernel is written by its values at some of the training rows, and what is left is a logistic regression
of as many numbers, solved by Newton's method.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

BLOCKS = tuple(range(5, 12))
"""Blocks that the head sees, counted from 0."""

PENALTY = 3e-6
"""Weight of the squared length of the coefficients."""

FULL = 300
"""Rows of a publisher and class beyond which more of them weigh no more together."""

DIRECTIONS = 400
"""Main directions of the standardised features that are kept."""

LANDMARKS = 900
"""Training rows that every row is compared with."""

GAMMA = 0.5
"""Exponent of the kernel at the median distance between rows and landmarks."""

_STEPS = 15
_RIDGE = 1e-4
"""Added to the kernel's diagonal at the landmarks: some of them are nearly the same picture."""
_MORE = 40
_EVERY = 3


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer over standardised features.

    Attributes:
        mean: float32 (features).
        scale: float32 (features), standard deviations.
        weight: float64 (features), over standardised features.
        bias: Added to the sum.
    """

    mean: Matrix
    scale: Matrix
    weight: NDArray[np.float64]
    bias: float

    def logits(self, features: Matrix) -> NDArray[np.float64]:
        """Judges features: float64 (N,); higher looks more generated."""
        plain = self.weight / self.scale
        return np.asarray(features.astype(np.float64) @ plain - float(self.mean @ plain) + self.bias)


@dataclass(frozen=True, slots=True)
class KernelHead:
    """A Gaussian kernel over landmarks, and a linear layer over its values.

    Attributes:
        projection: float16 (features, directions); it standardises too.
        offset: float64 (directions), taken off.
        landmarks: float16 (landmarks, directions).
        gamma: Of the kernel, ``exp(-gamma * squared distance)``.
        weight: float64 (landmarks).
        bias: Added to the sum.
    """

    projection: NDArray[np.float16]
    offset: NDArray[np.float64]
    landmarks: NDArray[np.float16]
    gamma: float
    weight: NDArray[np.float64]
    bias: float

    def logits(self, features: Matrix) -> NDArray[np.float64]:
        """Judges features: float64 (N,); higher looks more generated."""
        rows = features @ self.projection.astype(np.float32) - self.offset
        return gaussian_kernel(rows, self.landmarks.astype(np.float64), self.gamma) @ self.weight + self.bias


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
    """Weights that sum to one: half for each class, within it by publisher, up to :data:`FULL` rows each."""
    counts = Counter(zip(publishers, labels.tolist(), strict=True))
    weights = np.array([min(1.0, FULL / counts[key]) for key in zip(publishers, labels.tolist(), strict=True)])
    for label in (0, 1):
        weights[labels == label] /= 2 * weights[labels == label].sum()
    return weights


def gaussian_kernel(rows: NDArray[np.floating], landmarks: NDArray[np.floating], gamma: float) -> NDArray[np.float64]:
    """The kernel of rows and landmarks: float64 (rows, landmarks)."""
    return np.exp(-gamma * _apart(rows, landmarks))


def _apart(rows: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Squared distances."""
    rows, others = rows.astype(np.float64), others.astype(np.float64)
    found = (rows**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2 * rows @ others.T
    return np.asarray(np.maximum(found, 0))


def fit_kernel(
    features: Matrix, labels: NDArray[np.int64], weights: NDArray[np.float64], chosen: NDArray[np.int64]
) -> KernelHead:
    """Fits the head; all of it, standardisation and directions too, on the rows that are given.

    Args:
        features: float32 (N, features).
        labels: (N,) of 0 and 1.
        weights: (N,), summing to one.
        chosen: Which rows are landmarks.
    """
    mean, spread = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64)
    scale = np.where(spread > 1e-6, spread, np.inf)
    directions = _directions((features[::_EVERY] - mean.astype(np.float32)) / scale.astype(np.float32))
    projection = (directions / scale[:, None] / np.sqrt(features.shape[1])).astype(np.float16)
    exact = projection.astype(np.float32)
    offset = mean @ exact.astype(np.float64)
    rows = features @ exact - offset
    landmarks = rows[chosen].astype(np.float16)
    apart = _apart(rows, landmarks)
    gamma = GAMMA / float(np.median(apart))
    root = np.linalg.cholesky(gaussian_kernel(landmarks, landmarks, gamma) + _RIDGE * np.eye(len(chosen)))
    written = np.linalg.solve(root, np.exp(-gamma * apart).T).T.astype(np.float32)
    found, bias = logistic(written, labels, weights, PENALTY)
    return KernelHead(projection, offset, landmarks, gamma, np.linalg.solve(root.T, found), bias)


def _directions(standard: Matrix) -> NDArray[np.float64]:
    """Main directions, float64 (features, directions), by iterating on a random subspace (always the same one)."""
    count = min(DIRECTIONS, *standard.shape)
    space = np.random.default_rng(0).normal(size=(standard.shape[1], count + _MORE)).astype(np.float32)
    for _ in range(3):
        space, _ = np.linalg.qr(standard.T @ (standard @ space))
    _, _, turned = np.linalg.svd(np.linalg.qr(standard @ space)[1])
    return np.asarray(space.astype(np.float64) @ turned[:count].T)


def logistic(
    features: Matrix, labels: NDArray[np.int64], weights: NDArray[np.float64], penalty: float
) -> tuple[NDArray[np.float64], float]:
    """Penalised logistic regression by Newton's method, without chance.

    Args:
        features: float32 (N, features).
        labels: (N,) of 0 and 1.
        weights: (N,), summing to one.
        penalty: Weight of the squared length of the coefficients.

    Returns:
        The coefficients, float64 (features,), and the bias.
    """
    rows = np.concatenate([features, np.ones((len(features), 1), np.float32)], 1)
    ridge = np.full(rows.shape[1], 2 * penalty)
    ridge[-1] = 1e-10
    found, logits, best = np.zeros(rows.shape[1]), np.zeros(len(rows)), np.inf
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-logits))
        slope = rows.T @ (weights * (share - labels)) + ridge * found
        curve = (weights * share * (1 - share)).astype(np.float32)
        step = np.linalg.solve((rows.T @ (rows * curve[:, None])).astype(np.float64) + np.diag(ridge), slope)
        stride, before = 1.0, best
        while True:
            trial = found - stride * step
            logits = rows @ trial
            loss = float(weights @ np.logaddexp(0, np.where(labels == 1, -logits, logits)) + ridge @ trial**2 / 2)
            if loss <= before or stride < 1e-3:
                break
            stride /= 2
        found, best = trial, loss
        if before - loss < 1e-5 * abs(loss):
            break
    return found[:-1], float(found[-1])


def linear(features: Matrix, labels: NDArray[np.int64], weights: NDArray[np.float64], penalty: float) -> Head:
    """A linear layer over features that are standardised first."""
    mean, scale = features.mean(0), np.maximum(features.std(0), 1e-8)
    size = np.sqrt(features.shape[1])
    found, bias = logistic(((features - mean) / scale / size).astype(np.float32), labels, weights, penalty)
    return Head(mean, scale, found / size, bias)


def auc(generated: NDArray[np.floating], photographs: NDArray[np.floating]) -> float:
    """Chance that a generated picture scores above a photograph; NaN without either."""
    if not len(generated) or not len(photographs):
        return float("nan")
    order = np.sort(photographs)
    below = np.searchsorted(order, generated, "left") + np.searchsorted(order, generated, "right")
    return float(below.mean() / (2 * len(order)))
