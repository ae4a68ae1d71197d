"""A small convolutional network that looks for the traces of decoders in native pixels.

It is trained end to end (``training/traces.py`` in the repository) on photographs beside copies of themselves painted
again, so that content does not tell the classes apart. Its first filters start as high-pass filters; means and
deviations of its later layers are judged linearly, so a crop of any size can be judged.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

WIDTHS: tuple[int, ...] = (24, 32, 64, 128)
"""Channels at full, half, quarter and eighth resolution."""

SIDE = 192
"""The middle of a crop that is judged, in pixels: nearly as good as the whole, at half the cost."""

_BLOCKS = 2
_JUDGED = 2


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.a = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.n: nn.Module = nn.BatchNorm2d(width)
        self.b = nn.Conv2d(width, width, 3, padding=1, bias=False)
        last = nn.BatchNorm2d(width)
        nn.init.constant_(last.weight, 0.3)
        self.m: nn.Module = last

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.n(self.a(x)), inplace=True)
        return functional.relu(x + self.m(self.b(y)), inplace=True)


class TraceNetwork(nn.Module):
    """Native crops to one logit each; higher looks more painted by a decoder.

    Args:
        widths: Channels of the first layer and of each halving after it.
        drop: Share of the judged moments dropped in training.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS, drop: float = 0.2) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        with torch.no_grad():
            kernel = self.first.weight
            kernel.sub_(kernel.mean((2, 3), keepdim=True)).mul_(3)
        self.bn: nn.Module = nn.BatchNorm2d(widths[0])
        stages: list[nn.Module] = [nn.Sequential()]
        for a, b in pairwise(widths):
            down = [nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)]
            stages.append(nn.Sequential(*down, *[_Residual(b) for _ in range(_BLOCKS)]))
        self.stages = nn.ModuleList(stages)
        self.drop = nn.Dropout(drop)
        self.out = nn.Linear(2 * sum(widths[_JUDGED:]), 1)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> TraceNetwork:
        """Builds the network, widths and all, from its tensors; frozen, in float32.

        Raises:
            KeyError: A tensor is missing.
            RuntimeError: A tensor has another shape.
        """
        count = 1 + max((int(name.split(".")[1]) for name in tensors if name.startswith("stages.")), default=0)
        widths = [len(tensors["first.weight"])]
        widths += [len(tensors[f"stages.{number}.0.weight"]) for number in range(1, count)]
        network = cls(widths)
        network.load_state_dict({name: value.float() for name, value in tensors.items()}, strict=False)
        missing = network.state_dict().keys() - tensors.keys()
        if any(not name.endswith("num_batches_tracked") for name in missing):
            raise KeyError(sorted(missing)[0])
        return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def folded(self) -> TraceNetwork:
        """A copy whose batch norms are folded into the convolutions before them: for judging only, a fifth faster."""
        network = copy.deepcopy(self)
        network.first, network.bn = _fold(network.first, network.bn)
        for stage in network.stages[1:]:
            parts = cast(nn.Sequential, stage)
            parts[0], parts[1] = _fold(parts[0], parts[1])
            for block in (part for part in parts if isinstance(part, _Residual)):
                block.a, block.n = _fold(block.a, block.n)
                block.b, block.m = _fold(block.b, block.m)
        return network.to(memory_format=torch.channels_last)

    def forward(self, crops: Tensor) -> Tensor:
        """Judges crops.

        Args:
            crops: uint8 or float (N, height, width, 3), RGB, 0–255; sides of at least 64 pixels.

        Returns:
            float32 (N,): logits.
        """
        x = crops.permute(0, 3, 1, 2).float().div(127.5).sub(1)
        x = functional.relu(self.bn(self.first(x)), inplace=True)
        moments: list[Tensor] = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number >= _JUDGED:
                moments.append(_moments(x))
        return cast(Tensor, self.out(self.drop(torch.cat(moments, 1)).float())).squeeze(1)


def _fold(conv: nn.Module, norm: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    return fuse_conv_bn_eval(cast(nn.Conv2d, conv), cast(nn.BatchNorm2d, norm)), nn.Identity()


def middle(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of crops, uint8 (..., height, width, 3) to (..., 192, 192, 3); smaller ones stay."""
    y, x = (max(0, side - SIDE) // 2 for side in crops.shape[-3:-1])
    return np.ascontiguousarray(crops[..., y : y + SIDE, x : x + SIDE, :])


def _moments(x: Tensor) -> Tensor:
    places = x.float().permute(0, 2, 3, 1).flatten(1, 2)
    mean = places.mean(1)
    return torch.cat([mean, (places - mean[:, None]).square().mean(1).add(1e-4).sqrt()], 1)
