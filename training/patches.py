"""Native regions of the training pictures, and their re-synthesised copies, cached so that a stopped run resumes."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.models.synthesis.preprocess import jpeg_quality, positions
from training import augment
from training.autoencoder import feathered_mask, mix
from training.data import Item, load_rgb
from training.past import alike, past_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Resynthesise = Callable[[Pixels], Pixels]

REGION = 352
"""Largest side of a training region in native pixels: a 256-pixel crop and room to scale and shift it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A native region of one picture.

    Attributes:
        pixels: uint8 (height, width, 3), 256–352 pixels each way.
        label: 0 photograph, 1 generated.
        source: The item's source, or the decoder that re-synthesised it.
        group: The item's group.
        picture: The item's key; patches of one picture and their copies share it.
        number: Which region of the picture.
    """

    pixels: Pixels
    label: int
    source: str
    group: str
    picture: str
    number: int = 0


def seed_of(*parts: object) -> int:
    """A stable 64-bit seed from any printable values."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big")


def saved_quality(path: Path) -> float | None:
    """Estimated quality of a JPEG file, None for other formats."""
    from PIL import Image

    with warnings.catch_warnings(), Image.open(path) as image:
        warnings.simplefilter("ignore")
        tables = getattr(image, "quantization", None)
    return jpeg_quality(tables) if tables else None


def regions(item: Item, count: int, size: int = REGION) -> list[Pixels]:
    """Native regions of a picture, aligned to its 16-pixel grid so that a re-saved copy keeps the phase."""
    rgb = load_rgb(item)
    side = min(size, *rgb.shape[:2])
    if side < min(rgb.shape[:2]):
        places = positions(rgb, count, side)
    else:
        places = [(0, 0)] if rgb.shape[0] == rgb.shape[1] else positions(rgb, min(count, 2), side)
    return [np.ascontiguousarray(rgb[y : y + side, x : x + side]) for x, y in ((x & ~15, y & ~15) for x, y in places)]


def plain(items: Sequence[Item], count: int) -> list[Patch]:
    """Regions of pictures as they are, but that lossless ones get the JPEG past that photographs have."""
    found: list[Patch] = []
    for item in items:
        lossless = saved_quality(item.path) is None
        for number, pixels in enumerate(regions(item, count)):
            rng = np.random.default_rng(seed_of("history", item.key, number))
            pixels = augment.equalise_history(pixels, rng, lossless=lossless)
            found.append(Patch(pixels, item.label, item.source, item.group, item.key, number))
    return found


def resynthesised(items: Sequence[Item], count: int, decoder: str, roundtrip: Resynthesise) -> list[Patch]:
    """Copies of photographs' regions painted by a decoder: whole, mixed with up to half of the photo, or in part.

    The copy is saved as the original was, so that only the decoder's traces differ; photographs that were saved in a
    way that cannot be repeated are left out.

    Args:
        items: Photographs.
        count: Regions per picture.
        decoder: Its name, the source of the copies.
        roundtrip: Encodes and decodes pixels.
    """
    found: list[Patch] = []
    for item in items:
        past = past_of(item.path)
        if past is not None and not past.repeatable:
            continue
        for number, pixels in enumerate(regions(item, count)):
            rng = np.random.default_rng(seed_of("mix", decoder, item.key, number))
            _, fake = alike(pixels, combine(pixels, roundtrip(pixels), rng), past, both=False)
            found.append(Patch(fake, 1, decoder, item.group, item.key, number))
    return found


def combine(real: Pixels, fake: Pixels, rng: np.random.Generator) -> Pixels:
    """Half stays whole, a third is mixed with up to half of the photo, the rest replaces a soft-edged region."""
    draw = rng.random()
    if draw < 0.5:
        return fake
    if draw < 0.83:
        return mix(real, fake, float(rng.uniform(0.0, 0.5)))
    return mix(real, fake, 1.0 - feathered_mask(real.shape[0], real.shape[1], rng))


def cached(path: Path, settings: dict[str, Any], build: Callable[[], list[Patch]]) -> list[Patch]:
    """Returns what ``build`` makes, or reads it back if a file with the same settings is there."""
    stamp = json.dumps(settings, sort_keys=True)
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["settings"]) == stamp:
                return _unpack(stored)
    found = build()
    pixels = np.concatenate([patch.pixels.ravel() for patch in found]) if found else np.zeros(0, np.uint8)
    rows = [[*p.pixels.shape[:2], p.label, p.source, p.group, p.picture, p.number] for p in found]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part.npz")
    np.savez(partial, settings=stamp, pixels=pixels, rows=json.dumps(rows))
    partial.replace(path)
    return found


def _unpack(stored: Any) -> list[Patch]:
    pixels = stored["pixels"]
    found: list[Patch] = []
    start = 0
    for height, width, *rest in json.loads(str(stored["rows"])):
        size = height * width * 3
        part = pixels[start : start + size].reshape(height, width, 3)
        found.append(Patch(part, *rest))
        start += size
    return found
