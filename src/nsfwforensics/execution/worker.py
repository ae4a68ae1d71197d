"""What happens inside one worker process, whichever engine started it."""

from __future__ import annotations

import atexit
import faulthandler
import os
import shutil
import signal
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from nsfwforensics.core.analyzer import Enrolment
from nsfwforensics.core.discover import Look, Target
from nsfwforensics.core.draft import Draft
from nsfwforensics.core.evidence import Limits, now_reading
from nsfwforensics.core.memory import give_back
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import FileReport
from nsfwforensics.core.written import write
from nsfwforensics.execution.confine import confine, limit_memory, say_nothing
from nsfwforensics.execution.machine import keep_freed
from nsfwforensics.execution.server import ignore_interrupts
from nsfwforensics.seclusion import environment, seclude
from nsfwforensics.threads import one_thread_each

Half = Draft | FileReport
"""A finished report where the worker does everything, else what the device stage still has to finish."""

_plan: Plan | None = None
"""The worker's own plan; set once when the process starts."""

_GIVES_BACK_AFTER = 25
"""So many files; after each it would take some percent of the time, for every page is filled with zeros anew."""

_looks: Counter[Look] = Counter()
"""How many files this process has looked at."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker process works.

    Attributes:
        folder: The working directory of the process that wants the work done: relative paths are meant from there.
        scratch: A private folder for temporary files.
        debug: Whether a crash shows on standard error where in the code it was.
    """

    folder: Path
    scratch: Path
    debug: bool = False


def start_plain(place: Place, limits: Limits) -> None:
    """Readies a confined worker that has no plan, before it meets any file.

    Args:
        place: Where it works.
        limits: What a file may ask for.
    """
    ignore_interrupts()
    one_thread_each()
    _arrive(place)
    _settle(limits, debug=place.debug)


def start(spec: PlanSpec) -> None:
    """Readies a worker on Ray: one thread per library, no Ctrl-C and a home of its own, a cap on memory."""
    seclude()
    _load(spec)
    keep_freed()
    limit_memory(spec.limits.max_memory)


def start_apart(spec: PlanSpec, place: Place) -> None:
    """Readies a worker of the process pool: as :func:`start`, and confined."""
    _arrive(place)
    _load(spec)
    _settle(spec.limits, debug=place.debug)


def work(target: Target) -> Half:
    """Examines one file with the worker's plan.

    Raises:
        RuntimeError: :func:`start` was not called in this process.
    """
    if _plan is None:
        raise RuntimeError("the worker was not started")
    half = examine(_plan, target)
    if isinstance(half, FileReport):
        write(half, to_complete=target.look is Look.FIRST)
    _looks[target.look] += 1
    if _looks[target.look] % _GIVES_BACK_AFTER == 0:
        give_back()
    return half


def examine(plan: Plan, target: Target) -> Half:
    """Examines one file; on a CPU the same process finishes it, beside another device it hands over a draft."""
    draft = plan.examine_file(target)
    if plan.spec.resources.device == "cpu":
        return plan.infer([draft])[0]
    return draft


def prepare(spec: PlanSpec, device: str | None, place: Place, mark: Path) -> PlanSpec:
    """Prepares a run: finds the device, and lets every analyzer enrol what its options name.

    Args:
        spec: The plan.
        device: The device that was asked for; None where no analyzer needs one.
        place: Where to work.
        mark: A file that will name the file that is being read, which is what is known of it if this process dies.

    Raises:
        UsageError: Something cannot be enrolled.
        DeviceUnavailableError: A device was named and is missing.
    """
    ignore_interrupts()
    one_thread_each()
    _arrive(place)
    if device is not None:
        from nsfwforensics.models.device import resolve_device

        spec = replace(spec, resources=replace(spec.resources, device=resolve_device(device)))
    plan = Plan(spec)
    confine(spec.limits.max_memory, None)  # an index of known hashes may be a long file
    atexit.unregister(shutil.rmtree)  # what is enrolled as files lies in the scratch folder, and outlives this process
    now_reading.set(lambda path: _take_note(path, mark, spec.limits.max_seconds))
    enrolments: dict[str, Enrolment] = {}
    for name, analyzer in plan.analyzers.items():
        enrolments[name] = type(analyzer).enrol(analyzer.options, spec.resources)
        _allow(0)
    return replace(spec, enrolments=enrolments)


def _take_note(path: Path, mark: Path, seconds: float) -> None:
    mark.write_bytes(os.fsencode(path))
    _allow(seconds)


def _allow(seconds: float) -> None:
    """Has the system end this process after so long; 0 for no limit."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)  # the signal's default action ends the process


def _load(spec: PlanSpec) -> None:
    global _plan
    ignore_interrupts()
    one_thread_each()
    _plan = Plan(spec)


def _settle(limits: Limits, *, debug: bool) -> None:
    keep_freed()
    confine(limits.max_memory, limits.max_bytes)
    if debug:
        faulthandler.enable(os.dup(2))  # names of files and functions of the program, nothing of the evidence
    say_nothing()


def _arrive(place: Place) -> None:
    os.chdir(place.folder)
    os.environ.update(environment(place.scratch))
    tempfile.tempdir = str(place.scratch)
