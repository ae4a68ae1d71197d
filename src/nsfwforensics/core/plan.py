"""How one file travels: a picklable :class:`PlanSpec` becomes a :class:`Plan` in every worker.

``examine_file`` does everything that needs the file and returns a small draft; ``infer`` serves the drafts of many
files at once and makes their reports. The same two calls are made whatever runs them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
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
from nsfwforensics.core.discover import Target
from nsfwforensics.core.evidence import Evidence, Limits, describe_path, file_state
from nsfwforensics.core.media import IMAGE_EXTENSIONS
from nsfwforensics.core.messages import say
from nsfwforensics.core.registry import installed
from nsfwforensics.core.sensitive import LEFT_OUT, handled, has_pictures, needs_care, without_pictures
from nsfwforensics.core.storable import storable
from nsfwforensics.core.types import (
    AnalyzerRecord,
    AnalyzerResult,
    AnalyzerStatus,
    FileInfo,
    FileReport,
    MethodRecord,
    ModelRecord,
)
from nsfwforensics.errors import EvidenceError, MissingDependencyError, UsageError, WeightsError

_CHANGED = say(
    "Something else changed or removed this file while it was being examined. What is said here is about the bytes "
    "with the SHA-256 given above; this tool never writes to what it examines."
)

_WORDS = {"method", "source", "codes"}
"""What a report says of an analyzer that changes nothing in what it finds."""


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
    """

    analyzers: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    enrolments: Mapping[str, Enrolment] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    resources: Resources = field(default_factory=Resources)
    complete: bool = True


