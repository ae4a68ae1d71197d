"""A log whose entries hold each other: every one names the SHA-256 of the one before it.

An entry is one line of canonical JSON (sorted keys, no spaces, ASCII). Whoever edits, removes or swaps lines breaks the
links; whoever cuts the end off breaks none, which is why the last link must be known from elsewhere too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nsfwforensics.core.documents import read_json

GENESIS = "0" * 64
"""What the first entry names as the digest of the one before it."""

_TYPES: Mapping[str, type] = {
    "sequence": int,
    "time": str,
    "kind": str,
    "command": str,
    "operator": str,
    "tool": str,
    "case": str,
    "subject": str,
    "counts": dict,
    "digests": dict,
    "remark": str,
    "previous": str,
}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One run on a case.

    Attributes:
        sequence: 1 for the first.
        time: In UTC, ISO 8601.
        kind: What was done, in a few words: ``scan started``, ``decision`` ...
        command: The command line.
        operator: Who, or "not supplied".
        tool: Name and version of the tool.
        case: The case's own number (a UUID).
        subject: What it was done to.
        counts: How many of what.
        digests: SHA-256 by what it is of.
        remark: What was wrong with the log itself when this was written; usually empty.
        previous: SHA-256 of the line of the entry before, or :data:`GENESIS`.
    """

    sequence: int
    time: str
    kind: str
    command: str
    operator: str
    tool: str
    case: str
    subject: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""
    previous: str = GENESIS

    @property
    def line(self) -> str:
        """The entry as it is stored, without a line break."""
        return _canonical(asdict(self))


@dataclass(frozen=True, slots=True)
class Chain:
    """What a check of lines found.

    Attributes:
        entries: Those that could be read, by their number.
        digests: SHA-256 of their lines, by number.
        problems: What is wrong, each in a sentence that names the entry; empty for a sound log.
    """

    entries: Mapping[int, LogEntry]
    digests: Mapping[int, str]
    problems: tuple[str, ...]

    @property
    def last(self) -> int:
        """The highest number; 0 for an empty log."""
        return max(self.entries, default=0)


def digest(line: str) -> str:
    """SHA-256 of a line, as the next entry names it."""
    return hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()


def parse(line: str) -> LogEntry:
    """Reads an entry.

    Raises:
        ValueError: It is none, or is not written as this module writes it.
    """
    value: Any = read_json(line)
    if not isinstance(value, dict) or set(value) != set(_TYPES):
        raise ValueError("these are not the fields of an entry")
    if any(type(value[name]) is not kind for name, kind in _TYPES.items()):
        raise ValueError("a field holds another kind of value")
    if any(type(number) is not int for number in value["counts"].values()):
        raise ValueError("a count is no whole number")
    if any(type(text) is not str for text in value["digests"].values()):
        raise ValueError("a digest is no text")
    if _canonical(value) != line:
        raise ValueError("it is not written as this tool writes it")
    return LogEntry(**value)


def check(lines: Iterable[str]) -> Chain:
    """Checks the order of entries and the links between them.

    Args:
        lines: Without line breaks, in the order in which they stand.
    """
    entries: dict[int, LogEntry] = {}
    digests: dict[int, str] = {}
    problems: list[str] = []
    before = 0
    for number, line in enumerate(lines, 1):
        try:
            entry = parse(line)
        except ValueError as error:
            problems.append(f"line {number} is no entry, or was altered: {error}")
            before += 1  # it most likely stood for the next one
            continue
        if entry.sequence in entries:
            problems.append(f"entry {entry.sequence} stands there a second time, in line {number}")
            continue
        if entry.sequence != before + 1:
            problems.append(f"entry {entry.sequence} stands in line {number}, where entry {before + 1} belongs")
        before = entry.sequence
        entries[entry.sequence], digests[entry.sequence] = entry, digest(line)
    problems += _missing(entries)
    for number in sorted(entries):
        expected = digests.get(number - 1) if number > 1 else GENESIS
        if expected is not None and entries[number].previous != expected:
            earlier = f"entry {number - 1} was altered, or" if number > 1 else "the beginning was cut off, or"
            problems.append(f"{earlier} entry {number} was: entry {number} does not follow from what stands before it")
    return Chain(entries, digests, tuple(problems))


def _missing(entries: Mapping[int, LogEntry]) -> Iterator[str]:
    before = 0
    for number in sorted(entries):
        if number == before + 2:
            yield f"entry {before + 1} is missing"
        elif number > before + 2:
            yield f"entries {before + 1} to {number - 1} are missing"
        before = number


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
