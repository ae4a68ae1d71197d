"""How one file travels: a picklable :class:`PlanSpec` becomes a :class:`Plan` in every worker.

``examine_file`` does everything that needs the file and returns a small draft; ``infer`` serves the drafts of many
files at once and makes their reports. The same two calls are made whatever runs them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pydantic import ValidationError

from nsfwforensics.core import assess
from nsfwforensics.core.analyzer import (
    Analyzer,
    AnalyzerOptions,
    BaseAnalyzer,
    BatchAnalyzer,
    Enrolment,
    Outcome,
    Resources,
)
from nsfwforensics.core.decode import refuse_undecoded
from nsfwforensics.core.discover import Look, Target
from nsfwforensics.core.draft import Draft, merged
from nsfwforensics.core.evidence import Evidence, Limits, describe_path
from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.figures import names_of, verbatim_of, words_of
from nsfwforensics.core.media import IMAGE_EXTENSIONS, is_video
from nsfwforensics.core.messages import say
from nsfwforensics.core.pictures import Inside, Pictures
from nsfwforensics.core.registry import BUILT_IN, installed
from nsfwforensics.core.sensitive import (
    LEFT_OUT,
    handled,
    has_pictures,
    needs_care,
    without_pictures,
    without_text_pictures,
)
from nsfwforensics.core.storable import storable
from nsfwforensics.core.types import (
    AnalyzerRecord,
    AnalyzerResult,
    AnalyzerStatus,
    Artifact,
    FileInfo,
    FileReport,
    MethodRecord,
    ModelRecord,
    PictureKind,
)
from nsfwforensics.errors import EvidenceError, MissingDependencyError, TooLargeError, UsageError, WeightsError

_log = logging.getLogger(__name__)

_CHANGED = say(
    "Something else changed or removed this file while it was being examined. What is said here is about the bytes "
    "with the SHA-256 given above; this tool never writes to what it examines."
)

_SMALL_COPIES = frozenset({PictureKind.THUMBNAIL, PictureKind.PREVIEW, PictureKind.GAIN_MAP, PictureKind.AUXILIARY})

_DECIDES = {"name", "version", "question", "origin", "options"}
"""What of an analyzer's record decides what it finds; the rest is words."""


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """What is to be done with every file; picklable, so that any worker can build the same plan.

    Attributes:
        analyzers: Names of the analyzers, in order.
        options: For each analyzer its options as plain values.
        enrolments: What analyzers prepared once for the run.
        limits: Size limits per file.
        resources: Device, threads, weights.
        complete: Whether every installed built-in analyzer is planned.
        inside: Finds the pictures that a file holds besides its main one; without it only that is examined.
    """

    analyzers: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    enrolments: Mapping[str, Enrolment] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    resources: Resources = field(default_factory=Resources)
    complete: bool = True
    inside: Callable[[Evidence], Inside] | None = None


