"""The folder a report is written to, and writing into it without harming anything else."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TextIO

from nsfwforensics.core.locks import FolderLock
from nsfwforensics.core.private import clear_parts, make_folder, replacing
from nsfwforensics.core.report_files import (
    CSV_NAME,
    FIRST_NAME,
    HTML_NAME,
    OUR_NAMES,
    PDF_NAME,
    REPORT_NAME,
    RUN_NAME,
    STREAM_NAME,
    SUMS_NAME,
    is_ours,
)
from nsfwforensics.errors import ReportError

__all__ = [
    "CSV_NAME",
    "FIRST_NAME",
    "HTML_NAME",
    "OUR_NAMES",
    "PDF_NAME",
    "REPORT_NAME",
    "RUN_NAME",
    "STREAM_NAME",
    "SUMS_NAME",
    "locked",
    "prepare_folder",
    "replace_file",
]


def prepare_folder(folder: Path) -> None:
    """Makes the folder (for its owner only) and sees to it that nothing foreign would be overwritten.

    Raises:
        ReportError: It is no folder, cannot be made, or holds a file of our names without being a report of ours.
    """
    try:
        make_folder(folder)
        taken = [name for name in OUR_NAMES if os.path.lexists(folder / name)]
        if taken and not any(is_ours(folder / name) for name in (REPORT_NAME, RUN_NAME)):
            raise ReportError(f"{folder / taken[0]} is there and is no report of this tool; choose another folder")
    except FileExistsError:
        raise ReportError(f"{folder} is not a folder") from None
    except OSError as error:
        raise ReportError(f"cannot use {folder} for the report: {error.strerror}") from error


def locked(folder: Path | None) -> AbstractContextManager[object]:
    """Makes a folder where it is missing, and keeps every other run from writing to it; None is no folder.

    Raises:
        BusyError: Another run is writing to it.
        ReportError: It is no folder, or cannot be made or written.
    """
    if folder is None:
        return nullcontext()
    try:
        make_folder(folder)
        held = FolderLock(folder)
        clear_parts(folder)
    except FileExistsError:
        raise ReportError(f"{folder} is not a folder") from None
    except OSError as error:
        raise ReportError(f"cannot use {folder} for the report: {error.strerror}") from error
    return held


def replace_file(path: Path, write_to: Callable[[TextIO], object], *, over: bool = True) -> None:
    """Writes a text file in UTF-8 as :func:`nsfwforensics.core.private.replacing` does."""
    with replacing(path, over=over) as descriptor, os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        write_to(stream)
