"""A tiny data folder with the real one's layout, made of noise, for running the training code end to end."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from nsfwforensics.models.synthesis.features import FeatureExtractor
from training import autoencoder


def picture(seed: int, height: int = 256, width: int = 256) -> NDArray[np.uint8]:
    """A colourful picture with structure at several scales."""
    rng = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((3, 90), (9, 50), (40, 30), (120, 20)):
        noise = rng.normal(0, strength, (cells, cells, 3)).astype(np.float32)
        layers += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + layers, 0, 255).astype(np.uint8)


def smooth(seed: int) -> NDArray[np.uint8]:
    """What this folder's "generator" makes: the same without its finest detail."""
    return np.asarray(cv2.GaussianBlur(picture(seed), (0, 0), 1.6), np.uint8)


def save(rgb: NDArray[np.uint8], path: Path, quality: int = 92) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, quality=quality)


FAKES = {
    "gpt-4o": ["12_example_3d_collectible_couple_box.webp", "14_example_one_piece_figure_creation.webp"],
    "mixed-models": [
        "Alpha-VLLM--Lumina-DiMOO.jpg",
        "THUDM--CogView4-6B.jpg",
        "HiDream-ai--HiDream-I1-Full.jpg",
        "HiDream-ai--HiDream-I1-Dev.jpg",
        "Qwen--Qwen-Image.jpg",
        "black-forest-labs--FLUX.1-dev.jpg",
        "black-forest-labs--FLUX.2-dev.jpg",
    ],
}


def data_folder(root: Path) -> Path:
    """Writes pictures and random networks below ``root`` and returns it."""
    for number in range(4):
        save(picture(number), root / "real" / "imagenet" / f"{number}.jpg")
        save(picture(100 + number), root / "real" / "coco" / f"{number}.jpg")
    for number in range(2):
        save(picture(200 + number), root / "real" / "cc0" / f"{number}.jpg")
    for seed, (source, name) in enumerate((s, n) for s, names in FAKES.items() for n in names):
        save(smooth(300 + seed), root / "fake" / source / name)
    models(root / "models")
    return root


def models(folder: Path) -> None:
    """Networks of the right layout with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    state = {name: value.half() for name, value in FeatureExtractor().state_dict().items()}
    save_file(state, folder / "mobilenet_v2_imagenet.safetensors")
    for part, name in (
        (autoencoder._encoder(), autoencoder.ENCODER_FILE),
        (autoencoder._decoder(), autoencoder.DECODER_FILE),
    ):
        save_file({key: value.half() for key, value in part.state_dict().items()}, folder / name)
