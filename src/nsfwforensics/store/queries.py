"""Reading a case: lists of files, hashes, and finding one file by what a person typed."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from nsfwforensics.core import triage as order
from nsfwforensics.core.storable import storable_text
from nsfwforensics.core.triage import TriageRank, Weighed
from nsfwforensics.core.types import Capability, FileStatus, Header, Priority, Question, Severity, Support
from nsfwforensics.store.bounded import BoundedConnection, once
from nsfwforensics.store.rows import CaseFile, CaseHashes, CaseInfo, Decision, DecisionEntry, QueueRow

_LATEST = "(SELECT max(id) FROM decisions WHERE content_id = c.id)"

_FILES = f"""
SELECT f.id, f.path, c.sha256, f.size, c.media_type, f.status, f.priority, f.error, f.added, f.examined,
    d.decision, d.note, d.decided_by, d.decided_at,
    (SELECT group_concat(code, ' ') FROM (
        SELECT DISTINCT n.code FROM examinations e JOIN results r ON r.examination_id = e.id
        JOIN findings n ON n.result_id = r.id WHERE e.file_id = f.id AND e.superseded = 0 ORDER BY n.code)),
    (SELECT group_concat(code, ' ') FROM (
        SELECT code FROM dismissals x WHERE x.content_id = c.id AND x.dismissed = 1
        AND x.id = (SELECT max(y.id) FROM dismissals y WHERE y.content_id = c.id AND y.code = x.code) ORDER BY code))
FROM files f LEFT JOIN contents c ON c.id = f.content_id LEFT JOIN decisions d ON d.id = {_LATEST}
"""  # noqa: S608 - no value of anyone else's is in it

_TRIAGE = """ORDER BY f.priority, coalesce(f.place, triage_place(f.id, f.status)),
    CASE f.status WHEN 'failed' THEN 0 WHEN 'pending' THEN 2 WHEN 'skipped' THEN 3 ELSE 1 END, f.path"""
"""The order of ``docs/triage.md``; :func:`_order` must have been called."""

_STATEMENTS = """
SELECT e.file_id, r.analyzer,
    CASE WHEN json_valid(r.document) THEN json_extract(r.document, '$.question') END,
    CASE WHEN json_valid(r.document) THEN json_extract(r.document, '$.findings[' || n.position || '].question') END,
    n.severity, n.support
FROM findings n JOIN results r ON r.id = n.result_id JOIN examinations e ON e.id = r.examination_id
WHERE e.superseded = 0 AND n.severity <> 'info' AND n.support IN ('supports', 'inconclusive')
AND NOT EXISTS (
    SELECT 1 FROM examinations later JOIN results same ON same.examination_id = later.id
    WHERE later.file_id = e.file_id AND later.superseded = 0 AND later.id > e.id
    AND same.analyzer = r.analyzer AND same.setup = r.setup)
AND NOT EXISTS (
    SELECT 1 FROM files f JOIN dismissals x ON x.content_id = f.content_id
    WHERE f.id = e.file_id AND x.code = n.code AND x.dismissed = 1
    AND x.id = (SELECT max(y.id) FROM dismissals y WHERE y.content_id = x.content_id AND y.code = x.code))
ORDER BY e.file_id"""
"""What decides where a file stands among those of its priority, of the latest result of each analyzer and setup."""

_SUPPLIED = """SELECT DISTINCT file_id FROM examinations
    WHERE superseded = 0 AND json_valid(document) AND coalesce(json_extract(document, '$.supplied_as'), '') <> ''"""

_TIER = 1_000.0
"""More than the strength of any file's signs."""


def place_of(rank: TriageRank) -> float:
    """A rank as one number of the same order, which is what a column can hold."""
    return rank.tier * _TIER + rank.strength


NEWEST_RUN = "SELECT max(id) FROM runs"


def originals(connection: sqlite3.Connection) -> frozenset[str]:
    """The names of the analyzers that compare with originals, of all scans."""
    newest = once(connection, NEWEST_RUN)
    number, names = getattr(connection, "originals", None) or (None, frozenset())
    if number != newest:  # asked for with every file that is written, and headers are long
        rows = connection.execute("SELECT header FROM runs").fetchall()
        names = frozenset().union(*(_comparing(raw) for (raw,) in rows))
        if isinstance(connection, BoundedConnection):
            connection.originals = (newest, names)
    return names


@lru_cache(maxsize=8)
def _comparing(header: str) -> frozenset[str]:
    return frozenset(Header.model_validate_json(header).providing(Capability.ORIGINALS))


