"""The case: one SQLite file that a scan can be resumed from, and that decisions are kept in.

Each file is committed whole, with all its results, in one transaction. The write-ahead log (WAL) lets others read and
write meanwhile. A process that is killed loses nothing that it has committed, and a decision is on the disk before
anything else is done. Files of a scan are on the disk with the first that is done a second later (``FLUSH_SECONDS`` in
``scanning.py``), so that a power cut costs what was committed in that time.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from nsfwforensics.core import installation
from nsfwforensics.core.evidence import describe_path
from nsfwforensics.core.messages import say
from nsfwforensics.core.storable import storable_text
from nsfwforensics.core.types import AnalyzerResult, FileReport, Header, Priority
from nsfwforensics.errors import CaseError
from nsfwforensics.store import agreement, documents, marks, queries, runs
from nsfwforensics.store.bounded import BoundedConnection
from nsfwforensics.store.connection import check_writable, connect, guarded, make, transaction, understood
from nsfwforensics.store.rows import (
    CaseFile,
    CaseHashes,
    CaseInfo,
    Decision,
    DecisionEntry,
    Dismissal,
    Examination,
    NewMark,
    QueueRow,
    Stat,
)
from nsfwforensics.store.state import Decided

MOST_PROBLEMS = 100
"""So many rows without their counterpart are named at most, as SQLite's own check does with what it finds."""

NOT_EXAMINED = say("registered in the case and not examined yet")


