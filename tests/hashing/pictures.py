"""Pictures for the tests of hashing: noise, flat areas, ties, extreme shapes, and something like a photograph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.errors import EvidenceError
from tests.pictures import photo_like

SHAPES = ((1, 1), (10, 3_000), (3_000, 10), (48, 31), (301, 299), (1_024, 1_500))


def synthetic() -> Iterator[tuple[str, Image.Image]]:
    """Every kind of drawn picture in many shapes, in colour and in grey."""
    random = np.random.default_rng(7)
    for height, width in SHAPES:
        row, column = np.indices((height, width))
        blocks = random.integers(0, 256, (height // 20 + 1, width // 20 + 1, 3), np.uint8)
        arrays = {
            "photo": photo_like(height, width, height),
            "noise": random.integers(0, 256, (height, width, 3), np.uint8),
            "flat": np.full((height, width, 3), random.integers(0, 256, 3), np.uint8),
            "white": np.full((height, width, 3), 255, np.uint8),
            "checkers": np.repeat(((row + column) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2),
            "ramp": np.stack([column * 255 // width, row * 255 // height, column * 0 + 90], axis=2).astype(np.uint8),
            "blocks": np.kron(blocks, np.ones((20, 20, 1), np.uint8))[:height, :width],
            "page": np.where((row[..., None] // 9 % 3 == 0) & (row[..., None] < height // 2), 20, 255)
            .repeat(3, axis=2)
            .astype(np.uint8),
        }
        for number, (name, pixels) in enumerate(arrays.items()):
            mode = "RGB" if (number + height) % 3 else "L"
            yield f"{name} {height}x{width} {mode}", Image.fromarray(np.ascontiguousarray(pixels)).convert(mode)


def decodable(folders: list[Path], every: int = 1) -> Iterator[tuple[str, Image.Image]]:
    """Every n-th picture below some folders that can be decoded."""
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    for path in files[::every]:
        try:
            yield path.name, Evidence.open(path).image
        except EvidenceError:
            continue
