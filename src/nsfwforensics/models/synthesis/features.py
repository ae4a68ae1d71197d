"""The measurements that the synthesis classifier judges: frozen network taps and residual statistics of a crop.

The network is MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) trained on ImageNet, batch norm folded, up to its
last used tap; nothing in it is trained further. The residual statistics are those of high-pass filters in the manner
of the steganalysis rich models (Fridrich and Kodovský 2012) and of the radial power spectrum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

TAPS: tuple[int, ...] = (-1, 0, 2, 5, 9, 12, 16)
"""Tapped layers: the stem (-1) and inverted-residual blocks by number."""

RESIDUAL_STATISTICS = 36

# Expansion, channels, repeats, stride: the paper's table 2.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_STEM = 32


def block_table() -> list[tuple[int, int, int, int]]:
    """Inputs, expanded width, outputs and stride of the seventeen blocks."""
    table: list[tuple[int, int, int, int]] = []
    inputs = _STEM
    for expansion, channels, repeats, stride in _STAGES:
        for repeat in range(repeats):
            table.append((inputs, inputs * expansion, channels, stride if repeat == 0 else 1))
            inputs = channels
    return table


def tap_width(tap: int) -> int:
    """Channels at a tap."""
    return _STEM if tap < 0 else block_table()[tap][2]


class _Block(nn.Module):
    def __init__(self, inputs: int, width: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.residual = stride == 1 and inputs == outputs
        self.expand = nn.Conv2d(inputs, width, 1) if width != inputs else None
        self.depthwise = nn.Conv2d(width, width, 3, stride, padding=2 - stride, groups=width)
        self.project = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = functional.relu6(self.depthwise(_same(y) if self.stride == 2 else y))
        y = self.project(y)
        return cast(Tensor, y + x if self.residual else y)


def _same(x: Tensor) -> Tensor:
    """TensorFlow's SAME padding of a 3×3 stride-2 convolution: for even sizes nothing before, one after."""
    height, width = x.shape[-2:]
    return functional.pad(x, (width % 2, 1, height % 2, 1))


class FeatureExtractor(nn.Module):
    """Mean and standard deviation of each channel at each tap, then the residual statistics.

    Args:
        taps: Which taps; blocks behind the last one are not built.
    """

    def __init__(self, taps: Sequence[int] = TAPS) -> None:
        super().__init__()
        self.taps = tuple(taps)
        self.stem = nn.Conv2d(3, _STEM, 3, 2)
        self.blocks = nn.ModuleList(_Block(*row) for row in block_table()[: max(self.taps) + 1])

    @property
    def width(self) -> int:
        """Number of features per crop."""
        return 2 * sum(tap_width(tap) for tap in self.taps) + RESIDUAL_STATISTICS

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], taps: Sequence[int] = TAPS) -> FeatureExtractor:
        """Builds the network from ``stem.*`` and ``blocks.*`` tensors (further ones are left alone).

        Raises:
            RuntimeError: A tensor is missing or has another shape.
        """
        module = cls(taps)
        wanted = module.state_dict()
        state = {name: tensors[name].float() for name in wanted if name in tensors}
        module.load_state_dict(state)
        frozen = module.eval().requires_grad_(False)
        return frozen.to(memory_format=torch.channels_last)

    def layers(self, x: Tensor) -> list[Tensor]:
        """Every layer's output for RGB in [0, 1], shape (N, 3, H, W)."""
        found = [functional.relu6(self.stem(_same(x * 2.0 - 1.0)))]
        for block in self.blocks:
            found.append(block(found[-1]))
        return found

    def forward(self, crops: Tensor) -> Tensor:
        """Measures crops.

        Args:
            crops: uint8 (N, height, width, 3), RGB.

        Returns:
            float32 (N, :attr:`width`).
        """
        pixels = crops.permute(0, 3, 1, 2).float()  # channels last in memory already
        x = functional.relu6(self.stem(_same(pixels / 127.5 - 1.0)))
        found = [_moments(x)] if -1 in self.taps else []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taps:
                found.append(_moments(x))
        return torch.cat([*found, residual_statistics(pixels)], dim=1)


def _moments(x: Tensor) -> Tensor:
    """Mean and standard deviation per channel; ten times faster than ``torch.std_mean`` where channels come last."""
    places = x.permute(0, 2, 3, 1).flatten(1, 2)
    mean = places.mean(1)
    deviation = (places - mean[:, None]).square_().mean(1).sqrt()
    return torch.cat([mean, deviation], dim=1)


