"""``--sensitive`` through the installed command: no pixel of a file comes out, whatever else is asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Runner

MAPS = ("--only", "metadata", "--only", "traces", "--maps", "--thumbnails")


@pytest.fixture
def pictures(tmp_path: Path, samples: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("camera-original.jpg", "edited-copy.jpg"):
        shutil.copy(samples / name, folder / name)
    return folder


def shows(folder: Path) -> list[str]:
    """What in a report's folder holds a picture: files that are one, and texts with one inside."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if data[:3] == b"\xff\xd8\xff" or data[:4] == b"\x89PNG" or b"/9j/" in data or b"data:image" in data:
            found.append(path.name)
    return found


def test_thumbnails_and_maps_are_not_made(pictures: Path, tmp_path: Path, run: Runner) -> None:
    plain = run("scan", pictures, *MAPS, "-o", tmp_path / "plain", "-q")
    assert plain.code == 0, plain.err
    assert shows(tmp_path / "plain"), "without the option there is something to leave out"
    careful = run("scan", pictures, *MAPS, "--sensitive", "-o", tmp_path / "careful", "-q")
    assert careful.code == 0, careful.err
    assert "--thumbnails is not followed" in careful.err
    assert shows(tmp_path / "careful") == []
    report: dict[str, Any] = json.loads((tmp_path / "careful" / "report.json").read_text("utf-8"))
    assert report["header"]["sensitive"] is True
    for file in report["files"]:
        assert file["sensitive"] and file["info"]["sha256"] and file["info"]["thumbnail"] is None
    again = run("report", tmp_path / "careful", "-q")
    assert again.code == 0 and shows(tmp_path / "careful") == []


@pytest.mark.parametrize(
    "words", [("metadata",), ("hash",), ("compare", "original")], ids=["metadata", "hash", "compare"]
)
def test_every_command_that_examines_has_it(
    words: tuple[str, ...], pictures: Path, tmp_path: Path, run: Runner
) -> None:
    named = [words[0], *((pictures / "camera-original.jpg",) if len(words) > 1 else ())]
    ran = run(*named, pictures / "edited-copy.jpg", "--thumbnails", "--sensitive", "-o", tmp_path / "out", "-q")
    assert ran.code == 0, ran.err
    assert shows(tmp_path / "out") == []


def test_a_case_lets_nothing_out_that_an_earlier_scan_kept(pictures: Path, tmp_path: Path, run: Runner) -> None:
    case = tmp_path / "c.db"
    assert run("scan", pictures, *MAPS, "--case", case, "-q").code == 0
    assert run("case", "export", case, "-o", tmp_path / "before", "--thumbnails").code == 0
    assert shows(tmp_path / "before")
    second = run("scan", pictures, *MAPS, "--sensitive", "--case", case, "--json")
    assert "already done" not in second.err and all(file["sensitive"] for file in second.report["files"])
    for kind in ("report", "jsonl"):
        assert run("case", "export", case, "-o", tmp_path / kind, "--format", kind, "--thumbnails").code == 0
        assert shows(tmp_path / kind) == []
    exported = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert exported["header"]["sensitive"] is True


def test_the_settings_can_ask_for_it(pictures: Path, run: Runner) -> None:
    ran = run("metadata", pictures, "--json", NSFWFORENSICS_SENSITIVE="true")
    assert ran.report["header"]["sensitive"] is True


def test_the_extra_marks_nothing_in_the_samples(samples: Path, run: Runner) -> None:
    pytest.importorskip("nudenet")
    ran = run("scan", samples / "camera-original.jpg", samples / "reference.jpg", "--only", "intimate", "--json")
    assert ran.code == 0, ran.err
    for file in ran.report["files"]:
        (result,) = file["results"]
        assert result["status"] == "nothing_found" and file["sensitive"] is False
    assert ran.report["header"]["models"][0]["name"] == "nudenet"
