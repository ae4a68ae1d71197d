"""The same scan in one process, in a pool of two, and on Ray on this machine."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from benchmarks import corpus
from benchmarks.measure import TOOL, measure

WORK = corpus.ROOT / ".work" / "bench"
STAGES = ("metadata", "provenance", "watermark", "phash", "jpeg", "traces", "faces", "deepfake")


def engines(arguments: argparse.Namespace) -> str:
    """Times the three engines, start-up and report included, one after the other."""
    photos = WORK / f"engines-{arguments.engine_files}"
    megapixels = corpus.build(photos, arguments.engine_files, (1.0, 2.0, 3.0))
    stages = [part for name in STAGES for part in ("--only", name)]
    command: list[str | Path] = [TOOL, "scan", photos, *stages, "--device", "cpu", "--quiet"]
    chosen = {"inline": ("--engine", "inline"), "pool of 2": ("--engine", "pool", "--jobs", "2")}
    if find_spec("ray"):
        chosen["Ray, 2 workers"] = ("--engine", "ray", "--jobs", "2")
    costs = {name: measure([*command, *options, "-o", WORK / "report-engines"]) for name, options in chosen.items()}
    inline = costs["inline"].seconds
    rows = "\n".join(
        f"| {name} | {cost.seconds:.1f} | {cost.seconds / arguments.engine_files:.2f} | {inline / cost.seconds:.2f}× "
        f"| {cost.peak_mib:.0f} | {cost.code} |"
        for name, cost in costs.items()
    )
    return f"""## Engines

{arguments.engine_files} JPEG photographs of 1, 2 and 3 megapixels ({megapixels} in all), on the CPU with the stages
{", ".join(STAGES)}; one run each, one after the other;
start-up and report included. Ray's own processes are counted where they are
children of the command.

| | seconds | per photo | against inline | peak memory, MiB | exit code |
|---|---|---|---|---|---|
{rows}

Target: a pool of 2 at least 1.7 times as fast as one process."""
