"""Writes what is shipped: the head, its calibration, the card, and their digests in the manifest."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from nsfwforensics.models.synthesis.calibration import Branch, Calibration
from nsfwforensics.models.synthesis.clip import WIDTH
from nsfwforensics.models.synthesis.domain import Domain
from training.fit import BLOCKS, Head

MAX_FLAT_SHARE = 0.75
MIN_QUALITY = 35.0
"""Lower JPEG qualities were not measured: the strongest tier is 40, estimated to a few steps."""


def tensors(head: Head, probe: Head) -> dict[str, torch.Tensor]:
    """Head and probe with their standardisation folded in."""
    weight, bias = folded(head)
    close, offset = folded(probe)
    return {
        "blocks": torch.tensor(BLOCKS, dtype=torch.int32),
        "weight": weight.reshape(len(BLOCKS), WIDTH),
        "bias": bias,
        "portrait.weight": close,
        "portrait.bias": offset,
    }


def folded(head: Head) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias over features as they are, float32."""
    plain = head.weight.astype(np.float64) / head.scale
    bias = head.bias - float(head.mean.astype(np.float64) @ plain)
    return torch.from_numpy(plain).float(), torch.tensor([bias], dtype=torch.float32)


def export(head: Head, probe: Head, image: Branch, domain: Domain | None, weights: Path) -> None:
    """Writes head and calibration into a weights folder, and their digests into its manifest.

    Args:
        head: Fitted on all.
        probe: For portraits.
        image: Thresholds and rates.
        domain: What tells photographs from other pictures, or None.
        weights: The folder, with its manifest.
    """
    save_file(tensors(head, probe), weights / "synthesis.safetensors")
    calibration = Calibration(image, MAX_FLAT_SHARE, MIN_QUALITY, domain)
    (weights / "synthesis.calibration.json").write_text(calibration.dumps(), "utf-8")
    manifest = weights / "manifest.toml"
    text = manifest.read_text("utf-8")
    for name in ("synthesis.safetensors", "synthesis.calibration.json"):
        digest = hashlib.sha256((weights / name).read_bytes()).hexdigest()
        text = re.sub(rf'(file = "{re.escape(name)}"\nsha256 = ")[0-9a-f]{{64}}', rf"\g<1>{digest}", text)
    manifest.write_text(text, "utf-8")
