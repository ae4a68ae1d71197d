"""Scores of pictures that no head was trained on: whole pictures in three states, and content-matched pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nsfwforensics.evaluation.states import SHARED, TIERS, at_tier, resized
from nsfwforensics.models.synthesis.calibration import Branch, Verdict
from nsfwforensics.models.synthesis.preprocess import CROP, flat_share, recompressed
from training import augment, measure
from training.data import Item, load_rgb, size_of
from training.past import alike, past_of, quartered
from training.patches import regions, seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nsfwforensics.evaluation.states import Tier

    Pixels = NDArray[np.uint8]

_ALIKE = 90
"""JPEG quality of most generated JPEGs at hand."""

PAIR_REGION = 320
"""Side of the region that is painted again for a content-matched pair, in native pixels."""


class Judge(Protocol):
    """Turns features into logits."""

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """float32 (N, width) to float64 (N,)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One picture in one state.

    Attributes:
        item: The picture.
        tier: Its state: one of :data:`nsfwforensics.evaluation.states.TIERS`, or a format.
        kind: ``picture``, ``pair`` (the photograph's own region) or the decoder that painted the region again.
        features: What the heads judge, or None where it is too small in this state.
        flat: Its :func:`nsfwforensics.models.synthesis.preprocess.flat_share`.
        side: Shorter side in this state, in pixels; of a pair's region, that of the photograph it was cut from.
    """

    item: Item
    tier: str
    kind: str
    features: measure.Measured | None
    flat: float
    side: int

    @property
    def generated(self) -> bool:
        """Whether its pixels come from a generator or decoder."""
        return self.item.label == 1 or self.kind not in ("picture", "pair")


@dataclass(frozen=True, slots=True)
class Scored:
    """A subject with its scores: as it is, mildly recompressed, a little smaller."""

    subject: Subject
    views: tuple[float, float, float]

    @property
    def score(self) -> float:
        """The score of the picture itself."""
        return self.views[0]

    def verdict(self, branch: Branch, max_flat_share: float) -> Verdict:
        """What the shipped rules say, without the rule against strong compression (else tier 3 had no figures)."""
        if self.subject.flat > max_flat_share:
            return Verdict.INCONCLUSIVE
        return branch.joint(self.views, self.subject.tier)


def pictures(
    items: Sequence[Item], taken: Callable[[Pixels], NDArray[np.float32]], cache: Path, *, alike: bool = False
) -> Iterator[Subject]:
    """Measures whole pictures in every state.

    Lossless generated pictures first get the JPEG past of photographs, so that format does not tell.

    Args:
        items: The pictures.
        taken: Measures crops.
        cache: Where measurements are kept.
        alike: Every picture is brought to a quarter of its colour's resolution, where its file kept more, and saved
            once more, all in one way (:func:`saved_alike`). Without changed views.
    """
    for item in items:
        for tier in TIERS:
            make = partial(_picture, item, tier, alike)
            name = f"{item.key}|{tier}{'|alike' if alike else ''}"
            found = measured(name, make, taken, cache, views=not alike)
            yield Subject(item, tier, "picture", *found, shorter_side(item, tier))


def _picture(item: Item, tier: Tier, alike: bool) -> Pixels:
    past, rng = past_of(item.path), np.random.default_rng(seed_of("unseen", item.key))
    if alike:
        return at_tier(saved_alike(quartered(load_rgb(item), past, augment.history(rng)[0])), tier)
    return at_tier(augment.equalise_history(load_rgb(item), rng, lossless=past is None), tier)


def saved_alike(rgb: Pixels) -> Pixels:
    """Saves a picture as most generated JPEGs at hand were, quality 90 with 4:2:0, off the grid of what went before.

    Args:
        rgb: uint8 (height, width, 3). What is just large enough to be judged stays on the grid.
    """
    top, left = (min(4, max(0, side - CROP)) for side in rgb.shape[:2])
    return recompressed(np.ascontiguousarray(rgb[top:, left:]), _ALIKE)


def pairs(
    photographs: Sequence[Item],
    decoders: Mapping[str, Callable[[Pixels], Pixels]],
    taken: Callable[[Pixels], NDArray[np.float32]],
    cache: Path,
) -> Iterator[Subject]:
    """Measures a region of each photograph and its copies painted by decoders in every state.

    Photograph and copies are all saved once more as the photograph's file was: only paint differs.

    Without changed views: pairs serve to measure scores, and the flip test is left out for them.
    """
    for item in photographs:
        copies: dict[str, Pixels] = {}
        for kind in ("pair", *decoders):
            roundtrip = decoders.get(kind)
            for tier in TIERS:
                make = partial(_pair, item, tier, kind, roundtrip, copies)
                found = measured(f"{item.key}|{kind}|{tier}", make, taken, cache, views=False)
                yield Subject(item, tier, kind, *found, shorter_side(item, tier))


def _pair(
    item: Item, tier: Tier, kind: str, roundtrip: Callable[[Pixels], Pixels] | None, copies: dict[str, Pixels]
) -> Pixels:
    if kind not in copies:
        region = regions(item, 2, PAIR_REGION)[-1]
        copy = region if roundtrip is None else roundtrip(region)
        copies[kind] = alike(region, copy, past_of(item.path))[1]
    pixels = copies[kind]
    if tier == "as_is":
        return pixels
    longest, quality = SHARED[tier]
    scale = max(longest / max(load_rgb(item).shape[:2]), CROP / min(pixels.shape[:2]))
    if scale < 1:
        pixels = resized(pixels, scale, augment.KERNELS[1])
    return recompressed(pixels, quality)


def measured(
    name: str,
    make: Callable[[], Pixels],
    taken: Callable[[Pixels], NDArray[np.float32]],
    cache: Path,
    *,
    views: bool = True,
) -> tuple[measure.Measured | None, float]:
    """Measures one picture in one state, or reads what was measured.

    Args:
        name: Unique name of picture and state.
        make: Makes the picture.
        taken: Measures crops.
        cache: Where measurements are kept.
        views: Whether the changed views are measured as well.

    Returns:
        Its features, None where it is too small, and its share without visible detail.
    """
    flat = cache / f"{seed_of(name):016x}.flat"
    made: list[Pixels] = []

    def once() -> Pixels:
        if not made:
            made.append(make())
        return made[0]

    features = measure.picture_features(name, once, taken, cache, views=views)
    if not flat.is_file():
        flat.write_text(repr(flat_share(once())))
    return features, float(flat.read_text())


def shorter_side(item: Item, tier: Tier) -> int:
    """The shorter side of a picture in one state, in pixels."""
    sides = size_of(item)
    if tier == "as_is":
        return min(sides)
    return max(1, round(min(sides) * min(1.0, SHARED[tier][0] / max(sides))))


def joined(first: Sequence[Subject], second: Sequence[Subject]) -> list[Subject]:
    """Puts the second measurement's columns behind the first's, subject by subject."""
    return [replace(a, features=_beside(a.features, b.features)) for a, b in zip(first, second, strict=True)]


def _beside(a: measure.Measured | None, b: measure.Measured | None) -> measure.Measured | None:
    if a is None or b is None:
        return None
    parts = ((a.native, b.native), (a.recompressed, b.recompressed), (a.resized, b.resized))
    native, again, small = (np.hstack(part) for part in parts)
    return measure.Measured(native, again, small, a.viewed)


def scored(subjects: Sequence[Subject], judge: Judge) -> list[Scored]:
    """Judges subjects; those too small in their state are left out."""
    found: list[Scored] = []
    for subject in subjects:
        if subject.features is None:
            continue
        native = judge.logits(subject.features.native)
        shifts = [0.0, 0.0]
        if subject.features.viewed:
            base = float(native[list(subject.features.viewed)].mean())
            views = (subject.features.recompressed, subject.features.resized)
            shifts = [float(judge.logits(view).mean()) - base for view in views]
        score = float(native.mean())
        found.append(Scored(subject, (score, score + shifts[0], score + shifts[1])))
    return found
