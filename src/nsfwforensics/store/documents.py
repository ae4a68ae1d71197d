"""Examinations in and out of the database: reports taken apart into rows, and put together again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from pydantic import ValidationError

from nsfwforensics.core import assess
from nsfwforensics.core.hashes import HASHES, QUALITY
from nsfwforensics.core.types import AnalyzerResult, FileReport, FileStatus, Header
from nsfwforensics.core.worded import read_model
from nsfwforensics.core.written import as_json, written
from nsfwforensics.errors import CaseError
from nsfwforensics.store.bounded import once, replaced
from nsfwforensics.store.rows import RunRecord, Stat
from nsfwforensics.store.signatures import taken_out

KEPT = tuple(name for name in HASHES if name != "sha256")
"""The hashes that are kept for looking up; SHA-256 is the content's own name."""

DONE = tuple(status.value for status in FileStatus if status is not FileStatus.FAILED)
"""How an examination must have ended so as not to be repeated: what failed is tried again."""


def setups(header: Header) -> dict[str, str]:
    """For each analyzer of a run, a digest of how it was set: results of the same setup replace each other."""
    return {record.name: _digest([record.name, record.options]) for record in header.analyzers}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


class Standing(NamedTuple):
    """What stands of a path in a case, in one row for each of its examinations that count; at least one.

    Attributes:
        file: The number of the file.
        shown: Of the content under which it is listed, or None.
        sha256: Of that content, and what else is known of it.
        width: In pixels.
        height: In pixels.
        media_type: Of its bytes.
        examination: The number of an examination, or None where there is none.
        plan: Its fingerprint.
        content: The number of the content that it saw, or None.
    """

    file: int
    shown: int | None
    sha256: str | None
    width: int | None
    height: int | None
    media_type: str | None
    examination: int | None
    plan: str | None
    content: int | None


def standing(connection: sqlite3.Connection, path: bytes) -> list[Standing]:
    """What stands of a path; nothing where it is new."""
    rows = connection.execute(
        """SELECT f.id, f.content_id, c.sha256, c.width, c.height, c.media_type, e.id, e.fingerprint, e.content_id
        FROM files f LEFT JOIN contents c ON c.id = f.content_id
        LEFT JOIN examinations e ON e.file_id = f.id AND e.superseded = 0 WHERE f.path = ?""",
        (path,),
    ).fetchall()
    return [Standing(*row) for row in rows]


def content_of(connection: sqlite3.Connection, file: FileReport, now: str, found: Standing | None = None) -> int | None:
    """The number of a file's content, made if it is new; None where the file could not be read.

    Args:
        connection: In a transaction.
        file: Its report.
        now: The time.
        found: What stands of its path, if anything does.
    """
    info = file.info
    if info.sha256 is None:
        return None
    if found is not None and found.sha256 == info.sha256 and found.shown is not None:
        number, known = found.shown, [found.width, found.height, found.media_type]
    else:
        cursor = connection.execute(
            """INSERT INTO contents (sha256, size, media_type, width, height, first_seen) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (sha256) DO NOTHING""",
            (info.sha256, info.size, info.media_type, info.width, info.height, now),
        )
        if cursor.rowcount:
            return cursor.lastrowid
        number, *known = connection.execute(
            "SELECT id, width, height, media_type FROM contents WHERE sha256 = ?", (info.sha256,)
        ).fetchone()
    read = [info.width, info.height, info.media_type]
    newest = [old if new is None else new for old, new in zip(known, read, strict=True)]
    if newest != known:
        connection.execute("UPDATE contents SET width = ?, height = ?, media_type = ? WHERE id = ?", (*newest, number))
    return int(number)


def write(
    connection: sqlite3.Connection,
    file: FileReport,
    found: Sequence[Standing],
    *,
    run: RunRecord,
    content_id: int | None,
    stat: Stat | None,
    now: str,
) -> bool:
    """Writes one examination of a file that the case has, and takes out or retires what it replaces.

    Returns:
        Whether nothing else stands of the file.
    """
    first, *others = found
    again = first.plan in (run.fingerprint, run.first) and first.content == content_id
    if again and not others and first.examination is not None and content_id is not None:
        replace(connection, file, run=run, examination_id=first.examination, content_id=content_id, stat=stat, now=now)
        return True
    alone = make_room(connection, found, content_id, run)
    insert(connection, file, run=run, file_id=first.file, content_id=content_id, stat=stat, now=now)
    return alone


def make_room(
    connection: sqlite3.Connection, found: Sequence[Standing], content_id: int | None, run: RunRecord
) -> bool:
    """Takes out or retires what a new examination of a file replaces.

    Of the same bytes under the same plan the earlier one goes, and what a first look under it found. What was found in
    other bytes that stood under the same name is history, and is kept as such.

    Returns:
        Whether nothing else stands of the file.
    """
    left = sum(each.examination is not None for each in found)
    for each in found:
        if each.examination is None:
            continue
        if each.plan in (run.fingerprint, run.first) and each.content in (None, content_id):
            connection.execute("DELETE FROM examinations WHERE id = ?", (each.examination,))
        elif each.plan == run.fingerprint or (content_id is not None and each.content not in (None, content_id)):
            connection.execute("UPDATE examinations SET superseded = 1 WHERE id = ?", (each.examination,))
        else:
            continue
        left -= 1
    return not left


