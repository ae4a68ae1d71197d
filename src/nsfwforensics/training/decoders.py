"""Tiny autoencoders trained here from scratch, so that a decoder never trained on is at hand.

One decoder's traces do not transfer to another's; these differ in upsampler, compression and latent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nsfwforensics.training.autoencoder import AutoEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

Upsampler = Literal["nearest", "transposed", "shuffle"]


@dataclass(frozen=True, slots=True)
class TinySpec:
    """What a tiny autoencoder looks like.

    Attributes:
        name: For file names and the log.
        upsampler: How the decoder enlarges.
        levels: Halvings; the stride is ``2 ** levels``.
        latent: Latent channels.
        width: Channels of the first level; deeper levels have twice as many.
    """

    name: str
    upsampler: Upsampler
    levels: int
    latent: int
    width: int = 32


SPECS: tuple[TinySpec, ...] = (
    TinySpec("tiny-shuffle-f4", "shuffle", 2, 8),
    TinySpec("tiny-transposed-f8", "transposed", 3, 24),
)
"""The first is used for training, the second is kept for tests only."""


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)
        )

        nn.init.zeros_(cast(nn.Conv2d, self.body[-1]).weight)

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(x + self.body(x))


def _up(kind: Upsampler, inputs: int, outputs: int) -> nn.Module:
    if kind == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
    if kind == "shuffle":
        return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.PixelShuffle(2))
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1))


def build(spec: TinySpec) -> AutoEncoder:
    """An untrained autoencoder."""
    widths = [spec.width] + [2 * spec.width] * spec.levels
    down: list[nn.Module] = [nn.Conv2d(3, spec.width, 3, padding=1), nn.SiLU()]
    for a, b in pairwise(widths):
        down += [nn.Conv2d(a, b, 4, stride=2, padding=1), nn.SiLU(), _Residual(b)]
    up: list[nn.Module] = [nn.Conv2d(spec.latent, widths[-1], 3, padding=1), _Residual(widths[-1])]
    for a, b in pairwise(widths[::-1]):
        up += [_up(spec.upsampler, a, b), nn.SiLU(), _Residual(b)]
    encoder = nn.Sequential(*down, nn.Conv2d(widths[-1], spec.latent, 3, padding=1))
    decoder = nn.Sequential(*up, nn.Conv2d(spec.width, 3, 3, padding=1))
    return AutoEncoder(encoder, decoder, 2**spec.levels)


def train(
    spec: TinySpec, pictures: Sequence[NDArray[np.uint8]], *, steps: int, seed: int, batch: int = 8
) -> AutoEncoder:
    """Trains one by mean absolute error of pixels and of their gradients.

    Args:
        spec: Its shape.
        pictures: Real photographs, uint8 (height, width, 3), at least 64 pixels each way.
        steps: Optimiser steps.
        seed: Of weights and crops.
        batch: Crops of 64 pixels per step.

    Returns:
        The autoencoder in evaluation mode.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = build(spec).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    for _ in range(steps):
        x = _batch(pictures, rng, batch)
        y = model(x)
        loss = functional.l1_loss(y, x) + 0.5 * sum(
            (functional.l1_loss(y.diff(dim=d), x.diff(dim=d)) for d in (2, 3)), torch.zeros(())
        )
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return model.eval().requires_grad_(False)


def _batch(pictures: Sequence[NDArray[np.uint8]], rng: np.random.Generator, count: int) -> Tensor:
    crops = []
    for index in rng.integers(0, len(pictures), count):
        picture = pictures[index]
        y, x = (int(rng.integers(0, side - 63)) for side in picture.shape[:2])
        crops.append(picture[y : y + 64, x : x + 64])
    x_ = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
    return x_.contiguous(memory_format=torch.channels_last)


def save(model: AutoEncoder, path: Path) -> None:
    """Writes the tensors as safetensors."""
    from safetensors.torch import save_file

    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)


def load(spec: TinySpec, path: Path) -> AutoEncoder:
    """Reads back what :func:`save` wrote."""
    from safetensors.torch import load_file

    model = build(spec)
    model.load_state_dict(load_file(path))
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)
