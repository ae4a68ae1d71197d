"""The custody log of a case: every run on it, in a table that only grows, with a copy of each line beside the case.

Two copies, because a chain alone does not show that its end was cut off. A difference between them is never put right
in silence: the next entry says what it found.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from nsfwforensics.core.storable import storable_text
from nsfwforensics.store import chain, runs, state
from nsfwforensics.store.chain import GENESIS, Chain, LogEntry
from nsfwforensics.store.log_copy import LogCopy

if TYPE_CHECKING:
    from nsfwforensics.store.casedb import CaseDatabase

SCAN_STARTED = "scan started"
SCAN_FINISHED = "scan finished"
SCAN_INTERRUPTED = "scan interrupted"
RUN = "scan"
"""The count that holds a scan's number in the case."""

RESULTS, DECISIONS = "all results in the case", "decisions in the case"
"""Names of the digests that say what the case held when an entry was written."""

_STATES: Mapping[str, Mapping[str, Callable[[sqlite3.Connection], str]]] = {
    "results in the case": {RESULTS: state.results_digest, "results in the case": state.former_results_digest},
    "decisions in the case": {DECISIONS: state.decisions_digest},
}
"""What entries say the digest of, by the name that this and earlier versions gave it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What is to be logged.

    Attributes:
        kind: What was done, in a few words.
        command: The command line.
        operator: Who; the case's own operator if empty.
        subject: What it was done to.
        counts: How many of what.
        digests: SHA-256 by what it is of.
        states: Which of :data:`RESULTS` and :data:`DECISIONS` it may have changed; their digests are taken.
    """

    kind: str
    command: str
    operator: str = ""
    subject: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What a check of a case's log found.

    Attributes:
        chain: The entries in the database.
        problems: What is wrong with the log or does not fit it.
        remarks: What to know, and no proof of anything wrong.
    """

    chain: Chain
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def append(
    case: CaseDatabase, what: Happening, change: Callable[[sqlite3.Connection], object] | None = None
) -> LogEntry:
    """Adds an entry to the log: to the database, then to the copy beside the case.

    Args:
        case: Open and writable.
        what: What is to be logged.
        change: Makes what is logged, in the transaction of the entry: both are there afterwards, or neither. What it
            raises is raised, and nothing was written.

    Raises:
        CaseError: One of them cannot be written.
    """
    with LogCopy.locked(case.path) as copy:
        # Taking digests may last. Scans may commit meanwhile: each adds an entry with new ones when it ends.
        at = runs.now()
        states: dict[str, str] = {}
        decided = case.decided
        if change is None:
            with case.reading() as connection:
                states, decided = _states_at_rest(connection, what, decided)
        with case.writing() as connection:
            if change is not None:
                change(connection)
                states, decided = _states(connection, what, decided)
            before = connection.execute("SELECT line FROM custody_log ORDER BY sequence DESC LIMIT 1").fetchone()
            entry = _next(connection, what, at, states, copy)
            connection.execute(
                "INSERT INTO custody_log (sequence, line, sha256) VALUES (?, ?, ?)",
                (entry.sequence, entry.line, chain.digest(entry.line)),
            )
        case.decided = decided
        copy.extend(entry.line, before[0] if before else None, lambda: lines(case))
    return entry


def lines(case: CaseDatabase) -> list[str]:
    """The log as it stands in the database, one line for each entry."""
    with case.reading() as connection:
        return [str(line) for (line,) in connection.execute("SELECT line FROM custody_log ORDER BY sequence")]


def check(case: CaseDatabase) -> LogCheck:
    """Checks the chain, the copy beside the case, and whether the case is still what the log says.

    Raises:
        CaseError: The case cannot be read.
    """
    with LogCopy.locked(case.path, make=False) as copy, case.reading() as connection:
        connection.execute("BEGIN")  # one state of the database for all that follows
        try:
            known = [str(line) for (line,) in connection.execute("SELECT line FROM custody_log ORDER BY sequence")]
            found = chain.check(known)
            problems = [f"in the database: {problem}" for problem in found.problems]
            problems += _numbers(connection)
            problems += _copy_problems(known, copy)
            problems += _unlogged(connection, found)
            differing, remarks = _state(connection, found)
        finally:
            connection.execute("ROLLBACK")
    said = [f"entry {number} says: {entry.remark}" for number, entry in found.entries.items() if entry.remark]
    return LogCheck(found, tuple(problems + differing), tuple(said + remarks))


def _states(
    connection: sqlite3.Connection, what: Happening, decided: state.Decided
) -> tuple[dict[str, str], state.Decided]:
    """The digests that the entry is to hold, all of them in the first entry of a log; and the decisions read so far."""
    first = connection.execute("SELECT 1 FROM custody_log LIMIT 1").fetchone() is None
    found: dict[str, str] = {}
    if first or RESULTS in what.states:
        found[RESULTS] = state.results_digest(connection)
    if first or DECISIONS in what.states:
        decided = decided.with_new(connection)
        found[DECISIONS] = decided.digest()
    return found, decided


def _states_at_rest(
    connection: sqlite3.Connection, what: Happening, decided: state.Decided
) -> tuple[dict[str, str], state.Decided]:
    connection.execute("BEGIN")
    try:
        return _states(connection, what, decided)
    finally:
        connection.execute("ROLLBACK")


def _next(
    connection: sqlite3.Connection, what: Happening, at: str, states: Mapping[str, str], copy: LogCopy
) -> LogEntry:
    row = connection.execute("SELECT sequence, sha256, line FROM custody_log ORDER BY sequence DESC LIMIT 1").fetchone()
    number, previous, last = row or (0, GENESIS, None)
    case, operator = connection.execute("SELECT uuid, operator FROM case_info").fetchone()
    return LogEntry(
        sequence=number + 1,
        time=at,
        kind=what.kind,
        command=str(storable_text(what.command)),
        operator=str(storable_text(what.operator or operator)),
        tool=f"nsfwforensics {version('nsfwforensics')}",
        case=case,
        subject=str(storable_text(what.subject)),
        counts=dict(what.counts),
        digests={**what.digests, **states},
        remark=_remark(number, last, copy),
        previous=previous,
    )


def _remark(number: int, last: str | None, copy: LogCopy) -> str:
    if copy.last == last:
        return ""
    if copy.last is None:
        return f"the copy beside the case was empty or missing, and the database held {number} entries"
    try:
        ended = f"with entry {chain.parse(copy.last).sequence}"
    except ValueError:
        ended = "with a line that is no entry"
    return f"the copy beside the case ended {ended}, and the log in the database with entry {number}"


def _copy_problems(known: list[str], copy: LogCopy) -> list[str]:
    name = copy.path.name
    if copy.missing:
        return [f"{name} is missing beside the case: it was removed, or the case was copied without it"] * bool(known)
    there = copy.lines()
    if there == known:
        return []
    problems = [f"in {name}: {problem}" for problem in chain.check(there).problems]
    wanted = set(there)
    held = set(known)
    absent = [number for number, line in enumerate(known, 1) if line not in wanted]
    foreign = [number for number, line in enumerate(there, 1) if line not in held]
    if absent:
        problems.append(f"{name} does not hold {_named(absent)} as the database does")
    if foreign:
        problems.append(f"the database does not hold {_named(foreign, 'line', 'lines')} of {name}")
    return problems or [f"{name} holds the entries of the database in another order or twice"]


def _numbers(connection: sqlite3.Connection) -> list[str]:
    problems = []
    for number, line, sha256 in connection.execute("SELECT sequence, line, sha256 FROM custody_log ORDER BY sequence"):
        if chain.digest(str(line)) != sha256:
            problems.append(f"in the database: entry {number} was altered: it does not fit the digest stored with it")
        elif f'"sequence":{number},' not in line:
            problems.append(f"in the database: what stands under the number {number} is another entry")
    return problems


def _unlogged(connection: sqlite3.Connection, found: Chain) -> list[str]:
    (before,) = connection.execute("SELECT last_run_before FROM custody_begin").fetchone() or (0,)
    logged = {entry.counts.get(RUN) for entry in found.entries.values() if entry.kind == SCAN_STARTED}
    rows = connection.execute("SELECT id, started FROM runs WHERE id > ? ORDER BY id", (before,)).fetchall()
    return [f"scan {run} of {at} stands in the case and not in the log" for run, at in rows if run not in logged]


def _state(connection: sqlite3.Connection, found: Chain) -> tuple[list[str], list[str]]:
    """Whether the case holds what it held at the last entry that says so: problems, and remarks."""
    problems: list[str] = []
    remarks: list[str] = []
    for held, digests in _STATES.items():
        said = [(number, name) for number, entry in found.entries.items() for name in digests if name in entry.digests]
        if not said:
            continue
        number, name = max(said)
        if found.entries[number].digests[name] == digests[name](connection):
            continue
        text = f"the {held} are not those of entry {number}, the last that says what they were"
        scans = _still_open(connection, found, number) if RESULTS in digests else []
        if scans:
            numbers = ", ".join(map(str, scans))
            remarks.append(f"{text}; scan {numbers} has no end in the log: it is running, or it was killed")
        else:
            problems.append(f"{text}: they were changed since, and no entry says by what")
    return problems, remarks


def _still_open(connection: sqlite3.Connection, found: Chain, number: int) -> list[int]:
    """Scans without an end in the log that wrote, or may have written, something after an entry."""
    begun = {entry.counts.get(RUN): entry.sequence for entry in found.entries.values() if entry.kind == SCAN_STARTED}
    for entry in found.entries.values():
        if entry.kind in (SCAN_FINISHED, SCAN_INTERRUPTED):
            begun.pop(entry.counts.get(RUN), None)
    later = "SELECT 1 FROM examinations WHERE run_id = ? AND finished > ? LIMIT 1"
    at = found.entries[number].time
    return sorted(
        run
        for run, sequence in begun.items()
        if run is not None and (sequence > number or connection.execute(later, (run, at)).fetchone())
    )


def _named(numbers: list[int], one: str = "entry", many: str = "entries") -> str:
    shown = ", ".join(map(str, numbers[:10])) + (" …" if len(numbers) > 10 else "")
    return f"{one if len(numbers) == 1 else many} {shown}"


def as_json(entry: LogEntry) -> dict[str, object]:
    """An entry as a JSON object."""
    value: dict[str, object] = json.loads(entry.line)
    return value
