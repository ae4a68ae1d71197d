"""Where a run keeps what it finds, beside its report: nowhere, as long as no case is named (:mod:`.case_sink`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nsfwforensics.core.discover import Target, discover
from nsfwforensics.core.types import FileReport, Header

if TYPE_CHECKING:
    from nsfwforensics.store.scanning import Examine, Ready


class Headed(Protocol):
    """Makes a run's header, as it stands at that moment."""

    def __call__(self, *, finished: bool = False, interrupted: bool = False) -> Header:
        """Says whether the run is over, and whether it was broken off."""


class Sink:
    """Keeps nothing.

    Attributes:
        already_done: How many files were not examined because it had them already.
        gone: How many files that it knows are no longer at their place, where all that it knows are examined.
    """

    already_done = 0
    gone = 0

    def make(self, operator: str | None) -> None:
        """Makes itself where it is not there yet, before anything is examined."""

    def targets(self, paths: Sequence[Path], *, follow: bool) -> Iterator[Target]:
        """What is to be examined, found anew at each call; nothing is opened.

        Args:
            paths: Files and folders.
            follow: Whether symbolic links are followed.
        """
        return discover(paths, follow_symlinks=follow)

    def first(
        self, examine: Examine, targets: Callable[[], Iterator[Target]], header: Headed, ready: Ready
    ) -> Iterator[FileReport]:
        """Yields what a first look finds in every target of which it has no report, and keeps it."""
        del header, ready
        return examine(targets())

    def reports(
        self, examine: Examine, targets: Callable[[], Iterator[Target]], header: Headed, ready: Ready
    ) -> Iterator[FileReport]:
        """Yields a report of every target, and keeps it."""
        del header, ready
        return examine(targets())
