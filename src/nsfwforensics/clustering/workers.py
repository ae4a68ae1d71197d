"""Looking at many files in worker processes; a file that kills its worker or takes too long costs only itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nsfwforensics.clustering.fingerprint import Unread
from nsfwforensics.core.evidence import Limits
from nsfwforensics.core.failure import reason_of
from nsfwforensics.execution.base import OUT_OF_MEMORY, Lost
from nsfwforensics.execution.isolation import Staff, isolated
from nsfwforensics.execution.machine import automatic_jobs
from nsfwforensics.execution.prepare import here
from nsfwforensics.execution.worker import start_plain

T = TypeVar("T")

_log = logging.getLogger(__name__)

_IN_FLIGHT = 16  # files handed to each worker ahead of time: they are short
_FILES_PER_WORKER = 4000  # after which it is replaced, so that what libraries keep does not add up

POOL_FROM_FILES = 24
"""With ``jobs=0`` fewer files than this are looked at by one worker: starting more costs time."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many files of how many are done."""


@dataclass(frozen=True, slots=True)
class Looking:
    """How the files of a run are looked at.

    Attributes:
        limits: What a file may ask for, time included.
        jobs: Worker processes; 0 chooses by files, cores and memory.
        isolate: Whether files are read in confined worker processes, a single one too; otherwise in this one.
        progress: Is told how far it is.
    """

    limits: Limits = field(default_factory=Limits)
    jobs: int = 0
    isolate: bool = True
    progress: Progress = lambda what, done, total: None

    def jobs_for(self, files: int) -> int:
        """How many worker processes so many files are worth."""
        return self.jobs or (automatic_jobs() if files >= POOL_FROM_FILES else 1)

    def each(
        self, what: str, work: Callable[..., T | Unread], tasks: Sequence[tuple[Any, ...]], together: int = 1
    ) -> Iterator[T | Unread]:
        """Calls a function for every task and yields what it returns, in order.

        Args:
            what: Is done, in a word or two, for the progress.
            work: Called with each task's values and the limits; a module's function, whose first argument is the path.
            tasks: The values, the path first.
            together: How many short tasks are sent at a time: sending one takes half a millisecond. Where that ends a
                worker, or takes too long, each of them is tried again alone.
        """
        for done, one in enumerate(self._each(work, tasks, together), 1):
            yield one
            self.progress(what, done, len(tasks))

    def answers(
        self, work: Callable[..., T], tasks: Iterable[tuple[Any, ...] | None], jobs: int, together: int = 1
    ) -> Iterator[tuple[tuple[Any, ...], T | Lost]]:
        """Calls a function for tasks as they come, in worker processes, and yields each with what it returned.

        Args:
            work: A module's function.
            tasks: Its arguments; None where there is no further task until an answer is in.
            jobs: How many worker processes.
            together: For how many files a task stands: after so and so many a worker is replaced.
        """
        staff = Staff(
            jobs, self.limits.max_seconds, start_plain, (here(), self.limits), _IN_FLIGHT, _FILES_PER_WORKER // together
        )
        return isolated(work, tasks, staff)

    def _each(
        self, work: Callable[..., T | Unread], tasks: Sequence[tuple[Any, ...]], together: int
    ) -> Iterator[T | Unread]:
        if not self.isolate:
            for task in tasks:
                yield from several(work, [task], self.limits)
            return
        jobs = self.jobs_for(len(tasks))
        parts = ((work, tasks[begin : begin + together], self.limits) for begin in range(0, len(tasks), together))
        for (_, part, _), seen in self.answers(several, parts, jobs, together):
            if not isinstance(seen, Lost):
                yield from seen
            elif len(part) == 1:
                yield Unread(part[0][0], seen.reason, failed=True)
            else:
                yield from self._each(work, part, 1)


def several(work: Callable[..., T | Unread], tasks: Sequence[tuple[Any, ...]], limits: Limits) -> list[T | Unread]:
    """Calls a function for each of some tasks; whatever it raises costs that task alone.

    Args:
        work: Called with each task's values and the limits.
        tasks: The values, the path first.
        limits: What a file may ask for.
    """
    found: list[T | Unread] = []
    for task in tasks:
        try:
            found.append(work(*task, limits))
        except MemoryError:
            if len(tasks) > 1:
                raise  # the others must not suffer from it: each is tried again alone
            found.append(Unread(task[0], OUT_OF_MEMORY, failed=True))
        except Exception as error:  # noqa: BLE001 - one file never costs another
            _log.debug("looking at %s failed", task[0], exc_info=True)
            found.append(Unread(task[0], reason_of(error), failed=True))
    return found
