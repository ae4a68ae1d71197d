"""Writing a report while files are examined, and its views at the end.

:class:`ReportWriter` appends each file's report to ``files.jsonl`` at once, so that a run that is stopped loses
nothing, and composes the document and its views at the end; :func:`write_views` makes the views again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from nsfwforensics.core.sensitive import handled
from nsfwforensics.core.types import SCHEMA_VERSION, FileReport, Header
from nsfwforensics.errors import ReportError
from nsfwforensics.language import Language
from nsfwforensics.report.documents import csv
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved import json as report_json
from nsfwforensics.report.saved.artifacts import ArtifactShelf
from nsfwforensics.report.saved.folder import (
    CSV_NAME,
    HTML_NAME,
    PDF_NAME,
    REPORT_NAME,
    RUN_NAME,
    STREAM_NAME,
    prepare_folder,
    replace_file,
)
from nsfwforensics.report.saved.reading import Loaded
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.saved.tally import Tally

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class ReportWriter:
    """Writes a report while files are examined. A context manager.

    Whatever happens, the files that were added stay in ``files.jsonl``; with ``run.json`` beside it,
    :meth:`SavedReport.open` makes a report of them.

    Args:
        folder: Where the report goes; made if missing. None spools it to a private temporary folder, which is removed
            at the end of the context together with the :class:`SavedReport`'s files.
        language: What the views for people are written in; English if omitted.

    Raises:
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
        if folder is not None:
            prepare_folder(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._close()  # writes what is held back, for which there may be no room
        finally:
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
            write_views(saved, shelf=self._artifacts)
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
        self._stream = os.fdopen(os.open(path, _CREATE, 0o600), "wb")
        return self._stream

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def write_views(saved: SavedReport, folder: Path | None = None, shelf: ArtifactShelf | None = None) -> None:
    """Writes ``report.html``, ``summary.csv`` and ``report.json``, marks the run as finished, and takes their digests.

    Each is written whole or not at all. A stopped run becomes a finished report by this.

    As long as ``run.json`` stands beside the document, the run counts as not finished. A PDF of an earlier report is
    removed: it would show something else.

    Args:
        saved: The report.
        folder: Where to; the report's own folder if omitted.
        shelf: Holds the report's artifacts; those of an earlier report are cleared away.

    Raises:
        ReportError: The folder cannot be written, or holds other files of these names.
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
        replace_file(target / HTML_NAME, lambda stream: html.write(saved, stream))
        replace_file(target / CSV_NAME, lambda stream: csv.write(saved, stream))
        for name in _to_write(saved, target):
            replace_file(target / name, saved.write_json if name == REPORT_NAME else saved.write_stream)
        (target / PDF_NAME).unlink(missing_ok=True)
        if shelf is not None:
            shelf.tidy(target)
        digests.write(target, kept)
        (target / RUN_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(f"cannot write to {target}: {error.strerror}") from error
    if own and saved.shown_less:
        saved.reread()


def _to_write(saved: SavedReport, folder: Path) -> list[str]:
    """Which of document and stream are to be written, the one that the report is read from last."""
    if saved.source == folder / REPORT_NAME:
        beside = [STREAM_NAME] if (folder / STREAM_NAME).is_file() else []
        return [*beside, REPORT_NAME] if saved.shown_less else []
    own_stream = saved.source == folder / STREAM_NAME and (saved.unfinished or saved.shown_less)
    return [REPORT_NAME, STREAM_NAME] if own_stream else [REPORT_NAME]
