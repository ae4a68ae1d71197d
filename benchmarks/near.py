"""Near-duplicates in a folder: recall per kind of transformation, false links and time, beside ``imagededup``.

The folder is made of a few hundred photographs by seeded transformations, one per file; the truth is in the file names.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from benchmarks import corpus, pairs
from benchmarks.known_recall import border, rotate
from benchmarks.measure import TOOL, measure
from benchmarks.pair_steps import Draft, apply

WORK = corpus.ROOT / ".work" / "bench"

Way = Callable[[Draft, np.random.Generator], None]


def _crop(share: float) -> Way:
    def way(draft: Draft, rng: np.random.Generator) -> None:
        height, width = draft.rgb.shape[:2]
        side = (1 - share) ** 0.5
        w, h = round(width * side), round(height * side)
        draft.cut(int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h)

    return way


def _overlay(draft: Draft, rng: np.random.Generator) -> None:
    height, width = draft.rgb.shape[:2]
    size = max(height, width) / 700
    for row in range(2):
        where = (round(0.04 * width), round((0.15 + 0.7 * row) * height))
        cv2.putText(draft.rgb, "WHEN YOU SEE IT", where, cv2.FONT_HERSHEY_DUPLEX, 1.8 * size, (0, 0, 0), 8)
        cv2.putText(draft.rgb, "WHEN YOU SEE IT", where, cv2.FONT_HERSHEY_DUPLEX, 1.8 * size, (255, 255, 255), 3)
    middle = (round(width * float(rng.uniform(0.2, 0.8))), round(height * float(rng.uniform(0.3, 0.7))))
    cv2.circle(draft.rgb, middle, round(0.12 * min(height, width)), (255, 210, 60), -1)


def _step(name: str) -> Way:
    return lambda draft, rng: apply(draft, name, rng)


def _nothing(draft: Draft, rng: np.random.Generator) -> None:
    del draft, rng


WAYS: Mapping[str, Way] = {
    "jpeg 30-90": _nothing,
    "resize 25-75 %": lambda draft, rng: draft.resize(float(rng.uniform(0.25, 0.75))),
    "crop 5 %": _crop(0.05),
    "crop 20 %": _crop(0.20),
    "crop 40 %": _crop(0.40),
    "border 10 %": border,
    "rotate 3°": rotate(3),
    "rotate 8°": rotate(8),
    "rotate 15°": rotate(15),
    "mirror": _step("mirror"),
    "turn by quarters": _step("turn"),
    "colour filter": _step("filter"),
    "text and sticker": _overlay,
    "screenshot": _step("screenshot"),
}
"""What is done to a photo, by name; every result is saved as JPEG at quality 30–90."""


def build(folder: Path, count: int, longest: int = pairs.LONGEST) -> int:
    """Fills a folder with originals and their derivatives; keeps what an earlier call made.

    Args:
        folder: Where to.
        count: How many files in all.
        longest: Longest edge of the originals in pixels.

    Returns:
        How many originals there are.
    """
    photos = pairs.photos()[: max(2, count // (len(WAYS) + 1))]
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for _ in folder.iterdir()) == count:
        return len(photos)
    made = 0
    for turn in range(1 + count // (len(photos) * len(WAYS))):
        for number, photo in enumerate(photos):
            original = None
            for kind, (name, way) in enumerate([("original", _nothing), *WAYS.items()]):
                if made == count or (turn and name == "original"):
                    continue
                made += 1
                path = folder / f"{made:06d}_{number:04d}_{kind:02d}.jpg"
                if path.exists():
                    continue
                original = pairs.load(photo, longest) if original is None else original
                rng = np.random.default_rng((turn, number, kind))
                draft = Draft.of(original)
                way(draft, rng)
                quality = 92 if name == "original" else int(rng.integers(30, 91))
                cv2.imwrite(str(path), cv2.cvtColor(draft.rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return len(photos)


def source_of(path: str) -> int:
    """Number of the photo that a file was made from."""
    return int(Path(path).stem.split("_")[1])


def kind_of(path: str) -> str:
    """What was done to it."""
    return ("original", *WAYS)[int(Path(path).stem.split("_")[2])]


def scores(groups: Iterable[Iterable[str]], files: Iterable[str]) -> tuple[dict[str, list[bool]], float, int]:
    """Holds groups against the truth.

    Returns:
        By kind whether each file is in one group with the original of its photo; the share of pairs within groups that
        are of one photo (precision); and how many groups hold two photos or more.
    """
    where = {path: number for number, group in enumerate(groups) for path in group}
    originals = {source_of(path): path for path in files if kind_of(path) == "original"}
    found: dict[str, list[bool]] = defaultdict(list)
    members: dict[int, list[int]] = defaultdict(list)
    for path in files:
        if path in where:
            members[where[path]].append(source_of(path))
        if kind_of(path) != "original":
            home = where.get(originals[source_of(path)])
            found[kind_of(path)].append(home is not None and where.get(path) == home)
    right = total = mixed = 0
    for sources in members.values():
        counts = np.unique(sources, return_counts=True)[1]
        right += int((counts * (counts - 1) // 2).sum())
        total += len(sources) * (len(sources) - 1) // 2
        mixed += len(counts) > 1
    return dict(found), right / max(1, total), mixed


def cluster(arguments: argparse.Namespace) -> str:
    """The whole section."""
    count = arguments.cluster_files
    folder = WORK / f"near-{count}"
    photos = build(folder, count)
    files = sorted(str(path) for path in folder.iterdir())
    out = WORK / f"near-{count}-clusters"
    ours = measure([TOOL, "cluster", folder, "-o", out, "--quiet"])
    document = json.loads((out / "clusters.json").read_text("utf-8"))
    groups = [
        [group["representative"]["path"], *(one["path"] for one in group["members"])] for group in document["clusters"]
    ]
    found, precision, mixed = scores(groups, files)
    columns = {"ours": found}
    notes = [
        (
            f"Ours: {ours.seconds:.0f} s ({ours.seconds / count * 1000:.0f} s per 1,000 files), processor time "
            f"{ours.processor:.0f} s, peak memory {ours.peak_mib:.0f} MiB; precision over pairs {precision:.4f}; "
            f"{len(groups)} clusters, {mixed} of them with two photos or more ({mixed / max(1, len(groups)):.2%})."
        )
    ]
    if find_spec("imagededup") is None:
        notes.append("`imagededup` is not installed here, so that it was not measured (`pip install --no-deps`).")
    else:
        seconds, processor, matches = _imagededup(folder)
        distance, theirs, reached, their_mixed = _at_precision(matches, files, precision)
        columns[f"imagededup PHash ≤ {distance}"] = theirs
        notes.append(
            f"imagededup: {seconds:.0f} s, {seconds / ours.seconds:.2f} times ours, processor time {processor:.0f} s, "
            f"{processor / ours.processor:.2f} times ours; at distance {distance}, the "
            f"largest whose precision is not below ours (or 0), precision {reached:.4f}, {their_mixed} groups mixed."
        )
    rows = "\n".join(
        f"| {kind} | {len(found[kind])} | "
        + " | ".join(f"{np.mean(column.get(kind, [0])):.3f}" for column in columns.values())
        + " |"
        for kind in WAYS
        if kind in found
    )
    every = " | ".join(f"**{np.mean([r for kind in c.values() for r in kind]):.3f}**" for c in columns.values())
    return f"""## Clusters of near-duplicates