_KERNELS = (
    torch.tensor(
        [
            [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, -2, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
            [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, -2, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]],
            [[0, 0, 0, 0, 0], [0, -1, 2, -1, 0], [0, 2, -4, 2, 0], [0, -1, 2, -1, 0], [0, 0, 0, 0, 0]],
            [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]],
        ],
        dtype=torch.float32,
    )[:, None]
    / torch.tensor([2.0, 2.0, 4.0, 12.0])[:, None, None, None]
)

_LAGS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (2, 2), (0, 3), (3, 0))
_BANDS = 8


def residual_statistics(pixels: Tensor) -> Tensor:
    """Thirty-six statistics of what high-pass filters leave, and of the radial spectrum.

    Args:
        pixels: float32 (N, 3, height, width), RGB, 0–255.

    Returns:
        float32 (N, 36): log spread, log kurtosis and log sparsity of four luma residuals; log spread and log kurtosis
        of two chroma residuals; correlation between the residuals of R, G and B; autocorrelation of the luma residual
        at eight lags; log share of energy in eight radial bands; unevenness of the local residual.
    """
    red, green, blue = pixels.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    kernels = _KERNELS.to(pixels)
    filtered = functional.conv2d(luma[:, None], kernels)
    spread, kurtosis, sparsity = _shape(filtered)
    planes = torch.cat([torch.stack([blue - luma, red - luma], 1), pixels], 1)
    # The third kernel is 3 × 3 inside its 5 × 5 frame, and one group per plane is the quickest way to apply it.
    second = functional.conv2d(planes[..., 1:-1, 1:-1], kernels[2:3, :, 1:4, 1:4].expand(5, 1, 3, 3), groups=5)
    c_spread, c_kurtosis, _ = _shape(second[:, :2])
    colour = second[:, 2:]
    pairs = [_correlation(colour[:, a], colour[:, b]) for a, b in ((0, 1), (1, 2), (0, 2))]
    residual = filtered[:, 2]
    lags = [_correlation(*_shifted(residual, dy, dx)) for dy, dx in _LAGS]
    local = functional.avg_pool2d(residual.abs()[:, None], 16)
    uneven = torch.log(local + 0.1).flatten(1).std(1, correction=0)
    return torch.cat(
        [spread, kurtosis, sparsity, c_spread, c_kurtosis, torch.stack([*pairs, *lags], 1), _radial(luma),
         uneven[:, None]], 1,
    )  # fmt: skip


def _shape(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    flat = x.flatten(2)
    centred = flat - flat.mean(2, keepdim=True)
    second = centred.square().mean(2)
    fourth = centred.square().square().mean(2)
    absolute = centred.abs().mean(2)
    return (
        torch.log(second.sqrt() + 0.1),
        torch.log((fourth + 1e-2) / (second.square() + 1e-2)),
        torch.log((absolute + 0.05) / (second.sqrt() + 0.05)),
    )


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    a = a.flatten(1) - a.flatten(1).mean(1, keepdim=True)
    b = b.flatten(1) - b.flatten(1).mean(1, keepdim=True)
    return (a * b).mean(1) / ((a.square().mean(1) * b.square().mean(1)).sqrt() + 1e-2)


def _shifted(x: Tensor, dy: int, dx: int) -> tuple[Tensor, Tensor]:
    height, width = x.shape[-2:]
    return x[:, : height - dy, : width - dx], x[:, dy:, dx:]


def _radial(luma: Tensor) -> Tensor:
    height, width = luma.shape[-2:]
    window = torch.hann_window(height, device=luma.device)[:, None] * torch.hann_window(width, device=luma.device)
    centred = luma - luma.mean(dim=(1, 2), keepdim=True)
    power = torch.fft.rfft2(centred * window).abs().square()
    fy = torch.fft.fftfreq(height, device=luma.device)[:, None].abs()
    fx = torch.fft.rfftfreq(width, device=luma.device)[None].abs()
    band = ((fy.square() + fx.square()).sqrt() / 0.5 * _BANDS).long().clamp(max=_BANDS - 1).flatten()
    energy = torch.zeros(luma.shape[0], _BANDS, device=luma.device)
    energy = energy.index_add(1, band, power.flatten(1))
    return torch.log((energy + 1.0) / (energy.sum(1, keepdim=True) + 1.0) + 1e-8)


def columns(taps: Sequence[int]) -> NDArray[np.int64]:
    """Columns of the features at all of :data:`TAPS` that belong to some taps, and the residual statistics."""
    chosen: list[int] = []
    start = 0
    for tap in TAPS:
        width = 2 * tap_width(tap)
        if tap in taps:
            chosen += range(start, start + width)
        start += width
    return np.array([*chosen, *range(start, start + RESIDUAL_STATISTICS)], np.int64)
