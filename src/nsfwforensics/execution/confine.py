"""What a process may not do, whatever a hostile file, or a library, makes of the code in it.

Everything here can be taken on without a privilege and never be given back by the process that took it on. It is what
the system offers: all of it on Linux, the limits on other POSIX systems but for memory, none of it on Windows.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from nsfwforensics.execution.calls import refuse_calls

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

_NO_CORE = (1, 1)
"""One byte: too short for a core file, and unlike 0 it also keeps the kernel from piping the memory to a collector."""


def confine(max_memory: int, max_file: int | None) -> None:
    """Takes on the limits of a worker process.

    No more memory for data than allowed, no core file (it would hold the picture), no file longer than allowed, no new
    privilege, no connection, no program started, and an end together with the process that started it.

    Args:
        max_memory: Most memory for data, in bytes; 0 for no limit.
        max_file: Longest file that it may write, in bytes; None for no limit.
    """
    limit_memory(max_memory)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, _NO_CORE)
        if max_file is not None:
            _lower(resource.RLIMIT_FSIZE, max_file)
    end_with_parent()
    if ask_kernel(_PR_SET_NO_NEW_PRIVS, 1):
        refuse_calls()


def refuse_connections() -> bool:
    """Has the kernel refuse this process and all that it starts every socket but those of this machine, for good.

    For a command's main process, which starts programs and needs its memory.

    Returns:
        Whether the kernel agreed; False on systems and machines where this is not known.
    """
    return ask_kernel(_PR_SET_NO_NEW_PRIVS, 1) and refuse_calls(connections_only=True)


def limit_memory(most: int) -> None:
    """Caps the memory that this process may take for data from now on, where the system can (not on Windows or macOS).

    What goes beyond it fails in the allocation, which an analyzer survives, or ends the process, which costs one file.

    Args:
        most: In bytes; 0 for no cap.
    """
    if not most or not sys.platform.startswith("linux"):
        return
    import resource

    _lower(resource.RLIMIT_DATA, most)


def end_with_parent() -> None:
    """Has the kernel end this process when the one that started it ends, however that came; Linux only."""
    ask_kernel(_PR_SET_PDEATHSIG, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def ask_kernel(what: int, value: int) -> bool:
    """Calls ``prctl`` and returns whether the kernel agreed; False on systems that have none."""
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.prctl(what, ctypes.c_ulong(value), 0, 0, 0) == 0)


def say_nothing() -> None:
    """Sends what this process prints to nowhere, and gives it nothing to read.

    What a decoder prints about a file may hold text out of that file, and the console is no place for it; on standard
    output it would stand in the middle of a report. Programs that look for a terminal find none.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.close(nowhere)


def _lower(what: int, most: int) -> None:
    """Lowers a limit of the system, for good; a limit that is lower already stays."""
    import resource

    _, hard = resource.getrlimit(what)
    capped = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (capped, capped))
