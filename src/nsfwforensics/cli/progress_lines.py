"""How far a batch has come where nobody sees a bar: a plain line on standard error every half a minute."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nsfwforensics.report.words.text import count, duration

EVERY = 30.0
"""Seconds between two lines."""


class Progress:
    """Counts files, and says how far they have come.

    Args:
        total: How many there are.
        clock: Seconds that only go up.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._started = clock()
        self._done = 0
        self._failed = 0

    def __call__(self, *, failed: bool) -> None:
        """Counts one file in."""
        self._done += 1
        self._failed += failed

    def line(self) -> str:
        """How many files are done, how fast, how many failed, and how long the rest will take at that rate."""
        took = self._clock() - self._started
        said = f"examined {self._done:,} of {count(self._total, 'file')} in {duration(took)}"
        if self._failed:
            said += f", {self._failed:,} failed"
        if self._done and took > 0:
            left = duration((self._total - self._done) * took / self._done)
            said += f"; {self._done / took:.1f} files/s, about {left} left"
        return said


@contextmanager
def lines(total: int, every: float = EVERY) -> Iterator[Progress]:
    """Says how far a batch has come, from time to time.

    Args:
        total: How many files there are.
        every: Seconds between two lines.

    Yields:
        To be called after each file.
    """
    progress, over = Progress(total), threading.Event()

    def tell() -> None:
        while not over.wait(every):
            print(progress.line(), file=sys.stderr, flush=True)

    teller = threading.Thread(target=tell, name="progress", daemon=True)
    teller.start()
    try:
        yield progress
    finally:
        over.set()
        teller.join()
