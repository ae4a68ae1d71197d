"""Trains the trace network end to end: seeded, resumable from checkpoints, on the CPU or a GPU (there in bf16).

The loss is the cross entropy of every crop and, for each pair of a photograph and its painted copy, a hinge on their
difference: content is the same, so only traces can lower it. What is kept is a moving average of the weights.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from nsfwforensics.models.synthesis.trace_network import WIDTHS, TraceNetwork
from training.pairs import Batches, Material

_SAVED_EVERY = 100


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """How the trace network is trained.

    Attributes:
        steps: Optimiser steps.
        pairs: Photographs with their copies per batch.
        others: Generated pictures per batch, and as many further photographs.
        rate: Peak learning rate.
        decay: Weight decay.
        rank: Weight of the pairwise part of the loss.
        average: Decay of the moving average of the weights.
        widths: Channels of the network.
        seed: Of weights, batches and chains.
    """

    steps: int = 5000
    pairs: int = 16
    others: int = 6
    rate: float = 2e-3
    decay: float = 0.02
    rank: float = 0.5
    average: float = 0.998
    widths: tuple[int, ...] = WIDTHS
    seed: int = 0


def train(
    material: Material,
    settings: TraceSettings,
    checkpoint: Path,
    tell: Callable[[str], None] = print,
    device: str = "cpu",
    workers: int = 1,
) -> dict[str, Tensor]:
    """Trains, or goes on from a checkpoint with the same settings.

    A resumed run draws other batches than one that was never stopped; the rest is the same.

    Args:
        material: What batches are drawn from.
        settings: See :class:`TraceSettings`.
        checkpoint: A file for everything needed to go on.
        tell: Told the progress.
        device: A resolved device name.
        workers: Processes that make batches; 0 makes them in this one.

    Returns:
        The averaged weights, for :meth:`nsfwforensics.models.synthesis.trace_network.TraceNetwork.from_tensors`.
    """
    torch.manual_seed(settings.seed)
    network = TraceNetwork(settings.widths).to(device).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=settings.decay)
    first = _resume(checkpoint, settings, network, average, optimiser)
    batches = Batches(material, settings.pairs, settings.others, settings.seed + 1_000_003 * first)
    loader = iter(DataLoader(batches, batch_size=None, num_workers=workers))
    network.train()
    for step in range(first, settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = _rate(settings, step)
        crops, labels = (part.to(device) for part in next(loader))
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            logits = network(crops)
        found = loss(logits.float(), labels, settings)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(found)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        _follow(average, network, min(settings.average, (2 + step) / (11 + step)))
        if (step + 1) % _SAVED_EVERY == 0 or step + 1 == settings.steps:
            tell(f"trace network: step {step + 1} of {settings.steps}, loss {found.item():.3f}")
            _save(checkpoint, settings, network, average, optimiser, step + 1)
    return {name: value.detach().cpu().contiguous().clone() for name, value in average.state_dict().items()}


def loss(logits: Tensor, labels: Tensor, settings: TraceSettings) -> Tensor:
    """Cross entropy with softened labels, and the hinge on the difference within each pair.

    Args:
        logits: float32 (N,): photograph and copy in turn, then the others.
        labels: float32 (N,), 0 or 1.
        settings: Numbers of pairs and weights.
    """
    found = functional.binary_cross_entropy_with_logits(logits, labels * 0.96 + 0.02)
    paired = logits[: 2 * settings.pairs]
    if settings.rank and len(paired):
        found = found + settings.rank * functional.softplus(1 - (paired[1::2] - paired[0::2])).mean()
    return found


def _rate(settings: TraceSettings, step: int) -> float:
    warm = min(1.0, (step + 1) / 100)
    return settings.rate * warm * (0.5 + 0.5 * math.cos(math.pi * step / settings.steps)) + 1e-6


def _follow(average: TraceNetwork, network: TraceNetwork, keep: float) -> None:
    with torch.no_grad():
        for slow, quick in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if slow.is_floating_point():
                slow.lerp_(quick, 1 - keep)
            else:
                slow.copy_(quick)


def _save(
    path: Path,
    settings: TraceSettings,
    network: TraceNetwork,
    average: TraceNetwork,
    optimiser: torch.optim.Optimizer,
    step: int,
) -> None:
    state: dict[str, Any] = {
        "settings": repr(sorted(asdict(settings).items())),
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
    }
    partial = path.with_name(path.name + ".part")
    torch.save(state, partial)
    partial.replace(path)


def _resume(
    path: Path,
    settings: TraceSettings,
    network: TraceNetwork,
    average: TraceNetwork,
    optimiser: torch.optim.Optimizer,
) -> int:
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    if state["settings"] != repr(sorted(asdict(settings).items())):
        return 0
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])
