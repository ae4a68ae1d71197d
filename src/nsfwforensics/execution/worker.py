"""What happens inside one worker process, whichever engine started it."""

from __future__ import annotations

import signal
import sys

from nsfwforensics.core.discover import Target
from nsfwforensics.core.plan import Draft, Plan, PlanSpec
from nsfwforensics.core.types import FileReport
from nsfwforensics.threads import one_thread_each

Half = Draft | FileReport
"""A finished report where the worker does everything, else what the device stage still has to finish."""

_plan: Plan | None = None
"""The worker's own plan; set once when the process starts."""


def start(spec: PlanSpec) -> None:
    """Readies a worker: one thread per numerical library (the processes are the parallelism), no Ctrl-C of its own."""
    global _plan
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    one_thread_each()
    _plan = Plan(spec)
    limit_memory(spec.limits.max_memory)


def work(target: Target) -> Half:
    """Examines one file with the worker's plan.

    Raises:
        RuntimeError: :func:`start` was not called in this process.
    """
    if _plan is None:
        raise RuntimeError("the worker was not started")
    return examine(_plan, target)


def examine(plan: Plan, target: Target) -> Half:
    """Examines one file; on a CPU the same process finishes it, beside another device it hands over a draft."""
    draft = plan.examine_file(target)
    if plan.spec.resources.device == "cpu":
        return plan.infer([draft])[0]
    return draft


def limit_memory(most: int) -> None:
    """Caps the memory that this process may take for data from now on, where the system can (not on Windows or macOS).

    What goes beyond it fails in the allocation, which an analyzer survives, or ends the process, which costs one file.

    Args:
        most: In bytes; 0 for no cap.
    """
    if not most or not sys.platform.startswith("linux"):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    capped = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (capped, hard))
