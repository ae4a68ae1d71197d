"""Calling a function for many files in worker processes, where a file costs nobody but itself.

Results come in the order of the tasks, a bounded number in flight. A worker that dies, or is stopped because a task
takes too long, loses that task alone and is replaced. Where the pool itself breaks, because a worker ended between two
tasks or holds on to a lock that it will never give back, a new pool goes on with what was not done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from nsfwforensics.errors import ForensicsError
from nsfwforensics.execution.base import OUT_OF_MEMORY, Lost, died, too_long
from nsfwforensics.execution.processes import context, without_interrupts

if TYPE_CHECKING:
    from pebble import ProcessFuture, ProcessPool

T = TypeVar("T")

GRACE_SECONDS = 60.0
"""So much longer than its limit a task may seem to take, while its worker is started or stopped."""

MOST_BREAKS = 3
"""So often in a row a pool may break without having done a task."""


_STUCK = Lost("")  # a worker does not answer, and its pool does not notice


@dataclass(frozen=True, slots=True)
class Staff:
    """How the workers are to be.

    Attributes:
        jobs: How many there are.
        seconds: Longest time for one task; 0 for no limit.
        start: Called once in each worker.
        arguments: What it is called with.
        ahead: How many tasks are sent to each before the first is done.
        tasks: After so many a worker is replaced, so that what libraries keep does not add up.
    """

    jobs: int
    seconds: float
    start: Callable[..., None]
    arguments: tuple[Any, ...]
    ahead: int = 4
    tasks: int = 1000


@dataclass(slots=True)
class _Sent(Generic[T]):
    task: tuple[Any, ...]
    future: ProcessFuture[T] | None = None

    def is_done(self) -> bool:
        return self.future is not None and self.future.done() and self.future.exception() is None


def apart(
    call: Callable[..., T], tasks: Iterable[tuple[Any, ...]], staff: Staff
) -> Iterator[tuple[tuple[Any, ...], T | Lost]]:
    """Calls a function for every task in worker processes.

    Args:
        call: A module's function; what it returns must be picklable.
        tasks: Its arguments, picklable.
        staff: How the workers are to be.

    Yields:
        Every task, in order, with what the function returned for it, or why there is nothing.

    Raises:
        ForensicsError: Workers cannot be started, or end again and again without having done anything.
    """
    waiting = iter(tasks)
    flight: deque[_Sent[T]] = deque()
    pool: ProcessPool | None = None
    breaks = 0
    try:
        while True:
            while len(flight) < staff.ahead * staff.jobs and (task := next(waiting, None)) is not None:
                flight.append(_Sent(task))
            if not flight:
                return
            pool = pool or _hired(staff)
            outcome = _outcome(flight[0], staff.seconds) if _sent(pool, call, flight, staff) else None
            if outcome is None or outcome is _STUCK:
                _dismissed(pool)
                pool = None
                for sent in flight:
                    sent.future = sent.future if sent.is_done() else None
            if outcome is None:
                breaks += 1
                if breaks > MOST_BREAKS:
                    raise ForensicsError(
                        "worker processes end before they have done anything; is there enough memory? "
                        "(--max-memory limits them, --no-isolate does without them)"
                    )
                continue
            breaks = 0
            done = flight.popleft().task
            if outcome is _STUCK:
                yield done, Lost(too_long(staff.seconds))
            else:
                yield done, outcome[0] if isinstance(outcome, tuple) else outcome
    finally:
        if pool is not None:
            _dismissed(pool)


def _sent(pool: ProcessPool, call: Callable[..., T], flight: Iterable[_Sent[T]], staff: Staff) -> bool:
    """Sends what was not sent yet; False where the pool is broken."""
    try:
        for sent in flight:
            if sent.future is None:
                sent.future = pool.schedule(call, args=sent.task, timeout=staff.seconds or None)
    except RuntimeError:
        return False
    return True


def _outcome(sent: _Sent[T], seconds: float) -> tuple[T] | Lost | None:
    """Waits for the answer to a task; None where the pool broke and it was not the task's fault.

    This is the boundary of the workers: whatever a file made the code raise there becomes the reason why it has no
    answer.
    """
    from concurrent.futures.process import BrokenProcessPool

    from pebble import ProcessExpired

    assert sent.future is not None  # noqa: S101 - it was just sent
    try:
        return (sent.future.result(seconds + GRACE_SECONDS if seconds else None),)
    except TimeoutError:
        return Lost(too_long(seconds)) if sent.future.done() else _STUCK
    except ProcessExpired as error:
        return Lost(died(error.exitcode))
    except BrokenProcessPool:
        return None
    except MemoryError:
        return Lost(OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001
        return Lost(f"{type(error).__name__}: {error}")


def _hired(staff: Staff) -> ProcessPool:
    from pebble import ProcessPool

    pool = ProcessPool(
        staff.jobs, max_tasks=staff.tasks, initializer=staff.start, initargs=staff.arguments, context=context()
    )
    with without_interrupts():
        pool.active  # noqa: B018 - asking starts the workers, and the threads that replace them
    return pool


def _dismissed(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()