class CaseDatabase:
    """An open case. A context manager; use :meth:`create`, :meth:`open` or :meth:`open_or_create`.

    Every method raises a ``CaseError`` where the case cannot be read or written.

    Attributes:
        path: Where it is.
        decided: The decisions that the custody log has read so far.
    """

    def __init__(self, path: Path, connection: BoundedConnection) -> None:
        self.path = path
        self.decided = Decided()
        self._connection = connection

    @classmethod
    def create(cls, path: Path, *, name: str | None = None, operator: str | None = None) -> CaseDatabase:
        """Makes a new case, readable by its owner only.

        Raises:
            CaseError: Something is there already, or it cannot be written.
        """
        row = (
            str(uuid.uuid4()),
            storable_text(name or path.stem),
            storable_text(operator or "not supplied"),
            runs.now(),
            installation.version(),
        )
        insert = "INSERT INTO case_info (id, uuid, name, operator, created, tool_version) VALUES (1, ?, ?, ?, ?, ?)"
        make(path, lambda connection: connection.execute(insert, row))
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> CaseDatabase:
        """Opens a case; one of an earlier version of this tool is brought up to date.

        Raises:
            CaseError: It is missing, no case, of a newer version, damaged or cannot be read.
        """
        place = Path(os.path.realpath(path))  # claims are made beside the file itself, whatever link leads to it
        return cls(place, connect(place))

    @classmethod
    def open_or_create(cls, path: Path, *, operator: str | None = None) -> CaseDatabase:
        """Opens a case for writing, or makes it where there is nothing yet.

        Raises:
            CaseError: What is there is no case, or it cannot be made or written.
        """
        if not os.path.lexists(path):
            with suppress(CaseError):  # another process may be faster; what else went wrong is said below
                return cls.create(path, operator=operator)
        case = cls.open(path) if os.path.lexists(path) else cls.create(path, operator=operator)
        try:
            check_writable(case._connection, path)  # to be told before hours of work depend on it
        except BaseException:
            case.close()
            raise
        return case

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes it; the last process to do so folds the log into the file."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, with SQLite's errors turned into a ``CaseError``; for this package."""
        with understood(self.path), guarded(self.path, self._connection):
            yield self._connection

    @contextmanager
    def writing(self, *, flushed: bool = True) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction that is written whole or not at all; for this package.

        Args:
            flushed: As :func:`nsfwforensics.store.connection.transaction` has it.
        """
        with understood(self.path), transaction(self._connection, self.path, flushed=flushed):
            yield self._connection

    def data_version(self) -> int:
        """A number that is another one after another process has written to the case."""
        with guarded(self.path, self._connection):
            return self._connection.data_version()

    def info(self) -> CaseInfo:
        """What it is called and how much is in it."""
        with self.reading() as connection:
            return queries.info(connection)

    def headers(self) -> list[Header]:
        """The headers of all scans, in their order; one that was killed has no end."""
        with self.reading() as connection:
            return queries.headers(connection)

    def register(self, path: Path, sha256: str, stat: Stat) -> bool:
        """Takes a file into the case without examining it.

        Returns:
            Whether it is new; what the case knows of a file already is left as it is.
        """
        with self.writing() as connection:
            return runs.register(connection, path, sha256, stat)

    def files(
        self,
        *,
        statuses: Sequence[str] = (),
        priorities: Sequence[Priority] = (),
        decisions: Sequence[Decision] = (),
    ) -> Iterator[CaseFile]:
        """The files in the order of triage, those of the given kinds only."""
        with self.reading() as connection:
            yield from queries.files(connection, statuses=statuses, priorities=priorities, decisions=decisions)

    def paths(self) -> Iterator[Path]:
        """Where the files are, in the order of their names."""
        with self.reading() as connection:
            for (path,) in connection.execute("SELECT path FROM files ORDER BY path"):
                yield Path(os.fsdecode(queries.path_bytes(path)))

    def triage(self) -> list[QueueRow]:
        """All files in the order of triage, as little of each as can be."""
        with self.reading() as connection:
            return queries.triage(connection)

    def file(self, number: int) -> CaseFile | None:
        """The file of a number."""
        with self.reading() as connection:
            return queries.file_of(connection, number)

    def files_saying(self, code: str) -> set[int]:
        """The numbers of the files with a finding of this code."""
        with self.reading() as connection:
            return queries.files_saying(connection, code)

    def files_about(self, analyzers: Collection[str]) -> set[int]:
        """The numbers of the files in which one of these analyzers found a sign, or what may be one."""
        with self.reading() as connection:
            return queries.files_about(connection, analyzers)

    def files_by_list(self, analyzers: Collection[str]) -> dict[str, set[int]]:
        """The numbers of the files that stand on each list of known images, by the list's name.

        Args:
            analyzers: Those that look files up in lists.
        """
        found: dict[str, set[int]] = {}
        with self.reading() as connection:
            for number, document in queries.documents_with_findings(connection, analyzers):
                for finding in AnalyzerResult.model_validate_json(document).findings:
                    matches = finding.data.get("matches")
                    for match in matches if isinstance(matches, list) else ():
                        if isinstance(match, dict) and isinstance(name := match.get("list"), str) and name:
                            found.setdefault(name, set()).add(number)
        return found

    def hash_values(self, algorithm: str, least_quality: int = 0) -> dict[str, str]:
        """The hashes of one algorithm by the SHA-256 of the content, in hexadecimal.

        Args:
            algorithm: As in :attr:`CaseHashes.values`.
            least_quality: Those of a lower quality are left out, where the algorithm has one.
        """
        with self.reading() as connection:
            return queries.hash_values(connection, algorithm, least_quality)

    def marks_since(self, number: int) -> list[tuple[int, str, DecisionEntry]]:
        """Decisions about any content in their order: number, SHA-256 and decision.

        Args:
            number: Those up to this number are left out; 0 for none.
        """
        with self.reading() as connection:
            return marks.since(connection, number)

    def find(self, wanted: str) -> list[CaseFile]:
        """The files that a person means: a path, the end of one, or a SHA-256 or at least 8 digits of its start."""
        if not wanted or "\0" in wanted:
            return []
        with self.reading() as connection:
            found = queries.file_at(connection, runs.stored_path(Path(wanted)))
            if found is not None:
                return [found]
            by_digest = queries.files_with(connection, wanted.lower()) if len(wanted) >= 8 else []
            return by_digest or queries.files_shown_as(connection, wanted)

    def report(self, file: CaseFile, *, marked: bool = True) -> FileReport:
        """What the case knows of a file: for each analyzer and setup the latest result.

        Args:
            file: Of this case.
            marked: Whether what people decided is laid over it.
        """
        with self.reading() as connection:
            found = runs.whole(connection, file.id, marked=marked)
        if found is None:
            info = describe_path(file.place).model_copy(update={"sha256": file.sha256, "size": file.size})
            found = FileReport(info=info, skipped=True, error=NOT_EXAMINED)
            found = self.with_marks(found) if marked else found
        return runs.at_place(found, file.place)

    def examinations(self, file: CaseFile) -> list[Examination]:
        """The examinations of a file, the oldest first, those of earlier contents included."""
        with self.reading() as connection:
            rows = connection.execute(
                """SELECT e.run_id, e.fingerprint, e.finished, e.status, c.sha256, e.superseded FROM examinations e
                LEFT JOIN contents c ON c.id = e.content_id WHERE e.file_id = ? ORDER BY e.id""",
                (file.id,),
            ).fetchall()
        return [Examination(run, plan, at, status, sha, bool(old)) for run, plan, at, status, sha, old in rows]

    def hashes_of(self, file: CaseFile) -> dict[str, str]:
        """The hashes of a file's content by algorithm; empty where none were computed."""
        if file.sha256 is None:
            return {}
        with self.reading() as connection:
            return {name: value for name, value, _ in queries.hashes_of(connection, self._content_id(file.sha256))}

    def hashes(self) -> Iterator[CaseHashes]:
        """Every content with its hashes and the decision that counts, one at a time."""
        with self.reading() as connection:
            yield from queries.hashes(connection)

    def add_signature(self, sha256: str, method: str, data: bytes) -> None:
        """Keeps what a method computed from a content, in the method's own form; an earlier one is replaced."""
        with self.writing() as connection:
            self.put_signatures(connection, method, {sha256: data})

    def put_signatures(self, connection: sqlite3.Connection, method: str, signatures: Mapping[str, bytes]) -> None:
        """Keeps what a method computed, by SHA-256, in a transaction of the caller's."""
        for sha256, data in signatures.items():
            documents.insert_signature(connection, self._content_id(sha256), method, data)

    def signatures(self, method: str) -> Iterator[tuple[str, bytes]]:
        """What a method computed, as (SHA-256, bytes), one at a time."""
        with self.reading() as connection:
            for sha256, data in connection.execute(
                "SELECT c.sha256, s.data FROM signatures s JOIN contents c ON c.id = s.content_id WHERE s.method = ?",
                (method,),
            ):
                if not isinstance(data, bytes):
                    raise TypeError("a signature that is not made of bytes")
                yield sha256, data

    def mark(
        self,
        sha256: str,
        *,
        decision: Decision | None = None,
        note: str = "",
        by: str = "not supplied",
        dismiss: Sequence[str] = (),
        restore: Sequence[str] = (),
    ) -> None:
        """Adds a decision about a content to its history, and sets findings aside or lets them count again."""
        given = NewMark(sha256, decision, note, by, tuple(dismiss), tuple(restore))
        with self.writing() as connection:
            self.add_mark(connection, given)

    def add_mark(self, connection: sqlite3.Connection, given: NewMark) -> None:
        """Adds a decision in a transaction of the caller's; for this package."""
        at = runs.now()
        note, by = str(storable_text(given.note)), str(storable_text(given.by))
        content = self._content_id(given.sha256)
        if given.decision is not None:
            marks.add_decision(connection, content, DecisionEntry(given.decision, note, by, at))
        for codes, dismissed in ((given.dismiss, True), (given.restore, False)):
            for code in dict.fromkeys(codes):
                marks.add_dismissal(connection, content, Dismissal(code, note, by, at), dismissed=dismissed)
        for (number,) in connection.execute("SELECT id FROM files WHERE content_id = ?", (content,)).fetchall():
            runs.sum_up(connection, number)

    def history(self, sha256: str) -> list[DecisionEntry]:
        """All decisions about a content, the oldest first."""
        with self.reading() as connection:
            return marks.history(connection, self._content_id(sha256))

    def with_marks(self, file: FileReport) -> FileReport:
        """An unmarked report with what people decided about its content."""
        if file.info.sha256 is None:
            return file
        with self.reading() as connection:
            row = connection.execute("SELECT id FROM contents WHERE sha256 = ?", (file.info.sha256,)).fetchone()
            return marks.marked(connection, file, row[0]) if row else file

    def disagreements(self) -> Iterator[str]:
        """What lists show and the documents do not say; see :mod:`nsfwforensics.store.agreement`."""
        with self.reading() as connection:
            yield from agreement.disagreements(connection)

    def problems(self) -> list[str]:
        """What SQLite's own checks and the rules between the tables complain about; empty for a sound case."""
        with self.reading() as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            broken = connection.execute("PRAGMA foreign_key_check").fetchmany(MOST_PROBLEMS)
        found = [] if found == ["ok"] else found
        return found + [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in broken]

    def _content_id(self, sha256: str) -> int:
        row = self._connection.execute("SELECT id FROM contents WHERE sha256 = ?", (sha256,)).fetchone()
        if row is None:
            raise CaseError(f"the case holds no file with the SHA-256 {sha256}")
        return int(row[0])
