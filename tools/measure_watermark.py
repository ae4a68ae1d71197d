"""Measures how often the watermark rule errs, in both directions, and writes ``docs/watermark.md``.

    python tools/measure_watermark.py DATA --output docs/watermark.md

Three kinds of trial where nothing is there to be found:

* the real payloads, on unmarked pictures in eight positions (turned, mirrored) and on several cuts of the pixel grid;
* payloads that nobody writes (shifted, shuffled, random, random text), on the same pictures as they are;
* the real payloads on made pictures, among them stripes, tiles and gradients with the periods that suit the blocks.

A payload drawn at random would meet the binomial bound on any picture, but the real ones are not drawn at random: votes
repeat with the blocks of a row, and text has its own rhythm. That is why both kinds of trial are here. The detection
rates come from payloads that :mod:`watermark_writer` writes into real photographs, saved in several ways.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from measured import record
from numpy.typing import NDArray
from PIL import Image
from watermark_writer import watermarked

from nsfwforensics.analyzers.watermark import LEAST_CONTRAST, PRODUCERS
from nsfwforensics.signals.dwtdct import LEAST_PIXELS, match, readings, shares

Pixels = NDArray[np.uint8]

UNMARKED = ("real", "exif", "faces")
UNKNOWN = ("fake", "provenance", "c2pa")
SAVED: Mapping[str, tuple[str, dict[str, int], float]] = {
    "PNG": ("PNG", {}, 1.0),
    "JPEG 95, 4:4:4": ("JPEG", {"quality": 95, "subsampling": 0}, 1.0),
    "JPEG 75, 4:4:4": ("JPEG", {"quality": 75, "subsampling": 0}, 1.0),
    "JPEG 95, 4:2:0": ("JPEG", {"quality": 95, "subsampling": 2}, 1.0),
    "JPEG 90, 4:2:0": ("JPEG", {"quality": 90, "subsampling": 2}, 1.0),
    "half size and back": ("PNG", {}, 0.5),
}


@dataclass(slots=True)
class Tally:
    """Trials of one kind with one payload."""

    trials: int = 0
    passed: int = 0
    highest: list[float] = field(default_factory=list)
    contrast: float = 0.0

    def add(self, correlation: NDArray[np.float64], contrast: NDArray[np.float64], threshold: float) -> None:
        """Counts trials; keeps the highest correlations."""
        self.trials += correlation.size
        self.passed += int(((correlation >= threshold) & (contrast >= LEAST_CONTRAST)).sum())
        top = np.partition(correlation, -min(correlation.size, 200))[-200:]
        self.highest = sorted((*self.highest, *top.tolist()), reverse=True)[:200]
        self.contrast = max(self.contrast, float(contrast[correlation >= 0.3].max(initial=0.0)))

    def at(self, rate: float) -> float:
        """The correlation exceeded at a rate, from the 200 highest by an exponential tail (a Hill-like estimate)."""
        kept = np.array(self.highest)
        least = float(kept[-1])
        return least + float((kept - least).mean()) * float(np.log(kept.size / self.trials / rate))


def pictures(root: Path, folders: tuple[str, ...]) -> Iterator[tuple[str, Pixels]]:
    """Pictures large enough to be marked, at native size, by path below the data folder."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp"):
                continue
            try:
                with Image.open(path) as opened:
                    pixels = np.asarray(opened.convert("RGB"))
            except (OSError, SyntaxError, ValueError):
                continue
            if pixels.shape[0] * pixels.shape[1] >= LEAST_PIXELS:
                yield str(path.relative_to(root)), pixels


