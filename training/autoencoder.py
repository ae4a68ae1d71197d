"""Re-synthesis of photographs by TAEF2, the tiny autoencoder for the FLUX.2 latent space (madebyollin/taesd, MIT).

Its layer layout is rebuilt here and its published weights are read from safetensors.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENCODER_FILE = "taef2_encoder.safetensors"
DECODER_FILE = "taef2_decoder.safetensors"
STRIDE = 8
"""Pixels per latent cell, each way."""

_WIDTH = 64
_LATENT = 32


class _Block(nn.Module):
    """ReLU(three convolutions + skip); a middle block first adds a normalised 1×1 bottleneck."""

    def __init__(self, *, middle: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(_conv(), nn.ReLU(), _conv(), nn.ReLU(), _conv())
        self.pool: nn.Module | None = None
        if middle:
            self.pool = nn.Sequential(
                nn.Conv2d(_WIDTH, 4 * _WIDTH, 1, bias=False),
                nn.GroupNorm(4, 4 * _WIDTH),
                nn.ReLU(),
                nn.Conv2d(4 * _WIDTH, _WIDTH, 1, bias=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class _Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


def _conv(inputs: int = _WIDTH, outputs: int = _WIDTH, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)


def _encoder() -> nn.Sequential:
    layers: list[nn.Module] = [_conv(3), _Block()]
    for stage in range(3):
        layers.append(_conv(stride=2, bias=False))
        layers += [_Block(middle=stage == 2) for _ in range(3)]
    return nn.Sequential(*layers, _conv(_WIDTH, _LATENT))


def _decoder() -> nn.Sequential:
    layers: list[nn.Module] = [_Clamp(), _conv(_LATENT), nn.ReLU()]
    for stage in range(3):
        layers += [_Block(middle=stage == 0) for _ in range(3)]
        layers += [nn.Upsample(scale_factor=2), _conv(bias=False)]
    return nn.Sequential(*layers, _Block(), _conv(_WIDTH, 3))


class AutoEncoder(nn.Module):
    """An encoder and a decoder over RGB in [0, 1], shape (N, 3, H, W), H and W divisible by ``stride``."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, stride: int = STRIDE) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Encodes and decodes."""
        return cast(Tensor, self.decoder(self.encoder(x)))


def load(folder: Path) -> AutoEncoder:
    """Reads TAEF2 from the folder that holds its two safetensors files.

    Args:
        folder: Holds :data:`ENCODER_FILE` and :data:`DECODER_FILE`.

    Returns:
        The autoencoder in float32, in evaluation mode, on the CPU.

    Raises:
        FileNotFoundError: A file is missing.
        RuntimeError: The files have another layout.
    """
    from safetensors.torch import load_file

    parts: list[nn.Module] = []
    for build, name in ((_encoder, ENCODER_FILE), (_decoder, DECODER_FILE)):
        part = build()
        part.load_state_dict({key: value.float() for key, value in load_file(folder / name).items()})
        parts.append(part)
    model = AutoEncoder(parts[0], parts[1]).eval().to(memory_format=torch.channels_last)
    return model.requires_grad_(False)


def roundtrip(model: AutoEncoder, rgb: NDArray[np.uint8], *, quick: bool = False) -> NDArray[np.uint8]:
    """Encodes and decodes a picture: what the decoder of a latent image generator would have painted.

    Args:
        model: From :func:`load`.
        rgb: uint8 (height, width, 3), 0–255. Any size; edges are mirrored up to the next multiple of the stride.
        quick: In bfloat16, twice as fast, but for the last convolution, whose rounding would be seen in the pixels.

    Returns:
        uint8, the shape of ``rgb``.
    """
    height, width = rgb.shape[:2]
    below, right = -height % model.stride, -width % model.stride
    padded = np.pad(rgb, ((0, below), (0, right), (0, 0)), mode="symmetric")
    x = torch.from_numpy(np.ascontiguousarray(padded)).permute(2, 0, 1)[None].float().div_(255)
    with torch.inference_mode():
        x = x.contiguous(memory_format=torch.channels_last)
        y = (_quick(model, x) if quick else model(x))[0]
        pixels = y.clamp(0, 1).mul(255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return np.ascontiguousarray(pixels[:height, :width])


def _quick(model: AutoEncoder, x: Tensor) -> Tensor:
    layers = list(model.decoder.children())
    last = max(place for place, layer in enumerate(layers) if isinstance(layer, nn.Conv2d))
    with torch.autocast("cpu", torch.bfloat16):
        x = nn.Sequential(*layers[:last])(model.encoder(x))
    return cast(Tensor, nn.Sequential(*layers[last:])(x.float()))
