"""What every engine promises: the same plan, the same findings, in the order the files were found."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from nsfwforensics.core.discover import Target
from nsfwforensics.core.messages import say
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

    def ready(self) -> bool:
        """Whether the next report of the run is there already, so that nobody waits for it."""
        ...


class DiedError(Exception):
    """A worker process ended without an answer.

    Args:
        code: Its exit code, negative for a signal; None where it is not known.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(died(code))
        self.code = code


class BrokeError(Exception):
    """A worker process could not do what it was asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What there is instead of an answer where a worker died, took too long or could not go on.

    Attributes:
        reason: Why, for the report.
    """

    reason: str


OUT_OF_MEMORY = say("examining it takes more memory than the limit allows (--max-memory)")


def too_long(seconds: float) -> str:
    """Why a file failed that took longer than the limit.

    Args:
        seconds: The limit.
    """
    return say(
        "examining it took longer than the limit of {seconds:g} seconds (--max-seconds); "
        "the file may be built to keep a decoder busy, or the limit is short for this machine",
        seconds=seconds,
    )


def died(code: int | None) -> str:
    """Why a file failed whose worker died.

    Args:
        code: The worker's exit code, negative for a signal; None where it is not known.
    """
    if code is not None and -code in set(signal.Signals):
        return say(
            "the worker process that examined it died ({signal}); "
            "the file may be built to crash a decoder or fill the memory",
            signal=signal.Signals(-code).name,
        )
    return say("the worker process that examined it died; the file may be built to crash a decoder or fill the memory")
