"""What a scan writes: its own record, and each file whole in one transaction of the caller's."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from nsfwforensics.core import triage
from nsfwforensics.core.evidence import describe_path, utc_iso
from nsfwforensics.core.types import Capability, FileInfo, FileReport, Header, Priority
from nsfwforensics.store import documents, marks, queries
from nsfwforensics.store.bounded import forget
from nsfwforensics.store.rows import PENDING, Done, RunRecord, Stat


def stored_path(path: Path) -> bytes:
    """The name of a file in a case: its absolute path, byte for byte, links not resolved."""
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps ".." in it


def now() -> str:
    """The time, in UTC."""
    return utc_iso(time.time())


def begin(connection: sqlite3.Connection, header: Header) -> RunRecord:
    """Records that a scan begins."""
    forget(connection, queries.NEWEST_RUN)
    cursor = connection.execute(
        "INSERT INTO runs (fingerprint, header, started) VALUES (?, ?, ?)",
        (header.fingerprint, header.model_dump_json(), header.started),
    )
    hashing = header.providing(Capability.HASHES)
    return RunRecord(cursor.lastrowid or 0, header.fingerprint, documents.setups(header), hashing)


def repeats(connection: sqlite3.Connection, run: RunRecord) -> bool:
    """Whether another scan under the same plan has begun: only such a one leaves what need not be done again."""
    found = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM runs WHERE fingerprint = ? AND id <> ?)", (run.fingerprint, run.id)
    ).fetchone()
    return bool(found[0])


def end(connection: sqlite3.Connection, run: RunRecord, header: Header) -> None:
    """Records that a scan ended, and how."""
    connection.execute(
        "UPDATE runs SET header = ?, finished = ?, interrupted = ? WHERE id = ?",
        (header.model_dump_json(), header.finished, int(header.interrupted), run.id),
    )


def counts(connection: sqlite3.Connection, run: RunRecord) -> dict[str, int]:
    """How many files a scan examined, by how they ended."""
    rows = connection.execute("SELECT status, count(*) FROM examinations WHERE run_id = ? GROUP BY status", (run.id,))
    return {str(status): int(number) for status, number in rows}


def save(
    connection: sqlite3.Connection,
    run: RunRecord,
    path: Path | bytes,
    file: FileReport,
    stat: Stat | None,
    at: str | None = None,
) -> bool:
    """Writes the examination of one file; the earlier one under the same plan is replaced.

    Args:
        connection: In a transaction.
        run: The scan.
        path: Where the file is; as bytes as :func:`stored_path` has it.
        file: What was found, without marks.
        stat: Of the file, taken before it was read.
        at: The time, where it was asked for already.

    Returns:
        Whether people have decided anything about its content.
    """
    at, raw = at or now(), path if isinstance(path, bytes) else stored_path(path)
    known = documents.standing(connection, raw)
    content = documents.content_of(connection, file, at, known[0] if known else None)
    seen = (file.info.size, stat.mtime_ns if stat else None, at)
    if not known:
        file_id = _added(connection, raw, at, content, seen, file)
        documents.insert(connection, file, run=run, file_id=file_id, content_id=content, stat=stat, now=at)
        decided = content is not None and marks.decided(connection, content)
        if decided:
            sum_up(connection, file_id)
        return decided
    file_id, shown = known[0].file, known[0].shown if content is None else content
    alone = documents.write(connection, file, known, run=run, content_id=content, stat=stat, now=at)
    # Reading back what was just written costs more than writing it.
    all_known = file if alone else documents.combined(connection, file_id) or file
    decided = False
    if shown is not None and (decided := marks.decided(connection, shown)):
        all_known = marks.marked(connection, all_known, shown)
    connection.execute(
        """UPDATE files SET content_id = ?, size = ?, mtime_ns = ?, examined = ?, status = ?, priority = ?, place = ?,
        error = ? WHERE id = ?""",
        (shown, *seen, *_listed(connection, all_known), file_id),
    )
    return decided


def _added(
    connection: sqlite3.Connection,
    path: bytes,
    at: str,
    content: int | None,
    seen: tuple[int | None, int | None, str],
    file: FileReport,
) -> int:
    cursor = connection.execute(
        """INSERT INTO files (path, added, content_id, size, mtime_ns, examined, status, priority, place, error)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (path, at, content, *seen, *_listed(connection, file)),
    )
    return cursor.lastrowid or 0


