"""What a report says of its run: who ran what, when, with which analyzers and models, and the counts."""

from __future__ import annotations

from pydantic import Field

from nsfwforensics.core.vocabulary import FileStatus, Priority, Question, Support
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
    """An analyzer that was planned, with where its code came from and how it was set.

    ``method`` and ``source`` say what it does and where that is described; ``codes`` the same for those of its findings
    that have a method of their own.
    """

    name: str
    version: str
    question: Question
    origin: str
    options: JsonObject = Field(default_factory=dict)
    method: Text = ""
    source: Text = ""
    codes: dict[str, MethodRecord] = Field(default_factory=dict)


class Header(Worded):
    """Who ran what, when, with which versions, limits and models.

    ``sensitive`` says that all files were to be handled with care: nothing that shows them was made.
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
    notes: tuple[Text, ...] = ()
    wording: WordingByField = Field(default_factory=dict)


class Summary(Model):
    """Counts over all files of a report."""

    files: int = 0
    bytes: int = 0
    by_status: dict[FileStatus, int] = Field(default_factory=dict)
    by_priority: dict[Priority, int] = Field(default_factory=dict)
    by_question: dict[Question, dict[Support, int]] = Field(default_factory=dict)
    seconds: float = 0.0
