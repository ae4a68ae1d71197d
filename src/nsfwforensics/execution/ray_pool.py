"""The same plan on Ray: actors on this machine's cores or on a cluster's.

Examiners, one core each, open files and do everything that needs no other device; beside a CUDA device one more actor
runs the device stage on their drafts. Files travel in chunks that grow until a chunk takes about :data:`CHUNK_SECONDS`,
a bounded number of chunks is in flight, and results come back in the order of the files to the one process that writes.
A chunk whose examiner was lost is tried again file by file in a process of its own, so that a file that kills its
worker costs only itself; the lost examiner, or its whole machine, gets no chunk until it is there again. Every machine
of the cluster must see the files under the same paths, unless their bytes travel with them.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from nsfwforensics.core.discover import Target
from nsfwforensics.core.draft import Draft
from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import ForensicsError, MissingDependencyError
from nsfwforensics.execution import parcels, worker
from nsfwforensics.execution.answers import Record, collected, listening, log_again
from nsfwforensics.execution.base import BATCH_FILES, died, too_long
from nsfwforensics.execution.machine import ask_for_huge_pages
from nsfwforensics.execution.parcels import Parcel
from nsfwforensics.seclusion import elsewhere, private_folder, scratch, seclude

CHUNK_SECONDS = 2.0
"""How long a chunk of files should keep an examiner busy: long against the cost of a remote call."""

MOST_FILES = 64
"""Most files in one chunk."""

IN_FLIGHT = 4
"""Most chunks per examiner that are sent and not yet written."""

_LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Set to 0, it has Ray use the machine's own address on every system; else it asks for a way to a public one."""

_NO_CLOUD = "ray_bootstrap_config.yaml"
"""A description of the cluster in Ray's home; where it is missing, Ray asks the clouds' metadata services for one."""

_LONGEST_FOLDER = 31
"""With a longer path, Ray's sockets below its session's folder could not be named."""

ASK_SECONDS = 1.0
"""How long after the last time a lost examiner is asked again whether it is there."""

HIRES = 5
"""How often a process that is lost before it has met a file is started again."""

TRIES = 2
"""How often a file may be lost with its worker before it is taken to be the cause."""


MOST_BYTES = 32 * 1024 * 1024
"""Bytes of evidence in one chunk that travels with them, beyond its last file."""

Sent = Target | Parcel | FileReport
"""A file as an examiner gets it: to be opened there, with its bytes, or a report that could only be made here."""


class Examiner:
    """One core's share of the work; becomes a Ray actor."""

    def __init__(self, spec: PlanSpec) -> None:
        worker.start(spec)
        self._seconds = spec.limits.max_seconds

    def examine(self, targets: Sequence[Sent], wanted: bool = False) -> tuple[list[worker.Half], list[Record]]:
        """Examines files one after the other; one that takes too long ends this process.

        Args:
            targets: The files, parcels of them, or what is known of them already.
            wanted: Whether anybody wants to know what is logged meanwhile, which is returned too.
        """
        with collected(wanted) as records:
            return [self._unpacked(target) for target in targets], records

    def _unpacked(self, sent: Sent) -> worker.Half:
        if isinstance(sent, Parcel):
            with parcels.unpacked(sent) as here:
                return parcels.readdressed(self._examine(here), sent.target)
        return self._examine(sent) if isinstance(sent, Target) else sent

    def _examine(self, target: Target) -> worker.Half:
        if not hasattr(signal, "setitimer"):
            return worker.work(target)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)  # the signal's default action ends the process
        try:
            return worker.work(target)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


class DeviceStage:
    """The device's share of the work; becomes a Ray actor on a machine that has the device."""

    def __init__(self, spec: PlanSpec) -> None:
        seclude()
        self._plan = Plan(spec)

    def infer(self, halves: Sequence[worker.Half]) -> list[FileReport]:
        """Finishes drafts, several at once, and passes on what is finished."""
        drafts = [half for half in halves if isinstance(half, Draft)]
        groups = (drafts[start : start + BATCH_FILES] for start in range(0, len(drafts), BATCH_FILES))
        done = (report for group in groups for report in self._plan.infer(group))
        return [next(done) if isinstance(half, Draft) else half for half in halves]


@dataclass(slots=True)
class _Chunk:
    """Files that travel together, which examiner has them, and the promises of their reports and of what was logged."""

    targets: list[Target]
    examiner: int
    reports: Any
    records: Any


