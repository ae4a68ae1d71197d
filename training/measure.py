"""Features of training patches and of whole pictures, cached so that a stopped run resumes and refits are quick."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.models.synthesis.preprocess import CROP, crop
from training import augment
from training.patches import Patch, seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Measure = Callable[[Pixels], NDArray[np.float32]]

RECIPE = "7"
"""To be raised when intermediate results of an earlier run would no longer be what this code makes."""

CHUNK = 200
"""Patches between two writes to disk."""


def claim(out: Path) -> None:
    """Marks an output folder as one of this recipe.

    Raises:
        ValueError: It holds intermediate results of another one, or what is no result at all.
    """
    mark = out / "recipe"
    known = mark.read_text("utf-8") if mark.is_file() else "an unknown one" if any(out.iterdir()) else RECIPE
    if known != RECIPE:
        raise ValueError(f"{out} holds results of another recipe ({known}, this is {RECIPE}): name an empty folder")
    if not mark.is_file():  # runs that share a folder must never find it empty
        mark.write_text(RECIPE, "utf-8")


def settle(out: Path, facts: Mapping[str, str]) -> None:
    """Marks an output folder as one of these settings and pictures: a resumed run must not mix them with others.

    Args:
        out: The folder.
        facts: By name, what intermediate results depend on.

    Raises:
        ValueError: It was begun with others.
    """
    mark = out / "made-with.json"
    known = json.loads(mark.read_text("utf-8")) if mark.is_file() else facts
    if differing := sorted(name for name in facts if known.get(name) != facts[name]):
        raise ValueError(f"{out} was begun with other {' and '.join(differing)}: name an empty folder")
    mark.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def patch_features(patches: Sequence[Patch], copies: int, measure: Measure, folder: Path) -> NDArray[np.float32]:
    """Features of every patch in several degraded copies; the first is only cropped.

    A photograph's patch and its re-synthesised copy go through the same chain and the same crop.

    Args:
        patches: What to measure.
        copies: Per patch.
        measure: uint8 (N, 256, 256, 3) to float32 (N, width).
        folder: Where finished chunks lie; must belong to this list of patches.

    Returns:
        float32 (patches, copies, width).
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: list[NDArray[np.float32]] = []
    for start in range(0, len(patches), CHUNK):
        path = folder / f"{start:06d}.npy"
        if not path.is_file():
            part = patches[start : start + CHUNK]
            crops = np.stack([degraded(patch, copy) for patch in part for copy in range(copies)])
            rows = measure(crops).reshape(len(part), copies, -1)
            partial = path.with_name(path.name + ".part.npy")
            np.save(partial, rows)
            partial.replace(path)
        found.append(np.load(path))
    return np.concatenate(found)


def degraded(patch: Patch, copy: int) -> Pixels:
    """One 256-pixel crop of a patch after one chain; copy 0 is only cropped."""
    rng = np.random.default_rng(seed_of("chain", patch.picture, patch.number, copy))
    pixels = patch.pixels if copy == 0 else augment.degrade(patch.pixels, rng, least=CROP)
    return augment.random_crop(pixels, rng, CROP)


@dataclass(frozen=True, slots=True)
class Measured:
    """Features of one picture in one state.

    Attributes:
        native: float32 (crops, width).
        recompressed: float32 (views, width).
        resized: float32 (views, width).
        viewed: Which crops the views were made of.
    """

    native: NDArray[np.float32]
    recompressed: NDArray[np.float32]
    resized: NDArray[np.float32]
    viewed: tuple[int, ...]


def picture_features(
    name: str, pixels: Callable[[], Pixels], measure: Measure, folder: Path, *, views: bool = True
) -> Measured | None:
    """Features of one picture as the analyzer would take them; None where it is too small for that.

    Args:
        name: Unique name of picture and state.
        pixels: Makes the picture; called only if nothing is cached.
        measure: uint8 (N, h, w, 3) to float32 (N, width).
        folder: The cache.
        views: Whether the changed views are measured as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{seed_of(name):016x}.npz"
    if not path.is_file():
        rgb = pixels()
        if min(rgb.shape[:2]) < CROP:
            parts: dict[str, Any] = {"native": np.zeros((0, 1), np.float32), "viewed": "[]"}
        else:
            cut = crop(rgb, views=views)
            parts = {part: measure(getattr(cut, part)) for part in _PARTS} | {"viewed": json.dumps(cut.viewed)}
        partial = path.with_name(f"{path.name}.{os.getpid()}.part.npz")
        np.savez(partial, **parts)
        partial.replace(path)
    with np.load(path, allow_pickle=False) as stored:
        if not len(stored["native"]):
            return None
        native, again, small = (stored[part] for part in _PARTS)
        return Measured(native, again, small, tuple(json.loads(str(stored["viewed"]))))


_PARTS = ("native", "recompressed", "resized")


def in_threads(work: Callable[[Any], Any], things: Iterable[Any], threads: int) -> list[Any]:
    """Maps in order over threads; the numerical libraries release the interpreter."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, things))
