"""Measures what ``docs/jpeg.md`` states: how often an earlier saving, or a place without it, is seen where it is not.

    python tools/measure_jpeg.py FOLDER_OF_CAMERA_ORIGINALS [--originals 400] [--pictures 120]

Lossless-like pictures are camera originals scaled down by at least two; they are saved once and twice.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from measured import record
from PIL import Image

from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats.dct import read_coefficients
from nsfwforensics.signals.traces import double_quantisation as places
from nsfwforensics.signals.traces.recompression import LEAST_AGREEING, LEAST_SCORE, History, history
from nsfwforensics.signals.traces.trace import Trace

SIDE = 1600
SINGLES = (60, 65, 70, 75, 80, 85, 90, 95, 98)
FIRST = (60, 70, 80, 90, 95)
LAST = (60, 70, 75, 80, 85, 90, 95, 98)
CHAINS = ((60, 80), (70, 75), (70, 85), (75, 82), (80, 80), (85, 70), (80, 95), (90, 95), (95, 98))


def saved(image: Image.Image, quality: int) -> bytes:
    """The picture as a JPEG of the Independent JPEG Group's quality, 4:2:0."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def again(data: bytes, quality: int) -> bytes:
    """The same JPEG opened and saved once more."""
    return saved(Image.open(io.BytesIO(data)).convert("RGB"), quality)


def past(data: bytes) -> History:
    """What its histograms say."""
    read = read_coefficients(data)
    return history(read.luma, read.tables[0])


def traced(data: bytes) -> Trace:
    """What the search for places says."""
    read = read_coefficients(data)
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return places.double_quantisation(read.luma, read.tables[0], places.unclipped_blocks(pixels, read.luma.shape))


def told(found: History) -> bool:
    """Whether the analyzer would say that it was saved twice."""
    return found.score >= LEAST_SCORE and found.agreeing >= LEAST_AGREEING


def small(paths: list[Path]) -> Iterator[Image.Image]:
    """The pictures scaled down by at least two, longest side at most :data:`SIDE`."""
    for path in paths:
        image = Image.open(path).convert("RGB")
        factor = max(2.0, max(image.size) / SIDE)
        size = (int(image.width / factor), int(image.height / factor))
        if min(size) >= 200:
            yield image.resize(size, Image.Resampling.LANCZOS)


def row(*cells: object) -> None:
    """Prints one row of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def untouched(paths: list[Path]) -> tuple[int, int]:
    """Camera originals as they are: how many are said to be saved twice, and of how many."""
    found, regions, judged = [], 0, 0
    for path in paths:
        data = path.read_bytes()
        try:
            each = past(data)
            if each.reason is None:
                judged += 1
                found.append((round(each.score, 4), each.agreeing, each.quality, told(each), path.name))
                regions += bool(traced(data).regions) if each.score >= places.LEAST_SCORE else 0
        except (EvidenceError, OSError) as error:
            print(path.name, error)
    print(
        f"{judged} originals judged, said to be saved twice: {sum(line[3] for line in found)}; with regions {regions}"
    )
    for line in sorted(found, reverse=True)[:12]:
        print("   ", line)
    return sum(line[3] for line in found), judged


def singles(pictures: list[Image.Image]) -> tuple[int, int]:
    """Saved once: how many are said to be saved twice, and of how many."""
    wrong = trials = 0
    row("quality", "pictures", "said to be saved twice", "highest", "next")
    for quality in SINGLES:
        found = sorted((past(saved(image, quality)) for image in pictures), key=lambda each: -each.score)
        wrong, trials = wrong + sum(told(each) for each in found), trials + len(found)
        top = [(round(each.score, 3), each.agreeing) for each in found[:3]]
        row(quality, len(found), sum(told(each) for each in found), *top)
    return wrong, trials


def doubles(pictures: list[Image.Image]) -> None:
    """Saved twice: share seen, and of those the share whose first quality was named within 2."""
    row("first", *LAST)
    for first in FIRST:
        cells = []
        for last in LAST:
            found = [past(again(saved(image, first), last)) for image in pictures]
            seen = [each for each in found if told(each)]
            right = sum(abs((each.quality or 0) - first) <= 2 for each in seen)
            cells.append(f"{len(seen) / len(found):.0%} ({right / len(seen):.0%})" if seen else "0 %")
        row(first, *cells)


def regions(pictures: list[Image.Image]) -> None:
    """Places marked where nothing was changed, and found where something was pasted between the savings."""
    row("savings", "pictures", "with places, unchanged", "highest window", "found, pasted", "median overlap")
    for first, last in CHAINS:
        wrong, top, overlaps = 0, 0.0, []
        for number, image in enumerate(pictures):
            once = saved(image, first)
            trace = traced(again(once, last))
            wrong, top = wrong + bool(trace.regions), max(top, trace.score)
            overlaps.append(_pasted(once, pictures[(number + 7) % len(pictures)], last))
        share = sum(overlap > 0.1 for overlap in overlaps) / len(overlaps)
        median = np.median([overlap for overlap in overlaps if overlap > 0.1] or [0])
        row(f"{first} then {last}", len(pictures), wrong, round(top, 1), f"{share:.0%}", f"{median:.2f}")


def _pasted(once: bytes, other: Image.Image, last: int) -> float:
    host = Image.open(io.BytesIO(once)).convert("RGB")
    width, height = int(host.width * 0.3), int(host.height * 0.3)
    x, y = host.width // 3 + 3, host.height // 4 + 5
    host.paste(other.resize((width, height)), (x, y))
    trace = traced(saved(host, last))
    if trace.mask is None:
        return 0.0
    truth = np.zeros(trace.mask.shape, np.bool_)
    truth[y // 8 : (y + height) // 8, x // 8 : (x + width) // 8] = True
    return float((trace.mask & truth).sum() / (trace.mask | truth).sum())


def main() -> None:
    """Runs all measurements and prints their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--originals", type=int, default=400)
    parser.add_argument("--pictures", type=int, default=120)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    paths = sorted(path for path in asked.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    generator = np.random.default_rng(0)
    paths = [paths[i] for i in generator.permutation(len(paths))]
    originals = untouched(paths[: asked.originals])
    pictures = list(small(paths[: asked.pictures]))
    record("tools/measure_jpeg.py", {"originals_saved_twice": originals, "saved_once_saved_twice": singles(pictures)})
    doubles(pictures[: len(pictures) // 4])
    regions(pictures[: len(pictures) // 2])


if __name__ == "__main__":
    main()
