"""Whether the files of a case are still what they were: their bytes hashed again, read-only."""

from __future__ import annotations

from enum import StrEnum

from nsfwforensics.core.opening import file_sha256
from nsfwforensics.store.rows import CaseFile


class OriginalState(StrEnum):
    """What became of a file since it was read for the case."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    NEVER_READ = "never read"


def check(file: CaseFile) -> OriginalState:
    """Hashes a file of a case again and compares."""
    if file.sha256 is None:
        return OriginalState.NEVER_READ
    try:
        return OriginalState.SAME if file_sha256(file.place) == file.sha256 else OriginalState.CHANGED
    except FileNotFoundError:
        return OriginalState.MISSING
    except (OSError, ValueError):
        return OriginalState.UNREADABLE