def insert(
    connection: sqlite3.Connection,
    file: FileReport,
    *,
    run: RunRecord,
    file_id: int,
    content_id: int | None,
    stat: Stat | None,
    now: str,
) -> None:
    """Writes one examination with its results, findings, artifacts, hashes and signatures."""
    cursor = connection.execute(
        """INSERT INTO examinations (file_id, run_id, content_id, fingerprint, size, mtime_ns, ctime_ns, status,
        finished, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT))""",
        (file_id, run.id, content_id, run.fingerprint, *_seen(stat), file.status.value, now, _document(file)),
    )
    _insert_results(connection, cursor.lastrowid, _rows(file, run), content_id, run)


def replace(
    connection: sqlite3.Connection,
    file: FileReport,
    *,
    run: RunRecord,
    examination_id: int,
    content_id: int,
    stat: Stat | None,
    now: str,
) -> None:
    """Writes one examination in the place of an earlier one of the same bytes.

    Results that say the same stay, as those of a first look do: writing them once more would cost more than reading.
    """
    connection.execute(
        """UPDATE examinations SET run_id = ?, fingerprint = ?, size = ?, mtime_ns = ?, ctime_ns = ?, status = ?,
        finished = ?, document = CAST(? AS TEXT) WHERE id = ?""",
        (run.id, run.fingerprint, *_seen(stat), file.status.value, now, _document(file), examination_id),
    )
    found = connection.execute(
        "SELECT id, position, setup, CAST(document AS BLOB) FROM results WHERE examination_id = ?", (examination_id,)
    ).fetchall()
    there = {(place, setup, document): number for number, place, setup, document in found}
    rows = _rows(file, run)
    kept = {row[:3] for row in rows if not row.result.artifacts} & there.keys()
    stale = [(number,) for key, number in there.items() if key not in kept]
    if stale:
        connection.executemany("DELETE FROM results WHERE id = ?", stale)
    fresh = [row for row in rows if row[:3] not in kept]
    _insert_results(connection, examination_id, fresh, content_id, run)


def _seen(stat: Stat | None) -> tuple[int | None, int | None, int | None]:
    return (stat.size, stat.mtime_ns, stat.ctime_ns) if stat else (None, None, None)


def _document(file: FileReport) -> bytes:
    made = written(file)
    return made.document if made else as_json(file, exclude={"results", "status"})


class _Row(NamedTuple):
    """A result on its way into the table: where it stands among the others, and what stands apart from it."""

    place: int
    setup: str
    document: bytes
    result: AnalyzerResult
    signatures: Mapping[str, bytes]


def _rows(file: FileReport, run: RunRecord) -> list[_Row]:
    """The results of a file, each in the place that its analyzer has in the run, so that a further look adds to them.

    Where not every result is of another analyzer, and in the run's order, they are counted instead.
    """
    order = {name: place for place, name in enumerate(run.setups)}
    places = [order.get(result.analyzer, -1) for result in file.results]
    if any(place <= before for before, place in pairwise((-1, *places))):
        places = list(range(len(places)))
    made = written(file)
    texts = made.results if made else [None] * len(places)
    rows = []
    for place, whole, text in zip(places, file.results, texts, strict=True):
        result, signatures = taken_out(whole) if whole.artifacts else (whole, {})
        document = text if text and result is whole else as_json(result)
        rows.append(_Row(place, run.setups.get(result.analyzer, ""), document, result, signatures))
    return rows


def insert_signature(connection: sqlite3.Connection, content_id: int, method: str, signature: bytes) -> None:
    """Keeps what a method computed from a content; an earlier one is replaced."""
    connection.execute(
        "INSERT OR REPLACE INTO signatures (content_id, method, data) VALUES (?, ?, ?)",
        (content_id, method, signature),
    )


_LAST_RESULT = "SELECT coalesce(max(id), 0) FROM results"


def _insert_results(
    connection: sqlite3.Connection,
    examination_id: int | None,
    rows: Sequence[_Row],
    content_id: int | None,
    run: RunRecord,
) -> None:
    """Writes results of an examination; no other transaction can take the same numbers."""
    numbered = list(enumerate(rows, start=once(connection, _LAST_RESULT) + 1))
    if not numbered:
        return
    replaced(connection, _LAST_RESULT, numbered[-1][0])
    connection.executemany(
        """INSERT INTO results (id, examination_id, position, analyzer, version, setup, status, document)
        VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT))""",
        [
            (number, examination_id, place, result.analyzer, result.version, setup, result.status.value, document)
            for number, (place, setup, document, result, _) in numbered
        ],
    )
    findings = [
        (number, at, finding.code, finding.severity.value, finding.support.value)
        for number, row in numbered
        for at, finding in enumerate(row.result.findings)
    ]
    if findings:
        connection.executemany(
            "INSERT INTO findings (result_id, position, code, severity, support) VALUES (?, ?, ?, ?, ?)", findings
        )
    made = [(number, at, one.data) for number, row in numbered for at, one in enumerate(row.result.artifacts)]
    if made:
        connection.executemany(
            "INSERT INTO artifacts (result_id, position, data) VALUES (?, ?, ?)",
            [row for row in made if row[2] is not None],
        )
    if content_id is None:
        return
    for row in rows:
        if row.result.analyzer in run.hashing:
            _insert_hashes(connection, content_id, row.result.measurements)
        for method, signature in row.signatures.items():
            insert_signature(connection, content_id, method, signature)


