"""What a report says of its run: who ran what, when, with which analyzers and models, and the counts."""

from __future__ import annotations

from pydantic import Field

from nsfwforensics.core.charts import Chart
from nsfwforensics.core.vocabulary import Capability, FileStatus, Priority, Question, Support
from nsfwforensics.core.worded import JsonObject, Model, Text, Worded, WordingByField


class ModelRecord(Model):
    """A model that was used, named so that the run can be repeated."""

    name: str
    version: str
    file: str
    sha256: str
    used_by: str


class MethodRecord(Model):
    """What a check does, in one sentence, and where that is described."""

    method: Text = ""
    source: Text = ""


class AnalyzerRecord(Model):
    """An analyzer that was planned, and all that is needed to show its results without it.

    Attributes:
        name: Short and stable.
        version: Of its findings.
        question: The question that it answers.
        origin: ``built-in``, or the package that it came with.
        options: How it was set.
        title: What it is, in one line; empty in reports of schema 1.0, which say nothing of what follows ``codes``.
        method: What it does, in one sentence.
        source: Where that is described.
        codes: Both for those of its findings that have a method of their own.
        figures: The names of its figures and options, by key.
        words: What codes in figures mean, by key and code.
        verbatim: Figures inside of which the file gives the names.
        charts: What is drawn of its data.
        provides: What it may be asked for.
        messages: Translations of its own sentences, by language and English sentence; where that has a plural, the
            plural and then each form.
    """

    name: str
    version: str
    question: Question
    origin: str
    options: JsonObject = Field(default_factory=dict)
    title: Text = ""
    method: Text = ""
    source: Text = ""
    codes: dict[str, MethodRecord] = Field(default_factory=dict)
    figures: dict[str, Text] = Field(default_factory=dict)
    words: dict[str, dict[str, Text]] = Field(default_factory=dict)
    verbatim: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    provides: tuple[Capability, ...] = ()
    messages: dict[str, dict[str, Text | tuple[Text, ...]]] = Field(default_factory=dict)


class Header(Worded):
    """Who ran what, when, with which versions, limits and models.

    ``sensitive`` says that all files were to be handled with care: nothing that shows them was made. ``paths_digest``
    is the SHA-256 of what was to be examined as it was named: paths, with NUL between them.
    """

    tool: str = "nsfwforensics"
    version: str
    command: Text
    operator: Text = "not supplied"
    started: str
    finished: str | None = None
    interrupted: bool = False
    python: str
    platform: str
    libraries: dict[str, str] = Field(default_factory=dict)
    device: str
    engine: str
    fingerprint: str
    analyzers: tuple[AnalyzerRecord, ...] = ()
    models: tuple[ModelRecord, ...] = ()
    references: tuple[JsonObject, ...] = ()
    limits: JsonObject = Field(default_factory=dict)
    sensitive: bool = False
    paths_digest: str = ""
    notes: tuple[Text, ...] = ()
    wording: WordingByField = Field(default_factory=dict)

    def providing(self, capability: Capability) -> frozenset[str]:
        """The names of the planned analyzers that may be asked for something."""
        return frozenset(record.name for record in self.analyzers if capability in record.provides)


class Summary(Model):
    """Counts over all files of a report."""

    files: int = 0
    bytes: int = 0
    by_status: dict[FileStatus, int] = Field(default_factory=dict)
    by_priority: dict[Priority, int] = Field(default_factory=dict)
    by_question: dict[Question, dict[Support, int]] = Field(default_factory=dict)
    seconds: float = 0.0