def _order(connection: sqlite3.Connection) -> None:
    """Gives the connection its function ``triage_place``, for files that an earlier version of this tool wrote."""
    places: dict[int, float] = {}
    if connection.execute("SELECT 1 FROM files WHERE place IS NULL AND examined IS NOT NULL LIMIT 1").fetchone():
        places = _places(connection)

    def triage_place(number: int, status: str) -> float:
        if number in places:
            return places[number]
        return place_of(order.place((), failed=status == FileStatus.FAILED))

    connection.create_function("triage_place", 2, triage_place)


def _places(connection: sqlite3.Connection) -> dict[int, float]:
    comparing = originals(connection)
    supplied = {number for (number,) in connection.execute(_SUPPLIED)}
    said: dict[int, list[Weighed]] = {number: [] for number in supplied}
    for number, analyzer, asked, about, severity, support in connection.execute(_STATEMENTS):
        with suppress(ValueError):  # what is damaged has no weight; `case verify` names it
            about = Question(about or asked)
            statement = Weighed(analyzer, Question(asked), about, Severity(severity), Support(support))
            said.setdefault(number, []).append(statement)
    failed = {number for (number,) in connection.execute("SELECT id FROM files WHERE status = 'failed'")}
    return {
        number: place_of(order.place(all_of, comparing, supplied=number in supplied, failed=number in failed))
        for number, all_of in said.items()
    }


def info(connection: sqlite3.Connection) -> CaseInfo:
    """What the case is called and how much is in it."""
    row = connection.execute("SELECT uuid, name, operator, created, tool_version FROM case_info").fetchone()
    uuid, name, operator, created, tool_version = row
    (contents,) = connection.execute("SELECT count(*) FROM contents").fetchone()
    (runs,) = connection.execute("SELECT count(*) FROM runs").fetchone()
    statuses = dict(connection.execute("SELECT status, count(*) FROM files GROUP BY status").fetchall())
    return CaseInfo(uuid, name, operator, created, tool_version, sum(statuses.values()), contents, runs, statuses)


def headers(connection: sqlite3.Connection) -> list[Header]:
    """The headers of all scans, in their order."""
    rows = connection.execute("SELECT header FROM runs ORDER BY id").fetchall()
    return [Header.model_validate_json(raw) for (raw,) in rows]


def files(
    connection: sqlite3.Connection,
    *,
    statuses: Sequence[str] = (),
    priorities: Sequence[Priority] = (),
    decisions: Sequence[Decision] = (),
) -> Iterator[CaseFile]:
    """The files of a case in the order of triage, those of the given kinds only; of all kinds where none is given."""
    conditions: list[str] = []
    values: list[Any] = []
    for column, wanted in (
        ("f.status", list(statuses)),
        ("f.priority", [priority.rank for priority in priorities]),
        ("coalesce(d.decision, 'undecided')", [decision.value for decision in decisions]),
    ):
        if wanted:
            conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    _order(connection)
    for row in connection.execute(f"{_FILES} {where} {_TRIAGE}", values):
        yield _file(row)


_BY_RANK = dict(enumerate(Priority))


def triage(connection: sqlite3.Connection) -> list[QueueRow]:
    """All files in the order of triage, without what takes long to gather."""
    _order(connection)
    rows = connection.execute(
        f"""SELECT f.id, c.sha256, f.priority, f.status FROM files f LEFT JOIN contents c ON c.id = f.content_id
        {_TRIAGE}"""  # noqa: S608
    )
    return [QueueRow(number, sha256, _BY_RANK[priority], status) for number, sha256, priority, status in rows]


def file_of(connection: sqlite3.Connection, number: int) -> CaseFile | None:
    """The file of a number."""
    row = connection.execute(f"{_FILES} WHERE f.id = ?", (number,)).fetchone()
    return _file(row) if row else None


_FOUND = """SELECT DISTINCT e.file_id FROM findings n JOIN results r ON r.id = n.result_id
    JOIN examinations e ON e.id = r.examination_id WHERE e.superseded = 0 AND"""


def files_saying(connection: sqlite3.Connection, code: str) -> set[int]:
    """The numbers of the files with a finding of this code."""
    return {number for (number,) in connection.execute(f"{_FOUND} n.code = ?", (code,))}


def files_about(connection: sqlite3.Connection, analyzers: Collection[str]) -> set[int]:
    """The numbers of the files in which one of these analyzers found a sign, or what may be one."""
    places = ", ".join("?" * len(analyzers))
    found = connection.execute(
        f"{_FOUND} n.support IN ('supports', 'inconclusive') AND r.analyzer IN ({places})", tuple(analyzers)
    )
    return {number for (number,) in found}


