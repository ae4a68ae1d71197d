"""Small autoencoders trained here from scratch: their decoders paint photographs again, each with traces of its own.

One decoder's traces do not transfer to another's; these differ in upsampler, compression, latent and activation. The
one with transposed convolutions is kept for tests and never trained on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.autoencoder import AutoEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Features = Callable[[Tensor], list[Tensor]]

Upsampler = Literal["nearest", "bilinear", "transposed", "shuffle"]
Latent = Literal["plain", "noisy", "rounded"]


@dataclass(frozen=True, slots=True)
class TinySpec:
    """What a small autoencoder looks like and how it is trained.

    Attributes:
        name: For file names and the log.
        upsampler: How the decoder enlarges.
        levels: Halvings; the stride is ``2 ** levels``.
        channels: Latent channels.
        latent: Whether latents are noisy (as a variational autoencoder's) or rounded (as quantised ones).
        leak: Slope of the activation below zero; None for SiLU.
        perceptual: Weight of the difference between network features.
        texture: Weight of the difference of local high-pass energy, so that it paints sharply.
        width: Channels of the first level; deeper levels have two and four times as many.
    """

    name: str
    upsampler: Upsampler
    levels: int
    channels: int
    latent: Latent = "plain"
    leak: float | None = None
    perceptual: float = 0.5
    texture: float = 0.5
    width: int = 24


SPECS: tuple[TinySpec, ...] = (
    TinySpec("near8-c16", "nearest", 3, 16, perceptual=1.0, texture=0.3),
    TinySpec("near4-c8", "nearest", 2, 8, perceptual=0.3, texture=0.3),
    TinySpec("shuf4-c4", "shuffle", 2, 4, "noisy", leak=0.0),
    TinySpec("trans4-c8", "transposed", 2, 8, leak=0.1, perceptual=0.3, texture=0.3),
)

SHARPEST = "near4-c8"
"""The decoder among those that are trained on which paints most faithfully."""

NEVER_TRAINED = frozenset({"trans4-c8"})
"""Decoders whose copies no network is trained on: kept for tests."""

CROP = 96
"""Side of the crops they are trained on, in pixels."""


class _Activation(nn.Module):
    def __init__(self, leak: float | None) -> None:
        super().__init__()
        self.leak = leak

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(x) if self.leak is None else functional.leaky_relu(x, self.leak)


class _Residual(nn.Module):
    def __init__(self, width: int, leak: float | None) -> None:
        super().__init__()
        self.a = nn.Conv2d(width, width, 3, padding=1)
        self.b = nn.Conv2d(width, width, 3, padding=1)
        self.act = _Activation(leak)
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.act(x + self.b(self.act(self.a(x)))))


class _Latent(nn.Module):
    """Adds what the latents of generators have: noise or few levels."""

    def __init__(self, kind: Latent) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, z: Tensor) -> Tensor:
        if self.kind == "rounded":
            z = torch.tanh(z) * 3
            return z + (z.round() - z).detach()
        if self.kind == "noisy":
            # The same noise for the same picture once trained.
            source = None if self.training else torch.Generator().manual_seed(0)
            noise = torch.randn(z.shape, generator=source, dtype=z.dtype)
            return z + 0.15 * noise * z.detach().float().std().to(z.dtype)
        return z


class _Scale(nn.Module):
    def __init__(self, gain: float, offset: float) -> None:
        super().__init__()
        self.gain, self.offset = gain, offset

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain + self.offset


def _up(kind: Upsampler, inputs: int, outputs: int) -> nn.Module:
    if kind == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
    if kind == "shuffle":
        return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.PixelShuffle(2))
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=kind), nn.Conv2d(inputs, outputs, 3, padding=1))


def build(spec: TinySpec) -> AutoEncoder:
    """An untrained autoencoder."""
    widths = [spec.width * factor for factor in (1, 2, 4, 4)][: spec.levels + 1]
    down: list[nn.Module] = [_Scale(2.0, -1.0), nn.Conv2d(3, widths[0], 3, padding=1)]
    for a, b in pairwise(widths):
        down += [nn.Conv2d(a, b, 4, stride=2, padding=1), _Residual(b, spec.leak)]
    down += [_Residual(widths[-1], spec.leak), nn.Conv2d(widths[-1], spec.channels, 3, padding=1), _Latent(spec.latent)]
    up: list[nn.Module] = [nn.Conv2d(spec.channels, widths[-1], 3, padding=1)]
    up += [_Residual(widths[-1], spec.leak) for _ in range(2)]
    for a, b in pairwise(widths[::-1]):
        up += [_up(spec.upsampler, a, b), _Residual(b, spec.leak)]
    decoder = nn.Sequential(*up, nn.Conv2d(widths[0], 3, 3, padding=1), _Scale(0.5, 0.5))
    return AutoEncoder(nn.Sequential(*down), decoder, 2**spec.levels)


def train(
    spec: TinySpec,
    pictures: Sequence[NDArray[np.uint8]],
    *,
    steps: int,
    seed: int,
    batch: int = 8,
    features: Features | None = None,
) -> AutoEncoder:
    """Trains one by error of pixels, then of network features and of local high-pass energy as well.

    Args:
        spec: Its shape.
        pictures: Real photographs, uint8 (height, width, 3), at least 96 pixels each way.
        steps: Optimiser steps.
        seed: Of weights and crops.
        batch: Crops per step.
        features: Network features of RGB in [0, 1] for the perceptual part; left out without them.

    Returns:
        The autoencoder in evaluation mode.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = build(spec).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1.5e-3, weight_decay=1e-4, betas=(0.9, 0.98))
    for step in range(steps):
        done = step / steps
        rate = 1.5e-3 * min(1.0, step / 50) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
        for group in optimiser.param_groups:
            group["lr"] = rate
        x = _batch(pictures, rng, batch)
        with torch.autocast("cpu", torch.bfloat16):
            y = model(x)
        loss = _loss(spec, y.float(), x, features if step % 2 == 0 else None, done)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval().requires_grad_(False)


