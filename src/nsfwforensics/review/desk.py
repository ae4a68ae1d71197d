"""One person at work on a case: what is shown next, what is decided, what may be looked at. Knows no HTTP.

Everything here belongs to one thread, that of the case's connection.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from nsfwforensics.core.messages import say
from nsfwforensics.core.sensitive import needs_care
from nsfwforensics.core.types import FileReport, Header, Question
from nsfwforensics.errors import EvidenceError, UsageError
from nsfwforensics.review.filters import ALL, CODE, DISAGREED, OPEN, Filters
from nsfwforensics.review.named import digests_in, inputs
from nsfwforensics.review.pictures import STEPS, Wanted
from nsfwforensics.review.queue import Alike, Item, Queue
from nsfwforensics.review.views import View, views
from nsfwforensics.store import custody_log, marks, reviewing
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.custody_log import Happening
from nsfwforensics.store.deciding import decide
from nsfwforensics.store.people import ShownPerson, people
from nsfwforensics.store.reviewing import ReviewState
from nsfwforensics.store.rows import CaseFile, Decision, DecisionEntry, NewMark, QueueRow

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_QUEUES = 4
MOST_REPORTS = 32
LONGEST_NOTE = 4000
TAKEN_BACK = "taken back"
"""The note of a decision that takes one back."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a review, as its command was given them.

    Attributes:
        reviewer: The name that stands beside the decisions.
        command: The command line, for the log.
        blind: Whether decisions of others are hidden.
        sensitive: Whether no picture is shown at all.
        break_every: After how many minutes a break is proposed; 0 for never.
        beside: Reference photos, originals and folders of them.
    """

    reviewer: str
    command: str
    blind: bool = False
    sensitive: bool = False
    break_every: int = 0
    beside: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item as it is shown: what stands behind it, and what the person who sees it knows of earlier decisions.

    ``file`` is the first of its files that is still to be shown, and ``contents`` are those of all such files.
    """

    item: Item
    contents: list[str]
    file: CaseFile
    report: FileReport
    views: list[View]
    history: list[DecisionEntry]
    earlier: dict[str, int]
    careful: bool
    others: list[tuple[CaseFile, Decision | None]]
    differ: bool
    people: tuple[ShownPerson, ...]


@dataclass(slots=True)
class _Act:
    """What was decided at once, and what stood there before: enough to take it back."""

    marks: list[NewMark]
    before: dict[str, DecisionEntry | None]


@dataclass(slots=True)
class ReviewTally:
    """What a person has done since the page was opened."""

    decided: int = 0
    visible: float = 0.0
    logged: int = 0
    shown: int = 0
    began: float = field(default_factory=monotonic)


