"""Measures everything and writes ``benchmarks/RESULTS.md``: ``python -m benchmarks [startup] [folder] [memory]``."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import corpus
from benchmarks.changed_regions import changes
from benchmarks.compare import compare
from benchmarks.detector import detector
from benchmarks.engines import engines
from benchmarks.hashing import hashing
from benchmarks.isolation import isolation
from benchmarks.known_recall import known
from benchmarks.large import large
from benchmarks.lookup import MILLION, lookup
from benchmarks.measure import TOOL, Cost, measure, median_seconds
from benchmarks.near import cluster
from benchmarks.one import one
from benchmarks.page import page
from benchmarks.parent import parent
from benchmarks.provenance import provenance
from benchmarks.review import review
from benchmarks.stages import stages
from benchmarks.turns import in_turns
from benchmarks.watermark import watermark

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / ".work" / "bench"
SAMPLES = HERE.parent / "samples"
REFERENCE = SAMPLES / "reference.jpg"

STAGES = ("metadata", "phash", "faces", "deepfake")
"""The four stages that the comparison with a script of one's own is about."""


def startup(_: argparse.Namespace) -> str:
    """How long a newcomer waits for help, and what the light commands import."""
    base = median_seconds([sys.executable, "-c", "import typer, rich"], 15)
    bare = median_seconds([sys.executable, "-c", "pass"], 15)
    help_ = median_seconds([TOOL, "--help"], 15)
    metadata = median_seconds([TOOL, "metadata", REFERENCE], 7)
    rows = (
        ("`python -c pass`", bare, ""),
        ('`python -c "import typer, rich"`', base, ""),
        ("`nsfwforensics --help`", help_, "at most 3"),
        ("`nsfwforensics metadata ONE.jpg`", metadata, ""),
    )
    return """## Start-up

Median of 15 runs (7 for `metadata`), one after the other. That neither of our commands imports torch or cv2 is a test
(`tests/e2e/test_imports.py`).

| command | seconds | ratio to `import typer, rich` | target |
|---|---|---|---|
""" + "\n".join(f"| {name} | {seconds:.3f} | {seconds / base:.1f} | {target} |" for name, seconds, target in rows)


def folder(arguments: argparse.Namespace) -> str:
    """Two hundred mixed photos with every default stage, against the script a user would write."""
    took = WORK / "on-watermarks.txt"
    here, there, table = _against_the_script(arguments.files, [], ["--all", took], share=8)
    watermarks = float(took.read_text())
    read = f"({watermarks:.0f} seconds; without them {(there.seconds - watermarks) / here.seconds:.2f}×)"
    if not watermarks:
        read = "(not installed here, so that none were read)"
    return f"""## A folder of mixed photos

{table}

The script does what public example code does for each stage: exifread, two ImageHash hashes, pdqhash, MTCNN at full
size, the same embedder, the same classifier on the same views (its network by torch in float32), copies within a
picture by SIFT at full size and FLANN, JPEG ghosts and error levels by Pillow, Content Credentials by c2pa-python,
intimate content by NudeNet, two of the four watermarks that `scan` looks for by invisible-watermark
{read}. It has nothing for JPEG grids, which are part of `scan` here. Target: at least 8×."""


def folder_four(arguments: argparse.Namespace) -> str:
    """The same with the four stages that version 0.1 was measured by."""
    stages = [part for name in STAGES for part in ("--only", name)]
    return f"""## A folder of mixed photos, four stages

{_against_the_script(arguments.files, stages, [], share=4)[2]}

Stages: {", ".join(STAGES)}; in the script exifread, two ImageHash hashes, pdqhash, MTCNN at full size, the same
embedder, and the same classifier on the same views."""


def _against_the_script(
    files: int, ours: Sequence[str], theirs: Sequence[str | Path], *, share: float
) -> tuple[Cost, Cost, str]:
    """What `scan` and the script cost, and both as a table."""
    photos = WORK / f"mixed-{files}"
    megapixels = corpus.build(photos, files)
    here, there = in_turns(
        [TOOL, "scan", photos, "--reference", REFERENCE, "--quiet", "--force", "-o", WORK / "report-mixed", *ours],
        [sys.executable, "-m", "benchmarks.naive", photos, REFERENCE, *theirs],
        share=share,
    )
    rows = [
        f"| {name} | {cost.seconds:.1f} | {cost.seconds / files:.2f} | {there.seconds / cost.seconds:.2f}× "
        f"| {cost.processor:.1f} | {there.processor / cost.processor:.2f}× | {cost.peak_mib:.0f} | {cost.code} |"
        for name, cost in (("the user's script", there), ("`scan`, report written", here))
    ]
    table = f"""{files} JPEG photographs of 1, 2, 3, 5, 8 and 12 megapixels ({megapixels} in all), with a reference
photo. By turns: two seconds of `scan` while the script is stopped, then {2 * share:.0f} of the script. The user's
script (`benchmarks/naive.py`) opens each file with each library for itself.

| | seconds | per photo | ratio | processor seconds | ratio | peak memory, MiB | exit code |
|---|---|---|---|---|---|---|---|
"""
    return here, there, table + "\n".join(rows)


