"""The saved report: what every view is made from."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from nsfwforensics.core.hidden import inert
from nsfwforensics.core.triage import Sign
from nsfwforensics.core.types import Capability, FileReport, Header, Priority, Question, Reader, Summary
from nsfwforensics.language import Language
from nsfwforensics.language import language as language_of
from nsfwforensics.report.saved import digests, reading
from nsfwforensics.report.saved import json as report_json
from nsfwforensics.report.saved.reading import Loaded
from nsfwforensics.report.saved.sharing import Sharing
from nsfwforensics.report.saved.tally import Group, SavedFile, grouped
from nsfwforensics.report.words.declared import Declared
from nsfwforensics.report.words.headline import folder_headline, headline

MOST_IN_FULL = 1000
"""Of more files the document shares what they have in common, and the stream is not kept beside it."""

_LEARNT = 500
"""So many files, taken at random, tell what all have in common."""


class Row(NamedTuple):
    """One row of a report: a file, and the copies of it that are folded into it.

    Attributes:
        file: The first of them in the order of triage.
        number: Of the group, from 1; None where the file is alone.
        copies: The paths of the others, byte copies and near-duplicates alike.
    """

    file: FileReport
    number: int | None
    copies: tuple[str, ...]


class SavedReport:
    """A report on disk. Files are read one at a time, as often as they are asked for.

    Attributes:
        header: Who ran what, when, with which versions.
        declared: What the header says of the analyzers.
        summary: Counts over all files, made anew from the files themselves.
        signs: By question, how many files with signs have which priority.
        found: How many files show exactly which signs; what the user supplied is left out.
        supplied: How many of the files are what the user supplied to compare with.
        folds: Whether copies are shown as one row.
        csv_mark: Whether its table begins with a byte order mark.
        originals: The names of the analyzers that compare with originals.
        common_folder: The folder that all examined files lie in, with its closing separator, or nothing.
        folder: Where the report is, or None where it was only spooled.
        unfinished: Whether it was put together from what a stopped run left behind.
        differences: What in it is not as it was written; empty unless it was opened all the same.
        digests: SHA-256 of its files by name, as they were compared when it was opened.
        shown_less: Whether its lines hold pictures that are left out of whatever is made of it.
        sensitive: Whether it, or a file in it, is to be handled with care.
        language: What its views for people are written in, with the translations that analyzers brought.
        reader: Whom the advice in its views is for.
        moved: Whether its folder is given another name or place when it is done, so that no command can name it.
    """

    moved = False

    def __init__(
        self, loaded: Loaded, folder: Path | None, language: Language | None = None, reader: Reader = Reader.ANYONE
    ) -> None:
        self.reader = reader
        self.header: Header = loaded.header
        self.declared = Declared.of(loaded.header)
        spoken = language or language_of("en")
        self.language = spoken.also(self.declared.messages.get(spoken.code, {}))
        self.summary: Summary = loaded.tally.summary()
        self.signs: dict[Question, dict[Priority, int]] = loaded.tally.signs
        self.originals = loaded.header.providing(Capability.ORIGINALS)
        self.found: Mapping[frozenset[Sign], int] = loaded.tally.found
        self.supplied = loaded.tally.supplied
        self.folds = True
        self.csv_mark = False
        self.common_folder = loaded.tally.common_folder
        self.folder = folder
        self.unfinished = loaded.unfinished
        self.differences = loaded.differences
        self.digests = loaded.digests
        self.shown_less = loaded.shown_less
        self.sensitive = loaded.header.sensitive or loaded.tally.sensitive > 0
        self.source = loaded.source
        self._common = loaded.common
        self._entries = loaded.tally.entries
        self._written: tuple[array[int], Sequence[bytes]] = (array("Q"), ())
        self._grouped: dict[bool, tuple[Group, ...]] = {}

    @classmethod
    def open(
        cls,
        folder: Path,
        language: Language | None = None,
        *,
        changed: bool = False,
        reader: Reader = Reader.ANYONE,
    ) -> SavedReport:
        """Opens the report in a folder: the finished document, or what a stopped run left.

        Args:
            folder: Where it is.
            language: What its views are written in; English if omitted.
            changed: Whether to open a report too that is not as it was written; its header then says so.
            reader: Whom the advice in its views is for.

        Raises:
            ReportError: No report is there, or it is broken, of an unknown schema version, or not as it was written.
        """
        return cls(reading.load(folder, changed=changed), folder, language, reader)

    @property
    def headline(self) -> tuple[str, ...]:
        """What a reader is told first, as messages: of the one file, or of all together."""
        if self.summary.files == 1:
            return headline(next(self.files()), self.originals)
        return folder_headline(self.found, self.summary)

    def files(self) -> Iterator[FileReport]:
        """The files in the order in which they were written."""
        return self._read(self._entries)

    def by_priority(self) -> Iterator[FileReport]:
        """The files in the order of triage: priority, signs, failed before others, then by path."""
        return self._read(sorted(self._entries))

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[Row]:
        """The files in the order of triage, copies folded into the first of them where :attr:`folds` says so.

        Args:
            start: How many of the first are passed over.
            stop: The place after the last one; all if omitted.
        """
        groups = self.groups[start:stop]
        files = self._read([group.leader for group in groups])
        return (
            Row(file, group.number, tuple(each.path for each in group.copies))
            for file, group in zip(files, groups, strict=True)
        )

    def members(self) -> Iterator[tuple[FileReport, int | None]]:
        """All files in the order of triage, copies behind the first of them, each with its group's number."""
        entries = [(entry, group.number) for group in self.groups for entry in (group.leader, *group.copies)]
        files = self._read([entry for entry, _ in entries])
        return ((file, number) for file, (_, number) in zip(files, entries, strict=True))

    @property
    def groups(self) -> tuple[Group, ...]:
        """The rows of the report without their files' contents; every file alone where :attr:`folds` is off."""
        if self.folds not in self._grouped:  # every page of a large report asks several times
            ordered = sorted(self._entries)
            alone = (Group(None, entry, ()) for entry in ordered)
            self._grouped[self.folds] = grouped(ordered) if self.folds else tuple(alone)
        return self._grouped[self.folds]

    def _read(self, entries: Sequence[SavedFile]) -> Iterator[FileReport]:
        return (reading.parse_file(raw, "a saved entry") for raw in self._lines(entries))

    def _lines(self, entries: Sequence[SavedFile]) -> Iterator[bytes]:
        return reading.lines(self.source, ((entry.offset, entry.length) for entry in entries), self._common)

    def lengths(self) -> list[int]:
        """Bytes of JSON of the file of every row, in the order of :meth:`rows`."""
        return [group.leader.size for group in self.groups]

    @property
    def large(self) -> bool:
        """Whether its document shares what files have in common, and no stream of all of them in full is kept."""
        return self.summary.files > MOST_IN_FULL

    def write_json(self, stream: TextIO) -> None:
        """Writes the whole document as text, every file in full."""
        for piece in report_json.document(self.header, self.json_lines(), self.summary):
            stream.write(report_json.for_stream(piece, stream))

    def write_document(self, stream: TextIO) -> None:
        """Writes ``report.json``: as :meth:`write_json`, or for a large report with what files share standing once."""
        if not self.large:
            self.write_json(stream)
            return
        chance = random.Random(0)  # noqa: S311 # nosec B311 - every nth could meet the same of what comes in turns
        learnt = chance.sample(self._entries, min(_LEARNT, len(self._entries)))
        sharing = Sharing(self._in_full(learnt))
        written, places = 0, array("Q")

        def packed() -> Iterator[str]:
            for line in self.json_lines():
                text = inert(sharing.packed(line))
                between = 2 if places else 0  # a comma and a line break
                places.extend((written + between, len(text.encode())))
                yield text

        common = [value.decode() for value in sharing.common]
        for piece in report_json.document(self.header, packed(), self.summary, common):
            stream.write(piece)
            written += len(piece.encode())
        self._written = places, tuple(sharing.common)

    def goes_on_from(self, document: Path) -> None:
        """Reads its files from the large document that was just written, instead of where they stood before."""
        self.source, self.shown_less, self.digests = document, False, digests.listed(document.parent)
        places, self._common = self._written
        self._grouped = {}
        for number, entry in enumerate(self._entries):  # one by one, so that no second list of them is in memory
            self._entries[number] = entry._replace(offset=places[2 * number], length=places[2 * number + 1])

    def write_stream(self, stream: TextIO) -> None:
        """Writes the files' JSON, one file to a line."""
        stream.writelines(f"{line}\n" for line in self.json_lines())

    def reread(self) -> None:
        """Finds its lines again in its folder, where they stand elsewhere by now.

        Raises:
            ReportError: They cannot be read.
        """
        if self.folder is not None:
            loaded = reading.load(self.folder)
            self.source, self.digests, self.shown_less = loaded.source, loaded.digests, loaded.shown_less
            self._common, self._entries, self._grouped = loaded.common, loaded.tally.entries, {}

    def json_lines(self) -> Iterator[str]:
        """The files' JSON as it was saved, in the order in which they were written."""
        return self._in_full(self._entries)

    def _in_full(self, entries: Sequence[SavedFile]) -> Iterator[str]:
        if self.shown_less or self._common is not None:
            return (report_json.file_line(file) for file in self._read(entries))
        return (raw.decode() for raw in self._lines(entries))
