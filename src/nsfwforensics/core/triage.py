"""Which signs a file shows, by what they speak of: what headlines are made of, and the order within a priority.

No analyzer is known by name here. A check whose question is about a person or a known image compares with something
that the user supplied, so whatever it finds was asked for; what speaks to those questions weighs more than any other.
``docs/triage.md`` has the rule in words.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, Self

from nsfwforensics.core.types import AnalyzerResult, FileReport, FileStatus, Finding, Question, Severity, Support

ASKED = (Question.IDENTITY, Question.KNOWN)
"""The questions that arise only where the user supplied something to compare with."""


class Sign(StrEnum):
    """What a finding is a sign of, in the order of its weight for the reader."""

    SOURCE = "source"
    """Made from one of the originals that the user supplied."""
    CHANGED = "changed"
    """Changed against such an original."""
    PERSON = "person"
    """A face like the one of the reference photo."""
    LISTED = "listed"
    """On a list of known images."""
    CONTENT = "content"
    """To be handled with care."""
    ORIGIN = "origin"
    """A statement of origin that matters: made or changed with AI, or one that does not fit."""
    SYNTHESIS = "synthesis"
    ALTERATION = "alteration"


_OWN = {
    Question.ORIGIN: Sign.ORIGIN,
    Question.SYNTHESIS: Sign.SYNTHESIS,
    Question.ALTERATION: Sign.ALTERATION,
    Question.IDENTITY: Sign.PERSON,
    Question.KNOWN: Sign.LISTED,
    Question.CONTENT: Sign.CONTENT,
}


def sign_of(finding: Finding, result: AnalyzerResult, originals: Container[str] = ()) -> Sign | None:
    """What a finding is a sign of, or None where it is none that matters.

    Args:
        finding: One finding; inconclusive ones are told apart by their support.
        result: The result that holds it.
        originals: The names of the analyzers that compare with originals.
    """
    return Weighed.of(finding, result).sign(originals)


class Weighed(NamedTuple):
    """What of a finding decides where its file stands.

    Attributes:
        analyzer: Whose it is.
        asked: The question of the result that holds it.
        about: The question that it speaks to.
        severity: How much it matters.
        support: What it says to that question.
    """

    analyzer: str
    asked: Question
    about: Question
    severity: Severity
    support: Support

    @classmethod
    def of(cls, finding: Finding, result: AnalyzerResult) -> Self:
        """What triage needs to know of a finding."""
        about = finding.question or result.question
        return cls(result.analyzer, result.question, about, finding.severity, finding.support)

    def sign(self, originals: Container[str] = ()) -> Sign | None:
        """What it is a sign of, or None where it is none that matters."""
        if self.support not in _SHARES or self.severity.rank < Severity.MEDIUM.rank:
            return None
        if self.asked in ASKED and self.about is Question.ALTERATION:
            return Sign.CHANGED
        if self.about is Question.KNOWN and self.analyzer in originals:
            return Sign.SOURCE
        return _OWN[self.about]

    @property
    def strength(self) -> float:
        """The rank of its severity, 0 to 3, half of it where it is inconclusive."""
        return self.severity.rank * _SHARES.get(self.support, 0.0)


_SHARES = {Support.SUPPORTS: 1.0, Support.INCONCLUSIVE: 0.5}


def signs(file: FileReport, originals: Iterable[str] = ()) -> Mapping[Sign, float]:
    """The signs that a file shows, each with its strength.

    Args:
        file: Its report.
        originals: The names of the analyzers that compare with originals.

    Returns:
        By sign, the rank of its most severe finding (2 or 3), half of it where all there is is inconclusive.
    """
    return _signs(_statements(file), frozenset(originals))


def _statements(file: FileReport) -> tuple[Weighed, ...]:
    return tuple([Weighed.of(finding, result) for result in file.results for finding in result.findings])


@lru_cache(maxsize=1024)  # the same is said of many files, and asked for several times of each
def _signs(statements: tuple[Weighed, ...], originals: frozenset[str]) -> Mapping[Sign, float]:
    found: dict[Sign, float] = {}
    for statement in statements:
        if (sign := statement.sign(originals)) is not None:
            found[sign] = max(found.get(sign, 0.0), statement.strength)
    return MappingProxyType({sign: found[sign] for sign in Sign if sign in found})


def altered(shown: Container[Sign]) -> bool:
    """Whether signs say that the picture was changed or made by a machine, whoever noticed it."""
    return any(sign in shown for sign in (Sign.CHANGED, Sign.ORIGIN, Sign.SYNTHESIS, Sign.ALTERATION))


def certain(found: Mapping[Sign, float]) -> frozenset[Sign]:
    """Those of a file's signs that are more than inconclusive."""
    return frozenset(sign for sign, strength in found.items() if strength >= Severity.MEDIUM.rank)


class TriageRank(NamedTuple):
    """Where a file stands among those of its priority; what sorts first is to be looked at first.

    Attributes:
        tier: 0 where something that was asked for was found in a picture that was altered or needs care, 1 where it was
            found, 2 where nothing is known because the file or a check of it failed, 3 for all others, 4 for what the
            user supplied.
        strength: Of its independent signs together, negative so that the strongest sorts first: for every check and
            every question the rank of the gravest finding (1 to 3), half of it where that is inconclusive.
    """

    tier: int
    strength: float


def standing(file: FileReport, originals: Iterable[str] = ()) -> TriageRank:
    """Where a file stands among those of its priority.

    Args:
        file: Its report.
        originals: The names of the analyzers that compare with originals.
    """
    failed = file.status is FileStatus.FAILED
    return place(_statements(file), originals, supplied=bool(file.supplied_as), failed=failed)


def place(
    statements: Iterable[Weighed], originals: Iterable[str] = (), *, supplied: bool = False, failed: bool = False
) -> TriageRank:
    """Where a file stands of which this is said.

    Args:
        statements: All of its findings.
        originals: The names of the analyzers that compare with originals.
        supplied: Whether the user supplied it to compare with.
        failed: Whether it, or a check of it, failed.
    """
    return _place(tuple(statements), frozenset(originals), supplied=supplied, failed=failed)


@lru_cache(maxsize=1024)
def _place(statements: tuple[Weighed, ...], originals: frozenset[str], *, supplied: bool, failed: bool) -> TriageRank:
    found = certain(_signs(statements, originals))
    independent: dict[tuple[str, Question], float] = {}
    for each in statements:
        key = (each.analyzer, each.about)
        independent[key] = max(independent.get(key, 0.0), each.strength)
    if supplied:
        tier = 4
    elif found.isdisjoint(_FOUND_AS_ASKED):
        tier = 2 if failed and not found else 3
    else:
        tier = 0 if altered(found) or Sign.CONTENT in found else 1
    return TriageRank(tier, -sum(independent.values()))


_FOUND_AS_ASKED = frozenset({Sign.SOURCE, Sign.PERSON, Sign.LISTED})


def leading(file: FileReport, originals: Container[str] = ()) -> list[Finding]:
    """The findings that say why a file stands where it stands: of each of its signs the gravest, the weightiest first.

    Args:
        file: Its report.
        originals: The names of the analyzers that compare with originals.
    """
    found: dict[Sign, Finding] = {}
    for result in file.results:
        for finding in result.findings:
            sign = sign_of(finding, result, originals)
            if sign is not None and (sign not in found or _weight(finding) > _weight(found[sign])):
                found[sign] = finding
    return [found[sign] for sign in Sign if sign in found]


def _weight(finding: Finding) -> float:
    return finding.severity.rank - (0.5 if finding.support is Support.INCONCLUSIVE else 0.0)
