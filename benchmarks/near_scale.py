"""How ``cluster`` grows with the number of pictures: candidates, joining and memory, over made signatures.

What grows is the search for candidates and the joining; looking at a file costs what it costs however many there are
(``benchmarks/near.py`` measures that with files). So signatures are made here without pictures: real ones of a few
hundred photographs, and as many more as are wanted that have the keypoints of one of these elsewhere and unlike enough
to be other pictures. Of each there are copies: turned, scaled, mirrored, cropped, a third of the keypoints lost,
others added, descriptors and places disturbed.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import corpus, pairs
from nsfwforensics.clustering.fingerprint import EDGE, POINTS, Fingerprint
from nsfwforensics.clustering.grouping import ASKED, CANDIDATES, LEAST_VOTES, grouped
from nsfwforensics.signals.matching import near_index
from nsfwforensics.signals.matching.codes import BITS, Codes, codes
from nsfwforensics.signals.matching.keypoints import DESCRIPTOR_NORM, Keypoints, keypoints
from nsfwforensics.signals.matching.signature import decode, encode

KEPT = corpus.ROOT / ".work" / "bench" / "near-scale.bin"
PHOTOS = 200
COPIES = 24
"""Of each picture, besides itself."""

SIZES = (2_000, 10_000, 50_000)
_LARGE = 1000  # pixels of the longer edge of a made picture
_LOST, _ADDED = 0.35, 30
_FLIPPING = 0.28
"""Noise on the components of a code, in standard deviations of theirs: about one bit in twelve flips."""

_ASKED = 100  # lookups that are timed
_ROUNDS = 5  # in turn over all sizes, of which the quickest counts: other work on the machine then meets all alike
_NOISE, _OTHER_NOISE = 13.0, 40.0  # of 512, in each component of a descriptor
_SHIFTS = 0.25, 0.6
"""Least and most standard deviation of the places of a copy's keypoints along each axis, in pixels at working size.

