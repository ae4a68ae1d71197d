"""Photographs in which a region was painted again, beside untouched twins: what a map of scores over tiles is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nsfwforensics.evaluation.states import TIERS, Tier, at_tier, within
from nsfwforensics.models.synthesis import tile_map
from nsfwforensics.models.synthesis.preprocess import recompressed
from nsfwforensics.models.synthesis.standout import Standout, standout
from training import augment
from training.autoencoder import mix
from training.data import Item, load_rgb
from training.patches import saved_quality, seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Painter = Callable[[Pixels], Pixels]

LONGEST = 896
"""Larger photographs are first cut or reduced (half of them each) to this many pixels: painting takes its time."""

SHARES = (0.03, 0.30)
"""Least and largest share of the picture that is painted again."""

UNTOUCHED = "untouched"
"""The twin: the same photograph, saved once more like the edited one."""

ORIGINAL = "original"
"""The photograph's file itself, at its own size: for false positives."""

_MARGIN = 32


@dataclass(frozen=True, slots=True)
class Mapped:
    """The map of one picture in one state.

    Attributes:
        key: Of the photograph.
        role: Of the photograph.
        source: Of the photograph.
        kind: :data:`ORIGINAL`, :data:`UNTOUCHED` or the decoder that painted.
        tier: The state.
        scores: float64 (rows, columns), NaN where a tile was not judged; empty where the picture is too small.
        texture: The same shape.
        share: Share of each tile's pixels that was painted, 0–1; the same shape.
        known: What was read from it already.
    """

    key: str
    role: str
    source: str
    kind: str
    tier: str
    scores: NDArray[np.float64]
    texture: NDArray[np.float64]
    share: NDArray[np.float64]
    known: dict[str, Standout | None] = field(default_factory=dict, compare=False, repr=False)

    def read(self, statistic: str) -> Standout | None:
        """What stands out most by a statistic (worked out once), or None where the map says nothing."""
        if statistic not in self.known:
            found = standout(statistic, self.scores, self.texture) if self.scores.size else None
            self.known[statistic] = found
        return self.known[statistic]


