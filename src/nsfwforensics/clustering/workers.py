"""Looking at many files in worker processes; a file that kills its worker or takes too long costs only itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from nsfwforensics.clustering.fingerprint import Unread
from nsfwforensics.core.failure import reason_of
from nsfwforensics.execution.base import Lost
from nsfwforensics.execution.isolation import Staff, isolated
from nsfwforensics.execution.prepare import here
from nsfwforensics.execution.worker import start_plain

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Limits

T = TypeVar("T")

_log = logging.getLogger(__name__)

_IN_FLIGHT = 16  # files handed to each worker ahead of time: they are short
_FILES_PER_WORKER = 4000  # after which it is replaced, so that what libraries keep does not add up


def looked(
    work: Callable[..., T | Unread], tasks: Iterable[tuple[Any, ...]], jobs: int, limits: Limits, *, isolate: bool
) -> Iterator[T | Unread]:
    """Calls a function for every task and yields what it returns, in order.

    Args:
        work: Called with each task's values and the limits; a module's function, whose first argument is the path.
        tasks: The values, the path first.
        jobs: Worker processes.
        limits: What a file may ask for, time included.
        isolate: False to stay in this process, without workers and their limits.
    """
    called = ((*task, limits) for task in tasks)
    if not isolate:
        for task in called:
            try:
                yield work(*task)
            except Exception as error:  # noqa: BLE001 - one file never costs another
                _log.debug("looking at %s failed", task[0], exc_info=True)
                yield Unread(task[0], reason_of(error), failed=True)
        return
    staff = Staff(jobs, limits.max_seconds, start_plain, (here(), limits), _IN_FLIGHT, _FILES_PER_WORKER)
    for task, seen in isolated(work, called, staff):
        yield Unread(task[0], seen.reason, failed=True) if isinstance(seen, Lost) else seen