def register(connection: sqlite3.Connection, path: Path, sha256: str, stat: Stat) -> bool:
    """Takes a file into the case without examining it.

    Returns:
        Whether it is new; what the case knows of a file already is left as it is.
    """
    raw, at = stored_path(path), now()
    if connection.execute("SELECT id FROM files WHERE path = ?", (raw,)).fetchone():
        return False
    info = describe_path(path).model_copy(update={"sha256": sha256, "size": stat.size})
    content = documents.content_of(connection, FileReport(info=info), at)
    connection.execute(
        "INSERT INTO files (path, content_id, size, mtime_ns, added, status, priority) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (raw, content, stat.size, stat.mtime_ns, at, PENDING, Priority.NONE.rank),
    )
    return True


def done(connection: sqlite3.Connection, raw: bytes, *fingerprints: str) -> Done | None:
    """The examination of a file that need not be repeated if the file is still the same.

    Args:
        connection: To the case.
        raw: The name of the file, as :func:`stored_path` has it.
        fingerprints: Of one plan or two, the first of which is preferred.

    Returns:
        None where there is none, or it failed.
    """
    rows = connection.execute(
        """SELECT e.fingerprint, e.id, e.status, e.size, e.mtime_ns, e.ctime_ns, c.sha256 FROM files f
        JOIN examinations e ON e.file_id = f.id LEFT JOIN contents c ON c.id = e.content_id
        WHERE f.path = ? AND e.fingerprint IN (?, ?) AND e.superseded = 0 AND e.size IS NOT NULL""",
        (raw, fingerprints[0], fingerprints[-1]),
    ).fetchall()
    found = {plan: Done(plan, number, Stat(*seen), sha) for plan, number, status, *seen, sha in rows if _ended(status)}
    return next((found[plan] for plan in fingerprints if plan in found), None)


def _ended(status: str) -> bool:
    return status in documents.DONE


def touch(connection: sqlite3.Connection, examination: int, stat: Stat) -> None:
    """Records that a file whose properties changed was found to have the same content."""
    connection.execute(
        "UPDATE examinations SET size = ?, mtime_ns = ?, ctime_ns = ? WHERE id = ?",
        (stat.size, stat.mtime_ns, stat.ctime_ns, examination),
    )


def whole(connection: sqlite3.Connection, file_id: int, *, marked: bool = True) -> FileReport | None:
    """What the case knows of a file, with its marks unless they are not wanted; None where it was never examined."""
    file = documents.combined(connection, file_id)
    if not marked:
        return file
    (content,) = connection.execute("SELECT content_id FROM files WHERE id = ?", (file_id,)).fetchone()
    return file if file is None or content is None else marks.marked(connection, file, content)


def sum_up(connection: sqlite3.Connection, file_id: int) -> None:
    """Writes anew what lists show of a file and where it stands in them, from all its results and its marks.

    Args:
        connection: In a transaction.
        file_id: The file.
    """
    file = whole(connection, file_id)
    if file is not None:
        connection.execute(
            "UPDATE files SET status = ?, priority = ?, place = ?, error = ? WHERE id = ?",
            (*_listed(connection, file), file_id),
        )


def _listed(connection: sqlite3.Connection, file: FileReport) -> tuple[str, int, float, str | None]:
    """What lists show of a file, and where it stands in them."""
    return file.status.value, file.priority.rank, place(connection, file), file.error


def place(connection: sqlite3.Connection, file: FileReport) -> float:
    """Where a report puts its file among those of its priority; what is lower is to be looked at first."""
    return queries.place_of(triage.standing(file, queries.originals(connection)))


def at_place(file: FileReport, path: Path) -> FileReport:
    """A saved report under the path as it is written now."""
    place = describe_path(path)
    info: FileInfo = file.info.model_copy(update={"path": place.path, "name": place.name})
    return file.model_copy(update={"info": info})