Of 746 copies of photographs (``benchmarks/near.py``) that are found, half have 0.27 to 0.46, and one in twenty 0.60 or
more. It was 0.7 pixels of the copy at first, and that taken for its working size however large it was: more than nearly
all real copies have, so that a quarter was not exact enough to be called one picture."""


def _photos() -> list[Keypoints]:
    """Keypoints of real photographs, more of each than a signature holds."""
    if not KEPT.exists():
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        made = [encode(keypoints(pairs.load(photo, 512), 2 * POINTS, 2 * EDGE)) for photo in pairs.photos()[:PHOTOS]]
        KEPT.write_bytes(b"".join(len(one).to_bytes(4, "big") + one for one in made))
    data, found = KEPT.read_bytes(), []
    while data:
        size = int.from_bytes(data[:4], "big")
        found.append(decode(data[4 : 4 + size]))
        data = data[4 + size :]
    return found


def _noisy(descriptors: NDArray[np.uint8], noise: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    moved = np.maximum(descriptors + rng.normal(0, noise, descriptors.shape), 0)
    moved *= DESCRIPTOR_NORM / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1)
    return np.asarray(np.minimum(np.round(moved), 255), np.uint8)


def _picture(photos: Sequence[Keypoints], number: int) -> Keypoints:
    """A picture: one of the photographs, or its keypoints in other places, disturbed until they are others."""
    photo = photos[number % len(photos)]
    rng = np.random.default_rng((1, number))
    scale = _LARGE / max(photo.width, photo.height)
    width, height = round(photo.width * scale), round(photo.height * scale)
    points, descriptors = photo.points * np.float32(scale), photo.descriptors
    if number >= len(photos):
        points = np.asarray(rng.uniform((0, 0), (width, height), points.shape), np.float32)
        descriptors = _noisy(descriptors, _OTHER_NOISE, rng)
    return replace(
        photo, points=points, scales=photo.scales * np.float32(scale), descriptors=descriptors, width=width,
        height=height, reduction=_reduction(width, height),
    )  # fmt: skip


def _reduction(width: int, height: int) -> float:
    """Pixels of a picture of this size for one at which ``cluster`` looks for keypoints."""
    return max(1.0, max(width, height) / EDGE)


def _copy(picture: Keypoints, other: Keypoints, seed: tuple[int, int]) -> bytes:
    """The signature of a copy."""
    rng = np.random.default_rng((2, *seed))
    seen = picture.mirrored() if rng.random() < 0.15 else picture
    side = np.sqrt(rng.uniform(0.6, 1))
    turn, scale = np.radians(rng.uniform(-15, 15)), rng.uniform(0.4, 1)
    size = np.array([seen.width, seen.height]) * side
    centre = np.array([seen.width, seen.height]) / 2 + (np.array([seen.width, seen.height]) - size) * rng.uniform(
        -0.5, 0.5, 2
    )
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    places = ((seen.points - centre) @ matrix.T + size / 2) * scale
    width, height = (max(8, round(edge * scale)) for edge in size)
    inside = ((places >= 0) & (places < (width, height))).all(axis=1) & (rng.random(len(places)) > _LOST)
    chosen = np.flatnonzero(inside)[: POINTS - _ADDED]
    added = rng.choice(len(other), min(_ADDED, len(other)), replace=False)
    fresh = rng.uniform((0, 0), (width, height), (len(added), 2))
    shift = rng.uniform(*_SHIFTS) * _reduction(width, height)
    moved = places[chosen] + rng.normal(0, shift, (len(chosen), 2))
    angles = np.r_[seen.angles[chosen] + np.degrees(turn) + rng.normal(0, 4, len(chosen)), other.angles[added]] % 360
    sizes = np.r_[seen.scales[chosen] * scale * np.exp(rng.normal(0, 0.05, len(chosen))), other.scales[added]]
    foreign = _noisy(other.descriptors[added], _OTHER_NOISE, rng)
    return encode(
        Keypoints(
            points=np.asarray(np.r_[moved, fresh], np.float32),
            scales=np.asarray(sizes, np.float32),
            angles=np.asarray(angles, np.float32),
            descriptors=np.r_[_noisy(seen.descriptors[chosen], _NOISE, rng), foreign],
            width=width,
            height=height,
            reduction=_reduction(width, height),
        )
    )


def _signatures(photos: Sequence[Keypoints], count: int) -> Iterator[tuple[int, bytes]]:
    """Pictures in turn, each with its copies: number of the picture, signature."""
    for number in range(-(-count // (COPIES + 1))):
        picture = _picture(photos, number)
        for copy in range(min(COPIES + 1, count - number * (COPIES + 1))):
            other = photos[(number * 7 + copy * 13 + 1) % len(photos)]
            yield number, encode(picture.first(POINTS)) if copy == 0 else _copy(picture, other, (number, copy))


def measured(count: int) -> dict[str, Any]:
    """One size: seconds of processor time, recall, groups that hold two pictures, memory."""
    photos = _photos()
    made = list(_signatures(photos, count))
    rng = np.random.default_rng(3)
    order = rng.permutation(count).tolist()  # copies and pictures come mixed; the pictures themselves are the largest
    sources = [made[number][0] for number in order]
    sizes = [0 if number % (COPIES + 1) else 1 for number in order]
    prints = [
        Fingerprint(Path(f"{place:07}"), f"{place:064x}", 1, None, 1000 if first else 500, 1000, b"")
        for place, first in enumerate(sizes)
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started, wall = time.process_time(), time.perf_counter()
    groups = grouped(prints, lambda numbers: (made[order[number]][1] for number in numbers))
    seconds, wall = time.process_time() - started, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    homes = {sources[place]: groups.root(place) for place, first in enumerate(sizes) if first}
    found = [groups.root(place) == homes[sources[place]] for place, first in enumerate(sizes) if not first]
    held: dict[int, set[int]] = defaultdict(set)
    for place, source in enumerate(sources):
        held[groups.root(place)].add(source)
    mixed = sum(len(each) > 1 for each in held.values())
    return {
        "count": count, "seconds": seconds, "wall": wall, "recall": float(np.mean(found)), "mixed": mixed,
        "groups": len(held), "mib": peak - before,
    }  # fmt: skip


class _Index:
    """The index without keypoints, over made codes.

    Codes are those of the photographs, in copies with noise on the components that their bits are the signs of. Other
    pictures have them with a mask of their own laid over; or, where all pictures are to be different ones, descriptors
    that were disturbed.

    Args:
        count: How many pictures.
        copies: Of each, besides itself; 0 for pictures that are all different.
    """

    def __init__(self, count: int, copies: int) -> None:
        self.count, self.pictures = count, -(-count // (copies + 1))
        bits, self.asked = _different(count) if copies == 0 else _copied(count, self.pictures)
        started = time.process_time()
        self.tables = near_index._Tables(bits, np.full(count, len(bits) // count))
        self.built = time.process_time() - started
        self.looked: list[float] = []

    def look(self) -> None:
        """Looks all that are asked for up, and keeps how many milliseconds one took."""
        started = time.process_time()
        for one in self.asked:
            self.tables.votes(one)
        self.looked.append(1000 * (time.process_time() - started) / len(self.asked))

    def row(self) -> str:
        """A row of the table: recall is the share of a picture's copies among its candidates."""
        recall, others = [], []
        for number, one in enumerate(self.asked):
            names, votes = self.tables.votes(one)
            own = votes[names == number].sum()
            chosen = names[np.argsort(-votes, kind="stable")[:CANDIDATES]]
            chosen = chosen[votes[np.searchsorted(names, chosen)] >= LEAST_VOTES * min(1, own / len(one.bits))]
            copies = np.arange(number % self.pictures, self.count, self.pictures)
            recall.append(len(np.intersect1d(chosen, copies)) / len(copies))
            others.append(len(chosen) - len(np.intersect1d(chosen, copies)))
        compared = np.mean([self.tables._probes(one)[3].sum() for one in self.asked])
        return (
            f"| {self.count:,} | {self.tables.used} | {self.built:.2f} | {compared:,.0f} | {min(self.looked):.2f} | "
            f"{np.mean(recall):.3f} | {np.mean(others):.1f} |"
        )