class Plan:
    """The analyzers of a :class:`PlanSpec`, loaded and ready.

    Raises:
        ForensicsError: An analyzer cannot be loaded.
        UsageError: An option's value does not fit.
    """

    def __init__(self, spec: PlanSpec) -> None:
        self.spec = spec
        registered = {registration.name: registration for registration in installed()}
        self.analyzers: dict[str, BaseAnalyzer] = {}
        self.origins: dict[str, str] = {}
        self._missing: dict[str, str | None] = {}
        for name in spec.analyzers:
            loaded = registered[name].load()
            options = _options(loaded, spec.options.get(name, {}))
            analyzer = loaded(options, spec.resources, spec.enrolments.get(name))
            self.analyzers[name] = analyzer
            self.origins[name] = registered[name].origin

    @classmethod
    def prepared(cls, spec: PlanSpec) -> Plan:
        """Builds the plan after letting every analyzer enrol what the run needs.

        Raises:
            UsageError: A reference photo cannot be enrolled.
        """
        plan = cls(spec)
        enrolments = {
            name: type(analyzer).enrol(analyzer.options, spec.resources) for name, analyzer in plan.analyzers.items()
        }
        return cls(replace(spec, enrolments=enrolments))

    def fingerprint(self) -> str:
        """SHA-256 over everything that can change a finding: analyzers, versions, options, models, limits."""
        content: dict[str, Any] = {
            "analyzers": [record.model_dump(mode="json", include=_DECIDES) for record in self.analyzer_records()],
            "models": [record.model_dump(mode="json") for record in self.models()],
            "enrolments": {name: e.digest for name, e in sorted(self.spec.enrolments.items())},
            "limits": [self.spec.limits.max_bytes, self.spec.limits.max_pixels, self.spec.limits.max_frames],
        }
        if missing := [name for name, analyzer in self.analyzers.items() if self._unavailable(analyzer)]:
            content["unavailable"] = missing  # once it is there, it will find something
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def analyzer_records(self) -> tuple[AnalyzerRecord, ...]:
        """What the report's header says of the planned analyzers, but for translations of their sentences."""
        return tuple(
            AnalyzerRecord(
                name=name,
                version=analyzer.version,
                question=analyzer.question,
                origin=self.origins[name],
                options=cast(Any, analyzer.options.model_dump(mode="json")),
                title=analyzer.title,
                method=analyzer.method,
                source=analyzer.source,
                codes={
                    code: MethodRecord(method=entry.method, source=entry.source)
                    for code, entry in analyzer.codes.items()
                    if entry.method or entry.source
                },
                figures=names_of(analyzer.figures),
                words=words_of(analyzer.figures),
                verbatim=verbatim_of(analyzer.figures),
                charts=analyzer.charts,
                provides=tuple(sorted(analyzer.provides)),
            )
            for name, analyzer in self.analyzers.items()
        )

    def models(self) -> tuple[ModelRecord, ...]:
        """The models that the planned analyzers use."""
        return tuple(model for analyzer in self.analyzers.values() for model in analyzer.models())

    def examine_file(self, target: Target) -> Draft:
        """Opens one file, runs every ``examine`` and ``prepare``, and closes it.

        Whatever is raised on the way, but for an interrupt, becomes the reason why this file failed. Where other bytes
        stand there by now than at the first look, it is examined anew as a whole.
        """
        try:
            draft = self._opened(target)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - one file never costs another
            _log.debug("examining %s failed", target.path, exc_info=True)
            return self.unread(target, reason_of(error))
        draft.first = _first_report(target, draft)
        if target.first is not None and draft.first is None:
            return self.examine_file(replace(target, look=Look.WHOLE, first=None))
        return draft

    def unread(self, target: Target, reason: str) -> Draft:
        """What is said of a file that is not looked into (it is too large, or its worker died on it).

        Its digests are taken, and looked up where lists were given.
        """
        try:
            evidence = Evidence.unread(target.path, reason, self.spec.limits, follow=target.follow)
            ours = {name: one for name, one in self.analyzers.items() if self.origins[name] == BUILT_IN}
            draft = self._by_bytes(evidence, reason, ours, claims=True)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - asked where something has failed already, and must not fail in turn
            _log.debug("%s cannot be hashed", target.path, exc_info=True)
            draft = Draft(describe_path(target.path), {}, {})
        draft.error = reason
        draft.first = _first_report(target, draft)
        return draft

    def _opened(self, target: Target) -> Draft:
        if target.skip is not None:
            return Draft(describe_path(target.path), {}, {}, target.skip, skipped=not target.failed)
        try:
            evidence = Evidence.open(target.path, self.spec.limits, follow=target.follow)
        except TooLargeError as error:
            draft = self.unread(target, error.message)
            passed_over = draft.info.media_type is None and not any(each.findings for each in draft.results.values())
            draft.skipped = passed_over and not _claims(target)
            return draft
        except EvidenceError as error:
            return Draft(describe_path(target.path), {}, {}, error.message, skipped=not _claims(target))
        if evidence.media_type is None:
            reason = say("the content is no image format known here")
            return self._by_bytes(evidence, reason, self.analyzers, claims=_claims(target))
        return self._examine(evidence, target.look)

    @property
    def in_two(self) -> bool:
        """Whether some of the analyzers are quick, and some are not."""
        return len({analyzer.quick for analyzer in self.analyzers.values()}) > 1

    def _looking(self, look: Look) -> Mapping[str, BaseAnalyzer]:
        quick = {Look.FIRST: (True,), Look.REST: (False,)}.get(look, (True, False))
        return {name: analyzer for name, analyzer in self.analyzers.items() if analyzer.quick in quick}

    def _by_bytes(
        self, evidence: Evidence, reason: str, analyzers: Mapping[str, BaseAnalyzer], *, claims: bool
    ) -> Draft:
        """What is said of a file whose picture is not looked at: what analyzers that take any file find in its bytes.

        Where they find something the file is no longer passed over; it failed only where it claims to be a picture and
        somebody asked for more.
        """
        draft = Draft(evidence.info(), {}, {}, reason, skipped=not claims)
        started = time.perf_counter()
        for name, analyzer in analyzers.items():
            if analyzer.any_file and isinstance(analyzer, Analyzer):
                outcome = self._unavailable(analyzer) or _guarded(analyzer, analyzer.examine, evidence)
                draft.results[name] = self._result(analyzer, outcome, time.perf_counter() - started)
                started = time.perf_counter()
        if any(result.findings for result in draft.results.values()):
            others = {name: one for name, one in self.analyzers.items() if name not in draft.results}
            for name, analyzer in others.items():
                draft.results[name] = self._result(analyzer, Outcome.not_applicable(reason), 0.0)
            draft.error = reason if claims and others else None
            draft.skipped = False
            draft.info = draft.info.model_copy(update={"after": evidence.after()})
        return draft

    def _examine(self, evidence: Evidence, look: Look) -> Draft:
        draft = Draft(evidence.info(), {}, {}, look=look)
        looking = self._looking(look)
        pictures = self._pictures(evidence)
        for further in pictures.further():
            part = Draft(further.evidence.info(), {}, {}, place=further.place)
            part.stands_in = pictures.stand_in is further
            part.lesser = not part.stands_in and further.record.kind in _SMALL_COPIES
            for name, analyzer in looking.items():
                if further.record.kind in analyzer.looks_at:
                    self._first(name, analyzer, further.evidence, part)
            part.results = {name: without_pictures(result) for name, result in part.results.items()}
            draft.further.append(part)
        undecoded = _undecoded(evidence)
        for name, analyzer in looking.items():
            if undecoded and analyzer.needs_pixels and (pictures.stand_in or is_video(evidence.media_type)):
                draft.results[name] = self._result(analyzer, Outcome.not_applicable(undecoded), 0.0)
            else:
                self._first(name, analyzer, evidence, draft)
        evidence.settle()
        draft.notes = tuple(pictures.told())
        if undecoded and pictures.stand_in is None:
            pixels = not is_video(evidence.media_type) and any(each.looks_at for each in self.analyzers.values())
            draft.error = undecoded if pixels else None
            draft.notes = draft.notes if pixels else (say("This is {what}.", what=undecoded), *draft.notes)
        elif pictures.stand_in is None and any(
            result.status is AnalyzerStatus.FAILED for result in draft.results.values()
        ):
            draft.error = evidence.problem
        found = [result for each in (draft, *draft.further) for result in each.results.values()]
        careful = self.spec.resources.sensitive or needs_care(found)
        if careful:  # what shows the picture does not even leave this process
            draft.left_out = self.spec.resources.thumbnails or has_pictures(draft.results.values())
            draft.results = {name: without_pictures(result) for name, result in draft.results.items()}
        # Until everything has looked at it, nobody knows whether it is to be handled with care.
        thumbnail = self.spec.resources.thumbnails and not careful and look is not Look.FIRST
        held: dict[str, Any] = {"pictures": pictures.listed, "unexamined": pictures.unexamined}
        if pictures.full_size:
            held |= dict(zip(("width", "height"), pictures.full_size, strict=True))
        draft.info = evidence.info(thumbnail=thumbnail).model_copy(update={"after": evidence.after(), **held})
        return draft

    def _pictures(self, evidence: Evidence) -> Pictures:
        """The further pictures of a file; that they cannot be found costs them, not the file."""
        looked_for = self.spec.inside if any(analyzer.looks_at for analyzer in self.analyzers.values()) else None
        try:
            return Pictures(evidence, looked_for(evidence) if looked_for else Inside())
        except KeyboardInterrupt:
            raise
        except Exception:  # noqa: BLE001 - as in _guarded
            _log.debug("looking into %s failed", evidence.path, exc_info=True)
            return Pictures(evidence, Inside(unread=((PictureKind.PICTURE, 1),)))

    def _first(self, name: str, analyzer: BaseAnalyzer, evidence: Evidence, draft: Draft) -> None:
        started = time.perf_counter()
        outcome: Any = self._unavailable(analyzer)
        if outcome is None:
            outcome = _guarded(analyzer, _first_half(analyzer), evidence)
        seconds = time.perf_counter() - started
        if isinstance(outcome, Outcome) or not isinstance(analyzer, BatchAnalyzer):
            draft.results[name] = self._result(analyzer, outcome, seconds)
        else:
            draft.pending[name] = outcome
            draft.seconds[name] = seconds

    def infer(self, drafts: Sequence[Draft]) -> list[FileReport]:
        """Runs the device stage for many files at once and makes their reports, aligned one to one."""
        for name, analyzer in self.analyzers.items():
            waiting = [each for draft in drafts for each in (draft, *draft.further) if name in each.pending]
            if waiting and isinstance(analyzer, BatchAnalyzer):
                self._infer_one(name, analyzer, waiting)
        return [self._reported(draft) for draft in drafts]

    def _infer_one(self, name: str, analyzer: BatchAnalyzer[Any, Any], waiting: Sequence[Draft]) -> None:
        started = time.perf_counter()
        scores = _guarded(analyzer, _inferred, analyzer, [draft.pending[name] for draft in waiting])
        if isinstance(scores, Outcome) and scores.status is AnalyzerStatus.FAILED and len(waiting) > 1:
            # One file's fault, or more than the device's memory holds at once: neither may cost the others.
            half = len(waiting) // 2
            self._infer_one(name, analyzer, waiting[:half])
            self._infer_one(name, analyzer, waiting[half:])
            return
        share = (time.perf_counter() - started) / len(waiting)
        for index, draft in enumerate(waiting):
            outcome = scores if isinstance(scores, Outcome) else None
            if outcome is None:
                outcome = _guarded(analyzer, analyzer.conclude, draft.info, scores[index])
            seconds = draft.seconds[name] + share
            draft.results[name] = self._result(analyzer, outcome, seconds)

    def _unavailable(self, analyzer: BaseAnalyzer) -> Outcome | None:
        if analyzer.name not in self._missing:
            try:
                self._missing[analyzer.name] = analyzer.unavailable()
            except Exception as error:  # noqa: BLE001 - as in _guarded
                _log.debug("whether %s is available cannot be told", analyzer.name, exc_info=True)
                self._missing[analyzer.name] = reason_of(error)
        reason = self._missing[analyzer.name]
        return Outcome.not_available(reason) if reason else None

    def _result(self, analyzer: BaseAnalyzer, outcome: Any, seconds: float) -> AnalyzerResult:
        """What is kept of an outcome; one that no report can hold is a failure of its analyzer."""
        try:
            if not isinstance(outcome, Outcome):
                raise TypeError(f"it returned no outcome but {type(outcome).__name__}")
            result = self._kept(analyzer, outcome, seconds)
            if result.origin != BUILT_IN:  # nothing of a stranger's own classes goes any further
                plain = AnalyzerResult.model_validate_json(result.model_dump_json(warnings=False))
                result = plain.model_copy(update={"artifacts": tuple(map(_plain_artifact, result.artifacts))})
        except Exception as error:  # noqa: BLE001 - a stranger's values may raise anything when they are asked
            _log.debug("what %s found cannot be kept", analyzer.name, exc_info=True)
            result = self._kept(analyzer, Outcome.failed(reason_of(error)), seconds)
        return result

    def _kept(self, analyzer: BaseAnalyzer, outcome: Outcome, seconds: float) -> AnalyzerResult:
        return AnalyzerResult(
            analyzer=analyzer.name,
            version=analyzer.version,
            origin=self.origins[analyzer.name],
            question=analyzer.question,
            status=outcome.status,
            findings=outcome.findings,
            measurements=cast(Any, storable(outcome.measurements)),
            artifacts=outcome.artifacts,
            error=outcome.reason,
            seconds=round(seconds, 4),
            device=self.spec.resources.device if analyzer.needs_device else None,
        )

    def _reported(self, draft: Draft) -> FileReport:
        try:
            report = self._report(draft)
            return report if draft.first is None else self._joined(draft.first, report)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - as in examine_file
            _log.debug("the report of %s failed", draft.info.path, exc_info=True)
            return assess.failed_report(draft.info, reason_of(error))

    def _report(self, draft: Draft) -> FileReport:
        results = tuple(merged(draft, name) for name in self.analyzers if name in draft.results)
        notes = (*draft.notes, *((_CHANGED,) if draft.info.changed else ()), *((LEFT_OUT,) if draft.left_out else ()))
        report = FileReport(
            info=draft.info,
            results=results,
            error=draft.error,
            skipped=draft.skipped,
            supplied_as=self._supplied_as(draft.info),
            notes=notes,
        )
        report = handled(report, asked=self.spec.resources.sensitive)
        if not report.sensitive:
            report = without_text_pictures(report)
        return self._answered(report, complete=self.spec.complete and draft.look is Look.WHOLE)

    def _answered(self, report: FileReport, *, complete: bool) -> FileReport:
        answers = assess.again(report, complete=complete)
        return report.model_copy(update={"answers": answers, "priority": assess.priority_of(report)})

    def _joined(self, first: FileReport, rest: FileReport) -> FileReport:
        """One report of a file at which the quick analyzers looked first and then the others.

        Args:
            first: What the quick ones found.
            rest: What the others found, in the same bytes.
        """
        results = {result.analyzer: result for result in (*first.results, *rest.results)}
        problem = rest if rest.error else first
        notes = {str(one): each.said(f"notes.{i}") for each in (rest, first) for i, one in enumerate(each.notes)}
        report = FileReport(
            info=rest.info,
            results=tuple(results[name] for name in self.analyzers if name in results),
            error=problem.said("error") if problem.error else None,
            skipped=rest.skipped,
            supplied_as=rest.supplied_as,
            notes=tuple(notes.values()),
        )
        return self._answered(handled(report, asked=self.spec.resources.sensitive), complete=self.spec.complete)

    def _supplied_as(self, info: FileInfo) -> str:
        """What the run was given this very file as, in the place where it lies: a copy elsewhere is no input."""
        for enrolment in self.spec.enrolments.values():
            for record in enrolment.records:
                path, role = record.get("path"), record.get("role")
                same = info.sha256 is not None and record.get("sha256") == info.sha256
                if same and isinstance(role, str) and os.path.realpath(str(path)) == os.path.realpath(info.path):
                    return role
        return ""


