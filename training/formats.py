"""Unseen pictures saved in the formats that the photographs at hand do not come in: lossless, WebP, HEIC, AVIF.

All photographs at hand are JPEGs, so what a score means in another format is not known from them as they are. Here each
unseen picture is saved in each of these formats as people and programs save them, and read again. These are states of
their own in the calibration: a picture in such a format is compared with photographs in it as well.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.evaluation.states import within
from training.data import Item, load_rgb, size_of
from training.patches import seed_of
from training.unseen import Subject, joined, measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.workshop import Workshop

    Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Saving:
    """How pictures come to be in a format.

    Attributes:
        words: For the model card.
        plugin: Pillow's name of the format, or empty where pixels stay as they are.
        qualities: One is drawn for each picture.
        longest: Larger pictures are reduced to this longest side, in pixels; 0: never.
    """

    words: str
    plugin: str = ""
    qualities: tuple[int, ...] = ()
    longest: int = 0


SAVINGS: Mapping[str, Saving] = {
    "lossless": Saving("at most 1,600 px, saved without loss", longest=1600),
    "webp": Saving("at most 1,600 px, WebP quality 10 to 90", "WEBP", (10, 30, 50, 70, 80, 90), 1600),
    "heic": Saving("all pixels, HEIC quality 30 to 90", "HEIF", (30, 50, 60, 70, 90)),
    "avif": Saving("at most 1,600 px, AVIF quality 20 to 80", "AVIF", (20, 40, 50, 60, 80), 1600),
}
"""By state of the calibration. Phones write HEIC; WebP and AVIF are what web sites hand out."""


def saved(rgb: Pixels, state: str, rng: np.random.Generator) -> Pixels:
    """Saves a picture in a format and reads it again.

    Args:
        rgb: uint8 (height, width, 3).
        state: One of :data:`SAVINGS`.
        rng: Where the quality comes from.
    """
    from PIL import Image
    from pillow_heif import register_heif_opener

    how = SAVINGS[state]
    rgb = within(rgb, how.longest) if how.longest else rgb
    if not how.plugin:
        return rgb
    register_heif_opener()
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, how.plugin, quality=int(rng.choice(how.qualities)))
    with Image.open(data) as again:
        return np.asarray(again.convert("RGB"))


def subjects(workshop: Workshop) -> list[Subject]:
    """Measures everything unseen in every format, with both parts of the model.

    Args:
        workshop: Data and measured features.
    """
    items = [item for item in workshop.items if item.role != "train"]
    both = [
        list(pictures(items, taken, workshop.out / folder))
        for folder, taken in (("unseen", workshop.measure_middle), ("unseen-trace", workshop.traces(blind=False)))
    ]
    workshop.say(f"{len(both[0])} unseen pictures measured (other formats)")
    return joined(*both)


def pictures(items: Sequence[Item], taken: Callable[[Pixels], NDArray[np.float32]], cache: Path) -> Iterator[Subject]:
    """Measures whole pictures in every format.

    Args:
        items: The pictures.
        taken: Measures crops.
        cache: Where measurements are kept.
    """
    for item in items:
        for state, how in SAVINGS.items():
            make = partial(_picture, item, state)
            scale = min(1.0, how.longest / max(size_of(item))) if how.longest else 1.0
            side = max(1, round(min(size_of(item)) * scale))
            yield Subject(item, state, "picture", *measured(f"{item.key}|{state}", make, taken, cache), side)


def _picture(item: Item, state: str) -> Pixels:
    return saved(load_rgb(item), state, np.random.default_rng(seed_of(state, item.key)))
