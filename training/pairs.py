"""Regions of training photographs, their painted copies, and batches of both under one and the same chain.

A photograph's region and its copy share how they were saved before and every random choice (mirror, scale, kernel,
quality, crop), so all that differs inside a pair is what the decoder left, and that a copy was saved once more.
Generated pictures and the photographs beside them are all saved once more in the way of some photograph; colour that a
generated picture's own file did not keep stays lost, and tells.
Painted copies lie on disk as plain arrays; mixing and saving happen anew for every batch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import IterableDataset

from nsfwforensics.evaluation.states import resized
from nsfwforensics.models.synthesis.preprocess import recompressed
from training import augment
from training.autoencoder import feathered_mask, mix
from training.data import Item, load_rgb
from training.past import Past, alike, past_of
from training.patches import regions, seed_of

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

REGION = 256
"""Side of a cached region, in native pixels."""

_WEB_SIDES = (512.0, 1600.0)
"""The longest sides that pictures are reduced to on web pages, in pixels."""

CROP = 128
"""Side of a training crop: room to scale a region by one half."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where a region comes from.

    Attributes:
        source: The item's source.
        group: The item's group.
        past: How the file was saved; None where that is lossless, or the picture was reduced since.
    """

    source: str
    group: str
    past: Past | None


def cut(
    items: Sequence[Item], count: Callable[[Item], int], path: Path, *, reduced: bool = False
) -> tuple[Pixels, list[Region]]:
    """Cuts regions of pictures, or reads back what was cut before.

    Args:
        items: Pictures.
        count: How many regions of each.
        path: A ``.npy`` file; what the regions are is kept beside it.
        reduced: Cut as many regions again, each of another reduction, of pictures larger than those on web pages.

    Returns:
        uint8 (N, 256, 256, 3), mapped from the file, and N descriptions.
    """
    stamp = f"{seed_of([(item.key, count(item)) for item in items], reduced, 'past'):x}"
    about = path.with_suffix(".json")
    if not about.is_file() or json.loads(about.read_text("utf-8"))["stamp"] != stamp:
        found: list[Pixels] = []
        rows: list[tuple[str, str, dict[str, Any] | None]] = []
        for item in items:
            past = past_of(item.path)
            kept = asdict(past) if past else None
            for pixels in regions(item, count(item), REGION):
                found.append(pixels)
                rows.append((item.source, item.group, kept))
            for pixels in reductions(item, count(item)) if reduced else ():
                found.append(pixels)
                rows.append((item.source, item.group, None))
        np.save(path, np.stack(found) if found else np.zeros((0, REGION, REGION, 3), np.uint8))
        about.write_text(json.dumps({"stamp": stamp, "rows": rows}), "utf-8")
    stored = json.loads(about.read_text("utf-8"))["rows"]
    return np.load(path, mmap_mode="r"), [Region(source, group, _past(kept)) for source, group, kept in stored]


def _past(kept: Mapping[str, Any] | None) -> Past | None:
    if kept is None:
        return None
    return Past(tuple(tuple(table) for table in kept["tables"]), kept["sampling"], kept["turned"])


def reductions(item: Item, count: int) -> list[Pixels]:
    """Regions of a large picture, each cut after a reduction of its own, as for a web page.

    Args:
        item: A picture; one whose longest side is at most 1,600 pixels gives none.
        count: How many regions.

    Returns:
        uint8 (256, 256, 3) each.
    """
    rgb = load_rgb(item)
    height, width = rgb.shape[:2]
    found: list[Pixels] = []
    for number in range(count if max(height, width) > _WEB_SIDES[1] else 0):
        rng = np.random.default_rng(seed_of("reduced", item.key, number))
        longest = math.exp(rng.uniform(math.log(_WEB_SIDES[0]), math.log(_WEB_SIDES[1])))
        scale = max(longest / max(height, width), (REGION + 1) / min(height, width))
        small = resized(rgb, scale, int(rng.choice(augment.KERNELS)))
        places = [int(rng.integers(0, side - REGION + 1)) for side in small.shape[:2]]
        found.append(np.ascontiguousarray(small[places[0] :, places[1] :][:REGION, :REGION]))
    return found


def painted(real: Pixels, paint: Callable[[Pixels, int], Pixels], path: Path) -> Pixels:
    """Paints every region again, resuming where a stopped run left off.

    Args:
        real: uint8 (N, 256, 256, 3).
        paint: Paints one region again, given its place as well.
        path: A ``.npy`` file; delete it when the regions change.

    Returns:
        uint8, the shape of ``real``, mapped from the file.
    """
    progress = path.with_suffix(".done")
    if not path.is_file() or np.load(path, mmap_mode="r").shape != real.shape:
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=real.shape).flush()
        progress.write_text("0")
    copies = np.load(path, mmap_mode="r+")
    for index in range(int(progress.read_text()), len(real)):
        copies[index] = paint(np.array(real[index]), index)
        if index % 50 == 49 or index + 1 == len(real):
            copies.flush()
            progress.write_text(str(index + 1))
    return np.asarray(np.load(path, mmap_mode="r"))


@dataclass(frozen=True, slots=True)
class Material:
    """Everything batches are drawn from.

    Attributes:
        real: uint8 (N, 256, 256, 3) regions of photographs.
        about_real: N descriptions.
        copies: By kind of decoder, painted copies of ``real``.
        share: By kind, how often it is drawn, relative.
        fake: uint8 (M, 256, 256, 3) regions of generated pictures.
        about_fake: M descriptions.
    """

    real: Pixels
    about_real: Sequence[Region]
    copies: Mapping[str, Pixels]
    share: Mapping[str, float]
    fake: Pixels
    about_fake: Sequence[Region]


class Batches(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Endless batches: ``pairs`` of photograph and copy in turn, then as many generated pictures as photographs.

    Yields:
        uint8 (2 · pairs + 2 · others, 128, 128, 3) crops and float32 labels.
    """

    def __init__(self, material: Material, pairs: int, others: int, seed: int) -> None:
        super().__init__()
        self.material = material
        self.pairs = pairs
        self.others = others
        self.seed = seed

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Draws batches; the same seed gives the same batches."""
        rng = np.random.default_rng(self.seed)
        m = self.material
        p_real = _balanced([f"{r.source}/{r.group}" if r.source == "camera" else r.source for r in m.about_real], 0.6,
                           [r.source for r in m.about_real])  # fmt: skip
        p_fake = _balanced([f"{r.source}/{r.group}" for r in m.about_fake], 0.5)
        names = sorted(m.copies)
        p_decoder = np.array([m.share[name] for name in names], float)
        pasts = [(region.past, chance) for region, chance in zip(m.about_real, p_real, strict=True) if region.past]
        p_pasts = np.array([chance for _, chance in pasts])

        def again(pixels: Pixels, past: Past | None) -> Pixels:
            """Saves as some photograph was, on a grid that mostly misses the earlier one; lossless pictures twice."""
            if not pasts:
                return pixels
            first, second = (pasts[int(place)][0] for place in rng.choice(len(pasts), 2, p=p_pasts / p_pasts.sum()))
            moved: Pixels = augment.shifted(pixels if past else first.saved(pixels), rng, CROP)
            return second.saved(moved)

        while True:
            crops: list[Pixels] = []
            labels: list[int] = []
            for index in rng.choice(len(m.real), self.pairs, p=p_real):
                decoder = names[int(rng.choice(len(names), p=p_decoder / p_decoder.sum()))]
                seed = int(rng.integers(1 << 60))
                past = m.about_real[index].past
                both = pair(np.array(m.real[index]), np.array(m.copies[decoder][index]), past, _rng(seed))
                crops += [augment.for_traces(pixels, _rng(seed + 1), CROP) for pixels in both]
                labels += [0, 1]
            others = self.others if len(m.fake) else 0
            for index in rng.choice(len(m.fake), others, p=p_fake) if others else ():
                fake = np.array(m.fake[index])
                crops.append(augment.for_traces(again(fake, m.about_fake[index].past), rng, CROP))
                labels.append(1)
            for index in rng.choice(len(m.real), others, p=p_real) if others else ():
                real = np.array(m.real[index])
                crops.append(augment.for_traces(again(real, m.about_real[index].past), rng, CROP))
                labels.append(0)
            yield torch.from_numpy(np.stack(crops)), torch.tensor(labels, dtype=torch.float32)


def _rng(seed: int) -> Generator:
    return np.random.default_rng(seed)


def pair(real: Pixels, copy: Pixels, past: Past | None, rng: Generator) -> tuple[Pixels, Pixels]:
    """A photograph's region and its painted copy with the same past.

    A quarter of the copies is mixed with up to half of the photograph, a tenth replaces a soft-edged region only. Both
    then have the photograph's past; where it has none, and in a third of the other cases, both are saved once more.

    Args:
        real: uint8 (height, width, 3).
        copy: The same, painted.
        past: How the photograph was saved.
        rng: Where every choice comes from.
    """
    draw = rng.random()
    if draw < 0.25:
        copy = mix(real, copy, float(rng.uniform(0, 0.5)))
    elif draw < 0.35:
        copy = mix(real, copy, 1.0 - feathered_mask(real.shape[0], real.shape[1], rng))
    real, copy = alike(real, copy, past, both=False)
    if past is not None and rng.random() < 0.67:
        return real, copy
    quality, full = int(rng.choice(augment.HISTORY_QUALITIES)), bool(rng.random() < 0.4)
    return recompressed(real, quality, full_chroma=full), recompressed(copy, quality, full_chroma=full)


def _balanced(groups: Sequence[str], power: float, within: Sequence[str] | None = None) -> NDArray[np.float64]:
    """Chances of being drawn: groups count with their size to the power ``1 - power``; then outer groups alike."""
    names = np.asarray(groups)
    chance = np.ones(len(names))
    for name in set(groups):
        chance[names == name] /= (names == name).sum() ** power
    outer = np.asarray(within if within is not None else [""] * len(names))
    for name in set(outer.tolist()):
        chance[outer == name] /= chance[outer == name].sum()
    return np.asarray(chance / chance.sum()) if len(chance) else chance
