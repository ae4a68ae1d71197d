"""What several people decided about the same contents, and how long each had pictures before them.

Roles are names, not accounts: who is meant is what the person who decided was called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nsfwforensics.store import chain, custody_log
from nsfwforensics.store.rows import Decision, DecisionEntry

if TYPE_CHECKING:
    from nsfwforensics.store.casedb import CaseDatabase

BEGAN, DECIDED, ENDED = "review began", "decision", "review ended"
"""Kinds of entries in the custody log."""

VISIBLE = "seconds with pictures visible"
"""The count that holds for how long pictures were visible since the entry before."""

NOBODY = "not supplied"


class ReviewState(StrEnum):
    """How far people have got with a content."""

    OPEN = "open"
    ONE = "one opinion"
    AGREED = "agreed"
    DISAGREED = "disagreed"
    SETTLED = "settled"
    """Two disagreed, and a third decided."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What two people said of one content, the second before anybody else had said more.

    Attributes:
        first: Name of the one who decided first.
        said: What that one had decided when the other did.
        second: Name of the other.
        replied: What the other decided, corrections at once included.
    """

    first: str
    said: Decision
    second: str
    replied: Decision


def opinions(marks: Sequence[DecisionEntry]) -> dict[str, Decision]:
    """What each person's decision about a content is, in the order in which they first had one.

    Args:
        marks: The history of the content. "Undecided" takes a decision back.
    """
    found: dict[str, Decision] = {}
    for mark in marks:
        if mark.decision is Decision.UNDECIDED:
            found.pop(mark.by, None)
        else:
            found[mark.by] = mark.decision
    return found


def standing(marks: Sequence[DecisionEntry]) -> ReviewState:
    """How far people have got with a content of this history."""
    found = opinions(marks)
    if len(found) < 2:
        return (ReviewState.OPEN, ReviewState.ONE)[len(found)]
    if len(set(found.values())) == 1:
        return ReviewState.AGREED
    return ReviewState.DISAGREED if len(found) == 2 else ReviewState.SETTLED


def pair(marks: Sequence[DecisionEntry]) -> Pair | None:
    """The decisions of the first two people about a content, as far as each was made without the other's reply.

    A decision that is changed later, when both are known, would make two people agree who did not.
    """
    found: Pair | None = None
    replying = False
    held: dict[str, Decision] = {}
    for mark in marks:
        if mark.by == NOBODY:
            continue
        correcting = replying and found is not None and mark.by == found.second
        if mark.decision is Decision.UNDECIDED:
            held.pop(mark.by, None)
            found, replying = (None, False) if correcting else (found, replying)
            continue
        others = [name for name in held if name != mark.by]
        if found is not None and correcting:
            found = Pair(found.first, found.said, found.second, mark.decision)
        elif found is None and others:
            found, replying = Pair(others[0], held[others[0]], mark.by, mark.decision), True
        else:
            replying = False
        held[mark.by] = mark.decision
    return found


def pairs(case: CaseDatabase) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """What two people said, for each two names in their alphabetical order, and each content that both judged."""
    histories: dict[str, list[DecisionEntry]] = {}
    for _, sha256, mark in case.marks_since(0):
        histories.setdefault(sha256, []).append(mark)
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for marks in histories.values():
        if (both := pair(marks)) is not None:
            said = {both.first: both.said.value, both.second: both.replied.value}
            one, other = sorted(said)
            found.setdefault((one, other), []).append((said[one], said[other]))
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One person's work on a case.

    Attributes:
        name: As it stands beside the decisions.
        decided: How many contents this person has decided about.
        visible: For how long pictures were visible to this person, in seconds.
    """

    name: str
    decided: int
    visible: int


def reviewers(case: CaseDatabase) -> list[Reviewer]:
    """Everybody who decided about anything or had pictures visible, by name."""
    decided: dict[str, set[str]] = {}
    for _, sha256, mark in case.marks_since(0):
        decided.setdefault(mark.by, set()).add(sha256)
    visible: dict[str, int] = {}
    for entry in _entries(case):
        if seconds := entry.counts.get(VISIBLE, 0):
            visible[entry.operator] = visible.get(entry.operator, 0) + seconds
    return [
        Reviewer(name, len(decided.get(name, ())), visible.get(name, 0))
        for name in sorted(decided.keys() | visible.keys())
    ]


def _entries(case: CaseDatabase) -> Iterator[chain.LogEntry]:
    for line in custody_log.lines(case):
        try:
            yield chain.parse(line)
        except ValueError:  # `case verify` says so
            continue
