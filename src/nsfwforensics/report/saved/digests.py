"""``SHA256SUMS``: the digests of a report's own files, in the format of ``sha256sum``, which can also check them.

A report cannot hold its own digest. Written down elsewhere, in a case file or a letter, the digest of this short list
shows later that no file of the report was changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from nsfwforensics.core.report_files import ARTIFACTS
from nsfwforensics.report.saved.folder import (
    CSV_NAME,
    HTML_NAME,
    PDF_NAME,
    REPORT_NAME,
    STREAM_NAME,
    SUMS_NAME,
    replace_file,
)

_NAMES = (REPORT_NAME, HTML_NAME, PDF_NAME, CSV_NAME, STREAM_NAME)


def write(folder: Path) -> None:
    """Writes the list anew; last, when every other file of the report is in place.

    Raises:
        OSError: A file cannot be read, or the list not be written.
    """
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    replace_file(folder / SUMS_NAME, lambda stream: stream.writelines(lines))


def _files(folder: Path) -> Iterator[Path]:
    for name in _NAMES:
        if (folder / name).is_file() and not (folder / name).is_symlink():
            yield folder / name
    shelf = folder / ARTIFACTS
    if shelf.is_dir() and not shelf.is_symlink():
        yield from sorted(path for path in shelf.iterdir() if path.is_file() and not path.is_symlink())


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
