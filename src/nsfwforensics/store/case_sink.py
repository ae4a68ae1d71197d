"""Where a run keeps what it finds, beside its report: in a case that later runs resume from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nsfwforensics.core.discover import Target, discover
from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import UsageError
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import RunRecord
from nsfwforensics.store.scanning import CaseScan, Examine, Ready, belongs_to_case
from nsfwforensics.store.sinks import Headed, Sink


class CaseSink(Sink):
    """A case database: what it has under the same plan is not examined again.

    Args:
        path: Of the case. Nothing is made before :meth:`make`.
        whole: Whether the files that it holds are to be examined.

    Raises:
        CaseError: What is there is no case; or nothing is, where it is to be examined.
        UsageError: It holds no files, where they are to be examined.
    """

    def __init__(self, path: Path, *, whole: bool) -> None:
        self.path = path
        self._whole = whole
        self._begun: RunRecord | None = None
        if not whole and not os.path.lexists(path):
            return
        with CaseDatabase.open(path) as case:
            if whole and not case.info().files:
                raise UsageError(f"the case {path} holds no files yet: name files or folders to examine")

    def make(self, operator: str | None) -> None:
        """Makes the case, or sees that it can be opened."""
        CaseDatabase.open_or_create(self.path, operator=operator).close()

    def targets(self, paths: Sequence[Path], *, follow: bool) -> Iterator[Target]:
        """See :class:`Sink`; the case's own files are no evidence."""
        for target in self._known(follow) if self._whole else discover(paths, follow_symlinks=follow):
            if not belongs_to_case(target.path, self.path):
                yield target

    def _known(self, follow: bool) -> Iterator[Target]:
        with CaseDatabase.open(self.path) as case:
            known = list(case.paths())
        here = [place for place in known if os.path.lexists(place)]
        self.gone = len(known) - len(here)
        for target in discover(here, follow_symlinks=follow):
            yield replace(target, named=False)

    def first(
        self, examine: Examine, targets: Callable[[], Iterator[Target]], header: Headed, ready: Ready
    ) -> Iterator[FileReport]:
        """See :class:`Sink`; where an earlier run came no further than its first look, that is not repeated."""
        with CaseDatabase.open(self.path) as case, CaseScan(case, header()) as scan:
            self._begun = scan.run
            try:
                yield from scan.first(examine, targets, ready)
            except (KeyboardInterrupt, GeneratorExit):
                self._begun = None
                scan.end(header(finished=True, interrupted=True))
                raise

    def reports(
        self, examine: Examine, targets: Callable[[], Iterator[Target]], header: Headed, ready: Ready
    ) -> Iterator[FileReport]:
        """Examines what the case has not, commits files as they are finished, and yields saved ones too."""
        begun, self._begun = self._begun, None
        with CaseDatabase.open(self.path) as case, CaseScan(case, header(), begun) as scan:
            try:
                for file in scan.reports(examine, targets, ready):
                    self.already_done = scan.already_done
                    yield file
            except (KeyboardInterrupt, GeneratorExit):
                scan.end(header(finished=True, interrupted=True))
                raise
            scan.end(header(finished=True))
