"""A report proves that the examination left each file as it was, and says so where something else did not."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import EvidenceError


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 30), "teal").save(path)
    os.utime(path, (1_700_000_000, 1_600_000_000))
    return path


def test_the_same_file_is_found_afterwards(picture: Path) -> None:
    evidence = Evidence.open(picture)
    assert evidence.rgb.shape == (30, 40, 3)
    info = evidence.info().model_copy(update={"after": evidence.after()})
    assert info.after is not None
    assert info.after.sha256 == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert (info.after.size, info.after.modified) == (picture.stat().st_size, "2020-09-13T12:26:40.000+00:00")
    assert not info.changed


@pytest.mark.skipif(not hasattr(os, "O_NOATIME"), reason="this system cannot keep the time of last access")
def test_not_even_the_time_of_last_access_moves(picture: Path) -> None:
    Evidence.open(picture).after()
    assert picture.stat().st_atime == 1_700_000_000


@pytest.mark.parametrize("how", ["written", "touched", "removed", "replaced by a pipe"])
def test_a_change_by_somebody_else_is_seen(picture: Path, how: str) -> None:
    evidence = Evidence.open(picture)
    if how == "written":
        picture.write_bytes(b"other")
    elif how == "touched":
        os.utime(picture, (1, 1))
    else:
        picture.unlink()
        if how == "replaced by a pipe":
            os.mkfifo(picture)
    assert evidence.info().model_copy(update={"after": evidence.after()}).changed


def test_bytes_in_memory_have_no_file_to_look_at(picture: Path) -> None:
    assert Evidence.from_bytes(picture.read_bytes()).after() is None


def test_a_file_that_grows_while_it_is_read_is_refused(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fstat, []

    def fstat(descriptor: int) -> os.stat_result:
        calls.append(descriptor)
        if len(calls) == 2:
            with picture.open("ab") as stream:
                stream.write(b"more")
        return real(descriptor)

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(EvidenceError, match="changed while it was being read"):
        Evidence.open(picture)


def test_the_report_says_that_a_file_changed(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nsfwforensics.api import examine

    seen: Any = Evidence.after

    def after(self: Evidence) -> Any:
        picture.write_bytes(b"other")
        return seen(self)

    monkeypatch.setattr(Evidence, "after", after)
    report = FileReport.model_validate_json(examine(picture, only=("phash",)).model_dump_json())
    assert report.info.changed
    assert "changed or removed this file" in report.notes[0]
