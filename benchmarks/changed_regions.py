"""Where a derived picture was changed: overlap with the truth, false alarms on pictures without an edit, and time.

Both pictures are aligned as the tool aligns them, from local features; the truth is used for judging only.
"""

from __future__ import annotations

import argparse
import io
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image
from tools.measured import record

from benchmarks import pairs
from nsfwforensics.signals.changes.difference import Difference, difference
from nsfwforensics.signals.matching.alignment import align
from nsfwforensics.signals.matching.keypoints import keypoints

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDITED = tuple(family for family in pairs.FAMILIES if "edit" in family)
"""Families whose content was changed."""

COMBINED = tuple(family for family in EDITED if family.startswith("combination"))

UNEDITED = tuple(family for family in pairs.FAMILIES if "edit" not in family)
"""Families that went through processing only."""

_STEPS = ("crop", "scale", "rotation", "turned", "mirrored", "border", "screenshot", "filter")

LEAST_EDITED = 0.02
"""Pairs of which a crop has left less of the edit are not counted, as a share of the visible photo."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair, judged.

    Attributes:
        family: Row of the table.
        description: How the pair was made.
        edited: True share of the visible photo that was edited, 0–1.
        aligned: Whether an alignment was found.
        mapped: Whether changes could be mapped.
        iou: Intersection over union of the changed places with the truth, 0–1, in suspect pixels.
        share: Changed share as reported, 0–1.
        regions: How many regions were reported.
        photo: Intersection over union of where the photo is shown, 0–1.
        seconds: Of the difference alone.
    """

    family: str
    description: str
    edited: float
    aligned: bool
    mapped: bool
    iou: float
    share: float
    regions: int
    photo: float
    seconds: float


