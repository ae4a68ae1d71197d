"""What it costs until one file is examined: processor time of the whole process tree, beside loading torch alone."""

from __future__ import annotations

import argparse
import os
import pty
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from benchmarks import corpus
from benchmarks.measure import DONE, TOOL, processor

_ROUNDS = 5
_FIRST = b"first look at"


def one(arguments: argparse.Namespace) -> str:
    """Processor time of a scan of one megapixel: all of it, and its first look; and when that is shown."""
    del arguments
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
    shown = sorted(_until_shown([TOOL, "scan", photo]) for _ in range(_ROUNDS))
    return f"""## One file

A JPEG photograph of 1200 × 900 pixels. Seconds of processor time of the command with all processes that it starts, the
least of {_ROUNDS}; target 2.5 for the scan.

| command | seconds |
|---|---|
{chr(10).join(rows)}

Its first findings stand on a terminal after {shown[0]:.2f} seconds by the clock, {shown[_ROUNDS // 2]:.2f} in the
median of {_ROUNDS}; target 1."""


def _seconds(command: Sequence[str | Path]) -> float:
    before = processor()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if process.wait() not in DONE:
        raise subprocess.CalledProcessError(process.returncode, [str(part) for part in command])
    return processor() - before


def _until_shown(command: Sequence[str | Path]) -> float:
    """Seconds until the first look is on a terminal."""
    ours, theirs = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said, shown = b"", 0.0
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:  # what Linux says at the end
            break
        if not shown and _FIRST in said:
            shown = time.perf_counter() - started
    os.close(ours)
    if process.wait() not in DONE or not shown:
        raise subprocess.CalledProcessError(process.returncode, [str(part) for part in command], output=said)
    return shown
