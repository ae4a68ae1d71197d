"""The saved report: written as files finish, read again for every view.

:class:`ReportWriter` appends each file's report to ``files.jsonl`` at once, so that a run that is stopped loses
nothing, and composes the document and its views at the end. :class:`SavedReport` is what every view is made from.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO

from nsfwforensics.core.private import create
from nsfwforensics.core.sensitive import handled
from nsfwforensics.core.types import SCHEMA_VERSION, FileReport, Header, Priority, Question, Summary
from nsfwforensics.errors import ReportError
from nsfwforensics.language import Language
from nsfwforensics.language import language as language_of
from nsfwforensics.report.documents import json as report_json
from nsfwforensics.report.saved import reading
from nsfwforensics.report.saved.artifacts import ArtifactShelf
from nsfwforensics.report.saved.folder import RUN_NAME, STREAM_NAME, locked, prepare_folder, replace_file
from nsfwforensics.report.saved.reading import Loaded
from nsfwforensics.report.saved.tally import Tally


class SavedReport:
    """A report on disk. Files are read one at a time, as often as they are asked for.

    Attributes:
        header: Who ran what, when, with which versions.
        summary: Counts over all files, made anew from the files themselves.
        signs: By question, how many files with signs have which priority.
        common_folder: The folder that all examined files lie in, with its closing separator, or nothing.
        folder: Where the report is, or None where it was only spooled.
        unfinished: Whether it was put together from what a stopped run left behind.
        sensitive: Whether it, or a file in it, is to be handled with care.
        language: What its views for people are written in.
    """

    def __init__(self, loaded: Loaded, folder: Path | None, language: Language | None = None) -> None:
        self.language = language or language_of("en")
        self.header: Header = loaded.header
        self.summary: Summary = loaded.tally.summary()
        self.signs: dict[Question, dict[Priority, int]] = loaded.tally.signs
        self.common_folder = loaded.tally.common_folder
        self.folder = folder
        self.unfinished = loaded.unfinished
        self.sensitive = loaded.header.sensitive or loaded.tally.sensitive > 0
        self.source = loaded.source
        self._entries = loaded.tally.entries

    @classmethod
    def open(cls, folder: Path, language: Language | None = None) -> SavedReport:
        """Opens the report in a folder: the finished document, or what a stopped run left.

        Args:
            folder: Where it is.
            language: What its views are written in; English if omitted.

        Raises:
            ReportError: No report is there, or it is broken or of an unknown schema version.
        """
        return cls(reading.load(folder), folder, language)

    def files(self) -> Iterator[FileReport]:
        """The files in the order in which they were written."""
        places = ((entry.offset, entry.length) for entry in self._entries)
        return (reading.parse_file(raw, "a saved entry") for raw in reading.lines(self.source, places))

    def by_priority(self) -> Iterator[FileReport]:
        """The files in the order of triage: priority, failed before others, then by path."""
        places = ((entry.offset, entry.length) for entry in sorted(self._entries))
        return (reading.parse_file(raw, "a saved entry") for raw in reading.lines(self.source, places))

    def lengths_by_priority(self) -> list[int]:
        """Bytes of JSON of every file, in the order of :meth:`by_priority`."""
        return [entry.length for entry in sorted(self._entries)]

    def write_json(self, stream: TextIO) -> None:
        """Writes the whole document as text; the same bytes as ``report.json`` where the stream takes UTF-8."""
        encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "")
        for piece in report_json.document(self.header, self.json_lines(), self.summary):
            stream.write(piece if encoding in ("utf8", "utf8sig") else report_json.ascii_only(piece))

    def write_views(self, folder: Path | None = None, shelf: ArtifactShelf | None = None) -> None:
        """Makes ``report.json``, ``summary.csv`` and ``report.html``, each under a temporary name and then renamed.

        Last come their digests. A stopped run becomes a finished report by this.

        Args:
            folder: Where to; the report's own folder if omitted.
            shelf: Holds the report's artifacts, so that those of an earlier report can be cleared away.

        Raises:
            ReportError: The folder cannot be written, or holds other files of these names.
        """
        from nsfwforensics.report import views  # loads the template engine, which saving alone does not need

        target = folder or self.folder
        if target is None:
            raise ReportError("this report was not saved to a folder")
        views.write(self, target, shelf)

    def json_lines(self) -> Iterator[str]:
        """The files' JSON as it was saved, in the order in which they were written."""
        places = ((entry.offset, entry.length) for entry in self._entries)
        return (raw.decode() for raw in reading.lines(self.source, places))


