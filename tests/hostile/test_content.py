"""Files made to crash, hang or fill a reader, all in one run of the installed command."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import bombs
from tests.hostile.watch import Watched, entries, snapshot, watched

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads what Linux says of processes")

MEMORY = 2 * 1024**3
LIGHT = ("--skip", "deepfake", "--skip", "faces", "--skip", "intimate")


@dataclass(frozen=True)
class Scanned:
    """One run over all files, and the tree around it before and after."""

    ran: Watched
    files: dict[str, dict[str, Any]]
    before: dict[bytes, tuple[Any, ...]]
    after: dict[bytes, tuple[Any, ...]]
    place: Path


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    place = tmp_path_factory.mktemp("content")
    folder = place / "evidence"
    folder.mkdir()
    for name, data in bombs.all_files().items():
        (folder / name).write_bytes(data)
    before = snapshot(folder)
    limits = ("--max-memory", MEMORY, "--max-seconds", "60", "--jobs", "2")
    ran = watched(place, "scan", folder, "-o", place / "out", "--quiet", *LIGHT, *limits)
    return Scanned(ran, entries(place / "out"), before, snapshot(folder), place)


def test_every_file_has_one_result_and_none_ends_the_run(scanned: Scanned) -> None:
    assert scanned.ran.code == 4, scanned.ran.err
    assert set(scanned.files) == set(bombs.all_files())
    assert {file["status"] for file in scanned.files.values()} == {"ok", "partial", "failed"}
    for name, file in scanned.files.items():
        assert "died" not in str(file["error"]), name
        assert "longer than the limit" not in str(file["error"]), name


def test_what_is_no_picture_in_front_is_not_taken_for_one(scanned: Scanned) -> None:
    for name in ("zip-first.jpg", "html-first.jpg", "pdf-first.jpg", "elf.png"):
        assert scanned.files[name]["status"] == "failed"
        assert scanned.files[name]["info"]["media_type"] is None


def test_a_bomb_beside_a_picture_does_not_hide_the_picture(scanned: Scanned) -> None:
    for name in ("ztxt.png", "itxt.png", "iccp.png", "raw-profile.png", "many-ztxt.png", "laughs.jpg", "counts.jpg"):
        assert scanned.files[name]["info"]["decoded_share"] == 1.0, name


def test_no_process_takes_more_memory_than_allowed(scanned: Scanned) -> None:
    workers = {pid: data for pid, data in scanned.ran.data.items() if pid != scanned.ran.main}
    assert max(workers.values()) <= MEMORY
    resident = {pid: held for pid, held in scanned.ran.resident.items() if pid != scanned.ran.main}
    assert max(resident.values()) < MEMORY / 2, "what is refused for its size is not decoded for its header either"
    assert scanned.ran.resident[scanned.ran.main] < 400 * 1024**2, "the main process holds no evidence"


def test_nothing_is_written_but_the_report(scanned: Scanned) -> None:
    assert scanned.after == scanned.before
    for name in ("home", "tmp", "cwd"):
        assert not list((scanned.place / name).iterdir()), name
    inside = {"evidence", "out", "home", "tmp", "cwd", "guard"}
    assert {entry.name for entry in scanned.place.iterdir()} == inside


def test_nobody_is_contacted_and_nothing_is_started(scanned: Scanned) -> None:
    assert [line for line in scanned.ran.contacts if "'uname'" not in line] == [], "uname is for the report's header"


def test_a_file_cannot_make_the_report_grow_without_bound(scanned: Scanned) -> None:
    lines = (scanned.place / "out" / "files.jsonl").read_bytes().splitlines()
    assert max(map(len, lines)) < 500_000


def test_no_outside_entity_is_read(scanned: Scanned) -> None:
    assert b"root:" not in (scanned.place / "out" / "report.json").read_bytes()
