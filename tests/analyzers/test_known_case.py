"""A case serves as a list of known images, with its decisions as opinions."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nsfwforensics.api import scan
from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import UsageError
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import Decision
from tests.pictures import photo_like, saved


def picture(path: Path, seed: int, **options: object) -> Path:
    Image.fromarray(photo_like(240, 320, seed)).save(path, **options)
    return path


@pytest.fixture
def case(tmp_path: Path) -> Path:
    folder = tmp_path / "first"
    folder.mkdir()
    paths = [picture(folder / f"{seed}.png", seed) for seed in range(3)]
    path = tmp_path / "old.db"
    files = list(scan([folder], only=("phash",), case=path))
    with CaseDatabase.open(path) as opened:
        for file, decision in zip(files, (Decision.RELEVANT, Decision.FALSE_POSITIVE), strict=False):
            assert file.info.sha256
            opened.mark(file.info.sha256, decision=decision)
    assert len(paths) == 3
    return path


def looked_up(file: Path, case: Path) -> FileReport:
    (report,) = scan([file], only=("known",), options={"known": {"known": [case]}})
    return report


def test_a_copy_of_what_a_case_holds_is_found_with_the_decision(case: Path, tmp_path: Path) -> None:
    copy = tmp_path / "again.jpg"
    with Image.open(case.parent / "first" / "0.png") as opened:
        opened.convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(copy, quality=70)
    (finding,) = looked_up(copy, case).findings
    assert (finding.code, finding.data["opinion"]) == ("KNOWN-002", "POSITIVE")
    assert finding.data["matches"][0]["known"] == "old.db"


def test_the_very_file_is_found_and_a_false_positive_is_told_as_such(case: Path) -> None:
    findings = looked_up(case.parent / "first" / "1.png", case).findings
    assert {finding.code for finding in findings} == {"KNOWN-001", "KNOWN-002"}
    assert {finding.data["opinion"] for finding in findings} == {"NEGATIVE"}


def test_another_picture_is_not_found(case: Path, tmp_path: Path) -> None:
    assert looked_up(picture(tmp_path / "other.png", 77), case).findings == ()


def test_a_scan_does_not_look_up_the_case_that_it_writes(case: Path) -> None:
    with pytest.raises(UsageError, match="this scan writes to"):
        scan([case.parent / "first"], case=case, options={"known": {"known": [case]}})


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\0" * 100])
def test_what_is_no_case_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.db"
    path.write_bytes(content)
    (tmp_path / "a.png").write_bytes(saved(Image.new("RGB", (9, 9))))
    with pytest.raises(UsageError, match="--known"):
        scan([tmp_path / "a.png"], only=("known",), options={"known": {"known": [path]}})
