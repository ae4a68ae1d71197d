"""What a graphics card brings: equal findings, the default scan beside the same one on the CPU, how busy the card is.

``benchmarks/gpu.sh`` runs this. Each part has its share of six minutes; one that takes longer is named as not finished.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import corpus
from benchmarks.measure import DONE, TOOL

WORK = corpus.ROOT / ".work" / "bench" / "gpu"
SHARES = {"tests": 60.0, "warm": 30.0, "smaller": 30.0, "larger": 70.0}
"""Seconds that each part may take: the tests, and on each of two devices a quick scan and two others; 320 in all."""

MEGAPIXELS = (1.0, 2.0, 3.0, 5.0)
CLOSE = 0.25
"""By so much two scores may differ, as in the tests: there networks multiply in bfloat16 in another order."""

MANY = 50_000


def main() -> None:
    """Measures and prints a section for ``RESULTS.md``, which it keeps as ``gpu.md`` too."""
    parser = argparse.ArgumentParser(prog="benchmarks/gpu.sh", description=__doc__)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument(
        "--files", type=int, default=64, help="photographs in the larger scan; an eighth in the smaller"
    )
    parser.add_argument("--only", action="append", default=[], help="analyzers in place of the default ones")
    parser.add_argument("--no-tests", action="store_true", help="leave the tests out that need a card")
    arguments = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    parts = [_card(arguments.device)]
    if not arguments.no_tests:
        parts.append(_tests())
    parts.append(_scans(arguments))
    section = "\n\n".join(("## On a graphics card", *parts, f"*{time.perf_counter() - started:.0f} s in all.*"))
    (WORK / "gpu.md").write_text(section + "\n", "utf-8")
    print(section)


def _card(device: str) -> str:
    import torch

    said = f"{os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}"
    if not device.startswith("cuda"):
        return f"A trial on `{device}`, {said}: what follows says nothing of a graphics card."
    if not torch.cuda.is_available():
        sys.exit("no CUDA device is here; DEVICE=cpu tries the script itself")
    properties = torch.cuda.get_device_properties(torch.device(device))
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB, beside {said}."


def _tests() -> str:
    """The tests that need a card: the networks give there what they give on the CPU."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "gpu", "tests", "-rA"]
    try:
        done = subprocess.run(command, cwd=corpus.ROOT, capture_output=True, text=True, timeout=SHARES["tests"])
    except subprocess.TimeoutExpired:
        return f"Tests marked `gpu`: not finished within {SHARES['tests']:.0f} s."
    lines = [line for line in done.stdout.splitlines() if line.startswith(("PASSED", "FAILED", "ERROR", "SKIPPED"))]
    return "Tests marked `gpu`:\n\n" + "\n".join(f"- {line}" for line in lines or ["none ran"])


