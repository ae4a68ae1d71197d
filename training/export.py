"""Writes what is shipped: the head, its calibration, the card, and their digests in the manifest."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import torch
from safetensors.torch import save_file

from nsfwforensics.models.synthesis.calibration import Branch, Calibration
from nsfwforensics.models.synthesis.domain import Domain
from training.fit import BLOCKS, Head, KernelHead

MAX_FLAT_SHARE = 0.75
MIN_QUALITY = 35.0
"""Lower JPEG qualities were not measured: the strongest tier is 40, estimated to a few steps."""


def tensors(head: KernelHead, probe: Head) -> dict[str, torch.Tensor]:
    """Head and probe as they are stored."""
    close = probe.weight / probe.scale
    return {
        "blocks": torch.tensor(BLOCKS, dtype=torch.int32),
        "projection": torch.from_numpy(head.projection).contiguous(),
        "offset": torch.from_numpy(head.offset),
        "landmarks": torch.from_numpy(head.landmarks).contiguous(),
        "gamma": torch.tensor([head.gamma], dtype=torch.float64),
        "weight": torch.from_numpy(head.weight),
        "bias": torch.tensor([head.bias], dtype=torch.float64),
        "portrait.weight": torch.from_numpy(close).float(),
        "portrait.bias": torch.tensor([probe.bias - float(probe.mean @ close)], dtype=torch.float32),
    }


def export(head: KernelHead, probe: Head, image: Branch, domain: Domain | None, weights: Path) -> None:
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