@dataclass(slots=True)
class Draft:
    """One file half-way: finished results, and for each batch analyzer what it prepared."""

    info: FileInfo
    results: dict[str, AnalyzerResult]
    pending: dict[str, Any]
    error: str | None = None
    skipped: bool = False
    left_out: bool = False
    seconds: dict[str, float] = field(default_factory=dict)


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
            "analyzers": [record.model_dump(mode="json", exclude=_WORDS) for record in self.analyzer_records()],
            "models": [record.model_dump(mode="json") for record in self.models()],
            "enrolments": {name: e.digest for name, e in sorted(self.spec.enrolments.items())},
            "limits": [self.spec.limits.max_bytes, self.spec.limits.max_pixels],
        }
        if missing := [name for name, analyzer in self.analyzers.items() if self._unavailable(analyzer)]:
            content["unavailable"] = missing  # once it is there, it will find something
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def analyzer_records(self) -> tuple[AnalyzerRecord, ...]:
        """Names, versions, origins and options of the planned analyzers, for the report's header."""
        return tuple(
            AnalyzerRecord(
                name=name,
                version=analyzer.version,
                question=analyzer.question,
                origin=self.origins[name],
                options=cast(Any, analyzer.options.model_dump(mode="json")),
                method=analyzer.method,
                source=analyzer.source,
                codes={
                    code: MethodRecord(method=entry.method, source=entry.source)
                    for code, entry in analyzer.codes.items()
                    if entry.method or entry.source
                },
            )
            for name, analyzer in self.analyzers.items()
        )

    def models(self) -> tuple[ModelRecord, ...]:
        """The models that the planned analyzers use."""
        return tuple(model for analyzer in self.analyzers.values() for model in analyzer.models())

    def examine_file(self, target: Target) -> Draft:
        """Opens one file, runs every ``examine`` and ``prepare``, and closes it. Never raises for a bad file."""
        if target.skip is not None:
            return Draft(describe_path(target.path), {}, {}, target.skip, skipped=not target.named)
        try:
            evidence = Evidence.open(target.path, self.spec.limits, follow=target.follow)
        except EvidenceError as error:
            skipped = not (target.named or target.path.suffix.lower() in IMAGE_EXTENSIONS)
            info = describe_path(target.path)
            return Draft(info, {}, {}, error.message, skipped=skipped)
        if evidence.media_type is None:
            claims = target.named or target.path.suffix.lower() in IMAGE_EXTENSIONS
            reason = say("the content is no image format known here")
            return Draft(evidence.info(), {}, {}, reason, skipped=not claims)
        return self._examine(evidence)

    def _examine(self, evidence: Evidence) -> Draft:
        draft = Draft(evidence.info(), {}, {})
        for name, analyzer in self.analyzers.items():
            started = time.perf_counter()
            outcome: Any = self._unavailable(analyzer)
            if outcome is None:
                outcome = _guarded(_first_half(analyzer), evidence)
            seconds = time.perf_counter() - started
            if isinstance(outcome, Outcome):
                draft.results[name] = self._result(analyzer, outcome, seconds)
            else:
                draft.pending[name] = outcome
                draft.seconds[name] = seconds
        if any(result.status is AnalyzerStatus.FAILED for result in draft.results.values()):
            draft.error = evidence.problem
        careful = self.spec.resources.sensitive or needs_care(draft.results.values())
        if careful:  # what shows the picture does not even leave this process
            draft.left_out = self.spec.resources.thumbnails or has_pictures(draft.results.values())
            draft.results = {name: without_pictures(result) for name, result in draft.results.items()}
        thumbnail = self.spec.resources.thumbnails and not careful
        draft.info = evidence.info(thumbnail=thumbnail).model_copy(update={"after": evidence.after()})
        return draft

    def infer(self, drafts: Sequence[Draft]) -> list[FileReport]:
        """Runs the device stage for many files at once and makes their reports, aligned one to one."""
        for name, analyzer in self.analyzers.items():
            waiting = [draft for draft in drafts if name in draft.pending]
            if waiting and isinstance(analyzer, BatchAnalyzer):
                self._infer_one(name, analyzer, waiting)
        return [self._report(draft) for draft in drafts]

    def _infer_one(self, name: str, analyzer: BatchAnalyzer[Any, Any], waiting: Sequence[Draft]) -> None:
        started = time.perf_counter()
        scores = _guarded(analyzer.infer, [draft.pending[name] for draft in waiting])
        share = (time.perf_counter() - started) / len(waiting)
        for index, draft in enumerate(waiting):
            outcome = scores if isinstance(scores, Outcome) else None
            if outcome is None:
                outcome = _guarded(analyzer.conclude, draft.info, scores[index])
            seconds = draft.seconds[name] + share
            draft.results[name] = self._result(analyzer, outcome, seconds)

    def _unavailable(self, analyzer: BaseAnalyzer) -> Outcome | None:
        if analyzer.name not in self._missing:
            self._missing[analyzer.name] = analyzer.unavailable()
        reason = self._missing[analyzer.name]
        return Outcome.not_available(reason) if reason else None

    def _result(self, analyzer: BaseAnalyzer, outcome: Outcome, seconds: float) -> AnalyzerResult:
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

    def _report(self, draft: Draft) -> FileReport:
        results = tuple(draft.results[name] for name in self.analyzers if name in draft.results)
        notes = (*((_CHANGED,) if draft.info.changed else ()), *((LEFT_OUT,) if draft.left_out else ()))
        report = FileReport(info=draft.info, results=results, error=draft.error, skipped=draft.skipped, notes=notes)
        report = handled(report, asked=self.spec.resources.sensitive)
        results = report.results
        return report.model_copy(
            update={
                "answers": assess.answers(results, complete=self.spec.complete, reason=draft.error),
                "priority": assess.priority(results, report.status),
            }
        )


def failed_draft(target: Target, reason: str, limits: Limits) -> Draft:
    """The draft of a file whose examination ended outside the plan (a worker died): hashed, and not looked into."""
    state = file_state(target.path, limits.max_bytes, follow=target.follow)
    known = describe_path(target.path).model_copy(
        update={"size": state.size, "modified": state.modified, "sha256": state.sha256}
    )
    return Draft(known, {}, {}, reason)


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


def _guarded(call: Any, *arguments: Any) -> Any:
    """Calls into an analyzer; whatever it raises becomes that analyzer's own outcome and nothing else's.

    This is the worker's boundary: hostile files make parsers raise anything, and one analyzer's fault must cost
    neither the other analyzers nor the batch.
    """
    try:
        return call(*arguments)
    except (MissingDependencyError, WeightsError) as error:
        return Outcome.not_available(error.message)
    except EvidenceError as error:
        return Outcome.failed(error.message)
    except MemoryError:
        return Outcome.failed(say("ran out of memory"))
    except Exception as error:  # noqa: BLE001
        return Outcome.failed(f"{type(error).__name__}: {error}")
