"""One file's report arranged for reading: by question, with what carries each answer and what is missing.

The console and the HTML page are both made from this, so that they agree.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from nsfwforensics.core.assess import reading_order, speaking_to
from nsfwforensics.core.fields import one_text
from nsfwforensics.core.hashes import HASHES, QUALITY, measured_hashes
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.types import AnalyzerResult, Answer, FileReport, Finding, Question, Region, Severity, Support
from nsfwforensics.report.words.wording import QUESTIONS, STATUS, Badge, answer_badge, told

FEW = 4
"""Up to how many findings of one question are all shown unfolded."""

_PREFIX = "Not checked: "
"""How the statement of an unanswered question begins; the badge before it already says so."""


@dataclass(frozen=True, slots=True)
class NumberedFinding:
    """A finding, its place among the file's, from 0, and the number of its box in the drawing of regions, or None."""

    finding: Finding
    place: int
    region_number: int | None


@dataclass(frozen=True, slots=True)
class Check:
    """How one analyzer ended, in words."""

    result: AnalyzerResult
    badge: Badge


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question with its answer, the findings that carry it, and how each check behind it ended.

    ``missing`` is what could not be checked beyond what ``checks`` already say. Of many findings, ``main`` are those to
    read and ``minor`` the plain information that a page may fold away.
    """

    question: Question
    badge: Badge
    statement: str
    findings: tuple[NumberedFinding, ...]
    checks: tuple[Check, ...]
    missing: tuple[str, ...]
    support: Support

    @property
    def main(self) -> tuple[NumberedFinding, ...]:
        """The findings to read; all of them where they are few."""
        if len(self.findings) <= FEW:
            return self.findings
        return tuple(item for index, item in enumerate(self.findings) if index == 0 or not _is_minor(item.finding))

    @property
    def minor(self) -> tuple[NumberedFinding, ...]:
        """The findings that are not in :attr:`main`."""
        return tuple(item for item in self.findings if item not in self.main)

    @property
    def grave(self) -> bool:
        """Whether what carries the answer is of medium or high importance."""
        return any(
            each.finding.support is self.support and each.finding.severity.rank >= Severity.MEDIUM.rank
            for each in self.findings
        )

    @property
    def short(self) -> str:
        """The question in a few words."""
        if self.question is Question.SYNTHESIS and self.support is Support.NO_INDICATION:
            return say("Generated")  # the pixels carry no statement on swapped faces
        return QUESTIONS[self.question]


@dataclass(frozen=True, slots=True)
class NumberedRegion:
    """A region with its number and the title of the finding it belongs to."""

    number: int
    region: Region
    title: str


def questions(file: FileReport) -> tuple[QuestionView, ...]:
    """Arranges a file's report by question, each once: by support, then grave signs first, then by :data:`_READING`."""
    given = {answer.question: answer for answer in file.answers}
    numbers = _region_numbers(file)
    views = (_question(file, question, given.get(question), numbers) for question in _READING)
    return tuple(sorted(views, key=lambda view: (_SUPPORTS.index(view.support), not view.checks, not view.grave)))


_READING = (
    Question.KNOWN,
    Question.IDENTITY,
    Question.ALTERATION,
    Question.CONTENT,
    Question.ORIGIN,
    Question.SYNTHESIS,
)
"""Equally supported questions in the order of their weight for the reader."""
_SUPPORTS = (Support.SUPPORTS, Support.INCONCLUSIVE, Support.NO_INDICATION, Support.NOT_CHECKED)


def regions(file: FileReport) -> tuple[NumberedRegion, ...]:
    """All regions of a file's findings, numbered from 1 in the order of the questions."""
    numbers = _region_numbers(file)
    return tuple(
        NumberedRegion(numbers[place], finding.region, finding.title)
        for place, finding in _ordered(file)
        if finding.region is not None
    )


def box_text(region: Region) -> str:
    """A region as text: x, y, width, height in pixels."""
    return f"{region.x}, {region.y}, {region.width}, {region.height}"


def hashes(file: FileReport, providers: Container[str]) -> list[tuple[str, str]]:
    """The digests and perceptual hashes of a file as (name, value); PDQ with its quality.

    Args:
        file: Its report.
        providers: The names of the analyzers that provide hashes.
    """
    measured = measured_hashes(file, providers)
    return [(name, _hash_text(name, measured)) for name in HASHES if measured.get(name) is not None]


def _hash_text(name: str, measured: Mapping[str, object]) -> str:
    if name == "pdq" and measured.get(QUALITY) is not None:
        return say("{hash} (quality {quality} of 100)", hash=measured[name], quality=measured[QUALITY])
    return one_text(measured[name])


def _question(file: FileReport, question: Question, answer: Answer | None, numbers: dict[int, int]) -> QuestionView:
    results = speaking_to(question, file.results)
    if answer is None:
        reason = say("not part of this report")
        answer = Answer(
            question=question,
            statement=say("Not checked: {reason}.", reason=reason),
            support=Support.NOT_CHECKED,
            not_checked=(reason,),
        )
    chosen = sorted(_ordered(file, (question,)), key=lambda pair: reading_order(pair[1]))
    checks = tuple(Check(result, STATUS[result.status]) for result in results)
    shown = {f"{result.analyzer}: {result.error}" for result in results if result.error}
    return QuestionView(
        question=question,
        badge=answer_badge(answer, results),
        statement=_statement(answer),
        findings=tuple(NumberedFinding(finding, place, numbers.get(place)) for place, finding in chosen),
        checks=checks,
        missing=tuple(
            told(answer, f"not_checked.{number}")
            for number, item in enumerate(answer.not_checked)
            if item not in shown and not _says(answer.statement, item)
        ),
        support=answer.support,
    )


def _statement(answer: Answer) -> str:
    """The sentence of an answer; of one that was not checked only why, as its badge says the rest."""
    statement = told(answer, "statement")
    if answer.support is not Support.NOT_CHECKED:
        return statement
    if isinstance(statement, Message):
        reasons = statement.values.get("reasons", [statement.values.get("reason")])
        if isinstance(reasons, (list, tuple)) and all(reasons):
            return say("{reasons:semicolon}.", reasons=list(reasons))
    return statement.removeprefix(_PREFIX)


def _is_minor(finding: Finding) -> bool:
    return finding.severity is Severity.INFO or finding.support in (Support.NO_INDICATION, Support.NOT_CHECKED)


def _says(statement: str, item: str) -> bool:
    return statement == f"{_PREFIX}{item}."


def _ordered(file: FileReport, asked: Iterable[Question] = Question) -> list[tuple[int, Finding]]:
    """The findings about some questions, in the order of these, each with its place among the file's."""
    spoken = [(each.question or result.question, each) for result in file.results for each in result.findings]
    return [(place, each) for question in asked for place, (about, each) in enumerate(spoken) if about is question]


def _region_numbers(file: FileReport) -> dict[int, int]:
    """The number of the box of each finding that has a region, by its place."""
    with_region = [place for place, finding in _ordered(file) if finding.region is not None]
    return {place: number for number, place in enumerate(with_region, 1)}