@dataclass(slots=True)
class _Crew:
    """The actors of one run.

    Attributes:
        pack: Makes a parcel of a file whose bytes travel, or a report where it cannot; None where all machines see it.
    """

    spec: PlanSpec
    examiners: list[Any] = field(default_factory=list)
    device: Any = None
    rescuer: Any = None
    away: dict[int, tuple[Any, float]] = field(default_factory=dict)
    pack: Callable[[Target], Sent] | None = None

    def lose(self, examiner: int) -> None:
        """Gives no more to an examiner that was lost until it answers: another one, or a new one in its place, may."""
        self.away[examiner] = self.examiners[examiner].examine.remote([]), time.monotonic()

    def there(self) -> list[int]:
        """The examiners that are not lost, as far as is known; all of them where none is."""
        ray = _ray()
        for examiner, (answer, asked) in list(self.away.items()):
            if not ray.wait([answer], timeout=0, fetch_local=False)[0] or time.monotonic() - asked < ASK_SECONDS:
                continue
            del self.away[examiner]
            try:
                ray.get(answer)
            except ray.exceptions.RayError:
                self.lose(examiner)
        return [number for number in range(len(self.examiners)) if number not in self.away] or [*self.away]

    def send(self, targets: list[Target], examiner: Any) -> tuple[Any, Any]:
        """Sends files to an examiner, and its drafts on to the device stage, without their coming here between."""
        sent = list(map(self.pack, targets)) if self.pack else targets
        halves, records = examiner.examine.options(num_returns=2).remote(sent, listening())
        return (self.device.infer.remote(halves) if self.device is not None else halves), records

    def actors(self) -> list[Any]:
        return [actor for actor in (*self.examiners, self.device, self.rescuer) if actor is not None]


class RayEngine:
    """Runs the plan on Ray, once: what it started is shut down after the run.

    Args:
        jobs: Number of examiners; 0 for one on every core of the cluster.
        address: Of a running cluster (``auto``, ``host:port``, ``ray://host:port``); None starts Ray on this machine.
        send_bytes: Whether files travel with their bytes, for machines that do not see them under the same paths.
        device_stage: Whether the device stage has an actor of its own; by default, where the device is no CPU.

    Raises:
        MissingDependencyError: Ray is not installed.
        ForensicsError: The cluster cannot be reached.
    """

    name = "ray"

    def __init__(
        self,
        jobs: int = 0,
        address: str | None = None,
        *,
        send_bytes: bool = False,
        device_stage: bool | None = None,
    ) -> None:
        with elsewhere() as home:
            ask_for_huge_pages()
            if address is None:
                os.environ[_LOOPBACK_ONLY] = "0"
                (home / _NO_CLOUD).write_text("{}\n")
            ray = _ray()
            self._started = not ray.is_initialized()
            if self._started:
                where = _here(jobs) if address is None else {"address": address}
                try:
                    ray.init(**where, logging_level="ERROR", log_to_driver=False)
                except (ConnectionError, OSError, RuntimeError, ValueError) as error:
                    raise ForensicsError(f"Ray cannot be reached at {address or 'this machine'}: {error}") from error
        self.jobs = jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self.send_bytes = send_bytes
        self.device_stage = device_stage
        self._left = 0

    def run(self, plan: Plan, targets: Iterable[Target]) -> Iterator[FileReport]:
        """See :class:`nsfwforensics.execution.base.Engine`."""
        ray = _ray()
        crew = self._hire(plan)
        crew.pack = partial(_packed, plan) if self.send_bytes else None
        flight: deque[_Chunk] = deque()
        waiting, size = iter(targets), 1
        try:
            while True:
                while len(flight) < IN_FLIGHT * len(crew.there()) and (group := self._taken(waiting, size)):
                    examiner = _idlest(flight, crew.there())
                    flight.append(_Chunk(group, examiner, *crew.send(group, crew.examiners[examiner])))
                if not flight:
                    return
                chunk = flight.popleft()
                try:
                    reports: list[FileReport] = ray.get(chunk.reports)
                    log_again(ray.get(chunk.records))
                except ray.exceptions.RayError:
                    if chunk.examiner not in crew.away:
                        crew.lose(chunk.examiner)
                    yield from self._rescue(crew, chunk.targets)
                    continue
                size = _grown(size, reports)
                for self._left, report in zip(reversed(range(len(reports))), reports, strict=True):
                    yield report
        finally:
            for actor in crew.actors():
                ray.kill(actor)
            if self._started:
                ray.shutdown()

    def ready(self) -> bool:
        """Whether the chunk that was fetched holds another report."""
        return self._left > 0

    def _hire(self, plan: Plan) -> _Crew:
        ray = _ray()
        spec = plan.spec
        device = plan.spec.resources.device
        beside = device != "cpu" if self.device_stage is None else self.device_stage
        examiner = ray.remote(num_cpus=1, max_restarts=-1)(Examiner)
        crew = _Crew(plan.spec, [examiner.remote(spec) for _ in range(self.jobs)])
        if beside:
            gpus = 1 if device.startswith("cuda") else 0
            stage = ray.remote(num_cpus=0, num_gpus=gpus, max_restarts=-1, max_task_retries=TRIES)(DeviceStage)
            crew.device = stage.remote(spec)
        return crew

    def _taken(self, waiting: Iterator[Target], size: int) -> list[Target]:
        """The next chunk's files: fewer than wanted where their bytes travel and are many."""
        taken, room = [], MOST_BYTES
        for target in islice(waiting, size):
            taken.append(target)
            if self.send_bytes:
                with suppress(OSError, ValueError):
                    room -= target.path.stat().st_size
            if room <= 0:
                break
        return taken

    def _rescue(self, crew: _Crew, targets: Sequence[Target]) -> Iterator[FileReport]:
        """Examines the files of a lost chunk one by one, so that the one that kills its worker is known."""
        ray = _ray()
        seconds = crew.spec.limits.max_seconds
        for target in targets:
            for left in reversed(range(TRIES)):
                if crew.rescuer is None:
                    crew.rescuer = self._rescuer(crew.spec)
                started = time.monotonic()
                try:
                    reports, records = ray.get(list(crew.send([target], crew.rescuer)))
                    log_again(records)
                    yield from reports
                    break
                except ray.exceptions.RayActorError:
                    crew.rescuer, reason = None, died(None)
                except ray.exceptions.RayError as error:
                    reason = reason_of(error.cause if isinstance(error, ray.exceptions.RayTaskError) else error)
                slow = 0 < seconds <= time.monotonic() - started
                if slow or not left:
                    reason = too_long(seconds) if slow else reason
                    plan = Plan(crew.spec)
                    yield plan.infer([plan.unread(target, reason)])[0]
                    break

    @staticmethod
    def _rescuer(spec: PlanSpec) -> Any:
        """An examiner that is there and has met no file yet.

        Raises:
            ForensicsError: Wherever one was started, it or its machine went at once.
        """
        ray = _ray()
        for _ in range(HIRES):
            rescuer = ray.remote(num_cpus=0, max_restarts=0)(Examiner).remote(spec)  # the lost examiner's core is free
            try:
                ray.get(rescuer.examine.remote([]))
            except ray.exceptions.RayActorError:  # Ray may have put it on the very machine that is going
                time.sleep(ASK_SECONDS)
                continue
            return rescuer
        raise ForensicsError("no machine of the Ray cluster keeps a worker alive; what was done until then is saved")