def _insert_hashes(connection: sqlite3.Connection, content_id: int, measurements: Mapping[str, Any]) -> None:
    quality = measurements.get(QUALITY)
    connection.executemany(
        # Of the same bytes they are the same; writing them once more would touch two indexes for each.
        """INSERT INTO hashes (content_id, algorithm, value, quality) VALUES (?, ?, ?, ?)
        ON CONFLICT (content_id, algorithm) DO UPDATE SET value = excluded.value, quality = excluded.quality
        WHERE value IS NOT excluded.value OR quality IS NOT excluded.quality""",
        [
            (content_id, name, value, quality if name == "pdq" else None)
            for name in KEPT
            if isinstance(value := measurements.get(name), str)
        ],
    )


def load(connection: sqlite3.Connection, examination_id: int) -> FileReport:
    """One examination as it was saved.

    Raises:
        CaseError: What is saved is no report.
    """
    return _load(connection, examination_id)[0]


def _load(connection: sqlite3.Connection, examination_id: int) -> tuple[FileReport, list[str]]:
    (document,) = connection.execute("SELECT document FROM examinations WHERE id = ?", (examination_id,)).fetchone()
    rows = connection.execute(
        "SELECT id, document, setup FROM results WHERE examination_id = ? ORDER BY position", (examination_id,)
    ).fetchall()
    try:
        results = [_with_artifacts(connection, number, read_model(AnalyzerResult, raw)) for number, raw, _ in rows]
        report = read_model(FileReport, document)
    except ValidationError as error:
        raise CaseError(f"examination {examination_id} of the case is not understood: {error}") from error
    return report.model_copy(update={"results": tuple(results)}), [setup for _, _, setup in rows]


def _with_artifacts(connection: sqlite3.Connection, result_id: int, result: AnalyzerResult) -> AnalyzerResult:
    if not result.artifacts:
        return result
    found = dict(
        connection.execute("SELECT position, data FROM artifacts WHERE result_id = ?", (result_id,)).fetchall()
    )
    artifacts = tuple(
        artifact.model_copy(update={"data": found[at]}) if at in found else artifact
        for at, artifact in enumerate(result.artifacts)
    )
    return result.model_copy(update={"artifacts": artifacts})


def combined(connection: sqlite3.Connection, file_id: int) -> FileReport | None:
    """What the case knows of a file: for each analyzer and setup its latest result on the present content.

    Returns:
        The one examination that stands, just as it was saved; of several, the newest with what the others add; None
        for a file that was never examined.
    """
    numbers = [
        number
        for (number,) in connection.execute(
            "SELECT id FROM examinations WHERE file_id = ? AND superseded = 0 ORDER BY id DESC", (file_id,)
        )
    ]
    if not numbers:
        return None
    loaded = [_load(connection, number) for number in numbers]
    reports = [report for report, _ in loaded]
    return reports[0] if len(reports) == 1 else _combine(reports, [seen for _, seen in loaded])


def _combine(reports: Sequence[FileReport], setups_of: Sequence[Sequence[str]]) -> FileReport:
    """One report of several examinations, the newest of which comes first."""
    newest = reports[0]
    results: dict[tuple[str, str], AnalyzerResult] = {}
    for report, seen in zip(reports, setups_of, strict=True):
        for result, setup in zip(report.results, seen, strict=True):
            results.setdefault((result.analyzer, setup), result)
    info = next((report.info for report in reports if report.info.sha256), newest.info)
    thumbnail = next((report.info.thumbnail for report in reports if report.info.thumbnail), None)
    whole = newest.model_copy(
        update={
            "results": tuple(results.values()),
            "error": next((report.error for report in reports if report.error), None),
            "info": info.model_copy(update={"thumbnail": thumbnail}),
            "skipped": newest.skipped and all(report.skipped or not report.results for report in reports),
            "sensitive": any(report.sensitive for report in reports),
        }
    )
    asked = {result.question for result in whole.results}
    kept = {answer.question: answer for answer in newest.answers}
    fresh = assess.again(whole, complete=False)
    answers = tuple(answer if answer.question in asked else kept.get(answer.question, answer) for answer in fresh)
    return whole.model_copy(update={"answers": answers, "priority": assess.priority_of(whole)})
