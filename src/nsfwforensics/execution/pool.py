"""Several processes, each with its own plan.

On a CPU the workers do everything. Beside another device they only open files and prepare, and this process feeds the
device with the prepared samples of several files at once. A file whose worker dies is tried once more alone, and is
reported as failed if that worker dies too; the rest of the batch goes on.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from nsfwforensics.core.discover import Target
from nsfwforensics.core.plan import Draft, Plan, PlanSpec, failed_draft
from nsfwforensics.core.types import FileReport
from nsfwforensics.execution.base import BATCH_FILES
from nsfwforensics.threads import one_thread_each

_Half = Draft | FileReport

_DIED = "the worker process that examined it died; the file may be built to crash a decoder"


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
        waiting: list[Draft] = []
        for half in self._halves(plan, iter(targets)):
            if isinstance(half, Draft):
                waiting.append(half)
            if len(waiting) >= BATCH_FILES or not isinstance(half, Draft):
                yield from plan.infer(waiting)
                waiting = []
            if not isinstance(half, Draft):
                yield half
        yield from plan.infer(waiting)

    def _halves(self, plan: Plan, targets: Iterator[Target]) -> Iterator[_Half]:
        """Yields what the workers return, in the order of the targets, a bounded number in flight."""
        flight: deque[tuple[Target, Future[_Half]]] = deque()
        pool = _pool(plan.spec, self.jobs)
        try:
            while True:
                while len(flight) < 4 * self.jobs and (target := next(targets, None)) is not None:
                    flight.append((target, pool.submit(_work, target)))
                if not flight:
                    return
                target, future = flight[0]
                try:
                    half = future.result()
                except BrokenProcessPool:
                    pool.shutdown(wait=True)
                    suspects = [target for target, _ in flight]
                    flight.clear()
                    yield from _alone(plan, suspects)
                    pool = _pool(plan.spec, self.jobs)
                    continue
                flight.popleft()
                yield half
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _alone(plan: Plan, suspects: Iterable[Target]) -> Iterator[_Half]:
    """Examines files one by one in a pool of one, so that the one that kills its worker is known."""
    pool = _pool(plan.spec, 1)
    try:
        for target in suspects:
            try:
                yield pool.submit(_work, target).result()
            except BrokenProcessPool:
                pool.shutdown(wait=True)
                pool = _pool(plan.spec, 1)
                yield failed_draft(target, _DIED)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pool(spec: PlanSpec, jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(spec,),
    )


_plan: Plan | None = None
"""The worker's own plan; set once when the process starts."""


def _start_worker(spec: PlanSpec) -> None:
    """Readies a worker: one thread per numerical library (the processes are the parallelism), no Ctrl-C of its own."""
    global _plan
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    one_thread_each()
    _plan = Plan(spec)


def _work(target: Target) -> _Half:
    if _plan is None:
        raise RuntimeError("the worker was not started")
    draft = _plan.examine_file(target)
    if _plan.spec.resources.device == "cpu":
        return _plan.infer([draft])[0]
    return draft
