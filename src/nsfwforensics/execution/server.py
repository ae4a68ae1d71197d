"""The server that worker processes are forked from, and how they are started safely from Ctrl-C.

On Linux workers are forked from a server process that has loaded the libraries and nothing else, never from the main
process: a worker that a file has killed is replaced in milliseconds, and the libraries are in memory once. Elsewhere
each worker is started anew, because the system's own libraries there do not survive a fork.

Loads next to nothing, so that a command can have the server started before it has loaded anything itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import resource_tracker, util
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nsfwforensics.execution.machine import ask_for_huge_pages
from nsfwforensics.seclusion import elsewhere

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

EVERY_WORKER = (
    "nsfwforensics.execution.worker",
    "PIL.Image",
    "PIL.ImageOps",
    "PIL.JpegImagePlugin",
    "numpy",
    "pebble.pool.process",
)
"""Modules that every worker needs."""

LONGEST_SOCKET_FOLDER = 75
"""With a longer path for temporary files the server's socket could not be named (the system allows some 100 bytes)."""


def context() -> SpawnContext | ForkServerContext:
    """How worker processes are started on this system."""
    if sys.platform == "linux" and len(tempfile.gettempdir()) <= LONGEST_SOCKET_FOLDER:
        return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def warm_up(modules: Iterable[str], *, branch: bool = False) -> None:
    """Has the server start and load modules while this process goes on with something else.

    Only the first call of a process chooses; a server that runs is left as it is.

    Args:
        modules: Names; one that cannot be imported is passed over.
        branch: Whether the server branches off this process, with what that has loaded, in place of being started anew:
            for a process that has loaded libraries and nothing else. Not where there is more than one thread.
    """
    if context().get_start_method() != "forkserver":
        return
    from multiprocessing import forkserver

    first, last = "nsfwforensics.execution.preload", "nsfwforensics.execution.preloaded"
    forkserver.set_forkserver_preload([first, *modules, last])
    with _branching() if branch and _has_one_thread() else nullcontext(), without_interrupts(), elsewhere():
        ask_for_huge_pages()
        forkserver.ensure_running()


def _has_one_thread() -> bool:
    return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - libraries' threads too


@contextmanager
def _branching() -> Iterator[None]:
    """Has multiprocessing fork this process where it would start a new interpreter."""
    start = util.spawnv_passfds
    util.spawnv_passfds = _branch  # type: ignore[assignment]  # its three arguments have other names
    try:
        yield
    finally:
        util.spawnv_passfds = start


def _branch(path: object, arguments: Sequence[Any], descriptors: Iterable[int]) -> int:
    """Does in a fork what ``python -c`` was to do, and returns the fork's number; in place of ``spawnv_passfds``."""
    del path
    if (process := os.fork()) != 0:
        return process
    try:
        for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
            if number not in {0, 1, 2, *descriptors}:
                with suppress(OSError):  # what the list itself was read from
                    os.close(number)  # such as the lock on the scratch folder
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        exec(arguments[-1], {"__name__": "__main__"})  # noqa: S102 # nosec B102 - multiprocessing's own code
    finally:
        os._exit(0)


def _held() -> set[signal.Signals]:
    """What asks for an orderly end: Ctrl-C, a polite kill, a closed terminal."""
    return {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Holds Ctrl-C, and what ends a run as it does, back while processes or the threads that replace them are started.

    A terminal sends it to every process of the group. A worker inherits that it is held back, and lets it through only
    once it ignores it; otherwise one that is still starting would die of it and take the run's orderly end along.
    """
    if not hasattr(signal, "pthread_sigmask"):
        with _without_main():
            yield
        return
    resource_tracker.ensure_running()  # while it starts, it lets the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _held())
    try:
        with _without_main():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _without_main() -> Iterator[None]:
    """Keeps a new process from importing the caller's script, which would start over in each without a guard."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def ignore_interrupts() -> None:
    """In a worker: Ctrl-C is the main process's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _held())
