"""Examinations in and out of the database: reports taken apart into rows, and put together again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from nsfwforensics.core import assess
from nsfwforensics.core.hashes import HASHES, QUALITY
from nsfwforensics.core.types import AnalyzerResult, FileReport, FileStatus, Header
from nsfwforensics.core.worded import read_model
from nsfwforensics.core.written import written
from nsfwforensics.errors import CaseError
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


def content_of(connection: sqlite3.Connection, file: FileReport, now: str) -> int | None:
    """The number of a file's content, made if it is new; None where the file could not be read."""
    info = file.info
    if info.sha256 is None:
        return None
    found = connection.execute(
        "SELECT id, width, height, media_type FROM contents WHERE sha256 = ?", (info.sha256,)
    ).fetchone()
    if found is None:
        cursor = connection.execute(
            "INSERT INTO contents (sha256, size, media_type, width, height, first_seen) VALUES (?, ?, ?, ?, ?, ?)",
            (info.sha256, info.size, info.media_type, info.width, info.height, now),
        )
        return cursor.lastrowid
    number, *known = found
    read = [info.width, info.height, info.media_type]
    newest = [old if new is None else new for old, new in zip(known, read, strict=True)]
    if newest != known:
        connection.execute("UPDATE contents SET width = ?, height = ?, media_type = ? WHERE id = ?", (*newest, number))
    return int(number)


def make_room(
    connection: sqlite3.Connection, file_id: int, content_id: int | None, fingerprint: str, first: str
) -> bool:
    """Takes out or retires what a new examination of a file replaces.

    Of the same bytes under the same plan the earlier one goes, and what a first look under it found. What was found in
    other bytes that stood under the same name is history, and is kept as such.

    Returns:
        Whether nothing else stands of the file.
    """
    standing = connection.execute(
        "SELECT id, fingerprint, content_id FROM examinations WHERE file_id = ? AND superseded = 0", (file_id,)
    ).fetchall()
    left = len(standing)
    for number, plan, content in standing:
        if plan in (fingerprint, first) and content in (None, content_id):
            connection.execute("DELETE FROM examinations WHERE id = ?", (number,))
        elif plan == fingerprint or (content_id is not None and content not in (None, content_id)):
            connection.execute("UPDATE examinations SET superseded = 1 WHERE id = ?", (number,))
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
    seen = (stat.size, stat.mtime_ns, stat.ctime_ns) if stat else (None, None, None)
    made = written(file)
    document = made.document if made else file.model_dump_json(exclude={"results", "status"})
    cursor = connection.execute(
        """INSERT INTO examinations (file_id, run_id, content_id, fingerprint, size, mtime_ns, ctime_ns, status,
        finished, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (file_id, run.id, content_id, run.fingerprint, *seen, file.status.value, now, document),
    )
    taken = [taken_out(whole) for whole in file.results]
    texts = made.results if made else [None] * len(taken)
    pairs = [
        (result, text if text and result is whole else result.model_dump_json())
        for (result, _), whole, text in zip(taken, file.results, texts, strict=True)
    ]
    _insert_results(connection, cursor.lastrowid, pairs, run.setups)
    if content_id is None:
        return
    for result, signatures in taken:
        if result.analyzer in run.hashing:
            _insert_hashes(connection, content_id, result.measurements)
        for method, signature in signatures.items():
            insert_signature(connection, content_id, method, signature)


def insert_signature(connection: sqlite3.Connection, content_id: int, method: str, signature: bytes) -> None:
    """Keeps what a method computed from a content; an earlier one is replaced."""
    connection.execute(
        "INSERT OR REPLACE INTO signatures (content_id, method, data) VALUES (?, ?, ?)",
        (content_id, method, signature),
    )


def _insert_results(
    connection: sqlite3.Connection,
    examination_id: int | None,
    results: Sequence[tuple[AnalyzerResult, str]],
    setups_of: Mapping[str, str],
) -> None:
    """Writes all results of an examination, each with its JSON; no other transaction can take the same numbers."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM results").fetchone()
    numbered = list(enumerate(results, start=last + 1))
    connection.executemany(
        """INSERT INTO results (id, examination_id, position, analyzer, version, setup, status, document)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            (
                number,
                examination_id,
                number - last - 1,
                result.analyzer,
                result.version,
                setups_of.get(result.analyzer, ""),
                result.status.value,
                document,
            )
            for number, (result, document) in numbered
        ],
    )
    connection.executemany(
        "INSERT INTO findings (result_id, position, code, severity, support) VALUES (?, ?, ?, ?, ?)",
        [
            (number, at, finding.code, finding.severity.value, finding.support.value)
            for number, (result, _) in numbered
            for at, finding in enumerate(result.findings)
        ],
    )
    made = [(number, at, one.data) for number, (result, _) in numbered for at, one in enumerate(result.artifacts)]
    if made:
        connection.executemany(
            "INSERT INTO artifacts (result_id, position, data) VALUES (?, ?, ?)",
            [row for row in made if row[2] is not None],
        )


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
