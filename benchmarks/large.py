"""What the traces analyzer costs on a picture of 50 megapixels."""

from __future__ import annotations

import argparse

import numpy as np
from PIL import Image

from benchmarks import corpus
from benchmarks.measure import TOOL, measure

WORK = corpus.ROOT / ".work" / "bench"
SIZE = (8660, 5774)
GRAIN = 5.0


def large(_: argparse.Namespace) -> str:
    """Time and memory of one large picture, with and without the maps for experts."""
    path = WORK / "large-50.jpg"
    if not path.exists():
        _build(path)
    command = [TOOL, "scan", path, "--only", "traces", "--quiet"]
    rows = {
        "findings": measure(command),
        "findings and all maps": measure([*command, "--maps", "-o", WORK / "report-large"]),
    }
    table = "\n".join(
        f"| {name} | {cost.seconds:.1f} | {cost.peak_mib:.0f} | {cost.code} |" for name, cost in rows.items()
    )
    return f"""## Traces in a picture of 50 megapixels

One JPEG photograph of {SIZE[0]} × {SIZE[1]} pixels ({path.stat().st_size / 2**20:.1f} MiB; enlarged, with grain), all
default methods of `traces`, start-up and decoding included.

| | seconds | peak memory, MiB | exit code |
|---|---|---|---|
{table}

Targets: at most 20 seconds and 1.5 GB."""


def _build(path: object) -> None:
    with Image.open(corpus.sources()[0]) as opened:
        picture = opened.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
    noise = np.random.default_rng(1).normal(0, GRAIN, (SIZE[1], SIZE[0], 1)).astype(np.float32)
    pixels = np.clip(np.asarray(picture, np.float32) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(str(path), quality=92)
