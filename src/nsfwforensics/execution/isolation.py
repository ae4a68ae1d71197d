"""Calling a function for many files in worker processes, where a file costs nobody but itself.

Results come in the order of the tasks, a bounded number in flight. A worker that dies, or is stopped because a task
takes too long, loses that task alone and is replaced. Where the pool itself breaks, because a worker ended between two
tasks or holds on to a lock that it will never give back, a new pool goes on with what was not done.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from nsfwforensics.core.failure import reason_of
from nsfwforensics.errors import ForensicsError
from nsfwforensics.execution.answers import Reply, answered, listening, taken
from nsfwforensics.execution.base import Lost, died, too_long
from nsfwforensics.execution.server import context, without_interrupts

if TYPE_CHECKING:
    from pebble import ProcessFuture, ProcessPool

T = TypeVar("T")

_log = logging.getLogger(__name__)

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
        tasks: After so many a worker is replaced, so that what libraries keep, and gaps between it, do not add up.
    """

    jobs: int
    seconds: float
    start: Callable[..., None]
    arguments: tuple[Any, ...]
    ahead: int = 4
    tasks: int = 250


@dataclass(slots=True)
class Sent:
    """A task on its way, and the promise of its answer once a pool has it."""

    task: tuple[Any, ...]
    future: ProcessFuture[Reply] | None = None

    def is_done(self) -> bool:
        """Whether the answer is there."""
        return self.future is not None and self.future.done() and self.future.exception() is None


class Workers:
    """Worker processes that are started for the first task, and stay until they are dismissed.

    Args:
        staff: How they are to be.
    """

    def __init__(self, staff: Staff) -> None:
        self._staff = staff
        self._pool: ProcessPool | None = None

    def answers(
        self, call: Callable[..., T], tasks: Iterable[tuple[Any, ...] | None], flight: deque[Sent] | None = None
    ) -> Iterator[tuple[tuple[Any, ...], T | Lost]]:
        """Calls a function for every task.

        Args:
            call: A module's function; what it returns must be picklable.
            tasks: Its arguments, picklable; None where there is no further task until an answer was taken.
            flight: Where the tasks stand that were sent and not answered for, in order; for looking on.

        Yields:
            Every task, in order, with what the function returned for it, or why there is nothing.

        Raises:
            ForensicsError: Workers cannot be started, or end again and again without having done anything.
        """
        staff, waiting = self._staff, iter(tasks)
        flight = deque() if flight is None else flight
        breaks = 0
        while True:
            while len(flight) < staff.ahead * staff.jobs and (task := next(waiting, None)) is not None:
                flight.append(Sent(task))
            if not flight:
                return
            self._pool = self._pool or _hired(staff)
            outcome = _outcome(flight[0], staff.seconds) if _sent(self._pool, call, flight, staff) else None
            if outcome is None or outcome is _STUCK:
                self.dismiss()
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
            outcome = Lost(too_long(staff.seconds)) if outcome is _STUCK else outcome
            if isinstance(outcome, Lost):
                _log.debug("no answer about %s: %s", done[0], outcome.reason)
            yield done, outcome[0] if isinstance(outcome, tuple) else outcome

    def dismiss(self) -> None:
        """Ends them, whatever they are at."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()


def isolated(
    call: Callable[..., T], tasks: Iterable[tuple[Any, ...] | None], staff: Staff
) -> Iterator[tuple[tuple[Any, ...], T | Lost]]:
    """As :meth:`Workers.answers`, by workers that are dismissed at the end."""
    workers = Workers(staff)
    try:
        yield from workers.answers(call, tasks)
    finally:
        workers.dismiss()


def _sent(pool: ProcessPool, call: Callable[..., Any], flight: Iterable[Sent], staff: Staff) -> bool:
    """Sends what was not sent yet; False where the pool is broken."""
    wanted = listening()
    try:
        for sent in flight:
            if sent.future is None:
                arguments = (wanted, call, *sent.task)
                sent.future = pool.schedule(answered, args=arguments, timeout=staff.seconds or None)
    except RuntimeError:
        return False
    return True


def _outcome(sent: Sent, seconds: float) -> tuple[Any] | Lost | None:
    """Waits for the answer to a task; None where the pool broke and it was not the task's fault."""
    from concurrent.futures.process import BrokenProcessPool

    from pebble import ProcessExpired

    assert sent.future is not None  # noqa: S101 - it was just sent
    try:
        value = taken(sent.future.result(seconds + GRACE_SECONDS if seconds else None))
        return value if isinstance(value, Lost) else (value,)
    except TimeoutError:
        return Lost(too_long(seconds)) if sent.future.done() else _STUCK
    except ProcessExpired as error:
        return Lost(died(error.exitcode))
    except BrokenProcessPool:
        return None
    except Exception as error:  # noqa: BLE001 - the pool's own, such as arguments that cannot be sent
        _log.debug("a worker gave no answer", exc_info=True)
        return Lost(reason_of(error))


def _hired(staff: Staff) -> ProcessPool:
    from pebble import ProcessPool

    try:
        pool = ProcessPool(
            staff.jobs, max_tasks=staff.tasks, initializer=staff.start, initargs=staff.arguments, context=context()
        )
        with without_interrupts():
            pool.active  # noqa: B018 - asking starts the workers, and the threads that replace them
    except (OSError, RuntimeError, ImportError) as error:
        raise ForensicsError(
            f"worker processes cannot be started: {reason_of(error.__cause__ or error)}; they need semaphores, on "
            "Linux a /dev/shm that can be written (--no-isolate does without them)"
        ) from error
    return pool