def _loss(spec: TinySpec, y: Tensor, x: Tensor, features: Features | None, done: float) -> Tensor:
    loss = functional.l1_loss(y, x) + 0.5 * functional.mse_loss(y, x).sqrt()
    if spec.texture and done >= 0.3:
        loss = loss + 0.02 * spec.texture * functional.l1_loss(energy(y), energy(x))
    if spec.perceptual and features is not None and done > 0.15:
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                wanted = features(x)
            found = features(y)
        for a, b in zip(found, wanted, strict=True):
            loss = loss + 0.05 * spec.perceptual * functional.l1_loss(a.float(), b.float())
    return loss


def energy(x: Tensor) -> Tensor:
    """Log energy of the high-pass residual in cells of 8 × 8 pixels."""
    residual = x - functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return functional.avg_pool2d(residual.square(), 8).add(1e-5).log()


def _batch(pictures: Sequence[NDArray[np.uint8]], rng: np.random.Generator, count: int) -> Tensor:
    crops = []
    for index in rng.integers(0, len(pictures), count):
        picture = pictures[index]
        y, x = (int(rng.integers(0, side - CROP + 1)) for side in picture.shape[:2])
        crops.append(picture[y : y + CROP, x : x + CROP][:, :: int(rng.choice([-1, 1]))])
    x_ = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
    return x_.contiguous(memory_format=torch.channels_last)


def save(model: AutoEncoder, path: Path) -> None:
    """Writes the tensors as safetensors."""
    from safetensors.torch import save_file

    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)


def load(spec: TinySpec, path: Path) -> AutoEncoder:
    """Reads back what :func:`save` wrote."""
    return restored(build(spec), path)


def restored(model: AutoEncoder, path: Path) -> AutoEncoder:
    """Gives an autoencoder of the same layout the tensors of a file."""
    from safetensors.torch import load_file

    model.load_state_dict(load_file(path))
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)