{count} JPEG files made from {photos} photographs (longest edge 320 to {pairs.LONGEST} pixels) by one transformation
each, saved at quality 30–90. A file counts as found if it is in one group with the original of its photo.

| kind | files | {" | ".join(columns)} |
|---|---|{"---|" * len(columns)}
{rows}
| **all** | {sum(map(len, found.values()))} | {every} |

{chr(10).join(notes)}"""


_PEER = """
import json, sys, time
started = time.perf_counter()
from imagededup.methods import PHash
hasher = PHash(verbose=False)
codes = hasher.encode_images(image_dir=sys.argv[1])
pairs = hasher.find_duplicates(encoding_map=codes, max_distance_threshold=16, scores=True)
seconds = time.perf_counter() - started
json.dump({"seconds": seconds, "pairs": pairs}, open(sys.argv[2], "w"), default=int)
"""


def _imagededup(folder: Path) -> tuple[float, float, list[tuple[str, str, int]]]:
    """Seconds, of processor time too, and all pairs within 16 bits of 64 with their distance."""
    kept = WORK / "imagededup.json"
    cost = measure([sys.executable, "-c", _PEER, folder, kept])
    answer = json.loads(kept.read_text("utf-8"))
    matches = [
        (str(folder / one), str(folder / other), int(distance))
        for one, others in answer["pairs"].items()
        for other, distance in others
    ]
    return float(answer["seconds"]), cost.processor, matches


def _at_precision(
    matches: list[tuple[str, str, int]], files: list[str], precision: float
) -> tuple[int, dict[str, list[bool]], float, int]:
    """Their groups at the largest distance at which they are no less precise than ours.

    Groups are made as favourably as can be: every file joins the original of the photo that it matches best.
    """
    best: tuple[int, dict[str, list[bool]], float, int] | None = None
    for distance in range(17):
        groups = _stars(files, [match for match in matches if match[2] <= distance])
        found, reached, mixed = scores(groups, files)
        if best is not None and reached < precision:
            break
        best = (distance, found, reached, mixed)
    assert best is not None
    return best


def _stars(files: list[str], matches: list[tuple[str, str, int]]) -> list[list[str]]:
    """Groups around the originals, which imagededup does not know: each file goes to the nearest of them."""
    nearest: dict[str, tuple[int, str]] = {}
    for one, other, distance in matches:
        if kind_of(one) == "original" and kind_of(other) != "original":
            nearest[other] = min(nearest.get(other, (distance, one)), (distance, one))
    groups: dict[str, list[str]] = {path: [path] for path in files if kind_of(path) == "original"}
    for path, (_, original) in nearest.items():
        groups[original].append(path)
    return list(groups.values())


def main() -> None:
    """Runs this bench alone and prints its section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cluster-files", type=int, default=1000)
    started = time.perf_counter()
    print(cluster(parser.parse_args()))
    print(f"{time.perf_counter() - started:.0f} s in all", file=sys.stderr)


if __name__ == "__main__":
    main()
