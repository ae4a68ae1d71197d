"""Calling a function in a worker process of its own."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from nsfwforensics import errors
from nsfwforensics.execution.answers import Reply, answered, listening, taken
from nsfwforensics.execution.base import BrokeError, DiedError, Lost
from nsfwforensics.execution.server import context, ignore_interrupts, without_interrupts

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection


def call_apart(call: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function in a process of its own and waits for it.

    Args:
        call: A module's function; both it and what it returns or raises must be picklable.
        arguments: Its arguments.

    Raises:
        ForensicsError: The function raised it.
        BrokeError: The function raised anything else.
        DiedError: The process ended without an answer.
    """
    readable, writable = multiprocessing.Pipe(duplex=False)
    with readable:
        with writable, without_interrupts():
            process = context().Process(target=_answer, args=(writable, listening(), call, arguments))
            process.start()
        try:
            wait([readable, process.sentinel])
            answer: Reply | None = readable.recv() if readable.poll() else None
        except EOFError:
            answer = None
        except KeyboardInterrupt:
            process.kill()
            raise
        finally:
            process.join()
    if answer is None:
        raise DiedError(process.exitcode)
    value = taken(answer)
    if not isinstance(value, Lost):
        return value
    raise getattr(errors, answer.kind)(value.reason) if answer.kind else BrokeError(value.reason)


def _answer(channel: Connection, wanted: bool, call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """In the process: calls, and sends back what came of it."""
    ignore_interrupts()
    answer = answered(wanted, call, *arguments)
    with suppress(BrokenPipeError):  # nobody waits any more: the command was interrupted
        channel.send(answer)
