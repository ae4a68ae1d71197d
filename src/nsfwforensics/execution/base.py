"""What every engine promises: the same plan, the same findings, in the order the files were found."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from typing import Protocol

from nsfwforensics.core.discover import Target
from nsfwforensics.core.plan import Plan
from nsfwforensics.core.types import FileReport

BATCH_FILES = 8
"""How many files wait for the device stage together, at most."""


class Engine(Protocol):
    """Runs a plan over files.

    Attributes:
        name: What the report's header calls it.
    """

    name: str

    def run(self, plan: Plan, targets: Iterable[Target]) -> Iterator[FileReport]:
        """Examines every target and yields one report each, in the order of the targets."""
        ...


def too_long(seconds: float) -> str:
    """Why a file failed that took longer than the limit.

    Args:
        seconds: The limit.
    """
    return (
        f"examining it took longer than the limit of {seconds:g} seconds (--max-seconds); "
        "the file may be built to keep a decoder busy"
    )


def died(code: int | None) -> str:
    """Why a file failed whose worker died.

    Args:
        code: The worker's exit code, negative for a signal; None where it is not known.
    """
    how = f" ({signal.Signals(-code).name})" if code is not None and -code in set(signal.Signals) else ""
    return f"the worker process that examined it died{how}; the file may be built to crash a decoder or fill the memory"
