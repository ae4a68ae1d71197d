"""A scan into a case: what is done is not done again, and what is finished is committed at once.

Several processes may scan into one case. Each claims a file before it examines it, and looks once more whether it is
done; what another one is busy with is left for the end.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from nsfwforensics.core.assess import failed_report
from nsfwforensics.core.discover import Target
from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.messages import say
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.storable import storable_text
from nsfwforensics.core.types import FileReport, Header
from nsfwforensics.errors import CaseError
from nsfwforensics.store import custody_log, documents, runs
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.claims import Claims, claim_key
from nsfwforensics.store.connection import SIDE_FILES
from nsfwforensics.store.rows import Done, RunRecord, Stat

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""How often to look whether another process is done with a file."""

FLUSH_SECONDS = 1.0
"""So long after the disk had everything for certain, the next commit waits for the disk again."""

MOST_AT_ONCE = 32
"""So many files are committed together at most, where reports come faster than they can be committed one by one."""

Examine = Callable[[Iterable[Target]], Iterator[FileReport]]
"""Examines targets and yields one report each, in their order."""

Ready = Callable[[], bool]
"""Says whether the next report is there already. Until it says no, what came is not committed yet, nor handed on."""


class _Named(NamedTuple):
    """A target, as the case names it, and the number by which it is claimed."""

    target: Target
    raw: bytes
    key: int


class _Job(NamedTuple):
    """A target on its way: to be examined, or with the number of the examination that is saved."""

    named: _Named
    stat: Stat | None
    saved: int | None = None


_Found = tuple[_Job, FileReport]


def never() -> bool:
    """Says that no report is there before it is asked for."""
    return False


