"""The report models: frozen, closed to unknown fields, versioned.

Every view (console, HTML, CSV) is made from these and from nothing else, so a saved report can be
shown again without the evidence. Text that came out of a file is stored as it was (lone surrogates
escaped, so that it can be written as UTF-8); it is the views that make it harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, computed_field, model_validator

from nsfwforensics.core.records import AnalyzerRecord, Header, MethodRecord, ModelRecord, Summary
from nsfwforensics.core.vocabulary import (
    AnalyzerStatus,
    Capability,
    FileStatus,
    PictureKind,
    PictureState,
    Priority,
    Question,
    Reader,
    Severity,
    Support,
)
from nsfwforensics.core.worded import (
    Coordinate,
    Count,
    Json,
    JsonObject,
    Model,
    Probability,
    Text,
    Worded,
    WordingByField,
)

SCHEMA_VERSION = "1.2"
READ_VERSIONS = ("1.0", "1.1", "1.2")
"""The schema versions that are read."""


WRITTEN = "_written"
"""Under this name a report carries its JSON (:mod:`nsfwforensics.core.written`)."""


class Region(Model):
    """An axis-aligned box in pixels of the picture as shown (EXIF orientation applied).

    Attributes:
        x: Left edge.
        y: Top edge.
        width: In pixels.
        height: In pixels.
        outline: Corners (x, y) of a polygon that follows the place more closely; empty for the box itself.
    """

    x: Coordinate
    y: Coordinate
    width: Coordinate = Field(ge=0)
    height: Coordinate = Field(ge=0)
    outline: tuple[tuple[Coordinate, Coordinate], ...] = ()


class Finding(Worded):
    """One thing an analyzer has to say about one file.

    Attributes:
        code: Stable identifier: capital letters for the analyzer, three digits for what it found.
        title: What kind of finding it is, in a few words; the same for every file.
        severity: How much it matters if it is right.
        support: What it says to the analyzer's question.
        likelihood: A calibrated probability, or null. Never a raw score.
        explanation: One sentence for a person who is no expert.
        caveat: What would make it wrong.
        data: The figures behind it.
        region: Where in the picture, if somewhere.
        question: The question it speaks to, where that is not its analyzer's own.
        headline: The same in a few words, as it stands at the top of a report; empty where the title says it.
    """

    code: str = Field(pattern=r"^[A-Z][A-Z0-9]{1,9}-[0-9]{3}$")
    title: Text
    severity: Severity
    support: Support
    likelihood: Probability | None = None
    explanation: Text
    caveat: Text
    data: JsonObject = Field(default_factory=dict)
    region: Region | None = None
    question: Question | None = None
    headline: Text = ""
    wording: WordingByField = Field(default_factory=dict)


class Artifact(Worded):
    """Something made beside the report, such as a map.

    Attributes:
        name: What it is, in a few words.
        media_type: ``image/png`` or ``image/jpeg``.
        path: Where it lies, relative to the report's folder; empty until the report's writer has stored it.
        sha256: Of its bytes; null until then, and in reports of version 0.1.
        embed: Whether a page may hold the picture itself, rather than only name the file.
        data: Its bytes on the way to the writer; never part of the saved report.
    """

    name: Text
    media_type: str
    path: Text = ""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    embed: bool = True
    data: bytes | None = Field(default=None, exclude=True, repr=False)
    wording: WordingByField = Field(default_factory=dict)


class AnalyzerResult(Worded):
    """What one analyzer did with one file.

    ``error`` holds the reason whenever ``status`` is not ``ok`` or ``nothing_found``.
    """

    analyzer: str
    version: str
    origin: str
    question: Question
    status: AnalyzerStatus
    findings: tuple[Finding, ...] = ()
    measurements: JsonObject = Field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    error: Text | None = None
    seconds: float = Field(ge=0.0)
    device: str | None = None
    wording: WordingByField = Field(default_factory=dict)

    def about(self, question: Question) -> tuple[Finding, ...]:
        """The findings that speak to a question: their own where they name one, else the analyzer's."""
        return tuple(finding for finding in self.findings if (finding.question or self.question) is question)


class Answer(Worded):
    """The answer to one question for one file: a plain sentence, what carries it, what is missing.

    ``findings`` are codes of findings in the file's results, the ones that carry the answer first.
    """

    question: Question
    statement: Text
    support: Support
    findings: tuple[str, ...] = ()
    not_checked: tuple[Text, ...] = ()
    wording: WordingByField = Field(default_factory=dict)


