"""Writing a report while files are examined, and its views at the end.

:class:`ReportWriter` appends each file's report to ``files.jsonl`` at once, so that a run that is stopped loses
nothing, and composes the document and its views at the end; :func:`write_views` makes the views again.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO

from nsfwforensics.core.assess import failed_report
from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.messages import say
from nsfwforensics.core.private import create, replacing
from nsfwforensics.core.report_files import PAGE_NAME, page_name
from nsfwforensics.core.sensitive import handled
from nsfwforensics.core.types import SCHEMA_VERSION, FileReport, Header, Reader
from nsfwforensics.core.written import line
from nsfwforensics.errors import ReportError
from nsfwforensics.language import Language
from nsfwforensics.report.documents import csv
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved import json as report_json
from nsfwforensics.report.saved.artifacts import ArtifactShelf
from nsfwforensics.report.saved.folder import (
    CSV_NAME,
    FIRST_NAME,
    PDF_NAME,
    REPORT_NAME,
    RUN_NAME,
    STREAM_NAME,
    locked,
    prepare_folder,
    replace_file,
)
from nsfwforensics.report.saved.reading import Loaded, parse_file
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.saved.tally import Tally

_log = logging.getLogger(__name__)


class ReportWriter:
    """Writes a report while files are examined. A context manager.

    Whatever happens, the files that were added stay in ``files.jsonl``; with ``run.json`` beside it,
    :meth:`SavedReport.open` makes a report of them.

    Args:
        folder: Where the report goes; made if missing, and kept from other runs until the end of the context. None
            spools it to a private temporary folder, which is removed at the end of the context together with the
            :class:`SavedReport`'s files.
        language: What the views for people are written in; English if omitted.
        reader: Whom the advice in them is for.
        moved: Whether the folder is given another name or place afterwards.
        folds: Whether copies are shown as one row.
        csv_mark: Whether the table begins with a byte order mark.

    Raises:
        BusyError: Another run is writing to the folder.
        ReportError: The folder cannot be used, or holds files of our names that are no report of ours.
    """

    def __init__(
        self,
        folder: Path | None,
        language: Language | None = None,
        *,
        reader: Reader = Reader.ANYONE,
        moved: bool = False,
        folds: bool = True,
        csv_mark: bool = False,
    ) -> None:
        self.folder = folder
        self._folds, self._csv_mark = folds, csv_mark
        self._language = language
        self._reader = reader
        self._moved = moved
        self._tally = Tally()
        self._stream: BinaryIO | None = None
        self._offset = 0
        self._first: BinaryIO | None = None
        self._waiting: dict[str, tuple[int, int]] = {}
        self._order: dict[str, int] = {}
        self._spool: Path | None = None
        self._artifacts = ArtifactShelf()
        self._sensitive = False
        self._run = ""
        self._held = ExitStack()
        if folder is not None:
            prepare_folder(folder)
            self._held.enter_context(locked(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what was added was handed over; what could not be was complained about
            self._close()
            if self._first is not None:
                self._first.close()
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
        self._tally = Tally(header)
        self._run = report_json.dumps(
            {"schema_version": SCHEMA_VERSION, "header": header.model_dump(mode="json")}, indent=2
        )
        try:
            (self._where() / FIRST_NAME).unlink(missing_ok=True)
            self._record_run()
            self._open()
        except OSError as problem:
            raise ReportError(f"cannot write to {self._where()}: {problem.strerror}") from problem

    def add_first(self, file: FileReport) -> None:
        """Keeps what a first look found in a file, for as long as nothing more is known of it.

        Raises:
            ReportError: Nothing can be written.
        """
        try:
            if self._first is None:
                self._first = os.fdopen(create(self._where() / FIRST_NAME), "w+b")
            _, raw = self._line(handled(file, asked=self._sensitive))
            self._waiting[file.info.path] = (self._first.seek(0, os.SEEK_END), len(raw))
            self._first.write(raw + b"\n")
            self._first.flush()
        except OSError as problem:
            raise ReportError(f"cannot write to {self._where()}: {problem.strerror}") from problem

    def expect(self, paths: Iterable[str]) -> None:
        """Takes the order in which the report has the files, in whatever order they are added.

        Args:
            paths: As their reports name them; files that are not named come last.
        """
        self._order = {path: place for place, path in enumerate(paths)}

    def add(self, file: FileReport) -> FileReport:
        """Appends one file's report and hands it to the operating system.

        Returns:
            The report as it was written: a failed one where it could not be.

        Raises:
            ReportError: Nothing can be written (the disk is full).
        """
        try:
            stream = self._stream or self._open()
            if os.fstat(stream.fileno()).st_nlink == 0 and not (self._where() / STREAM_NAME).exists():
                stream = self._put_back(stream)
            file, raw = self._line(self._artifacts.store(handled(file, asked=self._sensitive), self.folder))
            stream.write(raw + b"\n")
            stream.flush()
        except OSError as problem:
            kept = "" if self.folder is None else "; what was examined before is kept there"
            raise ReportError(f"cannot write to {self._where()}: {problem.strerror}{kept}") from problem
        self._tally.add(file, self._offset, len(raw))
        self._offset += len(raw) + 1
        self._waiting.pop(file.info.path, None)
        return file

    def finish(self, header: Header) -> SavedReport:
        """Composes the document and its views; the earlier report in the folder is replaced as a whole.

        Args:
            header: The run, with its end.

        Returns:
            The report. Without a folder it can be read until the context ends.

        Raises:
            ReportError: The folder cannot be written.
        """
        if self._first is not None:
            self._take_waiting(self._first)
        try:
            stream = self._stream or self._open()
            if not (self._where() / STREAM_NAME).exists():
                self._put_back(stream)
            self._close()
            os.truncate(self._where() / STREAM_NAME, self._offset)  # an interrupt may have cut the last entry off
            if self._order:
                self._put_in_order(self._where() / STREAM_NAME)
            if self._first is not None:
                self._first.close()
                (self._where() / FIRST_NAME).unlink(missing_ok=True)
        except OSError as problem:
            raise ReportError(f"cannot write to {self._where()}: {problem.strerror}") from problem
        loaded = Loaded(header, self._tally, self._where() / STREAM_NAME)
        self._tally, self._waiting, self._order = Tally(), {}, {}  # the index belongs to the report from here on
        saved = SavedReport(loaded, self.folder, self._language, self._reader)
        saved.moved = self._moved
        saved.folds, saved.csv_mark = self._folds, self._csv_mark
        if self.folder is not None:
            write_views(saved, shelf=self._artifacts)
        return saved

    def _take_waiting(self, first: BinaryIO) -> None:
        """Files that only the first look reached go in with what it found."""
        for offset, length in list(self._waiting.values()):
            first.seek(offset)
            self.add(parse_file(first.read(length), FIRST_NAME))

    def _put_in_order(self, path: Path) -> None:
        entries = sorted(self._tally.entries, key=lambda entry: self._order.get(entry.path, len(self._order)))
        with path.open("rb") as stream, replacing(path) as descriptor, os.fdopen(descriptor, "wb") as ordered:
            for place, entry in enumerate(entries):
                stream.seek(entry.offset)
                entries[place] = entry._replace(offset=ordered.tell())
                ordered.write(stream.read(entry.length) + b"\n")
        self._tally.entries = entries

    def _where(self) -> Path:
        if self.folder is not None:
            return self.folder
        if self._spool is None:
            self._spool = Path(tempfile.mkdtemp(prefix="nsfwforensics-"))  # mode 0700
        return self._spool

    def _open(self) -> BinaryIO:
        path = self._where() / STREAM_NAME
        path.unlink(missing_ok=True)  # a link planted under this name is removed, never written through
        self._stream = os.fdopen(create(path), "w+b")
        return self._stream

    def _line(self, file: FileReport) -> tuple[FileReport, bytes]:
        try:
            return file, line(file)
        except Exception as error:  # noqa: BLE001 - what an analyzer found must not end the report of the others
            _log.debug("the report of %s cannot be written", file.info.path, exc_info=True)
            reason = say("what was found cannot be written: {error}", error=reason_of(error))
            lost = handled(failed_report(file.info, reason), asked=self._sensitive)
            return lost, line(lost)

    def _record_run(self) -> None:
        replace_file(self._where() / RUN_NAME, lambda stream: stream.write(self._run + "\n"))

    def _put_back(self, written: BinaryIO) -> BinaryIO:
        """Makes the folder again, where it was removed meanwhile: the open file still holds what was written."""
        prepare_folder(self._where())
        self._record_run()
        again = self._open()
        with written:
            written.seek(0)
            shutil.copyfileobj(written, again)
        return again

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def write_views(saved: SavedReport, folder: Path | None = None, shelf: ArtifactShelf | None = None) -> None:
    """Writes ``report.html``, ``summary.csv`` and ``report.json``, marks the run as finished, and takes their digests.

    Each is written whole or not at all. A stopped run becomes a finished report by this. Of a large report the stream
    of its files goes: the document holds the same in less room.

    As long as ``run.json`` stands beside the document, the run counts as not finished. A PDF of an earlier report is
    removed: it would show something else. A view that cannot be made costs none of the others.

    Args:
        saved: The report.
        folder: Where to; the report's own folder if omitted.
        shelf: Holds the report's artifacts; those of an earlier report are cleared away.

    Raises:
        ReportError: The folder cannot be written, or holds other files of these names; or a view cannot be made, and
            all else is there.
    """
    from nsfwforensics.report.page import html  # loads the template engine, which saving alone does not need

    target = folder or saved.folder
    if target is None:
        raise ReportError("this report was not saved to a folder")
    if saved.differences:
        raise ReportError("this report was changed after it was written: nothing is made of it")
    own = saved.folder is not None and target.resolve() == saved.folder.resolve()
    if not own:
        prepare_folder(target)
    kept = saved.digests if own and not saved.shown_less else {}
    try:
        if kept:  # while views are being made the list does not speak of them, so that stopping here spoils nothing
            digests.write(target, kept, views=False)
        pages = html.pages(saved)
        for left in target.glob("report-*.html"):
            if (found := PAGE_NAME.fullmatch(left.name)) and int(found[1]) > pages:
                left.unlink()
        problems = [
            *(
                problem
                for page in range(1, pages + 1)
                for problem in _problem(target / page_name(page), partial(html.write, saved, page=page))
            ),
            *_problem(target / CSV_NAME, lambda stream: csv.write(saved, stream)),
        ]
        to_write = _to_write(saved, target)
        for name in to_write:
            replace_file(target / name, saved.write_document if name == REPORT_NAME else saved.write_stream)
        moved = own and saved.large and REPORT_NAME in to_write
        if moved:
            (target / STREAM_NAME).unlink(missing_ok=True)  # report.json holds the same, in a third of the room
        (target / PDF_NAME).unlink(missing_ok=True)
        if shelf is not None:
            shelf.tidy(target)
        digests.write(target, kept)
        (target / FIRST_NAME).unlink(missing_ok=True)
        (target / RUN_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(f"cannot write to {target}: {error.strerror}") from error
    if moved:
        saved.goes_on_from(target / REPORT_NAME)
    elif own and saved.shown_less:
        saved.reread()
    if problems:
        raise ReportError(f"{'; '.join(problems)}; all else of the report is in {target}")


def _to_write(saved: SavedReport, folder: Path) -> list[str]:
    """Which of document and stream are to be written, the one that the report is read from last."""
    if saved.source == folder / REPORT_NAME:
        beside = [STREAM_NAME] if (folder / STREAM_NAME).is_file() else []
        return [*beside, REPORT_NAME] if saved.shown_less else []
    streams = (folder / STREAM_NAME, (folder / STREAM_NAME, folder / FIRST_NAME))
    own_stream = saved.source in streams and (saved.unfinished or saved.shown_less)
    return [REPORT_NAME, STREAM_NAME] if own_stream and not saved.large else [REPORT_NAME]


def _problem(path: Path, write_to: Callable[[TextIO], object]) -> Iterator[str]:
    """Writes a view for people, and says what is wrong where it cannot be made.

    Raises:
        OSError: The folder cannot be written.
    """
    try:
        replace_file(path, write_to)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - the document itself is still to come
        _log.debug("%s cannot be made", path.name, exc_info=True)
        path.unlink(missing_ok=True)  # an earlier one would show something else
        yield f"{path.name} cannot be made: {reason_of(error)}"
