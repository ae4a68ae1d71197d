"""Whether the files of a case are still what they were: their bytes hashed again, read-only."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path

from nsfwforensics.core.opening import open_evidence
from nsfwforensics.store.rows import CaseFile


class Original(StrEnum):
    """What became of a file since it was read for the case."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    NEVER_READ = "never read"


def digest(path: Path, *, follow: bool = True) -> str:
    """SHA-256 of a regular file, read in pieces; a pipe or device under its name is refused, not waited for.

    Args:
        path: The file.
        follow: Whether it may be a symbolic link: the bytes tell whether they are the same.

    Raises:
        OSError: It is missing, cannot be read or is no regular file.
    """
    with open_evidence(path, follow=follow) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check(file: CaseFile) -> Original:
    """Hashes a file of a case again and compares."""
    if file.sha256 is None:
        return Original.NEVER_READ
    try:
        return Original.SAME if digest(file.place) == file.sha256 else Original.CHANGED
    except FileNotFoundError:
        return Original.MISSING
    except (OSError, ValueError):
        return Original.UNREADABLE
