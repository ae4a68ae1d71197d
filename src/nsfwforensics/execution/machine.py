"""How many workers this machine has room for, and memory that a worker gives back."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

WORKER_BYTES = 1_500_000_000
"""What one worker may come to hold, beyond what all share: libraries, weights, a picture of a dozen megapixels.

Of photographs of 0.2 to 1 megapixel it held 0.9 GB at most over 400 files, of such of 12 megapixels 0.8 GB (with a
reference photo, every analyzer); half of this is for other formats, larger pictures and what nobody has measured.
"""

_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")
_HELD = Path("/proc/self/statm")
_UNKNOWN_MEMORY_JOBS = 8

REGULARLY = 25
"""After so many files a worker gives back the memory that it has freed."""

AT_LEAST = 4
"""So many files pass before it does so again."""

# As <malloc.h> numbers them: no array mapped for itself, nothing trimmed below 512 MiB, and 32 MiB asked for at a time.
_KEPT = ((-4, 0), (-1, 1 << 29), (-2, 1 << 25))


def automatic_jobs() -> int:
    """As many workers as there are cores that this process may use and memory for, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = free_memory()
    most = _UNKNOWN_MEMORY_JOBS if memory is None else memory // WORKER_BYTES
    return max(1, min(cores, most))


def free_memory() -> int | None:
    """Bytes that can be had without driving anything out of memory, or None where the system does not say.

    Where the process is in a control group with a limit, as in a container, no more than is left of that.
    """
    try:
        free = next(int(line.split()[1]) * 1024 for line in _MEMORY.read_text().splitlines() if "MemAvailable" in line)
    except (OSError, StopIteration, ValueError):
        return None
    try:
        limit, used = ((_GROUP / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        return free if limit == "max" else max(0, min(free, int(limit) - int(used)))
    except (OSError, ValueError):
        return free


def keep_freed() -> None:
    """Has the GNU C library keep freed memory for the next picture until :func:`give_back`.

    Else it asks the system for each large array and gives it back at once, and every page of each is filled with zeros
    anew: 25 MB a megapixel, 3 % of a scan's processor time, for no less memory at the worst moment. Elsewhere nothing
    is done.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            library = ctypes.CDLL(None)
            for parameter, value in _KEPT:
                library.mallopt(parameter, value)


class Freed:
    """Memory that a worker has freed and the C library keeps, and when it is given back.

    What is kept lies between what is in use, and pictures of other sizes fill other parts of it: over 175 small
    photographs a worker that gave back after every 25 came to hold 280 MiB that nothing used. To give back after every
    few files would take up to a tenth of their time, because every page is filled with zeros anew.
    """

    def __init__(self) -> None:
        self._files = self._last = self._most = 0

    def after_file(self) -> None:
        """To be called after each file: gives back after every 25.

        And sooner, though not within four files, where the process holds more than after any of its first 25.
        """
        self._files += 1
        held = resident_pages() if self._files <= REGULARLY or self._files - self._last >= AT_LEAST else 0
        if self._files <= REGULARLY:
            self._most = max(self._most, held)
        if self._files % REGULARLY == 0 or held > self._most:
            give_back()
            self._last = self._files


def resident_pages() -> int:
    """How much memory this process holds, in pages; 0 where the system does not say."""
    try:
        return int(_HELD.read_text().split()[1])
    except (OSError, ValueError, LookupError):
        return 0


def give_back() -> None:
    """Gives the system what this process has freed: the GNU C library keeps what lies below anything still in use.

    A worker was measured to grow by a tenth over 300 small files, and to shrink to where it began. Elsewhere nothing is
    done.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


__all__ = ["WORKER_BYTES", "Freed", "automatic_jobs", "free_memory", "give_back", "keep_freed"]
