"""What a folder holds already: a run goes on where the same was asked for, and writes over nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nsfwforensics.core.types import Header
from nsfwforensics.errors import ReportError
from nsfwforensics.report.saved.folder import REPORT_NAME, RUN_NAME

_FILES_LINE = b'"files": [\n'
_LONGEST_HEAD = 64_000_000
"""So many bytes of a report are read for its header, which has a few hundred thousand."""


def refuse_another(folder: Path, header: Header) -> None:
    """Sees to it that no report of anything else is written over.

    Args:
        folder: Where a report is to go.
        header: Of the run that is to come.

    Raises:
        ReportError: The folder holds the report of another plan or of other paths, or one that cannot be read.
    """
    for name in (RUN_NAME, REPORT_NAME):
        path = folder / name
        if path.is_file():
            found = _header(path)
            if found is None:
                raise ReportError(f"{folder} holds a report that cannot be read; name another folder, or add --force")
            if (found.fingerprint, found.paths_digest) != (header.fingerprint, header.paths_digest):
                raise ReportError(
                    f"{folder} holds the report of another run, of {found.started[:19]} ({found.command}); name "
                    "another folder with -o, or write over it with --force"
                )
            return


def refuse_any(folder: Path, *, force: bool) -> None:
    """Sees to it that no report at all is written over, unless that was asked for.

    Raises:
        ReportError: The folder holds one.
    """
    if not force and any((folder / name).is_file() for name in (RUN_NAME, REPORT_NAME)):
        raise ReportError(
            f"{folder} holds a report already; name another folder with -o, or write over it with --force"
        )


def _header(path: Path) -> Header | None:
    try:
        with path.open("rb") as stream:
            head = b""
            for line in stream:
                if line == _FILES_LINE or len(head) > _LONGEST_HEAD:
                    head = head.rstrip().rstrip(b",") + b"}"
                    break
                head += line
        value: Any = json.loads(head)
        return Header.model_validate(value["header"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
