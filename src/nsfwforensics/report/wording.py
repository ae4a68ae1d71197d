"""The words every view uses for outcomes, so that the console, HTML and CSV never say it differently.

Each outcome has its own word and its own kind (a style name): *not applicable*, *not available*, *failed* and *nothing
found* are four different things and stay four everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

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
)


class Badge(NamedTuple):
    """An outcome in words, with the name of its look."""

    word: str
    kind: str


_SUPPORT: Mapping[Support, Badge] = {
    Support.SUPPORTS: Badge("Signs found", "supports"),
    Support.INCONCLUSIVE: Badge("Inconclusive", "inconclusive"),
    Support.NO_INDICATION: Badge("No sign found", "nothing"),
    Support.NOT_CHECKED: Badge("Not checked", "not-checked"),
}

_ORIGIN: Mapping[Support, Badge] = {
    **_SUPPORT,
    Support.SUPPORTS: Badge("Information found", "supports"),
    Support.NO_INDICATION: Badge("No information found", "nothing"),
}

STATUS: Mapping[AnalyzerStatus, Badge] = {
    AnalyzerStatus.OK: Badge("Ran, with findings", "ran"),
    AnalyzerStatus.NOTHING_FOUND: Badge("Ran, nothing found", "nothing"),
    AnalyzerStatus.NOT_APPLICABLE: Badge("Not applicable", "not-applicable"),
    AnalyzerStatus.NOT_AVAILABLE: Badge("Not available", "not-available"),
    AnalyzerStatus.FAILED: Badge("Failed", "failed"),
}

FILE_STATUS: Mapping[FileStatus, Badge] = {
    FileStatus.OK: Badge("Examined", "ran"),
    FileStatus.PARTIAL: Badge("Examined in part", "partial"),
    FileStatus.FAILED: Badge("Failed", "failed"),
    FileStatus.SKIPPED: Badge("Skipped", "not-applicable"),
}

PRIORITY: Mapping[Priority, Badge] = {
    Priority.HIGH: Badge("High", "supports"),
    Priority.MEDIUM: Badge("Medium", "inconclusive"),
    Priority.LOW: Badge("Low", "low"),
    Priority.NONE: Badge("None", "nothing"),
}

SEVERITY: Mapping[Severity, str] = {
    Severity.INFO: "for information",
    Severity.LOW: "low importance",
    Severity.MEDIUM: "medium importance",
    Severity.HIGH: "high importance",
}

FINDING_SUPPORT: Mapping[Support, str] = {
    Support.SUPPORTS: "a sign",
    Support.INCONCLUSIVE: "inconclusive",
    Support.NO_INDICATION: "not a sign",
    Support.NOT_CHECKED: "not checked",
}

HOW_TO_READ: tuple[str, ...] = (
    "This report gives no single verdict: it asks every picture six questions and shows what speaks for each answer.",
    "“No sign found” does not mean that a picture is authentic or untouched, only that these checks saw nothing.",
    "A similar face is a lead for a person to compare, never an identification.",
    "Every finding says what could make it wrong: read that before you act on it, and keep the original file as it is.",
)

_WHY_NOT = (AnalyzerStatus.FAILED, AnalyzerStatus.NOT_AVAILABLE, AnalyzerStatus.NOT_APPLICABLE)


def answer_badge(answer: Answer, results: Sequence[AnalyzerResult]) -> Badge:
    """The badge of an answer; a question that was not checked says which way it was not.

    Args:
        answer: The answer.
        results: The results of the analyzers that answer this question.
    """
    if answer.support is Support.NOT_CHECKED:
        statuses = {result.status for result in results}
        if len(statuses) == 1 and statuses <= set(_WHY_NOT):
            return STATUS[statuses.pop()]
    return (_ORIGIN if answer.question is Question.ORIGIN else _SUPPORT)[answer.support]


def reason(file: FileReport) -> str:
    """Why a file stands where it stands in the order of triage, in one line."""
    if file.error:
        return file.error
    leading = leading_findings(file)
    if leading:
        return "; ".join(dict.fromkeys(_titled(finding) for finding in leading))
    failed = next((r for r in file.results if r.status is AnalyzerStatus.FAILED), None)
    if failed is not None:
        return f"{failed.analyzer} failed: {failed.error or 'no reason given'}"
    if any(r.status in (AnalyzerStatus.OK, AnalyzerStatus.NOTHING_FOUND) for r in file.results):
        unasked = sum(answer.support is Support.NOT_CHECKED for answer in file.answers)
        return (
            f"Nothing stood out ({unasked} of {len(Question)} questions not checked)"
            if unasked
            else "Nothing stood out"
        )
    return "Nothing was checked"


def leading_findings(file: FileReport) -> list[Finding]:
    """The findings that weigh most, three at most: severity, less when inconclusive; plain information never counts."""
    weighed = [(_weight(finding), finding) for finding in file.findings]
    heaviest = max((weight for weight, _ in weighed), default=0)
    return [finding for weight, finding in weighed if weight == heaviest > 0][:3]


def _weight(finding: Finding) -> int:
    if finding.support not in (Support.SUPPORTS, Support.INCONCLUSIVE):
        return 0
    return 2 * finding.severity.rank - (finding.support is Support.INCONCLUSIVE)


def _titled(finding: Finding) -> str:
    return finding.title if finding.support is Support.SUPPORTS else f"{finding.title} (inconclusive)"


def file_badge(file: FileReport) -> Badge:
    """How a file ended; one failed check among others is not called a failed file in words."""
    if file.status is FileStatus.FAILED and not file.error:
        return Badge("A check failed", "failed")
    return FILE_STATUS[file.status]


def failures(file: FileReport) -> list[str]:
    """Everything that failed in one file, each in one line; empty unless the file failed."""
    found = [file.error] if file.error and not file.skipped else []
    found += [
        f"{result.analyzer}: {result.error or 'no reason given'}"
        for result in file.results
        if result.status is AnalyzerStatus.FAILED
    ]
    return found


def run_notes(header: Header) -> list[str]:
    """What a reader must know about the run before anything else."""
    notes = list(header.notes)
    if header.interrupted and not any("not finished" in note for note in notes):
        notes.insert(0, "The run was interrupted: this report holds only the files that were done before.")
    return notes
