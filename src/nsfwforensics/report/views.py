"""Writing the views of a saved report into a folder, each whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nsfwforensics.errors import ReportError
from nsfwforensics.report.documents import csv
from nsfwforensics.report.page import html
from nsfwforensics.report.saved import digests
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

if TYPE_CHECKING:
    from nsfwforensics.report.saved.artifacts import ArtifactShelf
    from nsfwforensics.report.saved.report import SavedReport


def write(saved: SavedReport, folder: Path, shelf: ArtifactShelf | None = None) -> None:
    """Writes ``report.html``, ``summary.csv`` and ``report.json``, marks the run as finished, and takes their digests.

    As long as ``run.json`` stands beside the document, the run counts as not finished. A PDF of an earlier report is
    removed: it would show something else.

    Args:
        saved: The report.
        folder: Where to.
        shelf: Holds the report's artifacts; those of an earlier report are cleared away.

    Raises:
        ReportError: The folder cannot be written, or holds other files of these names.
    """
    if saved.folder is None or folder.resolve() != saved.folder.resolve():
        prepare_folder(folder)
    try:
        replace_file(folder / HTML_NAME, lambda stream: html.write(saved, stream))
        replace_file(folder / CSV_NAME, lambda stream: csv.write(saved, stream))
        if saved.source != folder / REPORT_NAME:
            replace_file(folder / REPORT_NAME, saved.write_json)
        if saved.unfinished and saved.source == folder / STREAM_NAME:
            replace_file(
                folder / STREAM_NAME, lambda stream: stream.writelines(f"{line}\n" for line in saved.json_lines())
            )
        (folder / RUN_NAME).unlink(missing_ok=True)
        (folder / PDF_NAME).unlink(missing_ok=True)
        if shelf is not None:
            shelf.tidy(folder)
        digests.write(folder)
    except OSError as error:
        raise ReportError(f"cannot write to {folder}: {error.strerror}") from error