def made(generator: np.random.Generator, number: int) -> Iterator[Pixels]:
    """Pictures without a camera: coloured noise with natural statistics, stripes, tiles, gradients, posters."""
    for index in range(number):
        height, width = (int(generator.choice((256, 384, 512, 640, 1024))) for _ in range(2))
        kind = index % 5
        picture: NDArray[Any]
        if kind == 0:
            frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]) + 1 / width
            waves = generator.normal(size=(2, 3, *frequency.shape)) / frequency ** generator.uniform(0.8, 1.4)
            plane = np.fft.irfft2(waves[0] + 1j * waves[1], (height, width)).transpose(1, 2, 0)
            picture = 128 + 50 * plane / plane.std()
        elif kind in (1, 2):
            period = 8 * int(generator.choice((2, 4, 8, 16, 32, 46, 48)))
            tile = generator.integers(0, 256, (8 if kind == 1 else int(period), int(period), 3)).repeat(8, 0)
            soft = cv2.blur(tile.astype(np.float32), (8, 8)) if generator.random() < 0.5 else tile.astype(np.float32)
            picture = np.tile(soft, (height // tile.shape[0] + 1, width // tile.shape[1] + 1, 1))[:height, :width]
        elif kind == 3:
            corners = generator.integers(0, 256, (2, 2, 3)).astype(np.float32)
            picture = cv2.resize(corners, (width, height))
        else:
            small = generator.integers(0, 256, (height // 32, width // 32, 3)).astype(np.uint8)
            picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
        yield np.clip(picture, 0, 255).astype(np.uint8)


def placed(pixels: Pixels, generator: np.random.Generator, cuts: int) -> Iterator[Pixels]:
    """The picture in its eight positions, each cut at random offsets below the period of the blocks (8 pixels)."""
    for turns in range(4):
        for flipped in (False, True):
            turned = np.rot90(pixels, turns)
            turned = turned[:, ::-1] if flipped else turned
            for _ in range(cuts):
                top, left = generator.integers(0, 8, 2)
                yield np.ascontiguousarray(turned[top:, left:])


def nobodys(payload: NDArray[np.uint8], generator: np.random.Generator, number: int) -> dict[str, NDArray[np.uint8]]:
    """Payloads nobody writes, each kind an array (payloads, bits)."""
    shuffled = generator.permuted(np.tile(payload, (number, 1)), axis=1)
    random = generator.integers(0, 2, (number, payload.size)).astype(np.uint8)
    kinds = {
        "shifted": np.stack([np.roll(payload, shift) for shift in range(1, payload.size)]),
        "shuffled": shuffled,
        "random": random[(random.min(axis=1) == 0) & (random.max(axis=1) == 1)],
    }
    if payload.size % 8 == 0:
        letters = generator.integers(48, 123, (number, payload.size // 8)).astype(np.uint8)
        kinds["random text"] = np.unpackbits(letters, axis=1)
    return kinds


def many(found: NDArray[np.float64], bank: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correlation and contrast of one picture's shares (bits,) with many payloads (payloads, bits)."""
    pattern = bank - bank.mean(axis=1, keepdims=True)
    centred = found - found.mean()
    product = pattern @ centred
    size = np.sqrt((centred**2).sum() * (pattern**2).sum(axis=1))
    correlation = np.divide(product, size, out=np.zeros_like(product), where=size > 1e-9)
    return correlation, product / (pattern**2).sum(axis=1)


def real_trials(source: Iterator[Pixels]) -> dict[str, Tally]:
    """Tries the real payloads, in all ways of writing, on unmarked pixels."""
    tallies = {producer.name: Tally() for producer in PRODUCERS}
    for pixels in source:
        found = readings(pixels)
        for producer in PRODUCERS if found else ():
            matches = [match(reading.votes, producer.payload) for reading in found]
            tallies[producer.name].add(
                np.array([m.correlation for m in matches]), np.array([m.contrast for m in matches]), producer.threshold
            )
    return tallies


def null_trials(source: Iterator[Pixels], generator: np.random.Generator, number: int) -> dict[str, Tally]:
    """Tries payloads that nobody writes on unmarked pixels."""
    banks = {producer.name: nobodys(producer.payload, generator, number) for producer in PRODUCERS}
    tallies = {producer.name: Tally() for producer in PRODUCERS}
    for pixels in source:
        for reading in readings(pixels):
            for producer in PRODUCERS:
                found = shares(reading.votes, producer.payload.size)
                for bank in banks[producer.name].values():
                    tallies[producer.name].add(*many(found, bank), producer.threshold)
    return tallies


def detected(sources: list[Pixels]) -> Iterator[str]:
    """Rows of the table of detection rates over marked copies."""
    for order, arithmetic in (("bgr", "uint8"), ("bgr", "float"), ("rgb", "float")):
        for producer in PRODUCERS:
            hits = dict.fromkeys(SAVED, 0)
            for pixels in sources:
                marked = Image.fromarray(watermarked(pixels, producer.payload, order, arithmetic))
                for name, (kind, options, scale) in SAVED.items():
                    copy = marked
                    if scale < 1:
                        small = (round(marked.width * scale), round(marked.height * scale))
                        copy = marked.resize(small, Image.Resampling.BICUBIC).resize(marked.size)
                    buffer = io.BytesIO()
                    copy.save(buffer, kind, **options)
                    with Image.open(buffer) as opened:
                        found = readings(np.asarray(opened.convert("RGB")))
                    hits[name] += any(producer.spelt_by(match(reading.votes, producer.payload)) for reading in found)
            cells = " | ".join(f"{100 * count / len(sources):.0f} %" for count in hits.values())
            yield f"| {producer.name} | {order.upper()} | {arithmetic} | {cells} |"


def null_table(tallies: Mapping[str, Tally]) -> str:
    """Markdown rows of one kind of trial."""
    return "\n".join(
        f"| {producer.name} | {producer.threshold:.2f} | {tally.trials:,} | {tally.highest[0]:.3f} | "
        f"{tally.at(1e-6):.2f} | {tally.contrast:.3f} | {tally.passed} |"
        for producer in PRODUCERS
        if (tally := tallies[producer.name]).trials
    )


def main() -> None:
    """Runs all trials and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the development data")
    parser.add_argument("--output", type=Path, help="the page to write; printed if omitted")
    parser.add_argument("--cuts", type=int, default=6, help="cuts of the grid per position")
    parser.add_argument("--payloads", type=int, default=1000, help="payloads per kind")
    parser.add_argument("--made", type=int, default=10_000, help="made pictures")
    parser.add_argument("--marked", type=int, default=60, help="photographs to mark")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    generator = np.random.default_rng(20261121)
    unmarked = [pixels for _, pixels in pictures(arguments.data, UNMARKED)]
    modest = [pixels[:1600, :1600] for pixels in unmarked]
    moved = real_trials(cut for pixels in modest for cut in placed(pixels, generator, arguments.cuts))
    strangers = null_trials(iter(modest), generator, arguments.payloads)
    drawn = real_trials(made(generator, arguments.made))
    unknown = list(pictures(arguments.data, UNKNOWN))
    carried = [
        f"{name}: {producer.name}"
        for name, pixels in unknown
        for producer in PRODUCERS
        if any(producer.spelt_by(match(reading.votes, producer.payload)) for reading in readings(pixels))
    ]
    head = "| payload | threshold | trials | highest | at 1 in 10⁶ | most contrast | passed |\n" + "|---" * 7 + "|"
    photographs = [pixels for name, pixels in pictures(arguments.data, ("real/coco",))][: arguments.marked]
    tallies = [tally for kind in (moved, strangers, drawn) for tally in kind.values()]
    trials = sum(tally.trials for tally in tallies)
    page = PAGE.format(
        trials=trials, passed=sum(tally.passed for tally in tallies), bound=3 / trials,
        unmarked=len(unmarked), contrast=LEAST_CONTRAST, moved=f"{head}\n{null_table(moved)}",
        strangers=f"{head}\n{null_table(strangers)}", drawn=f"{head}\n{null_table(drawn)}",
        photographs=len(photographs), columns=" | ".join(SAVED), rules="---|" * (len(SAVED) + 3),
        detected="\n".join(detected(photographs)), unknown=len(unknown),
        carried="; ".join(carried) or "none of them",
    )  # fmt: skip
    record("tools/measure_watermark.py", {"watermark_without_one": (sum(each.passed for each in tallies), trials)})
    if arguments.output:
        arguments.output.write_text(page, "utf-8")
    else:
        print(page)


PAGE = """# The invisible watermark: what was measured

Written by `tools/measure_watermark.py`. The analyzer `watermark` looks for four fixed payloads that image generators
write with the method `dwtDct`. Per bit of a payload, the share of its blocks that vote 1 is measured; the payload is
reported where the correlation of these shares with its bits reaches the payload's threshold **and** the contrast (mean
share of the bits that are 1 less that of the others) reaches {contrast:.2f}. The mark is looked for in four ways of
writing (two channel orders, bytes or floating point), so four trials are made per picture and payload.

A hit proves nothing about who wrote it: anyone can write these payloads with a public library. A miss proves nothing:
see the detection rates.

## Where nothing is there

`highest` is the highest correlation seen; `at 1 in 10⁶` extrapolates the 200 highest by an exponential tail;
`most contrast` is over trials with a correlation of at least 0.3; `passed` met the rule. Trials of one picture are not
independent, so neither is a confidence bound.

Of {trials:,} trials in all, {passed} passed. (None in as many independent trials would bound the rate below 3 divided
by their number, {bound:.1e}, at 95 % confidence.) Sixteen trials are made per picture, so its rate can be up to
sixteen times the rate per trial: that it stays below one in a million is extrapolated, not observed.

The real payloads on {unmarked} unmarked pictures, in eight positions and on several cuts of the pixel grid each:

{moved}

Payloads that nobody writes (shifted, shuffled, random, random text), on the same pictures as they are:

{strangers}

The real payloads on made pictures (noise with natural statistics, stripes and tiles with the blocks' own periods,
gradients, posters):

{drawn}

## Where it is

Payloads written into {photographs} photographs of 0.2 to 0.4 megapixels, saved once, and found:

| payload | order | arithmetic | {columns} |
|{rules}
{detected}

A cut that moves the grid of 8 pixels loses the mark altogether; the analyzer does not search for other grids.

## Generated pictures of unknown state

{unknown} generated pictures among the development data, most of them crops or previews of another size than the
generator's: the mark was found in {carried}.
"""

if __name__ == "__main__":
    main()
