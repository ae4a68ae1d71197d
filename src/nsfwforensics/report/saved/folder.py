"""The folder a report is written to: its file names, and writing into it without harming anything else."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from nsfwforensics.errors import ReportError

REPORT_NAME = "report.json"
STREAM_NAME = "files.jsonl"
RUN_NAME = "run.json"
CSV_NAME = "summary.csv"
HTML_NAME = "report.html"
PDF_NAME = "report.pdf"
SUMS_NAME = "SHA256SUMS"
OUR_NAMES = (REPORT_NAME, STREAM_NAME, RUN_NAME, CSV_NAME, HTML_NAME, PDF_NAME, SUMS_NAME)


def prepare_folder(folder: Path) -> None:
    """Makes the folder (for its owner only) and sees to it that nothing foreign would be overwritten.

    Raises:
        ReportError: It is no folder, cannot be made, or holds a file of our names without being a report of ours.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = [name for name in OUR_NAMES if os.path.lexists(folder / name)]
        if taken and not any(is_ours(folder / name) for name in (REPORT_NAME, RUN_NAME)):
            raise ReportError(f"{folder / taken[0]} is there and is no report of this tool; choose another folder")
    except FileExistsError:
        raise ReportError(f"{folder} is not a folder") from None
    except OSError as error:
        raise ReportError(f"cannot use {folder} for the report: {error.strerror}") from error


def is_ours(path: Path) -> bool:
    """Whether a file is a JSON document of this tool."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(4096)
    return b'"schema_version"' in head and b'"nsfwforensics"' in head


def replace_file(path: Path, write_to: Callable[[TextIO], object]) -> None:
    """Writes a text file in UTF-8 as :func:`replacing` does."""
    with replacing(path) as descriptor, os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        write_to(stream)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[int]:
    """Opens a temporary file in the same folder, for the owner only, and renames it into place if all goes well.

    Yields:
        Its descriptor, which the caller closes.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        yield descriptor
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
