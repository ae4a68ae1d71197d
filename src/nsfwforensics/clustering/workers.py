"""Looking at many files in worker processes; a file that kills its worker or takes too long costs only itself."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nsfwforensics.clustering.looking import Unseen
from nsfwforensics.threads import one_thread_each

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Limits

T = TypeVar("T")

_IN_FLIGHT = 16  # files handed to each worker ahead of time: they are short
_FILES_PER_WORKER = 4000  # after which it is replaced, so that what libraries keep does not add up


def looked(
    work: Callable[..., T | Unseen], tasks: Iterable[tuple[Any, ...]], jobs: int, limits: Limits
) -> Iterator[T | Unseen]:
    """Calls a function for every task and yields what it returns, in order.

    Args:
        work: Called with each task's values and the limits; a module's function, whose first argument is the path.
        tasks: The values, the path first.
        jobs: Worker processes; 1 stays in this process.
        limits: What a file may ask for, time included.
    """
    if jobs <= 1:
        for task in tasks:
            yield work(*task, limits)
        return
    from pebble import ProcessPool

    waiting = iter(tasks)
    flight: deque[tuple[Path, Any]] = deque()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPool(jobs, max_tasks=_FILES_PER_WORKER, initializer=_start, initargs=(limits,), context=context)
    try:
        while True:
            for task in islice(waiting, _IN_FLIGHT * jobs - len(flight)):
                call = pool.schedule(work, args=(*task, limits), timeout=limits.max_seconds or None)
                flight.append((task[0], call))
            if not flight:
                return
            yield _outcome(*flight.popleft(), limits)
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _outcome(path: Path, call: Any, limits: Limits) -> Any:
    from pebble import ProcessExpired

    from nsfwforensics.execution.base import died, too_long

    try:
        return call.result()
    except TimeoutError:
        return Unseen(path, too_long(limits.max_seconds), failed=True)
    except ProcessExpired as error:
        return Unseen(path, died(error.exitcode), failed=True)
    except MemoryError:
        return Unseen(path, "needs more memory than the limit allows", failed=True)


def _start(limits: Limits) -> None:
    """Readies a worker: one thread per numerical library, no Ctrl-C of its own, a cap on memory."""
    from nsfwforensics.execution.worker import limit_memory

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    one_thread_each()
    limit_memory(limits.max_memory)
