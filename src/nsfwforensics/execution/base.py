"""What every engine promises: the same plan, the same findings, in the order the files were found."""

from __future__ import annotations

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