def documents_with_findings(connection: sqlite3.Connection, analyzers: Collection[str]) -> Iterator[tuple[int, str]]:
    """What these analyzers said of files in which they found something: the file's number, and the JSON document."""
    places = ", ".join("?" * len(analyzers))
    yield from connection.execute(
        f"""SELECT e.file_id, r.document FROM results r JOIN examinations e ON e.id = r.examination_id
        WHERE e.superseded = 0 AND r.analyzer IN ({places})
        AND EXISTS (SELECT 1 FROM findings n WHERE n.result_id = r.id)""",  # noqa: S608
        tuple(analyzers),
    )


def hash_values(connection: sqlite3.Connection, algorithm: str, least_quality: int) -> dict[str, str]:
    """The hashes of one algorithm by SHA-256, but for those of a lower quality."""
    # In the order in which they lie, not in that of an index: a third of the time where all of an algorithm are read.
    rows = connection.execute(
        """SELECT c.sha256, h.value FROM hashes h CROSS JOIN contents c ON c.id = h.content_id
        WHERE +h.algorithm = ? AND coalesce(h.quality, ?) >= ?""",
        (algorithm, least_quality, least_quality),
    )
    return dict(iter(rows))


def path_bytes(value: object) -> bytes:
    """A path out of the database.

    Raises:
        TypeError: It is something else: of a number, ``bytes`` would make as many zeros.
    """
    if not isinstance(value, bytes):
        raise TypeError("a path that is not stored as bytes")
    return value


def _file(row: Sequence[Any]) -> CaseFile:
    number, path, sha256, size, media_type, status, priority, error, added, examined = row[:10]
    decision, note, by, at, findings, dismissed = row[10:]
    return CaseFile(
        id=number,
        raw_path=path_bytes(path),
        sha256=sha256,
        size=size,
        media_type=media_type,
        status=status,
        priority=_BY_RANK[priority],
        error=error,
        added=added,
        examined=examined,
        mark=DecisionEntry(Decision(decision), note, by, at) if decision else None,
        findings=tuple((findings or "").split()),
        dismissed=tuple((dismissed or "").split()),
    )


def file_at(connection: sqlite3.Connection, path: bytes) -> CaseFile | None:
    """The file that is registered under an absolute path."""
    row = connection.execute(f"{_FILES} WHERE f.path = ?", (path,)).fetchone()
    return _file(row) if row else None


def files_with(connection: sqlite3.Connection, sha256: str) -> list[CaseFile]:
    """All files whose content's SHA-256 begins so; what is no hexadecimal finds nothing."""
    if not re.fullmatch("[0-9a-f]{1,64}", sha256):
        return []
    return [
        _file(row)
        for row in connection.execute(f"{_FILES} WHERE c.sha256 GLOB ? ORDER BY f.priority, f.path", (f"{sha256}*",))
    ]


def files_shown_as(connection: sqlite3.Connection, text: str) -> list[CaseFile]:
    """Files whose path, as lists print it, is this text or ends with it after a separator."""
    numbers = [
        number
        for number, path in connection.execute("SELECT id, path FROM files")
        if _ends_with(str(storable_text(os.fsdecode(path_bytes(path)))), text)
    ]
    rows = (connection.execute(f"{_FILES} WHERE f.id = ?", (number,)).fetchone() for number in numbers)
    return [_file(row) for row in rows]


def _ends_with(path: str, text: str) -> bool:
    return path == text or path.endswith(tuple(separator + text for separator in {os.sep, os.altsep or os.sep}))


def hashes_of(connection: sqlite3.Connection, content_id: int) -> list[tuple[str, str, int | None]]:
    """The hashes of one content as (algorithm, value, quality)."""
    return connection.execute(
        "SELECT algorithm, value, quality FROM hashes WHERE content_id = ? ORDER BY algorithm", (content_id,)
    ).fetchall()


def hashes(connection: sqlite3.Connection) -> Iterator[CaseHashes]:
    """Every content with its hashes and the decision that counts, one at a time."""
    contents = connection.execute(
        f"""SELECT c.id, c.sha256, (SELECT path FROM files WHERE content_id = c.id ORDER BY id LIMIT 1), d.decision
        FROM contents c LEFT JOIN decisions d ON d.id = {_LATEST} ORDER BY c.id"""  # noqa: S608
    )
    for number, sha256, path, decision in contents:
        rows = hashes_of(connection, number)
        yield CaseHashes(
            sha256=sha256,
            path=str(storable_text(os.fsdecode(path_bytes(path)))) if path is not None else "",
            values={algorithm: value for algorithm, value, _ in rows},
            pdq_quality=next((quality for algorithm, _, quality in rows if algorithm == "pdq"), None),
            decision=Decision(decision) if decision else None,
        )