class Desk:
    """A person's place at a case. A context manager, of one thread.

    Args:
        case: Where the case is.
        rules: Who reviews, and how.

    Raises:
        CaseError: It cannot be opened or written.
    """

    def __init__(self, case: Path, rules: Rules) -> None:
        self.rules = rules
        self.tally = ReviewTally()
        self.case = CaseDatabase.open(case)
        self._queues: OrderedDict[Filters, Queue] = OrderedDict()
        self._reports: OrderedDict[int, tuple[CaseFile, FileReport]] = OrderedDict()
        self._histories: dict[str, list[DecisionEntry]] = {}
        self._last = 0
        self._acts: list[_Act] = []
        self._seen: set[str] = set()
        try:
            self._log(reviewing.BEGAN, {"blind": int(rules.blind), "sensitive": int(rules.sensitive)})
        except BaseException:
            self.case.close()
            raise

    def close(self) -> None:
        """Writes the end into the log and closes the case."""
        try:
            self._log(reviewing.ENDED, {"decided": self.tally.decided, "pictures shown": self.tally.shown})
        finally:
            self.case.close()

    @cached_property
    def header(self) -> Header:
        """What the scans of the case say of their analyzers; the latest first."""
        from nsfwforensics.report.documents.case import header

        return header(self.case.info(), self.case.headers(), command=self.rules.command, now="")

    def left(self, filters: Filters) -> int:
        """How many files of a queue are still to be shown."""
        return self._queue(filters).left

    def prepare(self) -> None:
        """Makes the queue that a page begins with."""
        self._queue(Filters())

    def start(self, filters: Filters | None = None) -> None:
        """Has a queue made anew, with what came into the case since; all of them if none is named."""
        if filters is None:
            self._queues.clear()
        self._queues.pop(filters or Filters(), None)
        self.__dict__.pop("header", None)
        for kept in ("_alike", "people", "lists"):
            self.__dict__.pop(kept, None)
        self._reports.clear()

    def next(self, filters: Filters, number: int, way: int = 1, *, exact: bool = False) -> ShownItem | None:
        """The item that comes next, as it is shown.

        Args:
            filters: Of the queue.
            number: From which place on.
            way: 1 for forward, -1 for back.
            exact: Whether the item at that very place is meant, decided about or not.
        """
        self._catch_up()
        queue = self._queue(filters)
        item = queue.item(number) if exact else queue.step(number, way)
        return self._shown(item, queue) if item is not None else None

    def decide(
        self,
        contents: Sequence[str],
        earlier: Mapping[str, int],
        decision: Decision | None,
        note: str = "",
        dismiss: Sequence[str] = (),
        restore: Sequence[str] = (),
    ) -> None:
        """Records a decision, with its entry in the custody log.

        Args:
            contents: SHA-256 of what it is about.
            earlier: How many decisions the reviewer was shown, by SHA-256; the reviewer's own where others are hidden.
            decision: What is decided, or None to set findings aside only.
            note: Why.
            dismiss: Codes of findings to set aside.
            restore: Codes of findings that are to count again.

        Raises:
            UsageError: It makes no sense.
            CaseError: Somebody decided meanwhile, or it could not be written.
        """
        if not contents or (decision is None and not dismiss and not restore) or len(note) > LONGEST_NOTE:
            raise UsageError(say("there is nothing to decide about, or the note is too long"))
        if any(not CODE.fullmatch(code) or code == marks.MARKED for code in (*dismiss, *restore)):
            raise UsageError(say("this is no finding that can be set aside"))
        self._catch_up()
        given = [self._mark(sha256, decision, note, dismiss, restore) for sha256 in contents]
        before = {sha256: self._own(sha256) for sha256 in contents}
        self._write(given, {sha256: earlier.get(sha256, 0) for sha256 in contents})
        self._acts.append(_Act(given, before))
        self.tally.decided += len(given)

    def undo(self) -> list[str]:
        """Takes the last act back: by new entries, since none is ever removed.

        Returns:
            SHA-256 of what it was about; nothing where there is no act left.

        Raises:
            CaseError: Somebody has decided about it since, or it could not be written.
        """
        if not self._acts:
            return []
        self._catch_up()
        act = self._acts[-1]
        given = []
        for mark in act.marks:
            before = act.before[mark.sha256]
            back = None
            if mark.decision is not None:
                back = before.decision if before else Decision.UNDECIDED
            note = before.note if before and back is not None else TAKEN_BACK
            given.append(NewMark(mark.sha256, back, note, self.rules.reviewer, mark.restore, mark.dismiss))
        for mark in act.marks:
            if mark.decision is not None and self._last_of(mark.sha256) != (mark.decision, mark.note):
                raise UsageError(say("somebody has decided about this since; it was not taken back"))
        self._write(given, None)
        self._acts.pop()
        return [mark.sha256 for mark in given]

    def picture(self, number: int, view: int, step: int) -> Wanted:
        """Which picture is to be made, where it may be.

        Raises:
            EvidenceError: It may not be shown, or there is none.
        """
        file, report = self._report(number)
        if self._careful(report):
            raise EvidenceError(say("this file is to be handled with care; no picture of it is made"))
        found = self._views(file, report)
        if not (0 <= view < len(found) and 0 <= step < len(STEPS)):
            raise EvidenceError(say("there is no such picture"))
        from dataclasses import replace

        wanted = replace(found[view].wanted, step=step)
        if wanted.sha256 != file.sha256 and self._is_careful(wanted.sha256):
            raise EvidenceError(say("this file is to be handled with care; no picture of it is made"))
        return wanted

    def looked(self, wanted: Wanted) -> None:
        """Notes that a picture was handed over."""
        self._seen.add(wanted.sha256)
        self.tally.shown += 1

    def visible(self, seconds: float) -> None:
        """Notes for how long pictures were visible; never more than time has passed."""
        most = monotonic() - self.tally.began
        self.tally.visible = min(most, self.tally.visible + max(0.0, seconds))

    def _write(self, given: Sequence[NewMark], earlier: Mapping[str, int] | None) -> None:
        said = []
        for mark in given:
            words = [mark.decision.value] if mark.decision else []
            words += [f"{code} set aside" for code in mark.dismiss]
            words += [f"{code} counts again" for code in mark.restore]
            words.append("picture seen" if mark.sha256 in self._seen else "picture not seen")
            said.append(f"{mark.sha256}: {', '.join(words)}")
        seen = sum(mark.sha256 in self._seen for mark in given)
        counts = {"contents": len(given), "pictures seen": seen, reviewing.VISIBLE: self._seconds()}
        what = Happening(
            reviewing.DECIDED, self.rules.command, self.rules.reviewer, subject="; ".join(said), counts=counts
        )
        decide(self.case, given, what, earlier, self.rules.reviewer if self.rules.blind else None)
        self.tally.logged += counts[reviewing.VISIBLE]
        self._catch_up()

    def _log(self, kind: str, counts: Mapping[str, int]) -> None:
        seconds = self._seconds()
        counts = {**counts, reviewing.VISIBLE: seconds}
        custody_log.append(self.case, Happening(kind, self.rules.command, self.rules.reviewer, counts=counts))
        self.tally.logged += seconds

    def _seconds(self) -> int:
        return round(self.tally.visible) - self.tally.logged

    def _mark(
        self, sha256: str, decision: Decision | None, note: str, dismiss: Sequence[str], restore: Sequence[str]
    ) -> NewMark:
        codes = list(dismiss)
        if decision is Decision.FALSE_POSITIVE and not codes:
            reports = [self.case.report(file) for file in self.case.find(sha256)]
            codes = [code for report in reports for code in marks.alarms(report) if code != marks.MARKED]
        return NewMark(
            sha256, decision, note, self.rules.reviewer, tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(restore))
        )

    def _catch_up(self) -> None:
        """Reads the decisions that were made since, by whomever."""
        for number, sha256, mark in self.case.marks_since(self._last):
            self._histories.setdefault(sha256, []).append(mark)
            self._last = number
            for queue in self._queues.values():
                queue.changed(sha256)

    def _history(self, sha256: str | None) -> list[DecisionEntry]:
        """The decisions about a content that this reviewer may know."""
        found = self._histories.get(sha256 or "", [])
        return [mark for mark in found if mark.by == self.rules.reviewer] if self.rules.blind else found

    def _own(self, sha256: str) -> DecisionEntry | None:
        own = [mark for mark in self._histories.get(sha256, ()) if mark.by == self.rules.reviewer]
        return own[-1] if own and own[-1].decision is not Decision.UNDECIDED else None

    def _last_of(self, sha256: str) -> tuple[Decision, str] | None:
        found = self._histories.get(sha256)
        return (found[-1].decision, found[-1].note) if found and found[-1].by == self.rules.reviewer else None

    def _decision(self, row: QueueRow) -> Decision | None:
        found = self._history(row.sha256)
        return found[-1].decision if found and found[-1].decision is not Decision.UNDECIDED else None

    def _wanted(self, filters: Filters) -> Callable[[QueueRow], bool]:
        if filters.show == ALL:
            return lambda row: True
        if filters.show == OPEN:
            return lambda row: row.sha256 is not None and self._decision(row) is None
        if filters.show == DISAGREED:
            return self._to_be_settled
        return lambda row: (found := self._decision(row)) is not None and found.value == filters.show

    def _to_be_settled(self, row: QueueRow) -> bool:
        """Two disagree, and this reviewer is neither of them: a third decides."""
        history = self._histories.get(row.sha256 or "", [])
        return reviewing.standing(history) is ReviewState.DISAGREED and self.rules.reviewer not in reviewing.opinions(
            history
        )

    def _queue(self, filters: Filters) -> Queue:
        if filters in self._queues:
            self._queues.move_to_end(filters)
            return self._queues[filters]
        self._catch_up()
        wanted, rows = self._wanted(filters), self.case.triage()
        self._by_content = {row.sha256: row.id for row in reversed(rows) if row.sha256 is not None}
        chosen: Iterable[QueueRow] = (row for row in rows if wanted(row))
        if filters.priority is not None:
            chosen = [row for row in chosen if row.priority is filters.priority]
        if filters.question is not None:
            names = {record.name for record in self.header.analyzers if record.question is filters.question}
            numbers = self.case.files_about(names)
            chosen = [row for row in chosen if row.id in numbers]
        if filters.person:
            shown = {sha256 for sha256, faces in self.people.items() if any(f.person == filters.person for f in faces)}
            chosen = [row for row in chosen if row.sha256 in shown]
        if filters.listed:
            listed = self.lists.get(filters.listed, set())
            chosen = [row for row in chosen if row.id in listed]
        if filters.code:
            saying = self.case.files_saying(filters.code)
            chosen = [row for row in chosen if row.id in saying]
        made = Queue(list(chosen), wanted, self._alike, 2 if filters.groups else 1)
        self._queues[filters] = made
        while len(self._queues) > MOST_QUEUES:
            self._queues.popitem(last=False)
        return made

    @cached_property
    def people(self) -> dict[str, tuple[ShownPerson, ...]]:
        """Whom each content seems to show, by SHA-256, where faces were joined into people."""
        return people(self.case)

    @cached_property
    def lists(self) -> dict[str, set[int]]:
        """The files on each list of known images, by the list's name."""
        return self.case.files_by_list({each.name for each in self.header.analyzers if each.question is Question.KNOWN})

    @cached_property
    def _alike(self) -> Alike:
        return Alike.of(self.case)

    def _shown(self, item: Item, queue: Queue) -> ShownItem:
        still = queue.still(item)
        first = still[0]
        contents = list(dict.fromkeys(row.sha256 for row in still if row.sha256 is not None))
        file, unmarked = self._report(first.id)
        file = self.case.file(file.id) or file  # what is set aside by now
        careful = self._careful(unmarked)
        report = unmarked if self.rules.blind else self.case.with_marks(unmarked)
        others = []
        for row in item.files:
            if row is first:
                continue
            other = self.case.file(row.id)
            if other is not None:
                others.append((other, self._decision(row)))
        return ShownItem(
            item,
            contents,
            file,
            report,
            [] if careful else self._views(file, unmarked),
            self._history(file.sha256),
            {sha256: len(self._history(sha256)) for sha256 in contents},
            careful,
            others,
            any(set(other.findings) != set(file.findings) for other, _ in others),
            self.people.get(file.sha256 or "", ()),
        )

    def _report(self, number: int) -> tuple[CaseFile, FileReport]:
        """A file and what the analyzers found, whatever people decided."""
        if number not in self._reports:
            file = self.case.file(number)
            if file is None:
                raise EvidenceError(say("the case holds no such file"))
            self._reports[number] = file, self.case.report(file, marked=False)
            while len(self._reports) > MOST_REPORTS:
                self._reports.popitem(last=False)
        return self._reports[number]

    def _views(self, file: CaseFile, report: FileReport) -> list[View]:
        return views(file, report, self._places(report), self.people.get(file.sha256 or "", ()))

    def _careful(self, report: FileReport) -> bool:
        # What the analyzers found, not what people set aside: that must not open the way to a picture.
        return self.rules.sensitive or report.sensitive or needs_care(report.results)

    def _is_careful(self, sha256: str) -> bool:
        number = self._by_content.get(sha256)
        return number is not None and self._careful(self._report(number)[1])

    def _places(self, report: FileReport) -> Mapping[str, Path]:
        named = digests_in(report)
        places = {sha256: self._inputs[sha256] for sha256 in named if sha256 in self._inputs}
        for sha256 in named - places.keys():
            number = self._by_content.get(sha256)
            if number is not None and (file := self.case.file(number)) is not None:
                places[sha256] = file.place
        return places

    @cached_property
    def _inputs(self) -> dict[str, Path]:
        return inputs(self.header, self.rules.beside)
