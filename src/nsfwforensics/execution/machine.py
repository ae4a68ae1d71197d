"""How many workers this machine has room for, and how they ask for memory."""

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
_UNKNOWN_MEMORY_JOBS = 8

# As <malloc.h> numbers them: arrays of 8 MiB and more mapped for themselves, nothing trimmed below 512 MiB, and 32 MiB
# asked for at a time.
_KEPT = ((-3, 1 << 23), (-1, 1 << 29), (-2, 1 << 25))

_HUGE_PAGES = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")


def ask_for_huge_pages() -> None:
    """Has programs that are started from now on ask Linux for memory in pages of 2 MiB, unless the user tunes that.

    The GNU C library reads it where a program begins, from version 2.35 on; others, and other systems, pass it over. A
    picture of five megapixels is otherwise some 5,000 pages for each of its arrays, whose places the processor looks up
    again and again: on a busy machine a photograph took a tenth to a fifth less of its time with huge ones, on an idle
    one hardly less (``benchmarks/RESULTS.md``).
    """
    os.environ.setdefault(*_HUGE_PAGES)


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
    """Has the GNU C library keep freed memory for the next picture, until it is given back, but for the largest arrays.

    Else it asks the system for each array and gives it back at once, and every page of each is filled with zeros anew,
    which took 3 % of a scan's processor time. The largest, of all the sizes that pictures have, would leave gaps that
    nothing fits into: they come in huge pages, of which there are few. Elsewhere nothing is done.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            library = ctypes.CDLL(None)
            for parameter, value in _KEPT:
                library.mallopt(parameter, value)


__all__ = [
    "WORKER_BYTES",
    "ask_for_huge_pages",
    "automatic_jobs",
    "free_memory",
    "keep_freed",
]
