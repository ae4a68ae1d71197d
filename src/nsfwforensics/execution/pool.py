"""Several processes, each with its own plan.

On a CPU the workers do everything. Beside another device they only open files and prepare, and this process feeds the
device with the prepared samples of several files at once. A file that kills its worker, or takes longer than the limit,
is reported as failed; its worker is replaced and the rest of the batch goes on.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nsfwforensics.core.discover import Target
from nsfwforensics.core.plan import Draft, Plan, PlanSpec, failed_draft
from nsfwforensics.core.types import FileReport
from nsfwforensics.execution import worker
from nsfwforensics.execution.base import BATCH_FILES, died, too_long

if TYPE_CHECKING:
    from pebble import ProcessFuture, ProcessPool

FILES_PER_WORKER = 1000
"""After so many files a worker is replaced, so that what libraries keep does not add up over a long batch."""


class PoolEngine:
    """Runs the plan in ``jobs`` worker processes.

    Args:
        jobs: Number of worker processes, at least 1.
    """

    name = "pool"

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def run(self, plan: Plan, targets: Iterable[Target]) -> Iterator[FileReport]:
        """See :class:`nsfwforensics.execution.base.Engine`."""
        return finished(plan, self._halves(plan, iter(targets)))

    def _halves(self, plan: Plan, targets: Iterator[Target]) -> Iterator[worker.Half]:
        """Yields what the workers return, in the order of the targets, a bounded number in flight."""
        flight: deque[tuple[Target, ProcessFuture[worker.Half]]] = deque()
        seconds = plan.spec.limits.max_seconds or None
        pool = _pool(plan.spec, self.jobs)
        try:
            while True:
                while len(flight) < 4 * self.jobs and (target := next(targets, None)) is not None:
                    flight.append((target, pool.schedule(worker.work, args=(target,), timeout=seconds)))
                if not flight:
                    return
                yield _outcome(plan, *flight.popleft())
        finally:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()


def finished(plan: Plan, halves: Iterable[worker.Half]) -> Iterator[FileReport]:
    """Finishes drafts on this process's device, several at once, keeping the order."""
    waiting: list[Draft] = []
    for half in halves:
        if isinstance(half, Draft):
            waiting.append(half)
        if len(waiting) >= BATCH_FILES or not isinstance(half, Draft):
            yield from plan.infer(waiting)
            waiting = []
        if not isinstance(half, Draft):
            yield half
    yield from plan.infer(waiting)


def _outcome(plan: Plan, target: Target, future: ProcessFuture[worker.Half]) -> worker.Half:
    """Waits for one file; a worker that died or was stopped makes it a failed one."""
    from pebble import ProcessExpired

    try:
        half: worker.Half = future.result()
        return half
    except TimeoutError:
        reason = too_long(plan.spec.limits.max_seconds)
    except ProcessExpired as error:
        reason = died(error.exitcode)
    return plan.infer([failed_draft(target, reason)])[0]


def _pool(spec: PlanSpec, jobs: int) -> ProcessPool:
    from pebble import ProcessPool

    return ProcessPool(
        jobs,
        max_tasks=FILES_PER_WORKER,
        initializer=worker.start,
        initargs=(spec,),
        context=multiprocessing.get_context("spawn"),
    )
