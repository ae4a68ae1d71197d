"""Several processes, each with its own plan.

On a CPU the workers do everything. Beside another device they only open files and prepare, and this process feeds the
device with the prepared samples of several files at once. A file that kills its worker, or takes longer than the limit,
is reported as failed; its worker is replaced and the rest of the batch goes on.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterable, Iterator

from nsfwforensics.core.discover import Look, Target
from nsfwforensics.core.draft import Draft
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import FileReport
from nsfwforensics.execution import worker
from nsfwforensics.execution.base import BATCH_FILES, Lost
from nsfwforensics.execution.isolation import Sent, Staff, Workers
from nsfwforensics.execution.prepare import here


class PoolEngine:
    """Runs the plan in ``jobs`` confined worker processes.

    Args:
        jobs: Number of worker processes, at least 1.
    """

    name = "pool"

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._flight: deque[Sent] = deque()
        self._staying: tuple[PlanSpec, Workers] | None = None

    def run(self, plan: Plan, targets: Iterable[Target]) -> Iterator[FileReport]:
        """See :class:`nsfwforensics.execution.base.Engine`."""
        return finished(plan, self._halves(plan, targets))

    def ready(self) -> bool:
        """Whether a worker has answered for the next file."""
        return bool(self._flight) and self._flight[0].is_done()

    def _halves(self, plan: Plan, targets: Iterable[Target]) -> Iterator[worker.Half]:
        """Yields what the workers return, in the order of the targets; one that they lost is a failed one.

        After a first look they stay: what they have loaded serves the second.
        """
        staff = Staff(self.jobs, plan.spec.limits.max_seconds, worker.start_apart, (plan.spec, here()))
        staying, self._staying = self._staying, None
        workers = staying[1] if staying is not None and staying[0] is plan.spec else Workers(staff)
        end = weakref.finalize(self, workers.dismiss)
        self._flight.clear()
        look = None
        try:
            for (target,), half in workers.answers(worker.work, ((target,) for target in targets), self._flight):
                look = target.look
                if isinstance(half, Lost):
                    yield plan.infer([plan.unread(target, half.reason)])[0]
                else:
                    yield half
            if look is Look.FIRST:
                self._staying = plan.spec, workers
        finally:
            if self._staying is None:
                end()


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