def _copied(count: int, pictures: int) -> tuple[NDArray[np.uint64], list[Codes]]:
    pool = np.stack([codes(photo.descriptors[:POINTS]).margins for photo in _photos() if len(photo) >= POINTS])
    spread = np.float32(_FLIPPING * pool.std())
    rng = np.random.default_rng(4)
    kept = round(POINTS * (1 - _LOST))
    masks = np.asarray(rng.integers(0, 2, (pictures, BITS)) * 2 - 1, np.float32)
    each = kept + _ADDED
    bits = np.empty((count * each, 2), np.uint64)
    asked = []
    for number in range(count):
        own = number % pictures
        rows = pool[own % len(pool)][rng.choice(POINTS, kept, replace=False)] * masks[own]
        rows = rows + spread * rng.standard_normal(rows.shape, np.float32)
        margins = np.concatenate((rows, pool[rng.integers(len(pool))][:_ADDED] * masks[rng.integers(pictures)]))
        bits[number * each : (number + 1) * each] = _packed(margins)
        if number < _ASKED:
            asked.append(Codes(_packed(margins[:ASKED]), margins[:ASKED]))
    return bits, asked


def _different(count: int) -> tuple[NDArray[np.uint64], list[Codes]]:
    pool = [photo.descriptors for photo in _photos() if len(photo) >= POINTS]
    rng = np.random.default_rng(5)
    bits = np.empty((count * POINTS, 2), np.uint64)
    asked = []
    for number in range(count):
        photo = pool[number % len(pool)]
        made = codes(_noisy(photo[rng.choice(len(photo), POINTS, replace=False)], _OTHER_NOISE, rng))
        bits[number * POINTS : (number + 1) * POINTS] = made.bits
        if number < _ASKED:
            asked.append(Codes(made.bits[:ASKED], made.margins[:ASKED]))
    return bits, asked


def _packed(margins: NDArray[np.float32]) -> NDArray[np.uint64]:
    return np.packbits(margins > 0, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def main() -> None:
    """Measures the sizes that are named, in this process, and prints a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--index", action="store_true", help="the index alone, over made codes")
    parser.add_argument("--different", action="store_true", help="the index alone, no picture having a copy")
    chosen = parser.parse_args()
    if chosen.index or chosen.different:
        indexes = [_Index(size, 0 if chosen.different else COPIES) for size in chosen.sizes]
        for _ in range(_ROUNDS):
            for index in indexes:
                index.look()
        print("\n".join(index.row() for index in indexes))
        return
    for size in chosen.sizes:
        one = measured(size)
        each = one["seconds"] / one["count"] * 1000
        print(
            f"| {one['count']:,} | {one['seconds']:.1f} | {each:.2f} | {one['wall']:.0f} | "
            f"{one['recall']:.3f} | {one['groups']:,} | {one['mixed']} | {one['mib']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
