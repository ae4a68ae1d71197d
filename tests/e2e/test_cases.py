"""A scan into a case survives being killed, interrupted and shared; the installed command, as its user runs it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.store.casedb import CaseDatabase
from tests.e2e.case_files import FAST, fill, listed
from tests.e2e.conftest import COMMAND, Runner, listen

FILES = 400


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("many") / "evidence", FILES)


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command in a process group of its own, which is gone when the test is, with what it left behind."""
    started: list[subprocess.Popen[bytes]] = []
    temporary = tempfile.TemporaryDirectory(prefix="k-", ignore_cleanup_errors=True)  # short: a socket lies in it

    def call(*arguments: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"TMPDIR": temporary.name},
            # A job in the background inherits an ignored Ctrl-C; this one is to feel it.
            preexec_fn=listen,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()
    temporary.cleanup()


def examined(case: Path) -> int:
    """How many files are in the case, as another process sees them."""
    if not case.exists():
        return 0
    with CaseDatabase.open(case) as opened:
        return opened.info().files


def wait_for(case: Path, number: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while examined(case) < number and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)


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


@pytest.mark.slow
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
    resumed = run("scan", many, "--case", killed, *FAST[:-1], "-o", tmp_path / "resumed", "--jobs", 1)
    assert resumed.code == 4, resumed.err
    assert "already done: " in resumed.err
    straight = run("scan", many, "--case", whole, *FAST, "-o", tmp_path / "straight", "--jobs", 1)
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
    cut = 0
    for _ in range(20):
        before = examined(case)
        process = start("scan", folder, "--case", case, *FAST, "--jobs", numbers.choice((1, 2)))
        if numbers.random() < 0.8:
            wait_for(case, before + numbers.randrange(1, 12), process)
        time.sleep(numbers.random() * 0.05)
        cut += process.poll() is None
        process.kill()  # the workers are left to notice by themselves
        process.wait()
        if case.exists():
            assert run("case", "verify", case).code == 0
    assert cut == 20  # every kill met a scan that was under way
    assert examined(case) < 501
    assert run("scan", folder, "--case", case, *FAST).code == 4
    with CaseDatabase.open(case) as opened:
        files = list(opened.files())
        assert sorted(file.path for file in files) == sorted(str(path) for path in folder.iterdir())
        assert all(len(opened.examinations(file)) == 1 for file in files)
        assert opened.problems() == []


@pytest.mark.slow
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