def _packed(plan: Plan, target: Target) -> Sent:
    beside = (path for analyzer in plan.analyzers.values() for path in analyzer.beside(target.path))
    parcel = parcels.packed(target, beside, plan.spec.limits.max_bytes)
    return parcel or plan.infer([plan.examine_file(target)])[0]


def _here(jobs: int) -> dict[str, Any]:
    """How Ray is started on this machine: its files in a folder that goes, whose name leaves room for its sockets'."""
    usual = scratch().parent
    shortest = Path("/tmp")  # noqa: S108  # nosec B108 - the folder below is made for its owner alone
    folder = private_folder(usual if len(str(usual)) <= _LONGEST_FOLDER else shortest, short=True)
    return {"num_cpus": jobs or None, "include_dashboard": False, "_temp_dir": str(folder)}


def _ray() -> Any:
    """The optional library, loaded when an engine is made.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        raise MissingDependencyError("Ray is not installed: pip install 'nsfwforensics[ray]'") from error


def _idlest(flight: Iterable[_Chunk], examiners: Sequence[int]) -> int:
    """Of some examiners the one with the fewest chunks that are not done."""
    ray = _ray()
    chunks = list(flight)
    done: set[Any] = set()
    if chunks:
        done = set(ray.wait([c.reports for c in chunks], num_returns=len(chunks), timeout=0, fetch_local=False)[0])
    return min(examiners, key=lambda number: sum(c.examiner == number and c.reports not in done for c in chunks))


def _grown(size: int, reports: Sequence[FileReport]) -> int:
    """The next chunk's number of files: twice as many while a chunk takes less than it should, half while more."""
    took = sum(result.seconds for report in reports for result in report.results)
    if took < CHUNK_SECONDS / 2 and len(reports) == size:
        return min(2 * size, MOST_FILES)
    return max(1, size // 2) if took > 2 * CHUNK_SECONDS else size