def _scans(arguments: argparse.Namespace) -> str:
    """Two sizes on each device: what a file costs is the difference between them, start-up and loading aside."""
    chosen = [part for name in arguments.only for part in ("--only", name)]
    sizes = (max(1, arguments.files // 8), arguments.files)
    folders = [WORK / f"photos-{size}" for size in sizes]
    for size, folder in zip(sizes, folders, strict=True):
        corpus.build(folder, size, MEGAPIXELS)
    rows, each, found = [], {}, {}
    devices = ("cpu", arguments.device)
    for place, device in enumerate(devices):
        took: list[float] = []
        _scan(folders[0], device, WORK / "warm", [*chosen, "--quick"], SHARES["warm"])
        for folder, share in zip(folders, ("smaller", "larger"), strict=True):
            out = WORK / f"report-{place}-{folder.name}"
            with _watched(device) as busy:
                took.append(_scan(folder, device, out, chosen, SHARES[share]))
            load = f"{statistics.mean(use for use, _ in busy):.0f} %" if busy else "–"
            room = f"{max(memory for _, memory in busy):,} MiB" if busy else "–"
            seconds = "not finished" if took[-1] == float("inf") else f"{took[-1]:.1f}"
            rows.append(f"| {device} | {len(list(folder.iterdir()))} | {seconds} | {load} | {room} |")
        each[place] = (took[1] - took[0]) / max(1, sizes[1] - sizes[0])
        found[place] = _report(WORK / f"report-{place}-{folders[1].name}")
    stages = "\n".join(
        f"| {name} | {before:.0f} | {after:.0f} |" for name, before, after in _stages(found[0], found[1])
    )
    differing = _differing(found[0], found[1])
    return f"""| device | photographs | seconds, start-up included | card busy, mean | card's memory, peak |
|---|---|---|---|---|
{chr(10).join(rows)}

A photograph more costs {each[0]:.2f} s on the CPU's cores and {each[1]:.2f} s with `{devices[1]}`: {_times(each)}.
**Computed** from that, {MANY:,} photographs: {each[0] * MANY / 3600:.1f} and {each[1] * MANY / 3600:.1f} hours here.

Milliseconds a photograph that each stage takes by the clock of its process:

| stage | cpu | {devices[1]} |
|---|---|---|
{stages}

Findings that are not the same on both (or scores more than {CLOSE} apart): {len(differing)} of {len(found[0])} files.
{chr(10).join(f"- {line}" for line in differing[:20])}"""


def _times(each: Mapping[int, float]) -> str:
    return f"{each[0] / each[1]:.2f} times" if 0 < each[1] < float("inf") else "not measured"


def _scan(folder: Path, device: str, out: Path, chosen: list[str], most: float) -> float:
    """Seconds of one scan; infinite where it was not finished in time."""
    shutil.rmtree(out, ignore_errors=True)
    command = [str(TOOL), "scan", str(folder), "--device", device, "--quiet", "-o", str(out), *chosen]
    started = time.perf_counter()
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, timeout=most, check=False)
    except subprocess.TimeoutExpired:
        return float("inf")
    if done.returncode not in DONE:
        done.check_returncode()
    return time.perf_counter() - started


def _report(out: Path) -> dict[str, Any]:
    """The files of a report by name, as far as it got."""
    path = out / "files.jsonl"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8") as stream:
        files = [json.loads(line) for line in stream if line.endswith("\n")]
    return {file["info"]["name"]: file for file in files}


def _stages(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    spent: list[dict[str, list[float]]] = []
    for files in (one, other):
        by_name: dict[str, list[float]] = defaultdict(list)
        for file in files.values():
            for result in file["results"]:
                by_name[result["analyzer"]].append(1000 * result["seconds"])
        spent.append(by_name)
    for name in spent[0]:
        yield name, statistics.mean(spent[0][name]), statistics.mean(spent[1].get(name, [float("nan")]))


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Files whose findings differ, with what is not the same."""
    lines = []
    for name in sorted(one.keys() | other.keys()):
        if name not in one or name not in other:
            lines.append(f"{name}: examined on one of them only")
            continue
        for mine, theirs in zip(one[name]["results"], other[name]["results"], strict=True):
            codes = [[(each["code"], each["support"]) for each in side["findings"]] for side in (mine, theirs)]
            if codes[0] != codes[1] or mine["status"] != theirs["status"]:
                lines.append(f"{name}, {mine['analyzer']}: {codes[0]} and {codes[1]}")
            elif (apart := _apart(mine["measurements"], theirs["measurements"])) > CLOSE:
                lines.append(f"{name}, {mine['analyzer']}: a score {apart:.3f} apart")
    return lines


def _apart(one: Any, other: Any) -> float:
    """The largest difference between two scores of the same name, whatever they lie in."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        inner = [_apart(one[key], other[key]) for key in one.keys() & other.keys()]
        score = [
            abs(one[key] - other[key])
            for key in one.keys() & other.keys()
            if "score" in key and isinstance(one[key], float) and isinstance(other[key], float)
        ]
        return max([*inner, *score], default=0.0)
    if isinstance(one, list) and isinstance(other, list):
        return max(map(_apart, one, other), default=0.0)
    return 0.0


@contextmanager
def _watched(device: str) -> Iterator[list[tuple[float, int]]]:
    """Asks the driver twice a second how busy the card is (percent) and how much of its memory is taken (MiB)."""
    seen: list[tuple[float, int]] = []
    if not device.startswith("cuda") or shutil.which("nvidia-smi") is None:
        yield seen
        return
    number = device.partition(":")[2] or "0"
    query = ["nvidia-smi", "-i", number, "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip().split(", ")
            if len(answer) == 2 and all(part.isdigit() for part in answer):
                seen.append((float(answer[0]), int(answer[1])))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
