"""Comparison with an original: how many derived pictures are found, how many unrelated ones are called derived."""

from __future__ import annotations

import argparse
import hashlib
import pickle
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from tools.measured import record

from benchmarks import corpus, pairs
from nsfwforensics.signals.changes.original_index import OriginalIndex
from nsfwforensics.signals.matching import keypoints as keypoint_module
from nsfwforensics.signals.matching.alignment import Alignment, align
from nsfwforensics.signals.matching.keypoints import Keypoints, keypoints

BY = "python -m benchmarks compare"
"""What counts the errors that stand in reports."""

DERIVED = 2 * 7 * len(pairs.FAMILIES)
UNRELATED = 2200
SCENES = 400
INDEXED = 100


@dataclass(slots=True)
class Derived:
    """What was measured on the derived pairs.

    Attributes:
        found: Per family: for each pair whether it was called one picture, with the right mirroring and place.
        missed: Descriptions of the others.
        errors: Per found pair, the largest distance between true and found place, in pixels of the original.
        extraction: Seconds of processor time per suspect.
        aligning: Seconds of processor time per pair.
        suspects: Keypoints of every suspect with the name of its original and the description of what was done.
    """

    found: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    missed: list[str] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    extraction: list[float] = field(default_factory=list)
    aligning: list[float] = field(default_factory=list)
    suspects: list[tuple[Keypoints, str, str]] = field(default_factory=list)


def compare(_: argparse.Namespace) -> str:
    """The whole section: derived, unrelated and same-scene pairs, and many originals."""
    cv2.setNumThreads(1)
    library = known(pairs.photos())
    derived = measure_derived(pairs.derived(DERIVED), {photo.name: points for photo, points in library})
    return "\n\n".join(
        (
            _INTRODUCTION,
            derived_table(derived),
            false_positives(library, derived.suspects),
            many_originals(library, derived.suspects, derived.extraction),
        )
    )


def known(photos: Iterable[pairs.Photo]) -> list[tuple[pairs.Photo, Keypoints]]:
    """Keypoints of photos, kept between runs for as long as the code that finds them stays the same."""
    code = hashlib.sha256(Path(keypoint_module.__file__).read_bytes()).hexdigest()[:16]
    kept = corpus.ROOT / ".work" / "bench" / f"keypoints-{pairs.LONGEST}-{code}.pickle"
    found: dict[str, Keypoints] = pickle.loads(kept.read_bytes()) if kept.exists() else {}
    library = []
    for photo in photos:
        key = str(photo.path)
        if key not in found:
            found[key] = keypoints(pairs.load(photo))
        library.append((photo, found[key]))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps(found))
    return library


def measure_derived(made: Iterable[pairs.Pair], originals: Mapping[str, Keypoints]) -> Derived:
    """Aligns every pair and holds the result against the truth; keypoints of the originals are known by name."""
    result = Derived()
    for pair in made:
        original = originals[pair.truth.original]
        started = time.process_time()
        suspect = keypoints(pair.suspect)
        between = time.process_time()
        aligned = align(original, suspect, related=True)
        result.aligning.append(time.process_time() - between)
        result.extraction.append(between - started)
        result.suspects.append((suspect, pair.truth.original, pair.truth.description))
        error = place_error(aligned, pair.truth) if aligned is not None else float("inf")
        right = (
            aligned is not None
            and aligned.same_picture
            and aligned.mirrored == pair.truth.mirrored
            and error < 0.02 * max(pair.original.shape)
        )
        result.found[pair.truth.family].append(right)
        if right:
            result.errors.append(error)
        else:
            result.missed.append(f"{pair.truth.description} ({pair.truth.original}; {describe(aligned)})")
    return result


def place_error(aligned: Alignment, truth: pairs.Truth) -> float:
    """Largest distance between where the found and the true map put the visible photo, in pixels of the original."""
    if truth.matrix is None or truth.photo is None:
        return float("inf")
    y, x = np.nonzero(truth.photo)
    picked = np.linspace(0, len(x) - 1, 200).astype(int)
    places = np.stack([x[picked], y[picked], np.ones(len(picked))])
    found, true = aligned.matrix @ places, truth.matrix @ places
    return float(np.hypot(*(found[:2] / found[2] - true[:2] / true[2])).max())


def describe(aligned: Alignment | None) -> str:
    """One alignment in a few words."""
    if aligned is None:
        return "no alignment"
    return (
        f"{aligned.inliers} of {aligned.matches} matches, score {aligned.score:.0f}, "
        f"exactness {aligned.exactness:.2f}, support {aligned.support:.2f}, extent {aligned.extent:.2f}"
    )


