"""Pairs of pictures for measuring comparison: derived from one photo, of one scene, or unrelated; all seeded.

A derived pair is made by a chain of steps, each of which carries three things along: the pixels, the map back to the
original's pixels, and two masks in the suspect's pixels (where it shows the photo, and where its content was edited).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageOps

from benchmarks import corpus
from benchmarks.pair_edits import EDITS, edit
from benchmarks.pair_steps import Draft, apply, recompress

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 1600
"""Longest edge of the originals in pixels: larger photos are scaled down first, so that a bench ends in minutes."""

LEAST = 320
"""Photos with a shorter longest edge are left out."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph to build from.

    Attributes:
        path: The file.
        scene: Photos that share it may show the same person or place; pairs of them are never counted as unrelated.
    """

    path: Path
    scene: str

    @property
    def name(self) -> str:
        """Name of the file and of its folder."""
        return "/".join(self.path.parts[-2:])


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known about a pair because it was made.

    Attributes:
        kind: ``derived``, ``unrelated`` or ``scene`` (another shot of the same person or place).
        family: Row of the table that the pair belongs to: one step's name, or ``edit`` or ``combination``.
        description: All steps with their parameters, in order.
        original: Name of the original's file.
        suspect: Name of the suspect's file for pairs that were not derived; else that of the original.
        matrix: float64 (3, 3), suspect pixels → original pixels, pixel centres at whole numbers; None unless derived.
        mirrored: Whether an odd number of mirrorings lies between.
        photo: bool (height, width) of the suspect: where it shows the photo; None unless derived.
        edited: bool (height, width) of the suspect: where content was changed; all False without an edit, None unless
            derived.
    """

    kind: str
    family: str
    description: str
    original: str
    suspect: str
    matrix: NDArray[np.float64] | None = None
    mirrored: bool = False
    photo: NDArray[np.bool_] | None = None
    edited: NDArray[np.bool_] | None = None

    @property
    def edited_share(self) -> float:
        """Share of the visible photo whose content was changed, 0–1."""
        if self.edited is None or self.photo is None:
            return 0.0
        return float(self.edited.sum() / max(1, self.photo.sum()))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures and the truth about them.

    Attributes:
        original: uint8 (height, width, 3), RGB.
        suspect: uint8 (height, width, 3), RGB, as decoded from ``data``.
        data: The suspect's file: JPEG, WebP or PNG.
        truth: See there.
    """

    original: NDArray[np.uint8]
    suspect: NDArray[np.uint8]
    data: bytes
    truth: Truth


SINGLE = (
    "crop",
    "scale",
    "rotate",
    "turn",
    "mirror",
    "border",
    "screenshot",
    "jpeg",
    "webp",
    "filter",
)
"""Families with one step each (and a recompression, which every suspect goes through)."""

FAMILIES = (*SINGLE, *(f"edit: {name}" for name in EDITS), "combination", "combination + edit")
"""Rows of the table, in order."""

_GEOMETRY = ("crop", "rotate", "turn", "mirror", "scale", "border", "screenshot")


def photos(longest_least: int = LEAST) -> list[Photo]:
    """The photographs to build from.

    More folders can be named in ``NSFWFORENSICS_PHOTOS``, separated as in PATH: photos directly in one stand alone,
    those in one of its subfolders show one scene.
    """
    found = [Photo(path, _scene(path)) for path in corpus.sources()]
    extra = [Path(folder) for folder in os.environ.get("NSFWFORENSICS_PHOTOS", "").split(os.pathsep) if folder]
    suffixes = (".jpg", ".jpeg", ".png")
    for folder in extra:
        more = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes]
        found += [Photo(path, str(path) if path.parent == folder else str(path.parent)) for path in more]
    whole = [photo for photo in found if "partial" not in photo.path.stem]  # a cut of another photo in the data
    return [photo for photo in whole if _longest(photo.path) >= longest_least]


def load(photo: Photo, longest: int = LONGEST) -> NDArray[np.uint8]:
    """Decodes a photo, applies its orientation and scales it down to a longest edge; uint8 RGB."""
    with Image.open(photo.path) as opened:
        picture = ImageOps.exif_transpose(opened.convert("RGB"))
    rgb = np.asarray(picture)
    scale = longest / max(rgb.shape[:2])
    if scale < 1:
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(rgb, np.uint8)


def derived(count: int, seed: int = 1, families: Sequence[str] = FAMILIES, longest: int = LONGEST) -> Iterator[Pair]:
    """Makes derived pairs, going through the families in turn; the same arguments give the same pairs.

    Args:
        count: How many.
        seed: Of everything that is drawn.
        families: Some of :data:`FAMILIES`.
        longest: Longest edge of the originals in pixels.
    """
    sources = photos()
    order = np.random.default_rng(seed).permutation(len(sources))
    for index, family in zip(range(count), itertools.cycle(families), strict=False):
        rng = np.random.default_rng((seed, index))
        photo = sources[order[index % len(sources)]]
        other = sources[order[(index + 1 + int(rng.integers(len(sources) - 1))) % len(sources)]]
        original = load(photo, longest)
        yield derive(original, family, rng, load(other, longest), photo.name)


def derive(
    original: NDArray[np.uint8], family: str, rng: np.random.Generator, other: NDArray[np.uint8], name: str = ""
) -> Pair:
    """Makes one derived pair.

    Args:
        original: uint8 (height, width, 3), RGB.
        family: One of :data:`FAMILIES`.
        rng: Draws the parameters.
        other: Another picture, the material of splices; uint8 RGB.
        name: Of the original's file.
    """
    draft = Draft.of(original)
    if family.startswith("edit: "):
        edit(draft, family.removeprefix("edit: "), rng, other)
    elif family.startswith("combination"):
        _combine(draft, rng, other, edited=family.endswith("edit"))
    elif family not in ("jpeg", "webp"):
        apply(draft, family, rng)
    data = recompress(draft, family if family in ("jpeg", "webp") else None, rng)
    truth = Truth(
        "derived",
        family,
        ", ".join(draft.steps),
        name,
        name,
        draft.matrix,
        bool(np.linalg.det(draft.matrix) < 0),
        draft.photo > 127,
        (draft.edited > 127) & (draft.photo > 127),
    )
    return Pair(original, draft.rgb, data, truth)


def _combine(draft: Draft, rng: np.random.Generator, other: NDArray[np.uint8], edited: bool) -> None:
    """Three or four steps in the order in which people take them: crop, edit, look, pose, frame."""
    chosen = set(rng.choice(_GEOMETRY, size=int(rng.integers(2, 4)), replace=False).tolist())
    if {"rotate", "turn"} <= chosen:
        chosen.remove("turn")
    if {"border", "screenshot"} <= chosen:
        chosen.remove("border")
    if "crop" in chosen:
        apply(draft, "crop", rng)
    if edited:
        edit(draft, str(rng.choice(list(EDITS))), rng, other)
    if rng.random() < 0.7:
        apply(draft, "filter", rng)
    for step in ("mirror", "rotate", "turn", "scale", "border", "screenshot"):
        if step in chosen:
            apply(draft, step, rng)


def others(count: int, kind: str = "unrelated", seed: int = 1, longest: int = LONGEST) -> Iterator[Pair]:
    """Pairs of different photos: of different scenes (``unrelated``) or of the same one (``scene``, each pair once)."""
    sources = photos()
    pairs = [
        pair
        for pair in itertools.combinations(range(len(sources)), 2)
        if (sources[pair[0]].scene == sources[pair[1]].scene) == (kind == "scene")
    ]
    for index in np.random.default_rng(seed).permutation(len(pairs))[:count]:
        first, second = (sources[number] for number in pairs[index])
        suspect = load(second, longest)
        _, data = cv2.imencode(".png", cv2.cvtColor(suspect, cv2.COLOR_RGB2BGR))
        truth = Truth(kind, kind, "another photo", first.name, second.name)
        yield Pair(load(first, longest), suspect, data.tobytes(), truth)


def _scene(path: Path) -> str:
    """Photos in a person's folder may share a scene; those of the large collections stand alone."""
    return path.parent.name if path.parent.parent.name == "faces" else f"{path.parent.name}/{path.name}"


def _longest(path: Path) -> int:
    with Image.open(path) as opened:
        return max(opened.size)
