"""The words every view uses for outcomes, so that the console, HTML and CSV never say it differently.

Each outcome has its own word and its own kind (a style name): *not applicable*, *not available*, *failed* and *nothing
found* are four different things and stay four everywhere.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.triage import leading
from nsfwforensics.core.types import (
    AnalyzerResult,
    AnalyzerStatus,
    Answer,
    FileReport,
    FileStatus,
    Finding,
    Header,
    Priority,
    Question,
    Severity,
    Support,
    Worded,
)


class Badge(NamedTuple):
    """An outcome in words, with the name of its look."""

    word: str
    kind: str


_SUPPORT: Mapping[Support, Badge] = {
    Support.SUPPORTS: Badge(say("Signs found"), "supports"),
    Support.INCONCLUSIVE: Badge(say("Inconclusive"), "inconclusive"),
    Support.NO_INDICATION: Badge(say("No sign found"), "nothing"),
    Support.NOT_CHECKED: Badge(say("Not checked"), "not-checked"),
}

NOT_CHECKED = _SUPPORT[Support.NOT_CHECKED]

_ORIGIN: Mapping[Support, Badge] = {
    **_SUPPORT,
    Support.SUPPORTS: Badge(say("Information found"), "supports"),
    Support.NO_INDICATION: Badge(say("No information found"), "nothing"),
}

STATUS: Mapping[AnalyzerStatus, Badge] = {
    AnalyzerStatus.OK: Badge(say("Ran, with findings"), "ran"),
    AnalyzerStatus.NOTHING_FOUND: Badge(say("Ran, nothing found"), "nothing"),
    AnalyzerStatus.MEASURED: Badge(say("Ran, measured only"), "ran"),
    AnalyzerStatus.NOT_APPLICABLE: Badge(say("Not applicable"), "not-applicable"),
    AnalyzerStatus.NOT_AVAILABLE: Badge(say("Not available"), "not-available"),
    AnalyzerStatus.FAILED: Badge(say("Failed"), "failed"),
}

FILE_STATUS: Mapping[FileStatus, Badge] = {
    FileStatus.OK: Badge(say("Examined"), "ran"),
    FileStatus.PARTIAL: Badge(say("Examined in part"), "partial"),
    FileStatus.FAILED: Badge(say("Failed"), "failed"),
    FileStatus.SKIPPED: Badge(say("Skipped"), "not-applicable"),
}

PRIORITY: Mapping[Priority, Badge] = {
    Priority.HIGH: Badge(say("High"), "supports"),
    Priority.MEDIUM: Badge(say("Medium"), "inconclusive"),
    Priority.LOW: Badge(say("Low"), "low"),
    Priority.NONE: Badge(say("None"), "nothing"),
}

SEVERITY: Mapping[Severity, str] = {
    Severity.INFO: say("for information"),
    Severity.LOW: say("low importance"),
    Severity.MEDIUM: say("medium importance"),
    Severity.HIGH: say("high importance"),
}

FINDING_SUPPORT: Mapping[Support, str] = {
    Support.SUPPORTS: say("a sign"),
    Support.INCONCLUSIVE: say("inconclusive"),
    Support.NO_INDICATION: say("not a sign"),
    Support.NOT_CHECKED: say("not checked"),
}

SUPPLIED: Mapping[str, str] = {
    "reference": say("The reference photo that you supplied"),
    "original": say("An original that you supplied"),
}
"""What the user supplied, by the role that it has in the run."""

_WHY_NOT = (AnalyzerStatus.FAILED, AnalyzerStatus.NOT_AVAILABLE, AnalyzerStatus.NOT_APPLICABLE)


def answer_badge(answer: Answer, results: Sequence[AnalyzerResult]) -> Badge:
    """The badge of an answer; a question that was not checked says which way it was not.

    Args:
        answer: The answer.
        results: The results of the analyzers that answer this question.
    """
    if answer.support is Support.NOT_CHECKED:
        statuses = {result.status for result in results} - {AnalyzerStatus.MEASURED}
        if len(statuses) == 1 and statuses <= set(_WHY_NOT):
            return STATUS[statuses.pop()]
    return (_ORIGIN if answer.question is Question.ORIGIN else _SUPPORT)[answer.support]


def told(model: Worded, field: str) -> str:
    """What a field says, as a message where the report holds how it was made and that makes the same sentence.

    Args:
        model: A model of the report; not trusted.
        field: Its field, or ``field.0`` for an item of a list.
    """
    name, _, index = field.partition(".")
    text = getattr(model, name)
    plain = str((text[int(index)] if index else text) or "")
    try:
        message = model.said(field)
    except (KeyError, TypeError):
        return plain
    return message if str(message) == plain else plain


def reason(file: FileReport, originals: Container[str] = ()) -> str:
    """Why a file stands where it stands in the order of triage, in one line.

    Args:
        file: Its report.
        originals: The names of the analyzers that compare with originals.
    """
    if file.supplied_as:
        return SUPPLIED.get(file.supplied_as, say("Supplied to compare with"))
    if file.error:
        return told(file, "error")
    found = leading_findings(file, originals)
    if found:
        titles = list(dict.fromkeys(_titled(finding) for finding in found))
        return titles[0] if len(titles) == 1 else Message("{titles:semicolon}", {"titles": titles})
    failed = next((r for r in file.results if r.status is AnalyzerStatus.FAILED), None)
    if failed is not None:
        return say("{analyzer} failed: {reason}", analyzer=failed.analyzer, reason=_why(failed))
    if any(r.status in (AnalyzerStatus.OK, AnalyzerStatus.NOTHING_FOUND) for r in file.results):
        unasked = sum(answer.support is Support.NOT_CHECKED for answer in file.answers)
        if not unasked:
            return say("Nothing stood out")
        return say("Nothing stood out ({unasked} of {all} questions not checked)", unasked=unasked, all=len(Question))
    return say("Nothing was checked")


def leading_findings(file: FileReport, originals: Container[str] = ()) -> list[Finding]:
    """The findings that say why a file stands where it stands: its signs, else those that weigh most, three at most."""
    if signs := leading(file, originals):
        return signs
    weighed = [(_weight(finding), finding) for finding in file.findings]
    heaviest = max((weight for weight, _ in weighed), default=0)
    return [finding for weight, finding in weighed if weight == heaviest > 0][:3]


def _weight(finding: Finding) -> int:
    if finding.support not in (Support.SUPPORTS, Support.INCONCLUSIVE):
        return 0
    return 2 * finding.severity.rank - (finding.support is Support.INCONCLUSIVE)


def _titled(finding: Finding) -> str:
    title = told(finding, "title")
    return title if finding.support is Support.SUPPORTS else say("{title} (inconclusive)", title=title)


def _why(result: AnalyzerResult) -> str:
    return told(result, "error") or say("no reason given")


def file_badge(file: FileReport) -> Badge:
    """How a file ended; one failed check among others is not called a failed file in words."""
    if file.status is FileStatus.FAILED and not file.error:
        return Badge(say("A check failed"), "failed")
    return FILE_STATUS[file.status]


def failures(file: FileReport) -> list[str]:
    """Everything that failed in one file, each reason in one line; empty unless the file failed.

    A broken picture fails every check for one and the same reason, which is said once.
    """
    found = [told(file, "error")] if file.error and not file.skipped else []
    failed: dict[str, list[AnalyzerResult]] = {}
    for result in file.results:
        if result.status is AnalyzerStatus.FAILED and not (file.error and file.error in _why(result)):
            failed.setdefault(_why(result), []).append(result)
    for results in failed.values():
        names = [result.analyzer for result in results]
        found.append(say("{analyzer}: {reason}", analyzer=", ".join(names), reason=_why(results[0])))
    return found


def run_notes(header: Header) -> list[str]:
    """What a reader must know about the run before anything else."""
    notes = [told(header, f"notes.{number}") for number in range(len(header.notes))]
    if header.interrupted and not any("not finished" in note for note in notes):
        notes.insert(0, say("The run was interrupted: this report holds only the files that were done before."))
    return notes


QUESTIONS: Mapping[Question, str] = {
    Question.ORIGIN: say("What the file says"),
    Question.SYNTHESIS: say("Generated or face-swapped"),
    Question.ALTERATION: say("Edited or re-saved"),
    Question.IDENTITY: say("The person in the reference"),
    Question.KNOWN: say("Known image"),
    Question.CONTENT: say("Intimate content"),
}
"""The questions in a few words."""
