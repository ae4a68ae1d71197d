"""What a case hands out: plain frozen values, no SQL."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from nsfwforensics.core.storable import storable_text
from nsfwforensics.core.types import Priority

PENDING = "pending"
"""The status of a file that is registered and has not been examined; others are those of ``FileStatus``."""

STATUSES = (PENDING, "ok", "partial", "failed", "skipped")


class Decision(StrEnum):
    """What a person decided about a file."""

    RELEVANT = "relevant"
    NOT_RELEVANT = "not-relevant"
    FALSE_POSITIVE = "false-positive"
    NEEDS_REVIEW = "needs-review"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class CaseInfo:
    """What a case is called and how much is in it.

    Attributes:
        uuid: Its own number, made when it was.
        name: As given, or the file's name.
        operator: Who opened it, or "not supplied".
        created: When, in UTC.
        tool_version: With which version of this tool.
        files: How many files are in it.
        contents: How many different contents they have.
        runs: How many scans wrote into it.
        by_status: How many files of each status.
    """

    uuid: str
    name: str
    operator: str
    created: str
    tool_version: str
    files: int
    contents: int
    runs: int
    by_status: Mapping[str, int]


_MOST = (1 << 63) - 1
"""The largest number that SQLite stores."""


class Stat(NamedTuple):
    """What tells cheaply whether a file is still the one that was examined.

    Attributes:
        size: In bytes.
        mtime_ns: Time of modification, nanoseconds since the epoch; anyone can set it. Cut to what SQLite stores, which
            is until the year 2262.
        ctime_ns: Time of the last change of content or properties as the system keeps it (of creation on Windows).
    """

    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, path: Path) -> Stat | None:
        """Of a file, or None where it cannot be reached."""
        try:
            found = os.stat(path)  # noqa: PTH116 - asked of every file, and through the path it takes twice as long
        except (OSError, ValueError):
            return None
        changed, made = found.st_mtime_ns, found.st_ctime_ns
        return cls(found.st_size, max(-_MOST, min(_MOST, changed)), max(-_MOST, min(_MOST, made)))


class Done(NamedTuple):
    """An examination that need not be repeated.

    Attributes:
        plan: The fingerprint under which it stands.
        number: In the case.
        stat: What the file was like.
        sha256: Of its content.
    """

    plan: str
    number: int
    stat: Stat
    sha256: str | None


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """One entry in the history of decisions. The latest one counts.

    Attributes:
        decision: What was decided.
        note: Why, in the examiner's words.
        by: Who, or "not supplied".
        at: When, in UTC.
    """

    decision: Decision
    note: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class NewMark:
    """What a person decides about one content.

    Attributes:
        sha256: Of the content.
        decision: What is decided, or None where only findings are set aside.
        note: Why.
        by: Who, or "not supplied".
        dismiss: Codes of findings to set aside.
        restore: Codes of findings that are to count again.
    """

    sha256: str
    decision: Decision | None = None
    note: str = ""
    by: str = "not supplied"
    dismiss: tuple[str, ...] = ()
    restore: tuple[str, ...] = ()


class QueueRow(NamedTuple):
    """One file in the order of triage: its number, its content, its priority, how it ended. Small: there are many."""

    id: int
    sha256: str | None
    priority: Priority
    status: str


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A finding that a person set aside for one content, in this and in later scans."""

    code: str
    note: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One file of a case as lists show it.

    Attributes:
        id: Its number in the case.
        raw_path: Its absolute path as the file system has it.
        sha256: Of its content when it was last read, or None.
        size: In bytes, then.
        media_type: What the content is.
        status: ``pending`` or a value of ``FileStatus``.
        priority: Of all findings that were not dismissed.
        error: Why it failed or was skipped.
        added: When it came into the case, in UTC.
        examined: When it was last examined, or None.
        mark: The decision that counts, or None.
        findings: Codes of its findings.
        dismissed: Codes that were dismissed for its content.
    """

    id: int
    raw_path: bytes
    sha256: str | None
    size: int | None
    media_type: str | None
    status: str
    priority: Priority
    error: str | None
    added: str
    examined: str | None
    mark: DecisionEntry | None
    findings: tuple[str, ...] = ()
    dismissed: tuple[str, ...] = ()

    @property
    def place(self) -> Path:
        """Where it is, to be opened."""
        return Path(os.fsdecode(self.raw_path))

    @property
    def path(self) -> str:
        """Where it is, as text that can be stored anywhere (undecodable bytes escaped)."""
        return str(storable_text(os.fsdecode(self.raw_path)))


@dataclass(frozen=True, slots=True)
class CaseHashes:
    """What is known of one content, to look others up by.

    Attributes:
        sha256: Of the bytes.
        path: Of one of its files.
        values: Hash by algorithm (``md5``, ``sha1``, ``pdq``, ``phash`` ...), in hexadecimal.
        pdq_quality: 0 to 100, or None where PDQ was not computed.
        decision: The decision that counts, or None.
    """

    sha256: str
    path: str
    values: Mapping[str, str] = field(default_factory=dict)
    pdq_quality: int | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A scan that is going on.

    Attributes:
        id: Its number in the case.
        fingerprint: Of its plan.
        setups: For each analyzer a digest of how it is set.
        hashing: The analyzers whose hashes are kept for looking up.
    """

    id: int
    fingerprint: str
    setups: Mapping[str, str]
    hashing: frozenset[str]

    @property
    def first(self) -> str:
        """The fingerprint under which stands what its first look found in a file, for as long as that is all."""
        return _first(self.fingerprint)


@lru_cache(maxsize=4)  # asked for with every file
def _first(fingerprint: str) -> str:
    return hashlib.sha256(f"first look: {fingerprint}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Examination:
    """One examination of a file.

    Attributes:
        run: Number of the scan.
        fingerprint: Of its plan.
        finished: When, in UTC.
        status: A value of ``FileStatus``.
        sha256: Of the content then, or None.
        superseded: Whether the file has changed since.
    """

    run: int
    fingerprint: str
    finished: str
    status: str
    sha256: str | None
    superseded: bool
