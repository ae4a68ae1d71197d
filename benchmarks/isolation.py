"""What it costs to read files in a confined worker: one worker against none, the same files."""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from benchmarks import corpus
from benchmarks.measure import TOOL, measure, median_seconds

WORK = corpus.ROOT / ".work" / "bench"
LIGHT = ("metadata", "provenance", "phash")
ALL = ("metadata", "provenance", "watermark", "phash", "jpeg", "traces", "faces", "deepfake")
RUNS = 3
WAYS = {"in this process": "--no-isolate", "one worker": "--isolate"}


def isolation(arguments: argparse.Namespace) -> str:
    """Times a batch and a single file with one worker and with none, turn by turn, and takes the medians."""
    photos = WORK / f"isolation-{arguments.isolation_files}"
    megapixels = corpus.build(photos, arguments.isolation_files, (0.5, 1.0, 2.0))
    single = sorted(photos.iterdir())[0]
    rows, costs = [], []
    for name, stages in (("three light analyzers", LIGHT), ("eight analyzers", ALL)):
        chosen = [part for stage in stages for part in ("--only", stage)]
        batch: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(RUNS):
            for way, flag in WAYS.items():
                batch[way].append(measure(_command(photos, chosen, flag)).seconds)
        bare, apart = (statistics.median(times) for times in batch.values())
        one, one_apart = (median_seconds(_command(single, chosen, flag), RUNS) for flag in WAYS.values())
        cost = apart / bare - 1
        costs.append(f"{cost:+.0%}")
        rows.append(
            f"| {name} | {bare:.1f} | {apart:.1f} | {cost:+.1%} "
            f"| {one:.2f} | {one_apart:.2f} | {one_apart - one:+.2f} |"
        )
    body = "\n".join(rows)
    return f"""## Isolation

{arguments.isolation_files} JPEG photographs of 0.5, 1 and 2 megapixels ({megapixels} in all) on the CPU: read in the
main process (`--no-isolate`) and in one confined worker (`--jobs 1`, what a single file gets by default), start-up
included; medians of {RUNS} runs, turn by turn. Then the same for one file.

| | batch, no worker, s | batch, one worker, s | cost | one file, no worker, s | one worker, s | difference |
|---|---|---|---|---|---|---|
{body}

Target: at most 15 % in batches. Measured: {" and ".join(costs)}."""


def _command(paths: Path, chosen: list[str], flag: str) -> list[str | Path]:
    return [TOOL, "scan", paths, *chosen, "--device", "cpu", "--quiet", "--jobs", "1", flag]