def memory(arguments: argparse.Namespace) -> str:
    """Peak memory for few and for twenty times as many files."""
    rows = []
    for count in (arguments.few, arguments.few * 20):
        photos = WORK / f"small-{count}"
        corpus.build(photos, count, (0.2, 0.5, 1.0))
        command: list[str | Path] = [TOOL, "scan", photos, "--reference", REFERENCE, "--quiet", "--force", "-o"]
        rows.append((count, measure([*command, WORK / "report-memory"], sampling=1)))
    least = rows[0][1].peak_mib
    return (
        """## Memory

Peak of the proportional set size (PSS) summed over the tool and its workers, sampled four times a second; photographs
of 0.2 to 1 megapixel, every analyzer, report written.

| files | seconds | peak memory, MiB | ratio |
|---|---|---|---|
"""
        + "\n".join(
            f"| {count} | {cost.seconds:.0f} | {cost.peak_mib:.0f} | {cost.peak_mib / least:.2f} |"
            for count, cost in rows
        )
        + "\n\nTarget: at most 1.10."
    )


BENCHES: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "startup": startup,
    "one": one,
    "stages": stages,
    "folder": folder,
    "folder-four": folder_four,
    "memory": memory,
    "engines": engines,
    "isolation": isolation,
    "hashing": hashing,
    "lookup": lookup,
    "known": known,
    "watermark": watermark,
    "provenance": provenance,
    "review": review,
    "compare": compare,
    "changes": changes,
    "large": large,
    "page": page,
    "parent": parent,
    "cluster": cluster,
    "detector": detector,
}


def main() -> None:
    """Runs the benches that were named, or all, keeps each one's last text, and writes the results page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benches", nargs="*", choices=[*BENCHES, []], help="which to run; all if none is named")
    parser.add_argument("--files", type=int, default=200, help="photos in the folder bench")
    parser.add_argument("--stage-files", type=int, default=40, help="photos in the stages bench")
    parser.add_argument("--stage-photos", type=Path, help="a folder of photos for it, in place of made ones")
    parser.add_argument("--engine-files", type=int, default=120, help="photos in the engines bench")
    parser.add_argument("--isolation-files", type=int, default=120, help="photos in the isolation bench")
    parser.add_argument("--hashes", type=int, action="append", help="in the lookup bench (1 and 10 million)")
    parser.add_argument("--known-photos", type=int, help="photos in the known bench; all there are if omitted")
    parser.add_argument("--few", type=int, default=100, help="files in the smaller memory bench")
    parser.add_argument("--cluster-files", type=int, default=1000, help="pictures in the cluster bench")
    parser.add_argument("--edited", type=int, default=240, help="pairs with an edit in the changes bench")
    parser.add_argument("--unedited", type=int, default=160, help="pairs without an edit in the changes bench")
    parser.add_argument("--photos", type=Path, action="append", help="real photos to judge hashes on; may be repeated")
    arguments = parser.parse_args()
    arguments.hashes = arguments.hashes or [MILLION, 10 * MILLION]
    WORK.mkdir(parents=True, exist_ok=True)
    for name in arguments.benches or BENCHES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        started = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
        _put(f"{BENCHES[name](arguments)}\n\n{_machine(started)}")


def _put(section: str) -> None:
    """Puts a section where RESULTS.md has one of its heading, or at the end; the others stay as they are."""
    path = HERE / "RESULTS.md"
    head, *others = re.split(r"^(?=## )", path.read_text("utf-8").rstrip("\n"), flags=re.MULTILINE)
    heading = section.partition("\n")[0]
    places = [place for place, other in enumerate(others) if other.partition("\n")[0] == heading]
    others[slice(*([places[0], places[0] + 1] if places else [len(others), None]))] = [section]
    path.write_text("\n\n".join(part.strip("\n") for part in (head, *others)) + "\n", "utf-8")


def _machine(started: str) -> str:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"*Measured {started} on {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}; "
        f"load average at the end {load:.1f}.*"
    )


if __name__ == "__main__":
    main()
