"""What a report's header says of the analyzers, so that their results are shown without them.

Of a report of schema 1.0, which says little, the installed analyzers of the same names are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nsfwforensics.core.charts import Chart
from nsfwforensics.core.figures import COMMON, names_of, verbatim_of, words_of
from nsfwforensics.core.messages import Speaker
from nsfwforensics.core.registry import installed
from nsfwforensics.core.types import AnalyzerRecord, Capability, Finding, Header, MethodRecord, Worded
from nsfwforensics.errors import ForensicsError

_COMMON = names_of(COMMON)


@dataclass(frozen=True, slots=True)
class Label:
    """What stands before a figure: words, or a key as it is written."""

    text: str
    as_written: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredFigures:
    """What figures of one analyzer are called, and what codes in them mean.

    Attributes:
        names: By key.
        words: By key and code.
        verbatim: Keys inside of which the file gives the names.
        unmarked: Whether sentences of ours stand in the data unmarked, as they do in reports of schema 1.0.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    verbatim: frozenset[str] = frozenset()
    unmarked: bool = False

    def label(self, key: str, parent: str, language: Speaker) -> Label:
        """The name of a figure: the declared one, or its key in words.

        Args:
            key: Its key.
            parent: The key of the figure that it lies in, or nothing.
            language: Of the words.
        """
        if parent in self.verbatim:
            return Label(key, as_written=True)
        declared = self.words.get(parent, {}).get(key) or self.names.get(key) or _COMMON.get(key)
        return Label(language.says(declared or key.replace("_", " ")))

    def value(self, key: str, text: str, place: str, model: Worded | None, language: Speaker) -> str:
        """A text among the figures: what a code means, a sentence of ours in the language, or text of the file.

        Args:
            key: The figure that it is the value of.
            text: As saved.
            place: Where it stands in the model.
            model: What it was saved in, which knows its sentences.
            language: Of the words.
        """
        if text in (codes := self.words.get(key, {})):
            return language.says(codes[text])
        if self.unmarked:
            return language.says(text) if " " in text else text
        said = model.said_inside(place, text) if model is not None else text
        return language.says(said) if said is not text else text


@dataclass(frozen=True)
class Declared:
    """What the analyzers of a report declare.

    Attributes:
        records: By name of the analyzer.
    """

    records: Mapping[str, AnalyzerRecord]

    @classmethod
    def of(cls, header: Header) -> Declared:
        """What a report's header says."""
        records: dict[str, AnalyzerRecord] = {}
        for record in header.analyzers:  # of a case each analyzer may stand there several times, the newest first
            records.setdefault(record.name, record if record.title else _asked(record))
        return cls(records)

    def providing(self, capability: Capability) -> frozenset[str]:
        """The names of the analyzers that may be asked for something."""
        return frozenset(name for name, record in self.records.items() if capability in record.provides)

    def charts(self, analyzer: str) -> tuple[Chart, ...]:
        """What is drawn of an analyzer's data."""
        record = self.records.get(analyzer)
        return record.charts if record is not None else ()

    def figures(self, analyzer: str) -> DeclaredFigures:
        """What an analyzer's figures are called."""
        return self._figures.get(analyzer, DeclaredFigures(unmarked=True))

    @cached_property
    def _figures(self) -> dict[str, DeclaredFigures]:
        return {name: _figures([record]) for name, record in self.records.items()}

    @cached_property
    def all_figures(self) -> DeclaredFigures:
        """What the figures of all analyzers are called; of two names for one key the first stands."""
        return _figures(list(self.records.values()))

    @cached_property
    def messages(self) -> dict[str, dict[str, str | tuple[str, ...]]]:
        """The translations that analyzers brought, by language; of two for one sentence the first stands."""
        found: dict[str, dict[str, str | tuple[str, ...]]] = {}
        for record in reversed(list(self.records.values())):
            for code, messages in record.messages.items():
                found.setdefault(code, {}).update(messages)
        return found

    def method(self, analyzer: str, finding: Finding) -> MethodRecord:
        """What the check behind a finding does, and where that is described; empty where the report does not say."""
        record = self.records.get(analyzer)
        if record is None:
            return MethodRecord()
        own = record.codes.get(finding.code, MethodRecord())
        return MethodRecord(method=own.method or record.method, source=own.source or record.source)


def _figures(records: Iterable[AnalyzerRecord]) -> DeclaredFigures:
    known = list(records)[::-1]
    words: dict[str, dict[str, str]] = {}
    for record in known:
        for key, meanings in record.words.items():
            words.setdefault(key, {}).update(meanings)
    return DeclaredFigures(
        {key: name for record in known for key, name in record.figures.items()},
        words,
        frozenset(key for record in known for key in record.verbatim),
        unmarked=any(not record.title for record in known),
    )


def _asked(record: AnalyzerRecord) -> AnalyzerRecord:
    """The record of schema 1.0 with what the installed analyzer of that name says; its title stays empty."""
    registration = next((each for each in installed() if each.built_in and each.name == record.name), None)
    try:
        analyzer = registration.load() if registration is not None and record.origin == registration.origin else None
    except ForensicsError:
        analyzer = None
    if analyzer is None:
        return record
    return record.model_copy(
        update={
            "figures": {key: str(name) for key, name in names_of(analyzer.figures).items()},
            "words": words_of(analyzer.figures),
            "verbatim": verbatim_of(analyzer.figures),
            "charts": analyzer.charts,
            "provides": tuple(analyzer.provides),
        }
    )
