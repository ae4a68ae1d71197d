"""Decisions that stay, exports that hurt nobody, originals that are looked after; the installed command."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pytest

from nsfwforensics.store.casedb import CaseDatabase
from tests.e2e.case_files import FAST, fill, listed
from tests.e2e.conftest import Runner


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return fill(tmp_path / "evidence", 12)


def test_another_plan_examines_again_and_decisions_stay(few: Path, tmp_path: Path, run: Runner) -> None:
    case = tmp_path / "c.db"
    run("scan", few, "--case", case, *FAST)
    marked = run("case", "mark", case, "008.jpg", "--decision", "relevant", "--note", "=HYPERLINK(1)", "--by", "Ann")
    assert marked.code == 0, marked.err
    shutil.move(few / "008.jpg", few / "moved.jpg")
    ran = run("scan", few, "--case", case, "--only", "metadata", "--json")
    assert "already done" not in ran.err
    answers = {answer["question"]: answer["statement"] for answer in ran.file("moved.jpg")["answers"]}
    assert "marked “relevant” by Ann" in answers["known"]
    with CaseDatabase.open(case) as opened:
        assert len(opened.examinations(opened.find("009.jpg")[0])) == 2
    again = json.loads(run("case", "list", case, "--json", "--decision", "relevant").out)
    assert [Path(file["path"]).name for file in again] == ["008.jpg", "moved.jpg"]
    assert {file["note"] for file in again} == {"=HYPERLINK(1)"}


def test_a_false_alarm_stays_set_aside(tmp_path: Path, samples: Path, run: Runner) -> None:
    folder, case = tmp_path / "evidence", tmp_path / "c.db"
    folder.mkdir()
    shutil.copy(samples / "edited-copy.jpg", folder)
    run("scan", folder, "--case", case, "--only", "metadata", "--quiet")
    (before,) = json.loads(run("case", "list", case, "--json").out)
    assert before["priority"] == "medium"
    ran = run("case", "mark", case, before["sha256"][:10], "--decision", "false-positive", "--note", "our own test")
    assert ran.code == 0, ran.err
    scanned = run("scan", folder, "--case", case, "--only", "metadata", "--only", "phash", "--json")
    file = scanned.file("edited-copy.jpg")
    assert file["priority"] == "low"
    titles = {f["code"]: f["title"] for result in file["results"] for f in result["findings"]}
    assert titles["META-009"].startswith("Dismissed: ")
    assert not titles["META-006"].startswith("Dismissed: ")
    (after,) = json.loads(run("case", "list", case, "--json").out)
    assert (after["priority"], after["decision"]) == ("low", "false-positive")
    assert "META-009" in after["findings"]
    assert "META-009" in after["dismissed"]
    assert run("case", "mark", case, "edited-copy.jpg", "--restore", "META-009").code == 0
    assert json.loads(run("case", "list", case, "--json").out)[0]["priority"] == "medium"


def test_files_are_registered_first_and_examined_later(few: Path, tmp_path: Path, run: Runner) -> None:
    case = tmp_path / "c.db"
    assert run("case", "init", case, "--name", "Harbour", "--operator", "Ann").code == 0
    (few / "link").symlink_to(few / "001.jpg")
    added = run("case", "add", case, few)
    assert added.code == 4
    assert "13 files registered, 0 in the case already, 1 not registered" in added.out
    assert {file[2] for file in listed(run, case)} == {"pending"}
    scanned = run("scan", "--case", case, "--only", "metadata", "--quiet", "-o", tmp_path / "report")
    assert scanned.code == 0, scanned.err
    (few / "001.jpg").unlink()
    again = run("scan", "--case", case, "--only", "metadata", "--json")
    assert "1 file of the case not found" in again.err
    assert len(again.report["files"]) == 12
    assert {file[2] for file in listed(run, case)} == {"ok", "skipped"}


@pytest.mark.slow
def test_every_export_holds_the_decisions_and_hurts_nobody(few: Path, tmp_path: Path, run: Runner) -> None:
    case, out = tmp_path / "c.db", tmp_path / "out"
    run("scan", few, "--case", case, *FAST)
    note = "=cmd() [red]\x1b[31m\u202e<script>alert(1)</script>"
    assert (
        run("case", "mark", case, "007 [red]\x1b[31m\u202e=x.jpg", "--decision", "relevant", "--note", note).code == 0
    )
    for kind in ("report", "csv", "jsonl"):
        assert run("case", "export", case, "-o", out, "--format", kind).code == 0
    table = list(csv.DictReader((out / "case-files.csv").open(encoding="utf-8-sig", newline="")))
    assert len(table) == 13
    (row,) = [row for row in table if row["decision"]]
    assert row["note"] == "'=cmd() [red]\\u001b[31m\\u202e<script>alert(1)</script>"
    assert all(len(row["md5"]) == 32 for row in table if row["status"] == "ok")
    lines = [json.loads(line) for line in (out / "case-files.jsonl").read_text("utf-8").splitlines()]
    (line,) = [line for line in lines if line["decision"]]
    assert line["note"] == note
    assert line["history"][0]["decision"] == "relevant"
    assert line["report"]["info"]["sha256"] == line["sha256"]
    whole = json.loads((out / "report.json").read_text("utf-8"))
    assert len(whole["files"]) == 13
    assert any(result["analyzer"] == "case" for file in whole["files"] for result in file["results"])
    page = (out / "report.html").read_text("utf-8")
    assert "marked “relevant”" in page
    assert "<script>alert(1)" not in page
    for shown in (run("case", "list", case), run("case", "show", case, line["sha256"]), run("case", "verify", case)):
        assert shown.code == 0
        assert not {"\x1b", "\u202e"} & set(shown.out)
    for text in (*(path.read_text("utf-8") for path in out.iterdir()), run("case", "list", case, "--json").out):
        assert not {"\x1b", "\u202e"} & set(text)
    assert run("case", "export", case, "-o", out, "--format", "csv").code == 1


def test_what_became_of_the_originals(few: Path, tmp_path: Path, run: Runner) -> None:
    case = tmp_path / "c.db"
    run("scan", few, "--case", case, *FAST)
    assert run("case", "verify", case, "--files").code == 0
    (few / "001.jpg").write_bytes(b"other")
    (few / "002.jpg").unlink()
    (few / "003.jpg").unlink()
    os.mkfifo(few / "003.jpg")
    ran = run("case", "verify", case, "--files", COLUMNS="200")
    assert ran.code == 4
    assert f"changed: {few / '001.jpg'}" in ran.out
    assert f"missing: {few / '002.jpg'}" in ran.out
    assert f"unreadable: {few / '003.jpg'}" in ran.out
    assert "10 same, 1 changed, 1 missing, 1 unreadable" in ran.out


def test_nothing_is_written_over_and_nothing_foreign_is_used(few: Path, tmp_path: Path, run: Runner) -> None:
    picture, case = few / "001.jpg", tmp_path / "c.db"
    before = picture.read_bytes()
    ran = run("scan", few, "--case", picture)
    assert (ran.code, picture.read_bytes()) == (2, before)
    ran = run("scan", picture, "--case", picture)
    assert ran.code == 1
    assert "is not a case database of this tool; it was left as it is" in ran.err
    assert run("case", "list", picture).code == 1
    assert run("case", "init", picture).code == 1
    assert picture.read_bytes() == before
    assert run("case", "init", case).code == 0
    ran = run("case", "init", case)
    assert ran.code == 1
    assert "is there already" in ran.err
    assert run("scan", "--case", case).code == 2
    assert run("scan", "--case", tmp_path / "none.db").code == 1
    assert run("case", "show", case, "nothing.jpg").code == 2
    assert not (tmp_path / "none.db").exists()