def _first_report(target: Target, draft: Draft) -> FileReport | None:
    """What the first look found, where it looked at the same bytes."""
    first = target.first() if target.first is not None else None
    return first if first is not None and first.info.sha256 == draft.info.sha256 else None


def _undecoded(evidence: Evidence) -> str | None:
    """Why a file of a known format is not decoded here, or None."""
    try:
        refuse_undecoded(evidence.media_type or "image/png")
    except EvidenceError as error:
        return error.message
    return None


def _claims(target: Target) -> bool:
    """Whether somebody expects an answer about this file, whatever it is: they named it, or its name is a picture's."""
    return target.named or target.path.suffix.lower() in IMAGE_EXTENSIONS


def _options(analyzer: type[BaseAnalyzer], values: Mapping[str, Any]) -> AnalyzerOptions:
    """Checks an analyzer's options.

    Raises:
        UsageError: A value does not fit, or there is no such option.
    """
    try:
        return analyzer.Options.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"option {where} of {analyzer.name}: {first['msg']}, got {first['input']!r}") from error


def _first_half(analyzer: BaseAnalyzer) -> Any:
    if isinstance(analyzer, BatchAnalyzer):
        return analyzer.prepare
    return cast(Analyzer, analyzer).examine


def _inferred(analyzer: BatchAnalyzer[Any, Any], batch: list[Any]) -> list[Any]:
    scores = list(analyzer.infer(batch))
    if len(scores) != len(batch):
        raise ValueError(f"it gave {len(scores)} answers for {len(batch)} files")
    return scores


def _plain_artifact(artifact: Artifact) -> Artifact:
    plain = Artifact.model_validate_json(artifact.model_dump_json(warnings=False))
    return plain.model_copy(update={"data": None if artifact.data is None else bytes(artifact.data)})


def _guarded(analyzer: BaseAnalyzer, call: Any, *arguments: Any) -> Any:
    """Calls into an analyzer; whatever it raises becomes that analyzer's own outcome and nothing else's.

    This is the worker's boundary: hostile files make parsers raise anything, and one analyzer's fault must cost
    neither the other analyzers nor the batch.
    """
    try:
        return call(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit too: a library that wants to end the program does not
        _log.debug("analyzer %s failed", analyzer.name, exc_info=True)
        reason = reason_of(error)
        if isinstance(error, (MissingDependencyError, WeightsError)):
            return Outcome.not_available(reason)
        return Outcome.failed(reason)