def base(item: Item) -> Pixels:
    """The photograph at no more than :data:`LONGEST` pixels: of larger ones every other is cut, the others reduced."""
    rgb = load_rgb(item)
    if max(rgb.shape[:2]) <= LONGEST:
        return rgb
    if seed_of("cut", item.key) % 2:
        return within(rgb, LONGEST)
    sides = [min(LONGEST, rgb.shape[1]), min(LONGEST * 3 // 4, rgb.shape[0])]
    if rgb.shape[0] > rgb.shape[1]:
        sides = [min(LONGEST * 3 // 4, rgb.shape[1]), min(LONGEST, rgb.shape[0])]
    x, y = ((side - kept) // 2 & ~15 for side, kept in zip(rgb.shape[1::-1], sides, strict=True))
    return np.ascontiguousarray(rgb[y : y + sides[1], x : x + sides[0]])


def region_mask(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A soft-edged ellipse or rectangle of 3–30 % of the picture, somewhere in it: float32, 0 (keep) to 1 (paint)."""
    share = float(np.exp(rng.uniform(*np.log(SHARES))))
    ellipse = rng.random() < 0.6
    stretch = float(np.exp(rng.uniform(-0.5, 0.5)))
    half = (share * height * width / (np.pi if ellipse else 4.0)) ** 0.5
    ry, rx = (min(radius, 0.47 * side) for radius, side in ((half * stretch, height), (half / stretch, width)))
    cy, cx = rng.uniform(ry, height - ry), rng.uniform(rx, width - rx)
    mask = np.zeros((height, width), np.float32)
    if ellipse:
        cv2.ellipse(mask, (int(cx), int(cy)), (int(rx), int(ry)), 0.0, 0, 360, 1.0, -1)
    else:
        cv2.rectangle(mask, (int(cx - rx), int(cy - ry)), (int(cx + rx), int(cy + ry)), 1.0, -1)
    sigma = float(rng.uniform(0.005, 0.02) * min(height, width)) + 0.5
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)


def painted(rgb: Pixels, mask: NDArray[np.float32], painter: Painter) -> Pixels:
    """Paints the masked region again, with some of its surroundings in view, and blends it in along the mask."""
    rows, columns = (np.flatnonzero(mask.max(axis) > 1e-3) for axis in (1, 0))
    top, left = (max(0, int(found[0]) - _MARGIN) & ~15 for found in (rows, columns))
    bottom, right = (int(found[-1]) + _MARGIN for found in (rows, columns))
    part = np.ascontiguousarray(rgb[top:bottom, left:right])
    whole = rgb.copy()
    whole[top:bottom, left:right] = mix(part, painter(part), 1.0 - mask[top:bottom, left:right])
    return whole


def twins(item: Item, painters: Mapping[str, Painter]) -> tuple[dict[str, Pixels], NDArray[np.float32]]:
    """The untouched photograph and its edited copies, all saved once more at the same quality, and the mask."""
    rgb = base(item)
    rng = np.random.default_rng(seed_of("edited", item.key))
    known = saved_quality(item.path)
    quality = round(known) if known is not None else int(rng.choice(augment.HISTORY_QUALITIES))
    mask = region_mask(rgb.shape[0], rgb.shape[1], rng)
    copies = {UNTOUCHED: rgb, **{name: painted(rgb, mask, painter) for name, painter in painters.items()}}
    return {name: recompressed(pixels, quality) for name, pixels in copies.items()}, mask


def chosen(photographs: Sequence[Item], most: Mapping[str, int]) -> list[Item]:
    """The photographs that are edited, by role: the large ones first, then others in a fixed order; no portraits."""
    found: list[Item] = []
    for role, number in most.items():
        these = [item for item in photographs if item.role == role and item.source != "portraits"]
        found += sorted(these, key=lambda item: (item.source not in _LARGE, seed_of("edited", item.key)))[:number]
    return found


def spread(photographs: Sequence[Item], most: int | None) -> list[Item]:
    """At most so many photographs of each role, spread evenly over them; all where there is no limit."""
    if most is None:
        return list(photographs)
    found: list[Item] = []
    for role in ("calibrate", "test"):
        these = [item for item in photographs if item.role == role]
        places = np.linspace(0, len(these) - 1, min(most, len(these))).round().astype(int)
        found += [these[place] for place in places]
    return found


_LARGE = frozenset({"camera", "wallpapers"})


def maps(
    photographs: Sequence[Item],
    edited: Sequence[Item],
    painters: Mapping[str, Painter],
    judge: Callable[[Pixels], NDArray[np.float64]],
    cache: Path,
) -> Iterator[Mapped]:
    """Maps photographs as they are, and untouched and edited twins of some, in every state.

    Args:
        photographs: For false positives.
        edited: Photographs that are painted in part.
        painters: Round trips, by name.
        judge: Tiles, uint8 (N, 128, 128, 3), to logits.
        cache: Finished maps lie here; must belong to the judge.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for item in edited:
        yield from _cached(item, UNTOUCHED, partial(twins, item, painters), judge, cache)
    for item in photographs:
        yield from _cached(item, ORIGINAL, partial(_original, item), judge, cache)


def _original(item: Item) -> tuple[dict[str, Pixels], NDArray[np.float32]]:
    rgb = load_rgb(item)
    return {ORIGINAL: rgb}, np.zeros(rgb.shape[:2], np.float32)


def _cached(
    item: Item,
    what: str,
    make: Callable[[], tuple[dict[str, Pixels], NDArray[np.float32]]],
    judge: Callable[[Pixels], NDArray[np.float64]],
    cache: Path,
) -> Iterator[Mapped]:
    setting = (LONGEST, tile_map.TILE, tile_map.STRIDE, tile_map.MOST)
    path = cache / f"{seed_of(what, item.key, setting):016x}.json"
    if not path.is_file():
        copies, mask = make()
        rows = [[kind, tier, *_map(px, tier, mask, judge)] for kind, px in copies.items() for tier in TIERS]
        begun = path.with_suffix(".part")
        begun.write_text(json.dumps(rows))
        begun.replace(path)
    for kind, tier, *planes in json.loads(path.read_text()):
        scores, texture, share = (np.array(plane, np.float64) for plane in planes)
        yield Mapped(item.key, item.role, item.source, kind, tier, scores, texture, share)


def _map(
    pixels: Pixels,
    tier: Tier,
    mask: NDArray[np.float32],
    judge: Callable[[Pixels], NDArray[np.float64]],
) -> tuple[list[list[float]], list[list[float]], list[list[float]]]:
    rgb = at_tier(pixels, tier)
    found = tile_map.tiles(rgb)
    if found is None:
        return [], [], []
    scores = tile_map.on_grid(found, judge(tile_map.cut(rgb, found)))
    small = cv2.resize(mask, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_AREA)
    side = tile_map.TILE
    share = [[round(float(small[y : y + side, x : x + side].mean()), 4) for x in found.xs] for y in found.ys]
    return np.round(scores, 5).tolist(), np.round(found.texture, 5).tolist(), share
