"""What a case holds, as two digests that do not depend on how SQLite keeps it."""

from __future__ import annotations

import hashlib
import json
import sqlite3

_RESULTS = (
    """SELECT 'file', hex(f.path), c.sha256 FROM files f LEFT JOIN contents c ON c.id = f.content_id ORDER BY f.path""",
    """SELECT 'examination', e.id, hex(f.path), c.sha256, e.run_id, e.fingerprint, e.status, e.finished, e.superseded,
        e.document FROM examinations e JOIN files f ON f.id = e.file_id LEFT JOIN contents c ON c.id = e.content_id
        ORDER BY e.id""",
    """SELECT 'result', examination_id, position, analyzer, version, setup, status, document FROM results
        ORDER BY examination_id, position""",
    """SELECT 'artifact', r.examination_id, r.position, a.position, a.data FROM artifacts a
        JOIN results r ON r.id = a.result_id ORDER BY r.examination_id, r.position, a.position""",
    """SELECT 'hash', c.sha256, h.algorithm, h.value, h.quality FROM hashes h JOIN contents c ON c.id = h.content_id
        ORDER BY c.sha256, h.algorithm""",
)
_DECISIONS = (
    """SELECT 'decision', d.id, c.sha256, d.decision, d.note, d.decided_by, d.decided_at FROM decisions d
        JOIN contents c ON c.id = d.content_id ORDER BY d.id""",
    """SELECT 'dismissal', d.id, c.sha256, d.code, d.dismissed, d.note, d.decided_by, d.decided_at FROM dismissals d
        JOIN contents c ON c.id = d.content_id ORDER BY d.id""",
)


def results_digest(connection: sqlite3.Connection) -> str:
    """SHA-256 over the files, their examinations, results, artifacts and hashes."""
    return _digest(connection, _RESULTS)


def decisions_digest(connection: sqlite3.Connection) -> str:
    """SHA-256 over the history of decisions and of findings set aside."""
    return _digest(connection, _DECISIONS)


def _digest(connection: sqlite3.Connection, statements: tuple[str, ...]) -> str:
    total = hashlib.sha256()
    for statement in statements:
        for row in connection.execute(statement):
            cells = [hashlib.sha256(cell).hexdigest() if isinstance(cell, bytes) else cell for cell in row]
            total.update(json.dumps(cells, ensure_ascii=True).encode() + b"\n")
    return total.hexdigest()
