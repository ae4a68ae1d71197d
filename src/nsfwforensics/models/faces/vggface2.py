"""facenet's InceptionResnetV1 trained on VGGFace2: an option for those who have its weights.

The weights are the file that facenet-pytorch publishes (release v2.2.9). It is not shipped. It is a torch pickle, so it
is read only when its SHA-256 is the one in the manifest, and then by torch's restricted unpickler, which makes tensors
and nothing else.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import cv2
import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1
from numpy.typing import NDArray

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models.device import exact
from nsfwforensics.models.faces.align import roll
from nsfwforensics.models.faces.detector import DetectedFace
from nsfwforensics.models.weights import manifest, read

SIDE = 160
DIMENSIONS = 512
BATCH = 16


class VggFace2Embedder:
    """Embeds the face's box, unaligned, as the network was trained (Schroff et al. 2015, arXiv 1503.03832).

    Args:
        name: The model's name in the weights manifest.
        device: A resolved device name.
        folder: A folder to look for the weights in before the installed ones.

    Raises:
        WeightsError: The file is missing, is not the one the manifest names, or holds something else.
    """

    def __init__(self, name: str, device: str = "cpu", folder: Path | None = None) -> None:
        data = read(name, folder)
        network = InceptionResnetV1(pretrained=None, classify=False)
        try:
            tensors = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            kept = {key: tensor for key, tensor in tensors.items() if not key.startswith("logits.")}
            network.load_state_dict(kept)
        except (RuntimeError, pickle.UnpicklingError, AttributeError, EOFError) as error:
            file = manifest()[name].file
            problem = say("{file} does not hold an InceptionResnetV1: {error}", file=file, error=str(error))
            raise WeightsError(problem) from error
        self._device = torch.device(device)
        self._network = network.eval().requires_grad_(False).to(self._device)

    def crop(self, rgb: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
        """The face's box, without margin, turned by quarters until it stands, resized to uint8 (160, 160, 3)."""
        x, y, width, height = face.box
        top, left = int(y), int(x)
        box = rgb[top : max(top + 1, int(y + height)), left : max(left + 1, int(x + width))]
        standing = np.rot90(box, round(roll(face.landmarks) / 90))
        return np.asarray(cv2.resize(standing, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)

    @exact()
    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds cut-out faces.

        Args:
            chips: uint8 (N, 160, 160, 3), RGB, as :meth:`crop` makes them.

        Returns:
            float32 (N, 512), of unit length.
        """
        parts = [np.empty((0, DIMENSIONS), np.float32)]
        for start in range(0, len(chips), BATCH):
            batch = torch.tensor(chips[start : start + BATCH], device=self._device).permute(0, 3, 1, 2).float()
            parts.append(self._network((batch - 127.5) / 128.0).cpu().numpy())
        return np.concatenate(parts)
