"""What an analyzer is: one class that speaks for itself, with a name, a question and a table of codes.

What it measures and finds is shown by views that do not know it: it declares what its figures are called, what is drawn
of them, where it stands among the others and how it is asked for. Beside its module may lie a command of its own
(``command.py``, see :mod:`nsfwforensics.core.command`) and translations of its sentences (``ja.po``).

:class:`Analyzer` looks at one file and answers. :class:`BatchAnalyzer` splits the same work in three, so that the
costly middle part can run for many files at once beside a device.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from nsfwforensics.core.charts import Chart
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.figures import Figures
from nsfwforensics.core.types import (
    AnalyzerStatus,
    Artifact,
    Capability,
    FileInfo,
    Finding,
    ModelRecord,
    PictureKind,
    Question,
    Region,
    Severity,
    Support,
)

LAST_PLACE = 1000
"""The place of analyzers that do not care."""

S = TypeVar("S")
R = TypeVar("R")


class AnalyzerOptions(BaseModel):
    """Base of every analyzer's options: they become its command-line options and its settings section.

    A field's ``description`` is its help text. ``json_schema_extra={"flag": "--name"}`` names the command-line
    option; without it the option is ``--<analyzer>-<field>``. ``"case": True`` beside it marks what only makes sense
    where results are kept in a case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of an analyzer's table of findings.

    Attributes:
        title: What kind of finding it is, in a few words.
        severity: How much it matters unless the finding says otherwise.
        caveat: What would make it wrong, unless the finding says otherwise.
        question: The question it speaks to, where that is not its analyzer's own.
        rates: How often it was measured to be wrong, as :func:`nsfwforensics.core.error_rates.error_rate` makes them.
        method: What the check behind it does, in one sentence, where that is not its analyzer's own.
        source: Where that method is described, where that is not its analyzer's own.
        headline: What such a finding says at the top of a report, in one short sentence, unless the finding says
            otherwise; the title stands there where it is empty.
    """

    title: str
    severity: Severity
    caveat: str
    question: Question | None = None
    rates: tuple[Mapping[str, Any], ...] = ()
    method: str = ""
    source: str = ""
    headline: str = ""


@dataclass(frozen=True, slots=True)
class Resources:
    """What the run lends to analyzers.

    Attributes:
        device: A resolved device name (``cpu``, ``cuda:0``, ``mps``).
        weights: A folder to look for weights in before the installed ones, or None.
        threads: How many threads a numerical library may use in this process.
        thumbnails: Whether pictures that show the evidence may be made for the report.
        sensitive: Whether every file is handled with care: what is made of it must not show it.
        isolated: Whether files are examined in confined worker processes, not in the one that asks for it.
        few: Whether there are so few files that a library which takes seconds to load is not worth it.
    """

    device: str = "cpu"
    weights: Path | None = None
    threads: int = 1
    thumbnails: bool = False
    sensitive: bool = False
    isolated: bool = False
    few: bool = False


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an analyzer prepared once for the whole run, such as the face of a reference person.

    Attributes:
        state: Anything picklable; handed to every instance of the analyzer.
        records: What the report's header says of it (file names, SHA-256).
        digest: Text that changes whenever ``state`` does; part of the plan's fingerprint.
    """

    state: Any = None
    records: tuple[Mapping[str, Any], ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an analyzer ended on one file; use the named constructors."""

    status: AnalyzerStatus
    findings: tuple[Finding, ...] = ()
    measurements: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    reason: str | None = None

    @classmethod
    def of(
        cls,
        findings: Sequence[Finding] = (),
        measurements: Mapping[str, Any] | None = None,
        artifacts: Sequence[Artifact] = (),
    ) -> Outcome:
        """The analyzer ran: ``ok`` with findings, ``nothing_found`` without."""
        status = AnalyzerStatus.OK if findings else AnalyzerStatus.NOTHING_FOUND
        return cls(status, tuple(findings), dict(measurements or {}), tuple(artifacts))

    @classmethod
    def measured(cls, reason: str, measurements: Mapping[str, Any], artifacts: Sequence[Artifact] = ()) -> Outcome:
        """The analyzer ran and measured, which answers its question neither way; the reason says why."""
        return cls(AnalyzerStatus.MEASURED, (), dict(measurements), tuple(artifacts), reason)

    @classmethod
    def not_applicable(cls, reason: str, measurements: Mapping[str, Any] | None = None) -> Outcome:
        """The question does not arise for this file or this run (no reference photo was given)."""
        return cls(AnalyzerStatus.NOT_APPLICABLE, (), dict(measurements or {}), (), reason)

    @classmethod
    def not_available(cls, reason: str) -> Outcome:
        """A model, an extra or a library that the analyzer needs is missing."""
        return cls(AnalyzerStatus.NOT_AVAILABLE, (), {}, (), reason)

    @classmethod
    def failed(cls, reason: str) -> Outcome:
        """The analyzer could not finish on this file."""
        return cls(AnalyzerStatus.FAILED, (), {}, (), reason)


class BaseAnalyzer(ABC):
    """What both kinds of analyzer have in common.

    Attributes:
        name: Short and stable; the entry point's name.
        version: Changes whenever the same bytes could give other findings.
        title: One line for lists.
        question: The question it answers.
        codes: Every finding it can make, by code.
        method: What it does, in one sentence for a person who is no expert.
        source: Where that is described: a standard, a paper, a page of the documentation.
        figures: What its figures and options are called: all keys in its measurements and in its findings' data.
        charts: What is drawn of them.
        place: Where it stands among the others, built-in ones first: of equally strong findings the first analyzer's
            leads the answer.
        provides: What other parts of the package may ask of it.
        help: Heads its options on the command line, in a few words; the title if empty.
        Options: Its options model.
        any_file: Whether it also takes files that are no pictures, for what their bytes alone say; such a one does all
            its work in ``examine``.
        looks_at: The kinds of further pictures in a file that it examines as it does the main one.
        needs_pixels: Whether it can say nothing of a file whose picture is not decoded here, or that is a video.
        quick: Whether it takes some milliseconds a file at most, so that it looks at all files before the others do.
        needs_device: Whether it runs a model on ``resources.device``.
        asked_by: Options of which it needs one: a run in which none of them is set does without the analyzer.
            Where it is set, it stands in for others that provide the same and were given no options of their own.
        optional: Whether it comes with an extra. Where that is missing it is "not available" like any other, but only
            a run that asked for it by name ends with the exit code for that.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[Question]
    codes: ClassVar[Mapping[str, Code]]
    method: ClassVar[str] = ""
    source: ClassVar[str] = ""
    figures: ClassVar[Figures] = {}
    charts: ClassVar[tuple[Chart, ...]] = ()
    place: ClassVar[int] = LAST_PLACE
    provides: ClassVar[frozenset[Capability]] = frozenset()
    help: ClassVar[str] = ""
    Options: ClassVar[type[AnalyzerOptions]] = AnalyzerOptions
    any_file: ClassVar[bool] = False
    looks_at: ClassVar[frozenset[PictureKind]] = frozenset()
    needs_pixels: ClassVar[bool] = True
    quick: ClassVar[bool] = False
    needs_device: ClassVar[bool] = False
    asked_by: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[bool] = False

    def __init__(self, options: AnalyzerOptions, resources: Resources, enrolment: Enrolment | None = None) -> None:
        self.options: Any = options
        self.resources = resources
        self.enrolment = enrolment or Enrolment()

    @classmethod
    def heavy_modules(cls, options: Mapping[str, Any], device: str) -> tuple[str, ...]:
        """Names what takes long to load and is shared by all workers for many files: by default torch, for a model.

        Args:
            options: Those that were set, by name.
            device: The device that was asked for.
        """
        del options, device
        return ("torch",) if cls.needs_device else ()

    @classmethod
    def enrol(cls, options: Any, resources: Resources) -> Enrolment:
        """Prepares, once per run and before any evidence is opened, what every worker will need.

        Raises:
            UsageError: The options ask for something impossible (a reference photo without a face).
        """
        del options, resources
        return Enrolment()

    def unavailable(self) -> str | None:
        """Why the analyzer cannot run at all here (missing model or extra), or None."""
        return None

    def beside(self, picture: Path) -> Iterable[Path]:
        """The files beside a picture that it reads too, as far as they are there; they travel with it."""
        del picture
        return ()

    def models(self) -> tuple[ModelRecord, ...]:
        """The models it uses, for the report's header and the plan's fingerprint."""
        return ()

    def finding(
        self,
        code: str,
        explanation: str,
        *,
        support: Support = Support.SUPPORTS,
        severity: Severity | None = None,
        likelihood: float | None = None,
        caveat: str | None = None,
        data: Mapping[str, Any] | None = None,
        region: Region | None = None,
        headline: str = "",
    ) -> Finding:
        """Makes a finding from the table of codes.

        Args:
            code: A key of :attr:`codes`.
            explanation: One sentence for a person who is no expert.
            support: What it says to the analyzer's question.
            severity: Overrides the table's.
            likelihood: A calibrated probability, 0–1, or None.
            caveat: Overrides the table's.
            data: The figures behind it.
            region: Where in the picture.
            headline: Overrides the table's.

        Raises:
            KeyError: The code is not in the table.
        """
        entry = self.codes[code]
        return Finding(
            code=code,
            title=entry.title,
            severity=severity or entry.severity,
            support=support,
            likelihood=likelihood,
            explanation=explanation,
            caveat=caveat or entry.caveat,
            data={**({ERROR_RATES: entry.rates} if entry.rates else {}), **(data or {})},
            region=region,
            question=entry.question,
            headline=headline or entry.headline,
        )


def flag(analyzer: type[BaseAnalyzer], option: str) -> str:
    """How an option of an analyzer is called on the command line, with its dashes."""
    extra = analyzer.Options.model_fields[option].json_schema_extra if option in analyzer.Options.model_fields else None
    named = extra.get("flag") if isinstance(extra, dict) else None
    return str(named or f"--{analyzer.name}-{option.replace('_', '-')}")


def kept_in_case(analyzer: type[BaseAnalyzer], option: str) -> bool:
    """Whether an option only makes sense where results are kept in a case."""
    extra = analyzer.Options.model_fields[option].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("case"))


class Analyzer(BaseAnalyzer):
    """Looks at one file and answers."""

    @abstractmethod
    def examine(self, evidence: Evidence) -> Outcome:
        """Examines one file.

        Raises:
            EvidenceError: The picture cannot be decoded and the analyzer needs it.
        """


class BatchAnalyzer(BaseAnalyzer, Generic[S, R]):
    """Splits its work so that one device can serve many files at once."""

    @abstractmethod
    def prepare(self, evidence: Evidence) -> S | Outcome:
        """Takes from one file what the model needs: small and picklable. An :class:`Outcome` ends it here.

        Raises:
            EvidenceError: The picture cannot be decoded.
        """

    @abstractmethod
    def infer(self, batch: Sequence[S]) -> Sequence[R]:
        """Runs the model. The answers are aligned one to one with ``batch`` and do not depend on their company."""

    @abstractmethod
    def conclude(self, info: FileInfo, scores: R) -> Outcome:
        """Turns one file's scores into findings."""
