"""Copies fold into one row; a copy in which something else was found never does."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from nsfwforensics.core.triage import Sign
from nsfwforensics.core.types import FileReport, Question, Severity
from nsfwforensics.report.documents.csv import COLUMNS
from nsfwforensics.report.saved.groups import Likeness, groups
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import declared, file, finding, header, result

RUN = header(analyzers=declared("metadata", "jpeg", "phash"))


def pdq(value: int) -> str:
    return f"{value:064x}"


def picture(path: str, looks: int, *findings: Any, digest: int = 0, quality: int = 100) -> FileReport:
    hashes = result("phash", Question.KNOWN, measurements={"pdq": pdq(looks), "pdq_quality": quality})
    editing = result("jpeg", Question.ALTERATION, findings=findings)
    return file(path, hashes, editing, info={"sha256": f"{digest or abs(hash(path)):064x}"[:64]})


def saved(folder: Path, *files: FileReport) -> SavedReport:
    with ReportWriter(folder) as writer:
        writer.begin(RUN)
        for one in files:
            writer.add(one)
        return writer.finish(RUN)


def rows(report: SavedReport) -> list[tuple[str, int]]:
    return [(row.file.info.path, len(row.copies)) for row in report.rows()]


SIGN = finding("JPEG-001", severity=Severity.MEDIUM)
NEAR, FAR = (1 << 31) - 1, (1 << 32) - 1
"""Hashes 31 and 32 bits away from 0."""


def test_byte_copies_and_pictures_that_look_the_same_are_one_row(tmp_path: Path) -> None:
    report = saved(
        tmp_path,
        picture("a.jpg", 0, digest=1),
        picture("copy.jpg", 0, digest=1),
        picture("near.jpg", NEAR),
        picture("far.jpg", FAR << 100),
        picture("flat.jpg", 0, quality=49),
    )
    assert rows(report) == [("a.jpg", 2), ("far.jpg", 0), ("flat.jpg", 0)]
    report.folds = False
    assert [copies for _, copies in rows(report)] == [0] * 5
    assert rows(SavedReport.open(tmp_path)) == [("a.jpg", 2), ("far.jpg", 0), ("flat.jpg", 0)]


def test_an_edited_copy_never_hides_behind_the_picture_it_was_made_from(tmp_path: Path) -> None:
    report = saved(tmp_path, picture("a.jpg", 0), picture("edited.jpg", 1, SIGN), picture("again.jpg", 2, SIGN))
    assert rows(report) == [("again.jpg", 1), ("a.jpg", 0)]


def test_nobody_joins_through_a_chain(tmp_path: Path) -> None:
    assert rows(saved(tmp_path, picture("a.jpg", 0), picture("b.jpg", NEAR), picture("c.jpg", NEAR << 31 | NEAR))) == [
        ("a.jpg", 1),
        ("c.jpg", 0),
    ]


def test_the_table_keeps_every_file_and_numbers_the_groups(tmp_path: Path) -> None:
    saved(tmp_path, picture("a.jpg", 0), picture("b.jpg", FAR), picture("c.jpg", 1))
    lines = (tmp_path / "summary.csv").read_text("utf-8-sig").splitlines()
    path, group = COLUMNS.index("path"), COLUMNS.index("group")
    assert [(cells[path], cells[group]) for cells in (line.split(",") for line in lines[1:])] == [
        ("a.jpg", "1"),
        ("c.jpg", "1"),
        ("b.jpg", ""),
    ]


def test_fifty_thousand_files_are_grouped_in_seconds() -> None:
    made = random.Random(3)
    said = (3, frozenset[Sign]())
    looks = [made.randbytes(32) for _ in range(40_000)]
    files = [Likeness(bytes([0, 0, 0, 1]) + made.randbytes(28), each, said) for each in (*looks, *looks[:10_000])]
    started = time.process_time()
    leads = groups(files)
    assert leads[40_000:] == list(range(10_000))
    assert leads[:40_000] == list(range(40_000))
    assert time.process_time() - started < 20
