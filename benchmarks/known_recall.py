"""Known images: how often a changed copy is found, and how often another picture is, beside pHash and PDQ.

Every photo is changed in every way, saved as JPEG and looked up among all photos. Found is found if the photo itself is
among the matches; every match with a photo of another scene is a false positive, and the rate is one per pair.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import imagehash
import numpy as np
from PIL import Image
from tools.measured import record

from benchmarks import pairs
from benchmarks.pair_steps import Draft, apply
from nsfwforensics.core.hashes import MATCH_DISTANCE
from nsfwforensics.hashing.picture.dihedral import dihedral_hashes
from nsfwforensics.hashing.picture.pdq import pdq
from nsfwforensics.signals.matching.near_index import NearIndex
from nsfwforensics.signals.matching.parts import asked_points, kept_points
from nsfwforensics.signals.matching.signature import encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 1280
"""Longest edge of the originals, in pixels."""

QUALITY = 80
"""JPEG quality at which every changed copy is saved, unless the change is the quality."""

MOST_FALSE = 1e-4
"""Rate of false positives per pair at which ImageHash's pHash is given its threshold."""

Way = Callable[[Draft, np.random.Generator], None]


def _crop(share: float) -> Way:
    """Takes off a share of the area, at a drawn place, keeping the shape."""

    def way(draft: Draft, rng: np.random.Generator) -> None:
        height, width = draft.rgb.shape[:2]
        w, h = round(width * (1 - share) ** 0.5), round(height * (1 - share) ** 0.5)
        draft.cut(int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h)

    return way


def rotate(degrees: float) -> Way:
    """Turns within the frame: corners are lost and become black."""

    def way(draft: Draft, rng: np.random.Generator) -> None:
        height, width = draft.rgb.shape[:2]
        angle = degrees * float(rng.choice([-1, 1]))
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
        draft.warp(np.vstack([turn, [0, 0, 1]]), width, height, (0, 0, 0))

    return way


def border(draft: Draft, rng: np.random.Generator) -> None:
    """A plain border on all sides, a tenth of the longer edge wide."""
    height, width = draft.rgb.shape[:2]
    edge = round(0.1 * max(height, width))
    canvas = np.full((height + 2 * edge, width + 2 * edge, 3), rng.integers(0, 256, 3), np.uint8)
    draft.place(canvas, edge, edge)


def _text(draft: Draft, rng: np.random.Generator) -> None:
    """Two lines of large text across the picture."""
    height, width = draft.rgb.shape[:2]
    size = width / 620
    for row in (0.12, float(rng.uniform(0.75, 0.95))):
        where = (round(0.03 * width), round(row * height))
        for ink, thick in (((0, 0, 0), 9), ((255, 255, 255), 4)):
            cv2.putText(
                draft.rgb, "WHEN YOU SEE IT", where, cv2.FONT_HERSHEY_DUPLEX, 2 * size, ink, max(1, round(thick * size))
            )


def _nothing(draft: Draft, rng: np.random.Generator) -> None:
    del draft, rng


def _step(name: str) -> Way:
    return lambda draft, rng: apply(draft, name, rng)


