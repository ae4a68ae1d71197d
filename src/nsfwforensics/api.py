"""The library: :func:`scan` for many files, :func:`examine` for one.

Example:
    >>> import nsfwforensics
    >>> run = nsfwforensics.scan(["photos/"], options={"faces": {"reference": ["her.jpg"]}})
    >>> for file in run:
    ...     print(file.info.path, file.priority)
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nsfwforensics.core import installation
from nsfwforensics.core.discover import Look, Target, outside
from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.core.messages import say, say_count
from nsfwforensics.core.places import keep_apart
from nsfwforensics.core.registry import providing, select
from nsfwforensics.core.report_files import without_reports
from nsfwforensics.core.types import AnalyzerRecord, Capability, FileReport, Header
from nsfwforensics.errors import UsageError
from nsfwforensics.execution.base import Engine
from nsfwforensics.execution.first_look import FirstLook
from nsfwforensics.execution.inline import InlineEngine
from nsfwforensics.execution.machine import automatic_jobs
from nsfwforensics.execution.pool import PoolEngine
from nsfwforensics.language import brought
from nsfwforensics.libraries import library_versions
from nsfwforensics.request import Request, inputs, prepared
from nsfwforensics.settings import Settings, laid_over
from nsfwforensics.store.sinks import Sink

SHARE_FROM_FILES = 12
"""With ``jobs=0`` fewer files than this are examined by one worker: loading models in each costs seconds."""


class Run:
    """A run that is ready to go: analyzers loaded, references enrolled, nothing examined yet.

    Iterating examines the files and yields one :class:`FileReport` each, in the order they are found.

    Attributes:
        sink: What keeps the results beside the report; once the run is iterated, it tells what it had already.

    Raises:
        UsageError: The request names something that does not exist, something would be written into what is read, or a
            reference photo cannot be enrolled.
        CaseError: The case cannot be used.
        MissingDependencyError: A device asked for by name is missing.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self._started = time.time()
        for path in request.paths:
            if not os.path.lexists(path):
                raise UsageError(f"no such file or folder: {path}")
        keep_apart([request.exclude, request.case], inputs(request))
        self.sink = _sink(request)
        chosen = select(request.only, request.skip, allow_plugins=request.allow_plugins)
        if request.quick:
            chosen = tuple(each for each in chosen if each.load().quick)
        if not chosen:
            raise UsageError("no analyzer is left to run")
        self.plan = prepared(request, chosen)
        self.sink.make(request.settings.operator)
        self.engine = self._choose_engine()
        self._seen = FirstLook()

    def __iter__(self) -> Iterator[FileReport]:
        """Examines the files; after a first look those first that it put first."""
        return self.sink.reports(self._examine, self._in_turn, self.header, self.engine.ready)

    def first(self) -> Iterator[FileReport]:
        """Has only the quick analyzers look at every file, for iterating over the run to finish.

        Yields:
            What they say, in the order in which files are found; nothing where there would be no second look, or what
            the case has under the same plan.
        """
        if not self.plan.in_two or self.request.settings.uses_ray:
            return
        for file in self.sink.first(self._look, self.targets, self.header, self.engine.ready):
            self._seen.keep(file)
            yield file

    def _look(self, targets: Iterable[Target]) -> Iterator[FileReport]:
        return self.engine.run(self.plan, (target.looked(Look.FIRST) for target in targets))

    def _in_turn(self) -> Iterator[Target]:
        return self._seen.ordered(self.targets())

    def _examine(self, targets: Iterable[Target]) -> Iterator[FileReport]:
        return self.engine.run(self.plan, map(self._seen.completed, targets))

    def targets(self) -> Iterator[Target]:
        """The files to examine, found anew at each call; nothing is opened."""
        found = self.sink.targets(self.request.paths, follow=self.request.settings.follow_symlinks)
        return without_reports(outside(found, self.request.exclude))

    def header(self, *, finished: bool = False, interrupted: bool = False) -> Header:
        """Who ran what, with which versions, models and limits.

        Args:
            finished: Whether the run is over, so that its end goes in.
            interrupted: Whether it was broken off.
        """
        spec = self.plan.spec
        return Header(
            version=installation.version(),
            command=self.request.command,
            operator=self.request.settings.operator or say("not supplied"),
            started=utc_iso(self._started),
            finished=utc_iso(time.time()) if finished else None,
            interrupted=interrupted,
            python=platform.python_version(),
            platform=platform.platform(),
            libraries=dict(library_versions()),
            device=spec.resources.device,
            engine=say_count(
                "{engine}, {count} process",
                "{engine}, {count} processes",
                getattr(self.engine, "jobs", 1),
                engine=self.engine.name,
            ),
            fingerprint=self._fingerprint(),
            sensitive=self.request.settings.sensitive,
            paths_digest=hashlib.sha256(b"\0".join(map(os.fsencode, self.request.paths))).hexdigest(),
            analyzers=self._analyzers(),
            models=self.plan.models(),
            references=tuple(dict(r) for e in spec.enrolments.values() for r in e.records),
            limits=asdict(spec.limits),
        )

    def _analyzers(self) -> tuple[AnalyzerRecord, ...]:
        """What the header says of the analyzers, with the translations that they bring."""
        packages = (type(analyzer).__module__.rpartition(".")[0] for analyzer in self.plan.analyzers.values())
        return tuple(
            record.model_copy(update={"messages": brought(package)}) if package else record
            for record, package in zip(self.plan.analyzer_records(), packages, strict=True)
        )

    def _fingerprint(self) -> str:
        """The plan's; reports with pictures of the evidence and such without are not to be mixed."""
        plan, resources = self.plan.fingerprint(), self.plan.spec.resources
        kind = "sensitive" if resources.sensitive else "thumbnails" if resources.thumbnails else ""
        return hashlib.sha256(f"{plan} {kind}".encode()).hexdigest() if kind else plan

    def _choose_engine(self) -> Engine:
        settings = self.request.settings
        jobs = settings.jobs
        if settings.uses_ray:
            from nsfwforensics.execution.ray_pool import RayEngine

            return RayEngine(jobs, settings.ray_address, send_bytes=settings.ray_evidence == "content")
        if settings.engine == "inline" or (settings.engine == "auto" and jobs < 2 and not settings.isolate):
            return InlineEngine()
        if jobs == 0:
            jobs = automatic_jobs() if self._has_many_files() else 1
        return PoolEngine(jobs)

    def _has_many_files(self) -> bool:
        return any(count >= SHARE_FROM_FILES for count, _ in enumerate(self.targets(), start=1))


