"""Relatives of a decoder: another upsampler, weights disturbed, and a short training until it paints well again.

One decoder's traces do not transfer to another's, and a small decoder made from nothing in minutes paints softly. A
disturbed copy of a faithful one paints faithfully after minutes, and leaves other traces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.autoencoder import AutoEncoder
from training.decoders import energy

if TYPE_CHECKING:
    from numpy.typing import NDArray

Relative = Literal["bilinear", "shuffle"]

RELATIVES: tuple[Relative, ...] = ("bilinear", "shuffle")

CROP = 80
"""Side of the crops they are trained on, in pixels."""

_DISTURBANCE = 0.15
_BATCH = 4
_RATE = 4e-4


def changed(model: AutoEncoder, kind: Relative, seed: int) -> AutoEncoder:
    """Replaces every upsampler of a decoder and disturbs its weights; it paints badly until trained.

    Args:
        model: Changed in place; its decoder is a sequence in which a convolution follows each ``Upsample``.
        kind: ``bilinear`` interpolation, or ``shuffle``: a convolution that paints four pixels at once.
        seed: Of the disturbance.

    Returns:
        The same autoencoder.
    """
    layers = list(model.decoder.children())
    for place, layer in enumerate(layers):
        if not isinstance(layer, nn.Upsample):
            continue
        if kind == "bilinear":
            layers[place] = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        else:
            layers[place], layers[place + 1] = _four_at_once(layers[place + 1]), nn.PixelShuffle(2)
    model.decoder = nn.Sequential(*layers)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.decoder.parameters():
            if weight.dim() == 4:
                weight.add_(torch.randn(weight.shape, generator=generator) * weight.std(), alpha=_DISTURBANCE)
    return model.requires_grad_(False).to(memory_format=torch.channels_last)


def _four_at_once(conv: nn.Module) -> nn.Conv2d:
    """A convolution before a pixel shuffle that equals nearest-neighbour doubling followed by ``conv``."""
    known = cast(Tensor, conv.weight).detach()
    outputs, inputs = known.shape[:2]
    made = nn.Conv2d(inputs, 4 * outputs, 3, padding=1, bias=False)
    weight = torch.zeros(outputs, 2, 2, inputs, 3, 3)
    for y in range(2):
        for x in range(2):
            for v in range(3):
                for u in range(3):
                    to = (slice(None), y, x, slice(None), 1 + (y + v - 1) // 2, 1 + (x + u - 1) // 2)
                    weight[to] += known[:, :, v, u]
    made.weight = nn.Parameter(weight.reshape(4 * outputs, inputs, 3, 3))
    return made


def train(model: AutoEncoder, pictures: Sequence[NDArray[np.uint8]], *, steps: int, seed: int) -> AutoEncoder:
    """Trains the decoder until it paints well again; the encoder stays.

    Args:
        model: As :func:`changed` returns it.
        pictures: Real photographs, uint8 (height, width, 3), at least 80 pixels each way.
        steps: Optimiser steps.
        seed: Of the crops.

    Returns:
        The same autoencoder, frozen.
    """
    rng = np.random.default_rng(seed)
    model.decoder.requires_grad_(True)
    optimiser = torch.optim.Adam(model.decoder.parameters(), lr=_RATE)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-6
        crops = []
        for index in rng.integers(0, len(pictures), _BATCH):
            y, x = (int(rng.integers(0, side - CROP + 1)) for side in pictures[index].shape[:2])
            crops.append(pictures[index][y : y + CROP, x : x + CROP])
        x_ = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float().div(255)
        x_ = x_.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                latent = model.encoder(x_)
            y_ = model.decoder(latent).float()
        found = functional.l1_loss(y_, x_) + 0.01 * functional.l1_loss(energy(y_), energy(x_))
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(found)
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        optimiser.step()
    return model.eval().requires_grad_(False)
