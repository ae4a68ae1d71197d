"""Looking at many files in worker processes; a file that kills its worker or takes too long costs only itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nsfwforensics.clustering.fingerprint import Unread
from nsfwforensics.core.evidence import Limits
from nsfwforensics.core.failure import reason_of
from nsfwforensics.execution.base import Lost
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
        self, what: str, work: Callable[..., T | Unread], tasks: Sequence[tuple[Any, ...]]
    ) -> Iterator[T | Unread]:
        """Calls a function for every task and yields what it returns, in order.

        Args:
            what: Is done, in a word or two, for the progress.
            work: Called with each task's values and the limits; a module's function, whose first argument is the path.
            tasks: The values, the path first.
        """
        for done, one in enumerate(self._each(work, tasks), 1):
            yield one
            self.progress(what, done, len(tasks))

    def _each(self, work: Callable[..., T | Unread], tasks: Sequence[tuple[Any, ...]]) -> Iterator[T | Unread]:
        called = ((*task, self.limits) for task in tasks)
        if not self.isolate:
            for task in called:
                try:
                    yield work(*task)
                except Exception as error:  # noqa: BLE001 - one file never costs another
                    _log.debug("looking at %s failed", task[0], exc_info=True)
                    yield Unread(task[0], reason_of(error), failed=True)
            return
        arguments = (here(), self.limits)
        jobs, seconds = self.jobs_for(len(tasks)), self.limits.max_seconds
        staff = Staff(jobs, seconds, start_plain, arguments, _IN_FLIGHT, _FILES_PER_WORKER)
        for task, seen in isolated(work, called, staff):
            yield Unread(task[0], seen.reason, failed=True) if isinstance(seen, Lost) else seen
