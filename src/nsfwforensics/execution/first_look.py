"""What the quick analyzers found in every file, kept until the others have looked too, and the order that it gives."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nsfwforensics.core import triage
from nsfwforensics.core.discover import Look, Target
from nsfwforensics.core.types import FileReport
from nsfwforensics.core.written import pickled_alone
from nsfwforensics.seclusion import scratch


@dataclass(frozen=True, slots=True)
class Kept:
    """A report on its way to whoever looks next; not read on the way.

    Attributes:
        pickled: By :class:`FirstLook`.
    """

    pickled: bytes = field(repr=False)

    def __reduce__(self) -> tuple[type[Kept], tuple[bytes]]:
        return Kept, (self.pickled,)

    def __call__(self) -> FileReport:
        """The report."""
        file: FileReport = pickle.loads(self.pickled)  # noqa: S301 # nosec B301 - made by the process that asks
        return file


class FirstLook:
    """Reports by path, in a private file: a large folder's must not fill the memory."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, int, int, triage.TriageRank, int]] = {}
        self._file: IO[bytes] | None = None
        self._end = 0

    def __contains__(self, path: Path) -> bool:
        return str(path) in self._places

    def keep(self, file: FileReport) -> None:
        """Keeps a report."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0, dir=scratch())  # noqa: SIM115 - as long as the run
        self._file.seek(self._end)
        pickled = memoryview(pickled_alone(file))
        length = len(pickled)
        while pickled:  # a file without a buffer may take less than it is given
            pickled = pickled[self._file.write(pickled) :]
        # Of equals the largest first: one of those, left to the end, would keep one worker busy and the others waiting.
        order = file.priority.rank, triage.standing(file), -(file.info.size or 0)
        self._places[file.info.path] = (self._end, length, *order)
        self._end += length

    def completed(self, target: Target) -> Target:
        """A target as it is to be looked at next: where a report is kept, by the other analyzers, to complete that."""
        place = self._places.get(str(target.path))
        if place is None or self._file is None:
            return target
        self._file.seek(place[0])
        return target.looked(Look.REST, Kept(self._file.read(place[1])))

    def ordered(self, targets: Iterable[Target]) -> Iterator[Target]:
        """Targets in the order of triage of what is kept; those without a report as they come, after the others."""
        if not self._places:
            yield from targets
            return
        unseen: list[Target] = []
        seen: list[Target] = []
        for target in targets:
            (seen if target.path in self else unseen).append(target)
        yield from sorted(seen, key=lambda target: self._places[str(target.path)][2:])
        yield from unseen


__all__ = ["FirstLook"]
