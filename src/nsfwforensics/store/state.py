"""What a case holds, as digests that do not depend on how SQLite keeps it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence

_FORMER_RESULTS = (
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
_RESULTS = (
    "SELECT 'case', uuid, name, operator, created, tool_version FROM case_info",
    "SELECT 'begin', last_run_before FROM custody_begin",
    "SELECT 'run', id, fingerprint, header, started, finished, interrupted FROM runs ORDER BY id",
    "SELECT 'content', id, sha256, size, media_type, width, height, first_seen FROM contents ORDER BY id",
    # Not status, priority, place and error: they follow from the results and decisions, which `agreement` looks at.
    "SELECT 'file', id, path, content_id, size, mtime_ns, added, examined FROM files ORDER BY id",
    # Not size and times: a later scan brings them up to date where it finds the same bytes, which `--files` looks at.
    """SELECT 'examination', id, file_id, run_id, content_id, fingerprint, status, finished, superseded, document
        FROM examinations ORDER BY id""",
    """SELECT 'result', id, examination_id, position, analyzer, version, setup, status, document FROM results
        ORDER BY id""",
    "SELECT 'finding', result_id, position, code, severity, support FROM findings ORDER BY result_id, position",
    "SELECT 'artifact', id, result_id, position, data FROM artifacts ORDER BY id",
    "SELECT 'hash', content_id, algorithm, value, quality FROM hashes ORDER BY content_id, algorithm",
    "SELECT 'signature', content_id, method, data FROM signatures ORDER BY content_id, method",
)
_DECISIONS = (
    """SELECT 'decision', d.id, c.sha256, d.decision, d.note, d.decided_by, d.decided_at FROM decisions d
        JOIN contents c ON c.id = d.content_id WHERE d.id > ? ORDER BY d.id""",
    """SELECT 'dismissal', d.id, c.sha256, d.code, d.dismissed, d.note, d.decided_by, d.decided_at FROM dismissals d
        JOIN contents c ON c.id = d.content_id WHERE d.id > ? ORDER BY d.id""",
)


def results_digest(connection: sqlite3.Connection) -> str:
    """SHA-256 over the case, its scans and files, their examinations, results, artifacts, hashes and signatures."""
    return _digest(connection, _RESULTS)


def former_results_digest(connection: sqlite3.Connection) -> str:
    """SHA-256 over what version 0.1 took it of: without scans, findings and signatures as the tables hold them."""
    return _digest(connection, _FORMER_RESULTS)


def decisions_digest(connection: sqlite3.Connection) -> str:
    """SHA-256 over the history of decisions and of findings set aside."""
    return Decided().with_new(connection).digest()


class Decided:
    """The history of decisions as far as it was read, so that the digest of a longer one need not begin anew.

    Rows are only ever added, and this counts on it: what somebody changed in a row that was read before is not in a
    later digest, and a check of the case, which reads all of it, says so. Never changed itself: whoever reads in a
    transaction keeps the new one only when that is written.
    """

    def __init__(self) -> None:
        self._decisions = hashlib.sha256()
        self._dismissals = b""  # they come after all decisions
        self._last = (0, 0)

    def with_new(self, connection: sqlite3.Connection) -> Decided:
        """This, with what was added since."""
        found = Decided()
        found._decisions = self._decisions.copy()
        parts: list[bytes] = []
        last = list(self._last)
        for which, (statement, take) in enumerate(
            zip(_DECISIONS, (found._decisions.update, parts.append), strict=True)
        ):
            for row in connection.execute(statement, (last[which],)):
                take(_line(row))
                last[which] = row[1]
        found._dismissals = b"".join((self._dismissals, *parts)) if parts else self._dismissals
        found._last = (last[0], last[1])
        return found

    def digest(self) -> str:
        """SHA-256 over all of it."""
        total = self._decisions.copy()
        total.update(self._dismissals)
        return total.hexdigest()


def _digest(connection: sqlite3.Connection, statements: tuple[str, ...]) -> str:
    total = hashlib.sha256()
    for statement in statements:
        for row in connection.execute(statement):
            total.update(_line(row))
    return total.hexdigest()


def _line(row: Sequence[object]) -> bytes:
    cells = [hashlib.sha256(cell).hexdigest() if isinstance(cell, bytes) else cell for cell in row]
    return json.dumps(cells, ensure_ascii=True).encode() + b"\n"