def _grey(draft: Draft, rng: np.random.Generator) -> None:
    del rng
    draft.rgb = np.repeat(cv2.cvtColor(draft.rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


WAYS: Mapping[str, Way] = {
    "JPEG 30": _nothing,
    "resize 25 %": lambda draft, _: draft.resize(0.25),
    "greyscale": _grey,
    "mirror": lambda draft, _: draft.flip(),
    "rotate 90°": lambda draft, _: draft.turn(1),
    "rotate 1°": rotate(1),
    "rotate 3°": rotate(3),
    "rotate 10°": rotate(10),
    "crop 2 %": _crop(0.02),
    "crop 5 %": _crop(0.05),
    "crop 10 %": _crop(0.10),
    "crop 30 %": _crop(0.30),
    "border 10 %": border,
    "text overlay": _text,
    "screenshot": _step("screenshot"),
    "colour filter": _step("filter"),
}
"""What is done to a photo, by the row's name."""


def changed(photo: NDArray[np.uint8], name: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A copy of a photo, changed in one way and saved as JPEG; uint8 RGB."""
    draft = Draft.of(photo)
    WAYS[name](draft, rng)
    quality = 30 if name == "JPEG 30" else QUALITY
    buffer = io.BytesIO()
    Image.fromarray(draft.rgb).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


@dataclass(slots=True)
class Tally:
    """One method's outcome.

    Attributes:
        found: By kind of change, whether each photo was found.
        wrong: Pairs of a changed photo and a photo of another scene that matched.
        pairs: How many such pairs were looked at.
    """

    found: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    wrong: int = 0
    pairs: int = 0

    def add(self, kind: str, hits: NDArray[np.bool_], own: int, unrelated: NDArray[np.bool_]) -> None:
        """Counts one look-up in: which originals matched, which is the right one, which show another scene."""
        self.found[kind].append(bool(hits[own]))
        self.wrong += int((hits & unrelated).sum())
        self.pairs += int(unrelated.sum())

    def recall(self, kind: str) -> float:
        """Share of the photos that were found, 0–1."""
        return float(np.mean(self.found[kind]))

    def rate(self) -> str:
        """False positives in words."""
        return f"{self.wrong / max(1, self.pairs):.1e} ({self.wrong:,} of {self.pairs:,})"


def known(arguments: argparse.Namespace) -> str:
    """The whole section."""
    cv2.setNumThreads(1)
    photos = pairs.photos()[: arguments.known_photos]
    index = NearIndex()
    sizes, phashes, pdqs = [], [], []
    for photo in photos:
        pixels = pairs.load(photo, LONGEST)
        signature = encode(kept_points(pixels))
        sizes.append(len(signature))
        index.add(signature)
        phashes.append(_phash(pixels))
        pdqs.append(pdq(pixels).bits)
    originals, plain = np.array(phashes), np.frombuffer(b"".join(pdqs), np.uint64).reshape(-1, 4)
    tallies = {name: Tally() for name in ("PDQ ≤ 31", "PDQ ≤ 31, eight turns", "ours")}
    distances: list[tuple[str, int, NDArray[np.uint8]]] = []
    cost: list[tuple[float, float]] = []
    searched_pairs = 0
    scenes = np.array([photo.scene for photo in photos])
    for own, photo in enumerate(photos):
        pixels = pairs.load(photo, LONGEST)
        unrelated = scenes != photo.scene
        for number, kind in enumerate(WAYS):
            suspect = changed(pixels, kind, np.random.default_rng((own, number)))
            distances.append((kind, own, np.bitwise_count(originals ^ _phash(suspect)).astype(np.uint8)))
            turns = np.frombuffer(b"".join(one.bits for one in dihedral_hashes(suspect)), np.uint64).reshape(8, 1, 4)
            bits = np.bitwise_count(plain ^ turns).sum(axis=2)
            near = bits.min(axis=0) <= MATCH_DISTANCE
            tallies["PDQ ≤ 31"].add(kind, bits[0] <= MATCH_DISTANCE, own, unrelated)
            tallies["PDQ ≤ 31, eight turns"].add(kind, near, own, unrelated)
            if not near.any():
                near = near.copy()
                started = time.process_time()
                points = asked_points(suspect)
                between = time.process_time()
                for other, _ in index.search(points):
                    near[other] = True
                    if other != own:
                        print(f"also {photo.name} {kind}: {photos[other].name}", file=sys.stderr, flush=True)
                searched_pairs += int(unrelated.sum())
                cost.append((between - started, time.process_time() - between))
            tallies["ours"].add(kind, near, own, unrelated)
    looks = tallies["PDQ ≤ 31, eight turns"]
    counts = {
        "looks_of_other_scenes": (looks.wrong, looks.pairs),
        "parts_of_other_scenes": (tallies["ours"].wrong - looks.wrong, searched_pairs),
    }
    record("python -m benchmarks known", counts)
    threshold, phash = _phash_tally(distances, scenes)
    columns = {f"pHash ≤ {threshold}": phash, **tallies}
    asked, searched = (1000 * statistics.median(part) for part in zip(*cost, strict=True))
    rows = "\n".join(
        f"| {kind} | " + " | ".join(f"{tally.recall(kind):.3f}" for tally in columns.values()) + " |" for kind in WAYS
    )
    rates = " | ".join(tally.rate() for tally in columns.values())
    return f"""## Known images: how often a changed copy is found

{len(photos)} photographs (longest edge 320 to {LONGEST} pixels) are the known images. Each is changed in every way,
saved as JPEG at quality {QUALITY} and looked up among them. A false positive is a match with a photograph of another
scene, counted per pair over all look-ups. The threshold of ImageHash's pHash (64 bits) is the largest with at most
{MOST_FALSE:.0e} of them. Ours is what `known` does: PDQ in eight turns, and where that finds nothing, signatures.

| | {" | ".join(columns)} |
|---|{"---|" * len(columns)}
{rows}
| false positives per pair | {rates} |

{len(cost):,} look-ups, {searched_pairs:,} pairs, went on to the signatures. These have {np.mean(sizes) / 1000:.1f} kB
in the mean. Finding the keypoints took {asked:.0f} ms of processor time in the median, searching {searched:.0f} ms."""


def _phash(rgb: NDArray[np.uint8]) -> np.uint64:
    bits = imagehash.phash(Image.fromarray(rgb)).hash
    return np.uint64(int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big"))


def _phash_tally(distances: list[tuple[str, int, NDArray[np.uint8]]], scenes: NDArray[np.str_]) -> tuple[int, Tally]:
    """The largest threshold with few enough false positives, and what it finds."""
    best = 0, Tally()
    for threshold in range(32):
        tally = Tally()
        for kind, own, apart in distances:
            tally.add(kind, apart <= threshold, own, scenes != scenes[own])
        if tally.wrong > MOST_FALSE * tally.pairs:
            break
        best = threshold, tally
    return best


def main() -> None:
    """Runs this bench alone and prints its section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--known-photos", type=int, default=None)
    print(known(parser.parse_args()))


if __name__ == "__main__":
    main()
