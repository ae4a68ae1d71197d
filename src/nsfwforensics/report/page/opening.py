"""How a page opens: of one file the answers, of a folder what stood out and where to look first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from nsfwforensics.core.messages import say, say_count
from nsfwforensics.core.types import FileReport, FileStatus, Priority, Question, Summary, Support
from nsfwforensics.report.words.wording import QUESTIONS, reason

if TYPE_CHECKING:
    from nsfwforensics.report.saved.report import SavedReport

FIRST = 5
"""How many files are named to be looked at first."""


@dataclass(frozen=True, slots=True)
class First:
    """A file to look at first.

    Attributes:
        anchor: Its section in the page, or None.
        file: Its report.
        reason: Why it stands here.
    """

    anchor: str | None
    file: FileReport
    reason: str


def first_files(saved: SavedReport, detailed: int) -> list[First]:
    """The files to look at first: those of the highest priorities, never those in which nothing stood out.

    Args:
        saved: The report.
        detailed: How many files have a section in the page.
    """
    leading = (file for file in saved.by_priority() if file.priority is not Priority.NONE)
    return [
        First(f"file-{number}" if number <= detailed else None, file, reason(file))
        for number, file in enumerate(islice(leading, FIRST), 1)
    ]


def what_stood_out(summary: Summary) -> list[str]:
    """What a folder's report says first, in sentences."""
    found: list[str] = [_priorities(summary), *_signs(summary)]
    failed = summary.by_status.get(FileStatus.FAILED, 0)
    partial = summary.by_status.get(FileStatus.PARTIAL, 0)
    skipped = summary.by_status.get(FileStatus.SKIPPED, 0)
    if failed:
        found.append(
            say_count(
                "{count:,} file could not be examined, or a check of it failed. What was not examined is not “clean”: "
                "nothing is known of it.",
                "{count:,} files could not be examined, or a check of them failed. What was not examined is not "
                "“clean”: nothing is known of it.",
                failed,
            )
        )
    if partial:
        found.append(
            say_count(
                "{count:,} file could be read only in part.", "{count:,} files could be read only in part.", partial
            )
        )
    if skipped:
        found.append(
            say_count(
                "{count:,} other file was skipped, because it is no picture.",
                "{count:,} other files were skipped, because they are no pictures.",
                skipped,
            )
        )
    return found


def _priorities(summary: Summary) -> str:
    counts = [summary.by_priority.get(rank, 0) for rank in (Priority.HIGH, Priority.MEDIUM, Priority.LOW)]
    if not sum(counts):
        return say(
            "Nothing stood out in any of the {files:,} files. That does not make them authentic.", files=summary.files
        )
    return say_count(
        "In {count:,} of {files:,} files something stood out (priority for review: high {high:,}, medium {medium:,}, "
        "low {low:,}).",
        "In {count:,} of {files:,} files something stood out (priority for review: high {high:,}, medium {medium:,}, "
        "low {low:,}).",
        sum(counts),
        files=summary.files,
        high=counts[0],
        medium=counts[1],
        low=counts[2],
    )


def _sign(question: str, signs: int, undecided: int) -> str:
    if not undecided:
        return say("{question}: signs in {signs:,} of the files.", question=question, signs=signs)
    if not signs:
        return say("{question}: inconclusive in {undecided:,} of the files.", question=question, undecided=undecided)
    return say(
        "{question}: signs in {signs:,} of the files, inconclusive in {undecided:,}.",
        question=question,
        signs=signs,
        undecided=undecided,
    )


def _signs(summary: Summary) -> list[str]:
    """One sentence for each question with signs; what a file says about itself is information, not a sign."""
    found: list[str] = []
    for question in Question:
        counts = summary.by_question.get(question, {})
        signs, undecided = counts.get(Support.SUPPORTS, 0), counts.get(Support.INCONCLUSIVE, 0)
        if question is not Question.ORIGIN and (signs or undecided):
            found.append(_sign(QUESTIONS[question], signs, undecided))
    return found
