"""``SHA256SUMS``: the digests of a report's own files, in the format of ``sha256sum``, which can also check them.

A report cannot hold its own digest. Written down elsewhere, in a case file or a letter, the digest of this short list
shows later that no file of the report was changed. Before a finished report is read, its files are compared with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.report_files import ARTIFACT_NAME, ARTIFACTS, PAGE_NAME
from nsfwforensics.report.saved.folder import (
    CSV_NAME,
    HTML_NAME,
    PDF_NAME,
    REPORT_NAME,
    STREAM_NAME,
    SUMS_NAME,
    replace_file,
)

VIEWS = (HTML_NAME, PDF_NAME, CSV_NAME)
"""What is made from the report, further pages besides: it may be missing, since it can be made again."""

_NAMES = (REPORT_NAME, HTML_NAME, PDF_NAME, CSV_NAME, STREAM_NAME)
_LINE = re.compile(r"\\?([0-9a-f]{64}) [ *](\S+)")
_LONGEST_LINE = 1000


def write(folder: Path, known: Mapping[str, str] | None = None, *, views: bool = True) -> None:
    """Writes the list anew; last, when every other file of the report is in place.

    Args:
        folder: The report's.
        known: Digests of files that were not written anew, by name, as they were when they were last looked at: what
            was changed meanwhile by somebody else is not listed as if it were the report's. Views are hashed anyway.
        views: Whether views are listed.

    Raises:
        OSError: A file cannot be read, or the list not be written.
    """
    names = [name for path in _files(folder) if not is_view(name := path.relative_to(folder).as_posix()) or views]
    old = {name: digest for name, digest in (known or {}).items() if not is_view(name)}
    digests = {name: old.get(name) or file_sha256(folder / name) for name in names}
    replace_file(
        folder / SUMS_NAME, lambda stream: stream.writelines(f"{digest}  {name}\n" for name, digest in digests.items())
    )


def listed(folder: Path) -> dict[str, str]:
    """The list as it stands: digests by name. Empty where there is none; what cannot be read in it is passed over.

    Raises:
        OSError: It cannot be read.
    """
    path = folder / SUMS_NAME
    if path.is_symlink() or not path.is_file():
        return {}
    found: dict[str, str] = {}
    with path.open(encoding="utf-8", errors="replace") as stream:
        while line := stream.readline(_LONGEST_LINE):
            entry = _LINE.fullmatch(line.rstrip("\r\n"))
            if entry and (entry[2] in _NAMES or is_view(entry[2]) or is_artifact(entry[2])):
                found.setdefault(entry[2], entry[1])
    return found


def differences(folder: Path) -> Iterator[str]:
    """Says what of a finished report is not as its list has it, file by file.

    Nothing but the report's own files is opened. A list that somebody wrote anew agrees with whatever is there.

    Raises:
        OSError: A file cannot be read.
    """
    digests = listed(folder)
    if not digests:
        yield f"{SUMS_NAME} is missing or empty"
        return
    for name in (REPORT_NAME, STREAM_NAME):
        if name not in digests and (folder / name).exists():
            yield f"{name} is not in {SUMS_NAME}"
    for name, digest in digests.items():
        path = folder / name
        if path.is_symlink():
            yield f"{name} is a symbolic link"
        elif not path.is_file():
            if not is_view(name) and name != STREAM_NAME:
                yield f"{name} is missing"
        elif file_sha256(path) != digest:
            yield f"{name} is not what {SUMS_NAME} says"


def is_view(name: str) -> bool:
    """Whether a file is made from the report and can be made again."""
    return name in VIEWS or PAGE_NAME.fullmatch(name) is not None


def is_artifact(name: str) -> bool:
    """Whether a path names a picture of a report, and nothing outside its folder."""
    shelf, _, file = name.partition("/")
    return shelf == ARTIFACTS and ARTIFACT_NAME.fullmatch(file) is not None


def _files(folder: Path) -> Iterator[Path]:
    for name in _NAMES:
        if _plain(folder / name):
            yield folder / name
    yield from sorted(path for path in folder.glob("report-*.html") if is_view(path.name) and _plain(path))
    shelf = folder / ARTIFACTS
    if shelf.is_dir() and not shelf.is_symlink():
        yield from sorted(path for path in shelf.iterdir() if _plain(path))


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
