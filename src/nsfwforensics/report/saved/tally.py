"""Running figures over the files of a report: counts, and where each file stands in the saved stream."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from nsfwforensics.core import triage
from nsfwforensics.core.types import Capability, FileReport, FileStatus, Header, Priority, Question, Summary, Support
from nsfwforensics.report.saved.groups import Likeness, groups, likeness

_ORDER = {FileStatus.FAILED: 0, FileStatus.PARTIAL: 1, FileStatus.OK: 1, FileStatus.SKIPPED: 2}


class SavedFile(NamedTuple):
    """Where one file's report is, sortable into the order of triage (``docs/triage.md``).

    Attributes:
        rank: Rank of its priority, 0 first.
        standing: Where it stands among those of its priority.
        order: Failed files before others of the same priority, skipped ones after.
        path: The file's path.
        offset: Offset of its line in the saved stream, in bytes.
        length: Length of its JSON there in bytes, without separator and line break.
        size: Length of its JSON in full, in bytes.
        likeness: What copies of it are told by.
    """

    rank: int
    standing: triage.TriageRank
    order: int
    path: str
    offset: int
    length: int
    size: int
    likeness: Likeness


class Group(NamedTuple):
    """A file and its copies.

    Attributes:
        number: From 1, in the order of triage; None where the file is alone.
        leader: The first of them in the order of triage.
        copies: The others, in that order.
    """

    number: int | None
    leader: SavedFile
    copies: tuple[SavedFile, ...]


def grouped(entries: Sequence[SavedFile]) -> tuple[Group, ...]:
    """Folds copies together.

    Args:
        entries: In the order of triage.
    """
    leads = groups([entry.likeness for entry in entries])
    copies: dict[int, list[SavedFile]] = {}
    for place, lead in enumerate(leads):
        if lead != place:
            copies.setdefault(lead, []).append(entries[place])
    numbers = {lead: number for number, lead in enumerate(sorted(copies), start=1)}
    return tuple(
        Group(numbers.get(place), entry, tuple(copies.get(place, ())))
        for place, (entry, lead) in enumerate(zip(entries, leads, strict=True))
        if lead == place
    )


class Tally:
    """Counts files as they come and remembers where each was written. About 450 bytes per file.

    Args:
        header: Of the report, which says what may be asked of which analyzer.
    """

    def __init__(self, header: Header | None = None) -> None:
        self.found: Counter[frozenset[triage.Sign]] = Counter()
        self.supplied = 0
        self._standings: dict[triage.TriageRank, triage.TriageRank] = {}
        self._said: dict[Hashable, Hashable] = {}
        self._originals = header.providing(Capability.ORIGINALS) if header else frozenset()
        self._hashing = header.providing(Capability.HASHES) if header else frozenset()
        self.entries: list[SavedFile] = []
        self.sensitive = 0
        self._bytes = 0
        self._common: str | None = None
        self._seconds = 0.0
        self._statuses: Counter[FileStatus] = Counter()
        self._priorities: Counter[Priority] = Counter()
        self._answers: Counter[tuple[Question, Support]] = Counter()
        self._signs: Counter[tuple[Question, Priority]] = Counter()

    def add(self, file: FileReport, offset: int, length: int, size: int | None = None) -> None:
        """Counts one file whose JSON stands at ``offset`` and is ``length`` bytes long, and ``size`` in full."""
        status = file.status
        signs = triage.certain(triage.signs(file, self._originals))
        standing = triage.standing(file, self._originals)
        alike = likeness(file, self._hashing, signs)
        # of these few differ from one another: one object stands for all files of which the same is said
        standing, said = self._standings.setdefault(standing, standing), self._said.setdefault(alike.said, alike.said)
        self.entries.append(
            SavedFile(
                file.priority.rank,
                standing,
                _ORDER[status],
                file.info.path,
                offset,
                length,
                length if size is None else size,
                alike._replace(said=said),
            )
        )
        self._common = _common_folder(self._common, file.info.path)
        if file.supplied_as:
            self.supplied += 1
        else:
            self.found[signs] += 1
        self._bytes += file.info.size or 0
        self.sensitive += file.sensitive
        self._seconds += sum(result.seconds for result in file.results)
        self._statuses[status] += 1
        self._priorities[file.priority] += 1
        self._answers.update((answer.question, answer.support) for answer in file.answers)
        with_signs = (answer.question for answer in file.answers if answer.support is Support.SUPPORTS)
        self._signs.update((question, file.priority) for question in with_signs)

    @property
    def common_folder(self) -> str:
        """The folder that all paths lie in, with its closing separator; empty where there is none."""
        return self._common or ""

    @property
    def signs(self) -> dict[Question, dict[Priority, int]]:
        """By question, how many files with signs have which priority."""
        return {question: {rank: self._signs[question, rank] for rank in Priority} for question in Question}

    def summary(self) -> Summary:
        """The counts so far. ``seconds`` is the time that the analyzers took, added up over all files."""
        return Summary(
            files=len(self.entries),
            bytes=self._bytes,
            by_status={status: self._statuses[status] for status in FileStatus},
            by_priority={priority: self._priorities[priority] for priority in Priority},
            by_question={
                question: {support: self._answers[question, support] for support in Support} for question in Question
            },
            seconds=round(self._seconds, 3),
        )


def _common_folder(known: str | None, path: str) -> str:
    """The longest common start of ``known`` and ``path`` that ends with a path separator, of whatever system."""
    folder = path[: max(path.rfind("/"), path.rfind("\\")) + 1]
    if known is None or known == folder:
        return folder
    common = os.path.commonprefix([known, folder])  # noqa: RUF071 - paths of another system too, cut at a separator
    return common[: max(common.rfind("/"), common.rfind("\\")) + 1]
