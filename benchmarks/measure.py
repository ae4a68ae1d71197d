"""Running commands and reading what they cost: wall and processor time, and peak memory, of the whole process tree."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

TOOL = Path(sys.executable).with_name("nsfwforensics")

DONE = (0, 4)
"""Exit codes of a run that was done; with 4 some files in it failed, which is no fault of the run."""

_PR_SET_CHILD_SUBREAPER = 36

_SAMPLE_EVERY = 0.25
"""Seconds between two looks at the memory, at least."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one command cost.

    Attributes:
        seconds: Wall time.
        processor: Seconds of processor time of all its processes.
        peak_mib: Largest sum of proportional (else resident) memory over the process tree, in MiB, sampled.
        code: Exit code.
    """

    seconds: float
    processor: float
    peak_mib: float
    code: int


def measure(command: Sequence[str | Path], *, sampling: float = 0.03) -> Cost:
    """Runs a command once, its output discarded, and samples its process tree.

    Args:
        command: The command line.
        sampling: Share of the time that may go into looking at the memory. A look at a few processes takes 50 ms of a
            core and holds them up; with four a second those of two workers took a tenth of two cores.

    Raises:
        subprocess.CalledProcessError: It failed, so its time means nothing; single bad files are no failure.
    """
    started, before = time.perf_counter(), processor()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        looked = time.perf_counter()
        peak = max(peak, _tree_mib(process.pid))
        pause = max(_SAMPLE_EVERY, (time.perf_counter() - looked) / sampling)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(pause)
    if process.returncode not in DONE:
        raise subprocess.CalledProcessError(process.returncode, [str(part) for part in command])
    seconds = time.perf_counter() - started
    return Cost(seconds, processor() - before, peak, process.returncode)


def processor() -> float:
    """Seconds of processor time of all processes that were started here and have ended; waits for those that have not.

    On Linux the server of workers, which outlives the command a little, is counted too.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def median_seconds(command: Sequence[str | Path], runs: int) -> float:
    """Median wall time of a command over several runs, after one that warms the caches.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        done = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in DONE:
            done.check_returncode()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def _tree_mib(pid: int) -> float:
    total = 0.0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            memory = process.memory_full_info() if psutil.LINUX else process.memory_info()
            total += getattr(memory, "pss", memory.rss) / 2**20
    except psutil.Error:
        pass
    return total