class CaseScan:
    """One scan into a case. A context manager.

    Args:
        case: Open and writable.
        header: Of the run as it begins.
        begun: The run where it has begun already, with a first look.

    Attributes:
        run: The run.
        already_done: How many files were not examined because the case has them under this plan.
    """

    def __init__(self, case: CaseDatabase, header: Header, begun: RunRecord | None = None) -> None:
        self.case = case
        self.already_done = 0
        self._claims = Claims(case.path)
        self._seen: set[int] = set()
        self._given: set[int] = set()
        self._busy: list[_Named] = []
        self._flushed = time.monotonic()
        self._version: int | None = None
        self._repeats = True
        if begun is not None:
            self.run = begun
            return
        with case.writing() as connection:
            self.run = runs.begin(connection, header)
        self._log(custody_log.SCAN_STARTED, header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._claims.close()

    def end(self, header: Header) -> None:
        """Records the end of the run; without this it stands as one that was killed."""
        with self.case.writing() as connection:
            runs.end(connection, self.run, header)
            counts = runs.counts(connection, self.run)
        kind = custody_log.SCAN_INTERRUPTED if header.interrupted else custody_log.SCAN_FINISHED
        self._log(kind, header, {"already done": self.already_done, **counts}, (custody_log.RESULTS,))

    def _log(
        self, kind: str, header: Header, counts: Mapping[str, int] | None = None, states: tuple[str, ...] = ()
    ) -> None:
        about = custody_log.Happening(
            kind,
            header.command,
            header.operator,
            subject=f"plan {header.fingerprint}",
            counts={custody_log.RUN: self.run.id, **(counts or {})},
            states=states,
        )
        custody_log.append(self.case, about)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; waiting for the disk after each would take longer than the rest of this process's work."""
        due = time.monotonic() - self._flushed >= FLUSH_SECONDS
        with self.case.writing(flushed=due) as connection:
            yield connection
        if due:
            self._flushed = time.monotonic()

    def first(
        self, examine: Examine, targets: Callable[[], Iterator[Target]], ready: Ready = never
    ) -> Iterator[FileReport]:
        """Yields what a first look finds in every target that is not done: now, or in an earlier run that was stopped.

        What it finds now is committed at once, to be replaced by the whole examination. Nothing is claimed: that two
        processes look at a file costs little, and says the same.

        Args:
            examine: Has the quick analyzers look.
            targets: Finds the targets.
            ready: Of the examining.

        Raises:
            CaseError: A result cannot be written; what was written before is kept.
        """
        order: deque[_Job] = deque()
        first = replace(self.run, fingerprint=self.run.first)
        alone = True

        def pulled() -> Iterator[Target]:
            self._written_by_others()
            for named in self._new(targets()):
                found = self._done(named, self.run.fingerprint, first.fingerprint) if self._repeats else None
                if found is not None and found.plan == self.run.fingerprint:
                    continue  # whether the file has changed since is seen when its turn comes
                job = self._job_of(named, found)
                order.append(job or _to_examine(named))
                if job is None:
                    yield named.target

        def committed(held: list[_Found]) -> list[FileReport]:
            nonlocal alone
            looked = [(job, file) for job, file in held if job.named.target.skip is None]
            if looked:
                with self._writing() as connection:
                    alone &= not self._written_by_others()  # since any of them was looked up
                    at = runs.now()
                    for job, file in looked:
                        raw = job.named.raw
                        if alone or runs.done(connection, raw, self.run.fingerprint) is None:
                            runs.save(connection, first, raw, file, job.stat, at)
            return [file for _, file in held]

        return self._together(examine(pulled()), order, ready, committed, self._saved_as)

    def reports(
        self, examine: Examine, targets: Callable[[], Iterator[Target]], ready: Ready = never
    ) -> Iterator[FileReport]:
        """Yields a report of every target, with its marks: examined now, or saved before.

        They come in the order of the targets, but for files that another process was busy with, which come last. After
        Ctrl-C, what is saved of the targets that were not reached is yielded before the interrupt goes on.

        Args:
            examine: Runs the plan.
            targets: Finds the targets, anew at each call.
            ready: Of the examining.

        Raises:
            CaseError: A result cannot be written; what was written before is kept.
        """
        try:
            yield from self._pass(examine, self._new(targets()), ready)
            while self._busy:
                waiting, self._busy = self._busy, []
                before = len(waiting)
                yield from self._pass(examine, iter(waiting), ready)
                if len(self._busy) == before:
                    time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            yield from self._saved_rest(targets())
            raise

    def _new(self, targets: Iterator[Target]) -> Iterator[_Named]:
        """Each path once, however often it was named."""
        for named in map(_named, targets):
            if named.key not in self._seen:
                self._seen.add(named.key)
                yield named

    def _pass(self, examine: Examine, targets: Iterator[_Named], ready: Ready) -> Iterator[FileReport]:
        order: deque[_Job] = deque()
        return self._together(examine(self._pull(targets, order)), order, ready, self._committed, self._load)

    def _together(
        self,
        files: Iterator[FileReport],
        order: deque[_Job],
        ready: Ready,
        committed: Callable[[list[_Found]], list[FileReport]],
        saved: Callable[[_Job], FileReport],
    ) -> Iterator[FileReport]:
        """Yields reports in the order of their jobs, each when it is committed: with others that are there already."""
        held: list[_Found] = []

        def handed_on() -> Iterator[FileReport]:
            done = held.copy()
            try:
                reports = committed(done) if done else []
            except Exception:  # the case cannot be written: not to be tried once more below
                held.clear()
                raise
            held.clear()
            for (job, _), report in zip(done, reports, strict=True):
                self._given.add(job.named.key)
                yield report

        try:
            for file in files:
                while (job := order.popleft()).saved is not None:
                    yield from handed_on()
                    yield saved(job)
                path = str(job.named.target.path)
                if file.info.path != path and file.info.path != storable_text(path):
                    raise RuntimeError("the engine does not keep the order of its targets")  # never under a wrong name
                held.append((job, file))
                if len(held) >= MOST_AT_ONCE or not ready():
                    yield from handed_on()
            yield from handed_on()
        finally:
            if held:  # whatever ends this: what was examined is kept
                committed(held)
        for job in order:
            yield saved(job)

    def _committed(self, held: list[_Found]) -> list[FileReport]:
        """Commits files in one transaction; where one of them cannot be stored, each in its own."""
        try:
            with self._writing() as connection:
                at = runs.now()
                marked = [runs.save(connection, self.run, job.named.raw, file, job.stat, at) for job, file in held]
        except Exception:  # noqa: BLE001 - whose fault it was shows when they are saved one by one
            saved = [self._saved(job, file) for job, file in held]
            marked = [True] * len(saved)
        else:
            saved = [file for _, file in held]
        for job, _ in held:
            self._claims.release(job.named.key)
        return [self.case.with_marks(file) if has else file for file, has in zip(saved, marked, strict=True)]

    def _saved(self, job: _Job, file: FileReport) -> FileReport:
        """Commits a file, as a failed one where what was found cannot be stored."""
        try:
            with self._writing() as connection:
                runs.save(connection, self.run, job.named.raw, file, job.stat)
        except Exception as error:  # what an analyzer found may fail in any way on its way into the database
            cause = error.__cause__ if isinstance(error, CaseError) else error
            if cause is None or isinstance(cause, sqlite3.Error):  # the case itself cannot be written
                raise
            _log.debug("the report of %s cannot be stored", file.info.path, exc_info=True)
            file = failed_report(file.info, say("what was found cannot be stored: {error}", error=reason_of(cause)))
            with self._writing() as connection:
                runs.save(connection, self.run, job.named.raw, file, job.stat)
        return file

    def _pull(self, targets: Iterator[_Named], order: deque[_Job]) -> Iterator[Target]:
        """Passes on what is to be examined, and notes the order of it and of what is saved."""
        for named in targets:
            job = self._if_done(named) if self._repeats else None
            if job is None and not self._claims.take(named.key):
                self._busy.append(named)
                continue
            changed = job is None and self._written_by_others() and self._repeats
            if changed and (job := self._if_done(named)) is not None:
                self._claims.release(named.key)  # done just before it was claimed
            if job is not None:
                order.append(job)
                continue
            order.append(_to_examine(named))
            yield named.target

    def _written_by_others(self) -> bool:
        """Whether another process has written to the case since this was asked last."""
        before, self._version = self._version, self.case.data_version()
        if before == self._version:
            return False
        with self.case.reading() as connection:
            self._repeats = runs.repeats(connection, self.run)
        return True

    def _if_done(self, named: _Named) -> _Job | None:
        return self._job_of(named, self._done(named, self.run.fingerprint))

    def _done(self, named: _Named, *fingerprints: str) -> Done | None:
        with self.case.reading() as connection:
            return runs.done(connection, named.raw, *fingerprints)

    def _job_of(self, named: _Named, found: Done | None) -> _Job | None:
        target = named.target
        if target.skip is not None or found is None:
            return None
        _, number, was, sha256 = found
        stat = Stat.of(target.path)
        if stat is None or (stat.size, stat.mtime_ns) != (was.size, was.mtime_ns):
            return None
        if stat != was:  # its time of modification may have been set back: only its bytes tell
            if not _has_digest(target, sha256):
                return None
            with self._writing() as connection:
                runs.touch(connection, number, stat)
        return _Job(named, stat, number)

    def _load(self, job: _Job) -> FileReport:
        self.already_done += 1
        self._given.add(job.named.key)
        return self.case.with_marks(self._saved_as(job))

    def _saved_as(self, job: _Job) -> FileReport:
        with self.case.reading() as connection:
            file = documents.load(connection, job.saved or 0)
        return runs.at_place(file, job.named.target.path)

    def _saved_rest(self, targets: Iterator[Target]) -> Iterator[FileReport]:
        for named in map(_named, targets):
            if named.key not in self._given and (job := self._if_done(named)) is not None:
                yield self._load(job)


def _named(target: Target) -> _Named:
    raw = runs.stored_path(target.path)
    return _Named(target, raw, claim_key(raw))


def _to_examine(named: _Named) -> _Job:
    return _Job(named, Stat.of(named.target.path) if named.target.skip is None else None)


def belongs_to_case(path: Path, case: Path) -> bool:
    """Whether a file is the case itself or stands beside it as a part of it."""
    folder, names = _parts_of(case)
    return path.name in names and os.path.realpath(path.parent) == folder


@lru_cache(maxsize=1)  # asked about every file
def _parts_of(case: Path) -> tuple[str, frozenset[str]]:
    """The folder of a case, and the names of what is part of it."""
    place = Path(os.path.realpath(case))
    return str(place.parent), frozenset(place.name + suffix for suffix in ("", *SIDE_FILES))


def _has_digest(target: Target, sha256: str | None) -> bool:
    try:
        return sha256 is not None and file_sha256(target.path, follow=target.follow) == sha256
    except OSError:
        return False
