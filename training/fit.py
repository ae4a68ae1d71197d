"""Fitting the small networks that judge frozen features: an ensemble of perceptrons, seeded, on the CPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How an ensemble is fitted.

    Attributes:
        members: Perceptrons, differing in seed and order of examples.
        hidden: Hidden units of each.
        epochs: Passes over the patches.
        rate: Peak learning rate.
        decay: Weight decay.
        dropout: Share of inputs and hidden units dropped.
        consistency: Weight of the variance of the logit over the degraded copies of one patch.
        seed: Of everything.
    """

    members: int = 5
    hidden: int = 48
    epochs: int = 40
    rate: float = 2e-3
    decay: float = 2e-2
    dropout: float = 0.3
    consistency: float = 0.0
    seed: int = 0


def fit(
    features: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64], settings: FitSettings
) -> dict[str, Tensor]:
    """Fits an ensemble.

    Args:
        features: float32 (patches, copies, width): the copies of a patch differ in degradation only.
        labels: int64 (patches,), 0 or 1.
        weights: How often each patch is drawn, relative.
        settings: See :class:`FitSettings`.

    Returns:
        ``mean``, ``scale`` (width), ``w1`` (members, width, hidden), ``b1``, ``w2`` (members, hidden), ``b2``.
    """
    flat = features.reshape(-1, features.shape[-1]).astype(np.float64)
    repeated = np.repeat(weights / weights.sum(), features.shape[1]) / features.shape[1]
    mean = repeated @ flat
    scale = np.sqrt(repeated @ (flat - mean) ** 2) + 1e-3
    x = torch.from_numpy(((features - mean) / scale).astype(np.float32)).clamp_(-6, 6)
    y = torch.from_numpy(labels).float()
    fitted = [_member(x, y, weights, settings, settings.seed + number) for number in range(settings.members)]
    stacked = {name: torch.stack([member[name] for member in fitted]) for name in fitted[0]}
    tensors = {"mean": torch.from_numpy(mean.astype(np.float32)), "scale": torch.from_numpy(scale.astype(np.float32))}
    return tensors | stacked


def _member(x: Tensor, y: Tensor, weights: NDArray[np.float64], settings: FitSettings, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    width, hidden = x.shape[-1], settings.hidden
    w1 = (torch.randn(width, hidden, generator=generator) * (2.0 / width) ** 0.5).requires_grad_()
    b1 = torch.zeros(hidden, requires_grad=True)
    w2 = (torch.randn(hidden, generator=generator) * hidden**-0.5).requires_grad_()
    b2 = torch.zeros((), requires_grad=True)
    decayed = {"params": [w1, w2], "weight_decay": settings.decay}
    optimiser = torch.optim.AdamW([decayed, {"params": [b1, b2], "weight_decay": 0.0}], lr=settings.rate)
    batch = min(128, len(y))
    steps = max(1, settings.epochs * len(y) // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    chance = weights / weights.sum()
    for _ in range(steps):
        chosen = torch.from_numpy(rng.choice(len(y), batch, p=chance))
        inputs = _dropped(x[chosen], settings.dropout, generator)
        layer = _dropped(torch.relu(inputs @ w1 + b1), settings.dropout, generator)
        logits = layer @ w2 + b2
        target = y[chosen][:, None].expand_as(logits) * 0.96 + 0.02
        loss = functional.binary_cross_entropy_with_logits(logits, target)
        if logits.shape[1] > 1:
            loss = loss + settings.consistency * logits.var(dim=1).mean()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    return {name: value.detach() for name, value in (("w1", w1), ("b1", b1), ("w2", w2), ("b2", b2))}


def _dropped(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    if share <= 0:
        return x
    # One mask for all copies of a patch, or their variance would punish the dropout, not the degradation.
    keep = torch.rand((x.shape[0], 1, x.shape[-1]), generator=generator) >= share
    return x * keep / (1.0 - share)


def balanced_weights(labels: NDArray[np.int64], sources: list[str], pictures: list[str]) -> NDArray[np.float64]:
    """Gives both classes the same weight, within a class each source, within a source each picture.

    Sources count with the square root of their number of pictures, so that a tiny source does not dominate.
    """
    weights = np.ones(len(labels))
    size = {key: len({p for p, s in zip(pictures, sources, strict=True) if s == key}) for key in set(sources)}
    per_picture: dict[tuple[str, str], int] = {}
    for key in zip(sources, pictures, strict=True):
        per_picture[key] = per_picture.get(key, 0) + 1
    for row, key in enumerate(zip(sources, pictures, strict=True)):
        weights[row] = size[key[0]] ** -0.5 / per_picture[key]
    for label in (0, 1):
        chosen = labels == label
        if chosen.any():
            weights[chosen] /= weights[chosen].sum()
    return weights