class FileState(Model):
    """What a file was at one moment; all null where it could no longer be read."""

    size: Count | None = None
    modified: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class InnerPicture(Model):
    """A picture or a video in a file besides its main picture.

    ``number`` counts frames and pages from 1; ``offset`` and ``size`` are bytes in the file, for what stands there with
    bytes of its own; ``width`` and ``height`` are pixels.
    """

    kind: PictureKind
    state: PictureState
    number: Count | None = None
    offset: Count | None = None
    size: Count | None = None
    media_type: str | None = None
    width: Count | None = None
    height: Count | None = None


class FileInfo(Model):
    """What identifies one file. Sizes in bytes and pixels; times in UTC, ISO 8601.

    ``sha256`` is null only when the bytes could not be read in full. ``after`` is what the file was when its
    examination was over: the proof that it was left as it was. ``thumbnail`` is a small JPEG in base64, present only
    when evidence pixels were asked for. ``pictures`` are those that the file holds besides its main one (a long list is
    cut), and ``unexamined`` says how many pictures and videos in it were not looked at.
    """

    path: Text
    name: Text
    size: Count | None = None
    modified: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    media_type: str | None = None
    width: Count | None = None
    height: Count | None = None
    frames: Count | None = None
    decoded_share: Probability | None = None
    thumbnail: str | None = None
    after: FileState | None = None
    pictures: tuple[InnerPicture, ...] = ()
    unexamined: Count = 0

    @property
    def changed(self) -> bool:
        """Whether the file was another, or gone, when its examination was over."""
        return self.after is not None and self.after != FileState(
            size=self.size, modified=self.modified, sha256=self.sha256
        )


class FileReport(Worded):
    """Everything about one file. ``status`` is computed and never ``ok`` with a failure inside.

    ``error`` is the reason a file could not be opened or decoded; ``skipped`` marks a file that was
    passed over on purpose, with the reason in ``error``. ``notes`` are what a reader must know besides.
    ``sensitive`` marks a file to be handled with care: nothing in the report or beside it shows the picture.
    ``supplied_as`` says what the run was given this very file as (``reference``, ``original``), or nothing: it is no
    file to be judged, and its priority is ``none``.
    """

    info: FileInfo
    results: tuple[AnalyzerResult, ...] = ()
    answers: tuple[Answer, ...] = ()
    priority: Priority = Priority.NONE
    error: Text | None = None
    skipped: bool = False
    sensitive: bool = False
    supplied_as: Text = ""
    notes: tuple[Text, ...] = ()
    wording: WordingByField = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _recompute_status(cls, value: object) -> object:
        """Drops a stored ``status``: it is derived, and a saved report cannot claim another one."""
        if isinstance(value, Mapping) and "status" in value:
            return {key: item for key, item in value.items() if key != "status"}
        return value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def status(self) -> FileStatus:
        """The file's outcome, from its error and its results."""
        if self.skipped:
            return FileStatus.SKIPPED
        failed = AnalyzerStatus.FAILED
        if self.error or failed in [result.status for result in self.results]:
            return FileStatus.FAILED
        if self.info.unexamined or (self.info.decoded_share is not None and self.info.decoded_share < 1.0):
            return FileStatus.PARTIAL
        return FileStatus.OK

    def __copy__(self) -> Self:
        """A copy, whose values may become others: without the JSON that this one carries."""
        made = super().__copy__()
        made.__dict__.pop(WRITTEN, None)
        return made

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """As a copy."""
        made = super().__deepcopy__(memo)
        made.__dict__.pop(WRITTEN, None)
        return made

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of all results, in the order of the results."""
        return tuple(finding for result in self.results for finding in result.findings)


class Report(Model):
    """One run over one or many files.

    ``common`` is empty where every file stands in full. In the document of a run over many files it holds what several
    of them have in common, and the text ``"=7"`` in a file stands for the seventh of these values, ``"=+8": 0`` in an
    object for the fields of the eighth; text that begins with ``=`` itself has one more there, and fields that have
    their default are left out. ``report --json`` prints all files in full.
    """

    schema_version: str = SCHEMA_VERSION
    header: Header
    common: tuple[Json, ...] = ()
    files: tuple[FileReport, ...] = ()
    summary: Summary


def report_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of :class:`Report` as it is written."""
    return Report.model_json_schema(mode="serialization")


__all__ = [
    "READ_VERSIONS",
    "SCHEMA_VERSION",
    "AnalyzerRecord",
    "AnalyzerResult",
    "AnalyzerStatus",
    "Answer",
    "Artifact",
    "Capability",
    "FileInfo",
    "FileReport",
    "FileState",
    "FileStatus",
    "Finding",
    "Header",
    "InnerPicture",
    "Json",
    "JsonObject",
    "MethodRecord",
    "Model",
    "ModelRecord",
    "PictureKind",
    "PictureState",
    "Priority",
    "Probability",
    "Question",
    "Reader",
    "Region",
    "Report",
    "Severity",
    "Summary",
    "Support",
    "Text",
    "Worded",
    "report_schema",
]
