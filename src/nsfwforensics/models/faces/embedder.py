"""Turning an aligned face into 128 numbers whose distances tell people apart: dlib's ResNet-29, in torch.

Layout and preprocessing are those of dlib's ``dlib_face_recognition_resnet_model_v1`` (Davis King, CC0), a narrower
29-layer form of the residual network of He et al. (2016). The weights are stored as float16 and computed in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models.device import exact
from nsfwforensics.models.faces.align import align
from nsfwforensics.models.faces.compare import Embedder
from nsfwforensics.models.faces.detector import DetectedFace
from nsfwforensics.models.weights import load_tensors

MODELS = {"resnet29": "face-resnet29", "vggface2": "face-vggface2"}
"""The embedders that can be chosen, and their names in the weights manifest."""

CHIP = 150
"""Side of an aligned face chip in pixels."""
DIMENSIONS = 128
BATCH, BATCH_ELSEWHERE = 8, 32
"""Chips that are embedded together, on the CPU and beside it: more take memory there, and no less time."""

BLOCKS: Sequence[tuple[int, bool]] = (
    *((32, False),) * 3,
    (64, True), *((64, False),) * 3,
    (128, True), *((128, False),) * 2,
    (256, True), *((256, False),) * 2,
    (256, True),
)  # fmt: skip
"""Channels of each residual block, and whether it halves the picture."""

_MEAN = (122.782, 117.001, 104.298)


class _ConvAffine(nn.Module):
    """A convolution followed by a per-channel scale and shift (a frozen batch normalisation)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)
        self.gamma = nn.Parameter(torch.ones(outputs, 1, 1))
        self.beta = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x) * self.gamma + self.beta
        return result


class _Block(nn.Module):
    """``relu(shortcut(x) + affine(conv(relu(affine(conv(x))))))``; the shorter side is padded with zeros."""

    def __init__(self, inputs: int, outputs: int, down: bool) -> None:
        super().__init__()
        self.down = down
        self.first = _ConvAffine(inputs, outputs, 3, 2 if down else 1, 0 if down else 1)
        self.second = _ConvAffine(outputs, outputs, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(functional.relu(self.first(x)))
        shortcut = functional.avg_pool2d(x, 2) if self.down else x
        size = [max(a, b) for a, b in zip(y.shape[1:], shortcut.shape[1:], strict=True)]
        return functional.relu(_pad(y, size) + _pad(shortcut, size))


class FaceResNet29(nn.Module):
    """The network: float32 (N, 3, 150, 150), preprocessed, to float32 (N, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _ConvAffine(3, 32, 7, 2, 0)
        blocks = []
        channels = 32
        for outputs, down in BLOCKS:
            blocks.append(_Block(channels, outputs, down))
            channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.projection = nn.Parameter(torch.zeros(channels, DIMENSIONS))

    def forward(self, x: Tensor) -> Tensor:
        """Embeds preprocessed faces."""
        y = functional.max_pool2d(functional.relu(self.stem(x)), 3, 2)
        features: Tensor = self.blocks(y).mean(dim=(2, 3))
        return features @ self.projection


class ResNet29Embedder:
    """Embeds aligned chips; Euclidean distances between embeddings compare faces.

    Args:
        tensors: The state of :class:`FaceResNet29`, any floating type.
        device: A resolved device name.

    Raises:
        WeightsError: The tensors are not those of this network.
    """

    def __init__(self, tensors: Mapping[str, Tensor], device: str = "cpu") -> None:
        network = FaceResNet29()
        try:
            network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
        except RuntimeError as error:
            problem = say("not the tensors of a ResNet-29 face embedder ({error})", error=str(error))
            raise WeightsError(problem) from error
        self._device = torch.device(device)
        self._network = network.eval().requires_grad_(False).to(self._device)
        self._mean = torch.tensor(_MEAN, device=self._device).reshape(1, 3, 1, 1)

    def crop(self, rgb: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
        """Cuts out and aligns one face: uint8 (150, 150, 3)."""
        return align(rgb, face.landmarks, CHIP)

    @exact()
    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds aligned faces.

        Args:
            chips: uint8 (N, 150, 150, 3), RGB, 0–255, as :meth:`crop` makes them.

        Returns:
            float32 (N, 128); (0, 128) for no chips.
        """
        parts = [np.empty((0, DIMENSIONS), np.float32)]
        most = BATCH if self._device.type == "cpu" else BATCH_ELSEWHERE
        for start in range(0, len(chips), most):
            batch = torch.tensor(chips[start : start + most], device=self._device).permute(0, 3, 1, 2).float()
            parts.append(self._network((batch - self._mean) / 256.0).cpu().numpy())
        return np.concatenate(parts)


@cache
def cached_embedder(model: str, device: str, folder: Path | None) -> Embedder:
    """The process's one embedder of a kind, read at first use.

    Args:
        model: A key of :data:`MODELS`.
        device: A resolved device name.
        folder: A folder to look for weights in before the installed ones.

    Raises:
        WeightsError: The weights are missing or altered.
    """
    if model == "vggface2":
        from nsfwforensics.models.faces.vggface2 import VggFace2Embedder

        return VggFace2Embedder(MODELS[model], device, folder)
    return ResNet29Embedder(load_tensors(MODELS[model], folder), device)


def _pad(x: Tensor, size: Sequence[int]) -> Tensor:
    channels, rows, columns = (want - have for want, have in zip(size, x.shape[1:], strict=True))
    return functional.pad(x, (0, columns, 0, rows, 0, channels)) if channels or rows or columns else x
