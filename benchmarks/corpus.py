"""Folders of photographs to measure on: real pictures brought to the sizes that cameras make."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent

MEGAPIXELS = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0)
QUALITIES = (75, 85, 92, 95)


def sources() -> list[Path]:
    """The photographs to build from: the development data beside the checkout, else the samples."""
    shared = Path(os.environ.get("NSFWFORENSICS_SHARED_DATA", ROOT.parent / "shared" / "data"))
    found = sorted(
        path
        for folder in ("real/coco", "real/camera", "faces", "real/imagenet")
        for path in (shared / folder).rglob("*")
        if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    )
    names = ("reference.jpg", "other-person.jpg", "no-face.jpg", "camera-original.jpg")
    return found or [ROOT / "samples" / name for name in names]


def build(folder: Path, count: int, megapixels: tuple[float, ...] = MEGAPIXELS) -> int:
    """Fills a folder with JPEG photographs of mixed size and quality; keeps what an earlier call made.

    Args:
        folder: Where to.
        count: How many files.
        megapixels: The sizes to go through, in millions of pixels.

    Returns:
        How many megapixels there are in all, rounded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = 0.0
    for index, (source, size) in enumerate(_choices(count, megapixels)):
        path = folder / f"photo-{index:05d}.jpg"
        total += size
        if path.exists():
            continue
        with Image.open(source) as opened:
            picture = opened.convert("RGB")
        scale = (size * 1e6 / (picture.width * picture.height)) ** 0.5
        shape = (max(16, round(picture.width * scale)), max(16, round(picture.height * scale)))
        picture.resize(shape, Image.Resampling.LANCZOS).save(
            path, quality=QUALITIES[index % len(QUALITIES)], exif=_exif(index)
        )
    return round(total)


def _choices(count: int, megapixels: tuple[float, ...]) -> Iterator[tuple[Path, float]]:
    photographs = sources()
    for index in range(count):
        yield photographs[(index * 7) % len(photographs)], megapixels[index % len(megapixels)]


def _exif(index: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Bench"
    exif[0x0110] = f"Camera {index % 5}"
    exif[0x0132] = "2026:01:12 10:00:00"
    return exif
