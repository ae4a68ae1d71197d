"""A case survives being killed, shared and marked; the installed command, as its user runs it."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.testing import contract_file
from tests.e2e.conftest import COMMAND, Runner

FILES = 400
FAST = ("--only", "metadata", "--only", "phash", "--quiet")


def fill(folder: Path, number: int) -> Path:
    """Makes small pictures, all different but for two, with a broken one and one that is no picture among them."""
    folder.mkdir(parents=True)
    numbers = random.Random(5)
    for index in range(number):
        picture = Image.frombytes("RGB", (24, 24), numbers.randbytes(24 * 24 * 3))
        picture.save(folder / f"{index:03}.jpg", quality=60)
    shutil.copy(folder / "003.jpg", folder / "004.jpg")
    (folder / "005.jpg").write_bytes(contract_file("header-only.jpg"))
    (folder / "006.txt").write_text("no picture")
    (folder / "007.jpg").rename(folder / "007 [red]\x1b[31m\u202e=x.jpg")
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("many") / "evidence", FILES)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return fill(tmp_path / "evidence", 12)


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command in a process group of its own, which is gone when the test is."""
    started: list[subprocess.Popen[bytes]] = []

    def call(*arguments: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # A job in the background inherits an ignored Ctrl-C; this one is to feel it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


def examined(case: Path) -> int:
    """How many files are in the case, as another process sees them."""
    if not case.exists():
        return 0
    with CaseDatabase.open(case) as opened:
        return opened.info().files


def wait_for(case: Path, number: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while examined(case) < number and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def listed(run: Runner, case: Path) -> list[tuple[str, str, str, str]]:
    ran = run("case", "list", case, "--json")
    assert ran.code == 0, ran.err
    return [(file["path"], file["sha256"], file["status"], file["priority"]) for file in json.loads(ran.out)]


def report(folder: Path) -> dict[str, Any]:
    """A report without what differs from run to run: times, and where it was written."""
    found: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    for name in ("started", "finished", "command", "engine"):
        del found["header"][name]
    del found["summary"]["seconds"]
    for file in found["files"]:
        for result in file["results"]:
            del result["seconds"]
    return found


def test_killed_three_times_and_finished_it_is_what_it_would_have_been(
    many: Path, tmp_path: Path, run: Runner, start: Start
) -> None:
    whole, killed = tmp_path / "whole.db", tmp_path / "killed.db"
    numbers = random.Random(11)
    reached = 0
    for jobs in (1, 2, 1):
        process = start("scan", many, "--case", killed, *FAST, "--jobs", jobs)
        wait_for(killed, reached + numbers.randrange(1, 90), process)
        time.sleep(numbers.random() * 0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = examined(killed)
        assert reached < now < FILES
        reached = now
    resumed = run("scan", many, "--case", killed, *FAST[:-1], "-o", tmp_path / "resumed", "--jobs", 2)
    assert resumed.code == 4, resumed.err
    assert "already done: " in resumed.err
    straight = run("scan", many, "--case", whole, *FAST, "-o", tmp_path / "straight", "--jobs", 2)
    assert straight.code == 4, straight.err
    assert len(listed(run, killed)) == FILES + 1
    assert listed(run, killed) == listed(run, whole)
    assert report(tmp_path / "resumed") == report(tmp_path / "straight")
    assert run("case", "verify", killed, "--files").code == 0


@pytest.mark.slow
def test_killed_at_twenty_moments_every_file_stands_once(tmp_path: Path, run: Runner, start: Start) -> None:
    folder = fill(tmp_path / "evidence", 500)
    case = tmp_path / "c.db"
    numbers = random.Random(3)
    for _ in range(20):
        before = examined(case)
        process = start("scan", folder, "--case", case, *FAST, "--jobs", numbers.choice((1, 2)))
        if numbers.random() < 0.8:
            wait_for(case, before + numbers.randrange(1, 25), process)
        time.sleep(numbers.random() * 0.3)
        process.kill()  # the workers are left to notice by themselves
        process.wait()
        if case.exists():
            assert run("case", "verify", case).code == 0
    assert examined(case) < 501
    assert run("scan", folder, "--case", case, *FAST).code == 4
    with CaseDatabase.open(case) as opened:
        files = list(opened.files())
        assert sorted(file.path for file in files) == sorted(str(path) for path in folder.iterdir())
        assert all(len(opened.examinations(file)) == 1 for file in files)
        assert opened.problems() == []


def test_two_processes_share_the_work_and_double_nothing(tmp_path: Path, start: Start, run: Runner) -> None:
    folder = fill(tmp_path / "evidence", 80)
    case = tmp_path / "c.db"
    both = [start("scan", folder, "--case", case, *FAST[:-1], "-o", tmp_path / str(n)) for n in range(2)]
    notes = [process.communicate(timeout=120)[1].decode() for process in both]
    assert [process.returncode for process in both] == [4, 4], notes
    with CaseDatabase.open(case) as opened:
        files = list(opened.files())
        assert sorted(file.path for file in files) == sorted(str(path) for path in folder.iterdir())
        assert [len(opened.examinations(file)) for file in files] == [1] * 81
        assert opened.problems() == []
        assert [header.finished is not None for header in opened.headers()] == [True, True]
        by_run = [{past.run for past in opened.examinations(file)} for file in files if file.status != "failed"]
    assert len(by_run) == 80
    for number in range(2):
        saved = json.loads((tmp_path / str(number) / "report.json").read_text("utf-8"))
        assert len(saved["files"]) == 81
        assert len({file["info"]["path"] for file in saved["files"]}) == 81
    read_back = [int(note.split("already done: ")[1].split()[0]) if "already done" in note else 0 for note in notes]
    assert sum(read_back) in (80, 81)  # each one examined what the other read back; the broken file may be tried twice


def test_an_interrupt_keeps_what_was_done(tmp_path: Path, start: Start, run: Runner) -> None:
    folder, case = fill(tmp_path / "evidence", 150), tmp_path / "c.db"
    process = start("scan", folder, "--case", case, *FAST, "-o", tmp_path / "first", "--jobs", 1)
    wait_for(case, 20, process)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error.decode()
    first = json.loads((tmp_path / "first" / "report.json").read_text("utf-8"))
    assert first["header"]["interrupted"] is True
    assert 20 <= len(first["files"]) == examined(case) < 151
    with CaseDatabase.open(case) as opened:
        assert [header.interrupted for header in opened.headers()] == [True]
    ran = run("scan", folder, "--case", case, *FAST[:-1], "-o", tmp_path / "second")
    assert ran.code == 4, ran.err
    assert f"already done: {len(first['files']) - 1}" in ran.err  # all but the broken one
    assert len(json.loads((tmp_path / "second" / "report.json").read_text("utf-8"))["files"]) == 151


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
    assert titles["META-004"].startswith("Dismissed: ")
    assert not titles["META-006"].startswith("Dismissed: ")
    (after,) = json.loads(run("case", "list", case, "--json").out)
    assert (after["priority"], after["decision"]) == ("low", "false-positive")
    assert "META-004" in after["findings"]
    assert "META-004" in after["dismissed"]
    assert run("case", "mark", case, "edited-copy.jpg", "--restore", "META-004").code == 0
    assert json.loads(run("case", "list", case, "--json").out)[0]["priority"] == "medium"


def test_files_are_registered_first_and_examined_later(few: Path, tmp_path: Path, run: Runner) -> None:
    case = few / "c.db"
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
    assert not [file for file in listed(run, case) if "c.db" in file[0]]


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
    for arguments in (("scan", few, "--case", picture), ("case", "list", picture), ("case", "mark", picture, "x")):
        assert run(*arguments, "--quiet" if arguments[0] == "scan" else "--").code in (1, 2)
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
