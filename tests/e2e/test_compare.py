"""``compare`` and ``scan --original`` as their user runs them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Runner

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ORIGINAL = SAMPLES / "camera-original.jpg"
EDITED = SAMPLES / "reposted-edit.png"
OTHER = SAMPLES / "other-person.jpg"


def codes(file: dict) -> set[str]:
    return {finding["code"] for result in file["results"] for finding in result["findings"]}


def test_one_command_says_what_was_changed_and_where(run: Runner) -> None:
    ran = run("compare", ORIGINAL, EDITED)
    assert ran.code == 0, ran.err
    said = " ".join(ran.out.split())
    assert "appears to have been made from “camera-original.jpg”" in said
    assert "Changed region" in said and "below the face, where the body would be" in said
    assert "mirrored" in said
    assert max(map(len, ran.out.splitlines())) <= 80


def test_several_suspects_and_a_folder_of_originals(run: Runner, tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    for path in (ORIGINAL, OTHER):
        shutil.copy(path, originals)
    (originals / "notes.txt").write_text("not a picture")
    ran = run("compare", originals, EDITED, SAMPLES / "no-face.jpg", SAMPLES / "corrupt.jpg", "--json")
    assert ran.code == 4  # one suspect is corrupt; the others were compared
    assert {"CMP-001", "CMP-002"} <= codes(ran.file("reposted-edit.png"))
    assert codes(ran.file("no-face.jpg")) == {"CMP-007"}
    assert ran.file("corrupt.jpg")["status"] == "failed"
    assert {Path(record["path"]).name for record in ran.report["header"]["references"]} == {ORIGINAL.name, OTHER.name}


def test_scan_takes_an_original_too(run: Runner) -> None:
    ran = run("scan", EDITED, "--original", ORIGINAL, "--only", "compare", "--json")
    assert ran.code == 0, ran.err
    answers = {answer["question"]: answer for answer in ran.file("reposted-edit.png")["answers"]}
    assert answers["alteration"]["support"] == "supports"
    assert answers["known"]["support"] == "supports"


@pytest.mark.parametrize("original", ["missing.jpg", "README.md"])
def test_an_original_that_cannot_be_used_ends_it_before_it_begins(run: Runner, original: str) -> None:
    ran = run("compare", SAMPLES / original, EDITED)
    assert ran.code == 2
    assert original in ran.err


@pytest.mark.slow
def test_pictures_of_the_evidence_only_where_asked_for(run: Runner, tmp_path: Path) -> None:
    plain, shown = tmp_path / "plain", tmp_path / "shown"
    assert run("compare", ORIGINAL, EDITED, "-o", plain).code == 0
    assert not (plain / "artifacts").exists()
    page = (plain / "report.html").read_text("utf-8")
    assert "data:image" not in page
    assert "<polygon" in page  # the changed region is outlined without any pixel
    assert run("compare", ORIGINAL, EDITED, "-o", shown, "--thumbnails").code == 0
    assert len(list((shown / "artifacts").iterdir())) == 2
    assert "data:image/" in (shown / "report.html").read_text("utf-8")


def test_a_case_keeps_the_pictures_and_exports_them_only_on_request(run: Runner, tmp_path: Path) -> None:
    case = tmp_path / "case.db"
    made = run(
        "scan",
        EDITED,
        "--only",
        "compare",
        "--original",
        ORIGINAL,
        "--case",
        case,
        "--thumbnails",
        "-o",
        tmp_path / "first",
    )
    assert made.code == 0, made.err
    assert run("case", "export", case, "-o", tmp_path / "plain").code == 0
    assert not (tmp_path / "plain" / "artifacts").exists()
    assert "data:image/" not in (tmp_path / "plain" / "report.html").read_text("utf-8")
    assert run("case", "export", case, "-o", tmp_path / "shown", "--thumbnails").code == 0
    names = {path.name for path in (tmp_path / "first" / "artifacts").iterdir()}
    assert {path.name for path in (tmp_path / "shown" / "artifacts").iterdir()} == names
