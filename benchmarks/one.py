"""What it costs until one file is examined: processor time of the whole process tree, beside loading torch alone."""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from benchmarks import corpus
from benchmarks.measure import DONE, TOOL

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 3


def one(arguments: argparse.Namespace) -> str:
    """Processor time of a scan of one photograph of a megapixel: all of it, and its first look."""
    del arguments
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # the server of workers outlives the command a little
    photo = corpus.ROOT / ".work" / "bench" / "one.jpg"
    photo.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(corpus.ROOT / "samples" / "camera-original.jpg") as picture:
        picture.convert("RGB").resize((1200, 900), Image.Resampling.LANCZOS).save(photo, quality=90)
    commands: dict[str, Sequence[str | Path]] = {
        "`scan ONE`": (TOOL, "scan", photo),
        "`scan ONE --quick`": (TOOL, "scan", photo, "--quick"),
        "`python -c 'import torch'`": (sys.executable, "-c", "import torch"),
    }
    rows = [f"| {name} | {min(_seconds(command) for _ in range(_ROUNDS)):.2f} |" for name, command in commands.items()]
    return f"""## One file

A JPEG photograph of 1200 × 900 pixels. Seconds of processor time of the command with all processes that it starts, the
least of {_ROUNDS}. Targets: 2.5 for the scan, and its first findings in a second.

| command | seconds |
|---|---|
{chr(10).join(rows)}"""


def _seconds(command: Sequence[str | Path]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if process.wait() not in DONE:
        raise subprocess.CalledProcessError(process.returncode, [str(part) for part in command])
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