def full_masks(found: Difference, shape: tuple[int, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Changed places and where the photo is shown, in suspect pixels: bool (height, width) each."""
    size = (shape[1], shape[0])
    changed, photo = (
        cv2.warpPerspective(mask.astype(np.uint8), found.to_suspect, size, flags=cv2.INTER_NEAREST) > 0
        if mask.size
        else np.zeros(shape[:2], bool)
        for mask in (found.mask, ~found.outside)
    )
    return changed, photo


def judge(pair: pairs.Pair) -> Judged:
    """Aligns, compares, and judges one derived pair."""
    truth = pair.truth
    if truth.edited is None or truth.photo is None:
        raise ValueError("only derived pairs can be judged")
    aligned = align(keypoints(pair.original), keypoints(pair.suspect))
    if aligned is None:
        return Judged(truth.family, truth.description, truth.edited_share, False, False, 0.0, 0.0, 0, 0.0, 0.0)
    started = time.perf_counter()
    found = difference(pair.original, pair.suspect, aligned.matrix)
    seconds = time.perf_counter() - started
    changed, photo = full_masks(found, pair.suspect.shape)
    return Judged(
        truth.family,
        truth.description,
        truth.edited_share,
        True,
        found.mapped,
        _overlap(changed, truth.edited),
        found.changed_share or 0.0,
        len(found.regions),
        _overlap(photo, truth.photo),
        seconds,
    )


def _overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def judged(made: Iterable[pairs.Pair]) -> Iterator[Judged]:
    """Judges pairs one after the other."""
    return (judge(pair) for pair in made)


def edited_pairs(count: int, seed: int = 11) -> list[Judged]:
    """Judges pairs with an edit, half of them combined with other steps; those with no edit left in view are out."""
    half = count // 2
    single = pairs.derived(half, seed, [family for family in EDITED if family not in COMBINED])
    combined = pairs.derived(count - half, seed + 1, COMBINED)
    return [one for made in (single, combined) for one in judged(made) if one.edited >= LEAST_EDITED]


def unedited_pairs(count: int, seed: int = 21) -> list[Judged]:
    """Judges pairs without an edit, half of them combinations."""
    half = count // 2
    single = pairs.derived(half, seed, [family for family in UNEDITED if family != "combination"])
    combined = pairs.derived(count - half, seed + 1, ("combination",))
    return [one for made in (single, combined) for one in judged(made)]


def twelve_megapixels(runs: int = 5) -> dict[str, float]:
    """Median seconds of the stages for two JPEG files of 12 megapixels, two threads: decode, keypoints, and so on."""
    photo = max(pairs.photos(), key=lambda one: one.path.stat().st_size)
    original = cv2.resize(pairs.load(photo, 4000), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    suspect = original[:, ::-1].copy()
    suspect[1200:2600, 1400:2600] = cv2.GaussianBlur(suspect[1200:2600, 1400:2600], (0, 0), 30)
    files = []
    for picture in (original, suspect):
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=88)
        files.append(buffer.getvalue())
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    rows: list[list[float]] = []
    for _ in range(runs):
        marks = [time.perf_counter()]
        first, second = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in files)
        marks.append(time.perf_counter())
        points = keypoints(first), keypoints(second)
        marks.append(time.perf_counter())
        aligned = align(*points)
        marks.append(time.perf_counter())
        if aligned is None:
            raise RuntimeError("the pair of the timing was not aligned")
        difference(first, second, aligned.matrix)
        marks.append(time.perf_counter())
        rows.append([later - earlier for earlier, later in itertools.pairwise(marks)])
    cv2.setNumThreads(threads)
    middle = np.median(np.array(rows), axis=0)
    stages = dict(zip(("decode", "keypoints", "align", "difference"), (float(value) for value in middle), strict=True))
    return {**stages, "in all": sum(stages.values())}


def changes(arguments: argparse.Namespace) -> str:
    """The bench: overlap, false alarms, time."""
    edited, unedited = edited_pairs(arguments.edited), unedited_pairs(arguments.unedited)
    counts = {
        "edit_without_region": (sum(not one.regions for one in edited), len(edited)),
        "region_without_edit": (sum(bool(one.regions) for one in unedited), len(unedited)),
    }
    page = _page(edited, unedited, twelve_megapixels())
    record("python -m benchmarks changes", counts)
    return page


def _page(edited: Sequence[Judged], unedited: Sequence[Judged], seconds: dict[str, float]) -> str:
    rows = [_row("all", edited), *(_row(name, [e for e in edited if e.family == name]) for name in EDITED)]
    for name, low, high in (("5–15 %", 0.0, 0.15), ("15–30 %", 0.15, 0.3), ("30–60 %", 0.3, 1.0)):
        rows.append(_row(f"edited share {name}", [e for e in edited if low <= e.edited < high]))
    combined = [one for one in edited if one.family in COMBINED]
    rows += [_row(f"with {step}", [e for e in combined if step in e.description]) for step in _STEPS]
    alarms = [_alarm("all", unedited), *(_alarm(name, [e for e in unedited if e.family == name]) for name in UNEDITED)]
    return f"""## What was changed, and where

{len(edited)} derived pairs with an edit of their content, half of them combined with further steps, and {len(unedited)}
derived pairs without one (`benchmarks/pairs.py`; every suspect is saved again). Alignment is the tool's own. Overlap
is intersection over union with the edited places in pixels of the suspect; a pair that is not aligned counts as 0.

| edit | pairs | aligned | some region found | median overlap | mean overlap | share with at least 0.5 |
|---|---|---|---|---|---|---|
{chr(10).join(row for row in rows if row)}

Target: median at least 0.6.

False alarms: pairs without an edit.

| step | pairs | aligned | pairs with any region | mean changed share | photo outlined, median overlap |
|---|---|---|---|---|---|
{chr(10).join(row for row in alarms if row)}

Target: less than 5 % of pairs with any region.

Two JPEG files of 12 megapixels (one mirrored, with an edit), median of 5 runs, two threads, seconds: \
{", ".join(f"{name} {value:.2f}" for name, value in seconds.items())}. Target: at most 3 in all."""


def _row(name: str, judged: Sequence[Judged]) -> str:
    if not judged:
        return ""
    overlap = np.array([one.iou for one in judged])
    return (
        f"| {name} | {len(judged)} | {np.mean([one.aligned for one in judged]):.3f} "
        f"| {np.mean([one.regions > 0 for one in judged]):.3f} | {np.median(overlap):.2f} | {overlap.mean():.2f} "
        f"| {(overlap >= 0.5).mean():.2f} |"
    )


def _alarm(name: str, judged: Sequence[Judged]) -> str:
    if not judged:
        return ""
    return (
        f"| {name} | {len(judged)} | {np.mean([one.aligned for one in judged]):.3f} "
        f"| {sum(one.regions > 0 for one in judged)} ({np.mean([one.regions > 0 for one in judged]):.3f}) "
        f"| {np.mean([one.share for one in judged]):.4f} | {np.median([one.photo for one in judged]):.3f} |"
    )


__all__ = ["EDITED", "UNEDITED", "Judged", "changes", "edited_pairs", "full_masks", "judge", "unedited_pairs"]
