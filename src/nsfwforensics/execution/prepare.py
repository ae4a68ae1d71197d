"""Preparing a run in a process of its own: reference photos and originals are files from strangers too."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path

from nsfwforensics.core.analyzer import BaseAnalyzer
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.errors import ForensicsError, UsageError
from nsfwforensics.execution import worker
from nsfwforensics.execution.answers import listening
from nsfwforensics.execution.base import BrokeError, DiedError, too_long
from nsfwforensics.execution.processes import call_apart
from nsfwforensics.execution.server import EVERY_WORKER, warm_up
from nsfwforensics.models.device import is_cpu
from nsfwforensics.seclusion import scratch


def warm_up_for(analyzers: Iterable[type[BaseAnalyzer]], heavy: Iterable[str] = ()) -> None:
    """Has what workers with these analyzers need be loaded for them, while this process goes on.

    Args:
        analyzers: Those that will run.
        heavy: Further modules, which many workers are to share; a single one that has to load them may look at its file
            with the quick analyzers before it does.
    """
    ours = [loaded.__module__ for loaded in analyzers if loaded.__module__.startswith("nsfwforensics.")]
    warm_up(dict.fromkeys([*EVERY_WORKER, *ours, *heavy]))


def here() -> worker.Place:
    """Where workers of this process work."""
    return worker.Place(Path.cwd(), scratch(), listening())


def prepared_apart(spec: PlanSpec, device: str | None) -> Plan:
    """Finds the device and enrols in a worker process.

    None is started where no file is named to be enrolled and no device has to be looked for.

    Args:
        spec: The plan, without enrolments.
        device: The device that was asked for; None where no analyzer needs one.

    Raises:
        UsageError: Something cannot be enrolled, or a file that was to be enrolled ended the worker.
        DeviceUnavailableError: A device was named and is missing.
    """
    known = device is None or is_cpu(device)
    if known and not any(_is_told_what(analyzer) for analyzer in Plan(spec).analyzers.values()):
        return Plan.prepared(spec)
    mark = scratch() / "being-prepared"
    mark.unlink(missing_ok=True)
    try:
        return Plan(call_apart(worker.prepare, spec, device, here(), mark))
    except ForensicsError:
        raise
    except DiedError as death:
        slow = hasattr(signal, "SIGALRM") and death.code == -signal.SIGALRM
        reason = too_long(spec.limits.max_seconds) if slow else str(death)
    except BrokeError as error:  # whatever a file made the code raise in the worker
        reason = str(error)
    named = os.fsdecode(mark.read_bytes()) if mark.exists() else "the run"
    raise UsageError(f"{named} cannot be prepared: {reason}")


def _is_told_what(analyzer: BaseAnalyzer) -> bool:
    """Whether an analyzer has something to enrol and an option that may name a file for it."""
    enrols = type(analyzer).enrol.__func__ is not BaseAnalyzer.enrol.__func__  # type: ignore[attr-defined]
    return enrols and analyzer.options != type(analyzer).Options()