class ReportWriter:
    """Writes a report while files are examined. A context manager.

    Whatever happens, the files that were added stay in ``files.jsonl``; with ``run.json`` beside it,
    :meth:`SavedReport.open` makes a report of them.

    Args:
        folder: Where the report goes; made if missing, and kept from other runs until the end of the context. None
            spools it to a private temporary folder, which is removed at the end of the context together with the
            :class:`SavedReport`'s files.
        language: What the views for people are written in; English if omitted.

    Raises:
        BusyError: Another run is writing to the folder.
        ReportError: The folder cannot be used, or holds files of our names that are no report of ours.
    """

    def __init__(self, folder: Path | None, language: Language | None = None) -> None:
        self.folder = folder
        self._language = language
        self._tally = Tally()
        self._stream: BinaryIO | None = None
        self._offset = 0
        self._spool: Path | None = None
        self._artifacts = ArtifactShelf()
        self._sensitive = False
        self._held = ExitStack()
        if folder is not None:
            prepare_folder(folder)
            self._held.enter_context(locked(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self._held.close()
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)

    def begin(self, header: Header) -> None:
        """Records the run before its first file, so that a killed run can be told and shown.

        From here on an earlier report's stream is gone; its document and views stay until :meth:`finish`.

        Raises:
            ReportError: The folder cannot be written.
        """
        self._sensitive = header.sensitive
        text = report_json.dumps({"schema_version": SCHEMA_VERSION, "header": header.model_dump(mode="json")}, indent=2)
        try:
            replace_file(self._where() / RUN_NAME, lambda stream: stream.write(text + "\n"))
            self._open()
        except OSError as problem:
            raise ReportError(f"cannot write to {self._where()}: {problem.strerror}") from problem

    def add(self, file: FileReport) -> None:
        """Appends one file's report and hands it to the operating system.

        Raises:
            ReportError: It cannot be written (the disk is full).
        """
        try:
            file = self._artifacts.store(handled(file, asked=self._sensitive), self.folder)
            raw = report_json.file_line(file).encode()
            stream = self._stream or self._open()
            stream.write(raw + b"\n")
            stream.flush()
        except OSError as problem:
            raise ReportError(f"cannot write to {self._where()}: {problem.strerror}") from problem
        self._tally.add(file, self._offset, len(raw))
        self._offset += len(raw) + 1

    def finish(self, header: Header) -> SavedReport:
        """Composes the document and its views; the earlier report in the folder is replaced as a whole.

        Args:
            header: The run, with its end.

        Returns:
            The report. Without a folder it can be read until the context ends.

        Raises:
            ReportError: The folder cannot be written.
        """
        if self._stream is None:
            self._open()
        self._close()
        os.truncate(self._where() / STREAM_NAME, self._offset)  # an interrupt may have cut the last entry off
        saved = SavedReport(Loaded(header, self._tally, self._where() / STREAM_NAME), self.folder, self._language)
        if self.folder is not None:
            saved.write_views(shelf=self._artifacts)
        return saved

    def _where(self) -> Path:
        if self.folder is not None:
            return self.folder
        if self._spool is None:
            self._spool = Path(tempfile.mkdtemp(prefix="nsfwforensics-"))  # mode 0700
        return self._spool

    def _open(self) -> BinaryIO:
        path = self._where() / STREAM_NAME
        path.unlink(missing_ok=True)  # a link planted under this name is removed, never written through
        self._stream = os.fdopen(create(path), "wb")
        return self._stream

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