def derived_table(derived: Derived) -> str:
    """Recall by transformation."""
    every = [right for rights in derived.found.values() for right in rights]
    rows = "\n".join(
        f"| {family} | {len(rights)} | {sum(rights)} | {sum(rights) / len(rights):.3f} |"
        for family, rights in derived.found.items()
    )
    record(BY, {"derived_not_found": (len(every) - sum(every), len(every))})
    missed = "".join(f"\n- missed: {text}" for text in derived.missed)
    return f"""### Derived pictures

| made by | pairs | found | recall |
|---|---|---|---|
{rows}
| **all** | {len(every)} | {sum(every)} | **{sum(every) / len(every):.3f}** |

Target: at least 0.98. Largest error of place over the visible photo: median {statistics.median(derived.errors):.2f}
pixels of the original, 95th percentile {np.percentile(derived.errors, 95):.2f}. Processor time on one core: finding the
keypoints of a suspect {statistics.median(derived.extraction):.2f} s in the median, aligning a pair
{statistics.median(derived.aligning):.3f} s.
{missed}"""


def false_positives(
    library: list[tuple[pairs.Photo, Keypoints]], suspects: list[tuple[Keypoints, str, str]], seed: int = 2
) -> str:
    """How often pictures that do not derive from one another are aligned, or called one picture."""
    rng = np.random.default_rng(seed)
    plain = _drawn(rng, library, UNRELATED // 2, same_scene=False)
    framed = []
    while len(framed) < UNRELATED - len(plain):
        photo, original = library[int(rng.integers(len(library)))]
        suspect, name, steps = suspects[int(rng.integers(len(suspects)))]
        scenes = {other.scene for other, _ in library if other.name == name}
        if photo.scene not in scenes and "splice" not in steps:  # a splice may hold a part of this very photo
            framed.append((original, suspect, f"{photo.name} and {name} ({steps})"))
    scenes = _drawn(rng, library, SCENES, same_scene=True)
    rows, notes, counts = [], [], []
    for name, drawn in (
        ("unrelated photos", plain),
        ("unrelated, the suspect cropped, framed, filtered or edited", framed),
        ("another shot of the same person or place", scenes),
    ):
        aligned = [(found, text) for a, b, text in drawn if (found := align(a, b, related=True)) is not None]
        same = [(found, text) for found, text in aligned if found.same_picture]
        rows.append(f"| {name} | {len(drawn)} | {len(aligned)} | {len(same)} | {len(same) / max(1, len(drawn)):.4f} |")
        notes += [f"\n- {name}: {text}: {describe(found)}" for found, text in same]
        counts.append((len(same), len(drawn)))
    unrelated = (counts[0][0] + counts[1][0], counts[0][1] + counts[1][1])
    record(BY, {"called_same_unrelated": unrelated, "called_same_scene": counts[2]})
    return f"""### Pictures that were not made from the original

| pairs | number | aligned at all | called one picture | rate |
|---|---|---|---|---|
{chr(10).join(rows)}

Target: at most 0.001 of the unrelated pairs.
{"".join(notes)}"""


def many_originals(
    library: list[tuple[pairs.Photo, Keypoints]], suspects: list[tuple[Keypoints, str, str]], extraction: list[float]
) -> str:
    """A hundred originals, indexed once, and every derived suspect searched among them."""
    chosen = [library[index] for index in np.random.default_rng(3).permutation(len(library))[:INDEXED]]
    index = OriginalIndex()
    for _, original in chosen:
        index.add(original)
    names = [photo.name for photo, _ in chosen]
    index.search(suspects[0][0])
    seconds, inside, found, extra = [], 0, 0, 0
    for suspect, name, steps in suspects:
        started = time.process_time()
        hits = [names[number] for number, aligned in index.search(suspect) if aligned.same_picture]
        seconds.append(time.process_time() - started)
        inside += name in names
        found += name in names and name in hits
        extra += "splice" not in steps and any(hit != name for hit in hits)
    each = statistics.mean(seconds) + statistics.mean(extraction)
    return f"""### Many originals

{len(chosen)} originals indexed; {len(suspects)} derived pictures searched among them, of which {inside} derive from an
indexed one: {found} found, {extra} given another original. Processor time on one core: search
{statistics.mean(seconds):.2f} s per suspect, with finding its keypoints {each:.2f} s, so {each * 1000 / 60:.0f} minutes
for 1,000 suspects (decoding of the files not counted)."""


def _drawn(
    rng: np.random.Generator, library: list[tuple[pairs.Photo, Keypoints]], count: int, same_scene: bool
) -> list[tuple[Keypoints, Keypoints, str]]:
    size = len(library)
    every = [
        (a, b)
        for a in range(size)
        for b in range(size)
        if a != b and (library[a][0].scene == library[b][0].scene) == same_scene
    ]
    drawn = [every[index] for index in rng.permutation(len(every))[:count]]
    return [(library[a][1], library[b][1], f"{library[a][0].name} and {library[b][0].name}") for a, b in drawn]


_INTRODUCTION = """## Comparison with the original

Originals are real photographs with a longest edge of 320 to 1,600 pixels. Derived pictures are made from them by seeded
steps (`benchmarks/pairs.py`): crop (50–95 % kept), scale 0.25–1.5, rotation by 3–30° and by quarters, mirroring,
borders, phone screenshots, colour filters, content edits over 5–60 % of the picture, and combinations of two to five of
these; every one is recompressed (JPEG or WebP at quality 30–90, a few PNG). A pair counts as found only if it is called
one picture, with the right mirroring, and the map puts it where it belongs."""
