"""Whether what lists show of a file follows from the documents that its results are kept in.

Lists and filters read columns; reports are made from documents. Somebody who changes the one and not the other would
have a file vanish from the top of a list, or a finding from a report.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator

from nsfwforensics.core import assess
from nsfwforensics.core.storable import storable_text
from nsfwforensics.core.types import FileReport, Priority
from nsfwforensics.store import documents, queries, runs
from nsfwforensics.store.rows import PENDING


def disagreements(connection: sqlite3.Connection) -> Iterator[str]:
    """Looks at every file with all of its examinations; each sentence names one file.

    Raises:
        CaseError: A document is none.
    """
    files = connection.execute("SELECT id, path, place, status, priority, error FROM files ORDER BY path").fetchall()
    for number, path, place, *shown in files:
        name = str(storable_text(os.fsdecode(queries.path_bytes(path))))
        whole = runs.whole(connection, number)
        wanted = _shown(whole) if whole is not None else [PENDING, Priority.NONE.rank, None]
        # Without a place where an earlier version of this tool wrote it.
        misplaced = place is not None and (whole is None or place != runs.place(connection, whole))
        if shown != wanted or misplaced:
            yield f"{name}: status, priority, place or error in lists do not follow from its results and decisions"
        for examination, status, sha256 in connection.execute(
            """SELECT e.id, e.status, c.sha256 FROM examinations e LEFT JOIN contents c ON c.id = e.content_id
            WHERE e.file_id = ? ORDER BY e.id""",
            (number,),
        ).fetchall():
            report = documents.load(connection, examination)
            if [status, sha256] != [report.status.value, report.info.sha256]:
                yield f"{name}: status or SHA-256 in lists are not those of examination {examination}"
            if _columns(connection, examination) != _documented(report):
                yield f"{name}: results or findings in lists are not those in the report of examination {examination}"
            if wrong := assess.contradiction(report):
                yield f"{name}: {wrong} of examination {examination} is not what its findings say"


def _shown(report: FileReport) -> list[object]:
    return [report.status.value, report.priority.rank, report.error]


def _columns(connection: sqlite3.Connection, examination: int) -> list[tuple[object, ...]]:
    rows = connection.execute(
        "SELECT id, analyzer, version, status FROM results WHERE examination_id = ? ORDER BY position", (examination,)
    ).fetchall()
    return [(*row[1:], *_findings(connection, row[0])) for row in rows]


def _findings(connection: sqlite3.Connection, result: int) -> list[tuple[str, str, str]]:
    return connection.execute(
        "SELECT code, severity, support FROM findings WHERE result_id = ? ORDER BY position", (result,)
    ).fetchall()


def _documented(report: FileReport) -> list[tuple[object, ...]]:
    return [
        (
            result.analyzer,
            result.version,
            result.status.value,
            *((one.code, one.severity.value, one.support.value) for one in result.findings),
        )
        for result in report.results
    ]