def _sink(request: Request) -> Sink:
    if request.case is None:
        return Sink()
    from nsfwforensics.store.case_sink import CaseSink  # with all that a database needs

    return CaseSink(request.case, whole=not request.paths)


def scan(paths: Iterable[str | Path], **request: Any) -> Run:
    """Prepares a run over files and folders; iterate over the result to examine them.

    Files are examined in worker processes, so a script that calls this needs the usual
    ``if __name__ == "__main__":``; ``settings=Settings(isolate=False)`` does without them.

    Args:
        paths: Files and folders.
        **request: Any other field of :class:`Request`; single settings too, which lie over its ``settings``.

    Raises:
        UsageError: The request names something that does not exist.
        MissingDependencyError: A device asked for by name is missing.
    """
    single = {name: request.pop(name) for name in Settings.model_fields.keys() & request.keys()}
    settings = laid_over(request.pop("settings", None) or Settings(), single)
    return Run(Request([Path(path) for path in paths], settings=settings, **request))


def examine(path: str | Path, **request: Any) -> FileReport:
    """Examines one file in this process: one that crashes a decoder ends the process with it. See :func:`scan`.

    Args:
        path: The file.
        **request: As for :func:`scan`.

    Raises:
        UsageError: The file does not exist, or is a folder.
    """
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder; use scan()")
    return next(iter(scan([path], **request | {"isolate": False, "jobs": 1})))


def compare(original: str | Path | Iterable[str | Path], suspects: Iterable[str | Path], **request: Any) -> Run:
    """Prepares a run that compares pictures with the original photographs they may have been made from.

    Args:
        original: The original photograph, a folder of originals, or several of either.
        suspects: Files and folders to compare with it.
        **request: As for :func:`scan`.

    Raises:
        UsageError: A path does not exist, or the original cannot be read.
    """
    originals = [original] if isinstance(original, str | Path) else list(original)
    comparing = providing(Capability.ORIGINALS)
    return scan(suspects, only=comparing, options={name: {"original": originals} for name in comparing}, **request)


__all__ = ["Request", "Run", "compare", "examine", "scan"]
