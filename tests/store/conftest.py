"""A case in a temporary folder, and examinations made up for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.types import AnalyzerResult, FileReport
from nsfwforensics.store import runs
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import RunRecord, Stat
from tests.report.factory import file, header

Save = Callable[..., FileReport]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[CaseDatabase]:
    with CaseDatabase.create(tmp_path / "one.case", name="One", operator="Ann") as made:
        with made.reading() as connection:
            connection.execute("PRAGMA synchronous = OFF")  # waiting for the disk takes most of the time otherwise
        yield made


def sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def run_record(case: CaseDatabase, fingerprint: str = "plan") -> RunRecord:
    with case.writing() as connection:
        return runs.begin(connection, header(fingerprint=fingerprint, finished=None))


@pytest.fixture
def save(case: CaseDatabase) -> Save:
    """Saves an examination as a scan would, and returns what was saved."""

    def call(
        path: str,
        *results: AnalyzerResult,
        content: str | None = None,
        fingerprint: str = "plan",
        stat: Stat | None = Stat(1, 2, 3),  # noqa: B008 - frozen
        **changes: Any,
    ) -> FileReport:
        info = {"sha256": sha(content if content is not None else path)} | changes.pop("info", {})
        made = file(path, *results, info=info, **changes)
        record = run_record(case, fingerprint)
        with case.writing() as connection:
            runs.save(connection, record, Path(path), made, stat)
        return made

    return call
