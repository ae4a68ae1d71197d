"""The installed command: what it prints, what it refuses, and how it ends, killed in the midst of a decision too."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nsfwforensics.store import custody_log
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import Decision
from tests.e2e.conftest import Runner
from tests.review.client import Client
from tests.review.conftest import Made

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

TOOL = Path(sys.executable).with_name("nsfwforensics")


@contextmanager
def reviewing(case: Path, *options: str, folder: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [TOOL, "review", case, "--operator", "Ben", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_ctrl_c_ends_it_and_the_log_says_so(made: Made) -> None:
    made.add("a.jpg")
    made.done()
    with reviewing(made.path) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        client = Client(address).enter()
        assert client.decide(client.item(), "relevant").status == 200
        if sys.platform == "linux":
            status = Path(f"/proc/{process.pid}/status").read_text()
            assert "Seccomp:\t2" in status  # no other socket can be made
            listening = [line.split()[1] for line in Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]]
            assert f"0100007F:{client.port:04X}" in listening
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said
        assert "Traceback" not in said
    entries = custody_log.check(made.case)
    assert [entry.kind for entry in entries.chain.entries.values()][-3:] == ["review began", "decision", "review ended"]
    assert entries.problems == ()


def test_killed_in_the_midst_of_decisions_nothing_is_lost_and_nothing_doubled(made: Made) -> None:
    for number in range(60):
        made.add(f"{number}.jpg")
    made.done()
    confirmed: list[str] = []
    with reviewing(made.path) as (process, address):
        client = Client(address).enter()
        items = [client.item(number) for number in range(60)]

        def decide() -> None:
            for item in items:
                try:
                    if client.decide(item, "relevant").status == 200:
                        confirmed.append(item["contents"][0])
                except OSError:
                    return

        deciding = threading.Thread(target=decide)
        deciding.start()
        while len(confirmed) < 5:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        deciding.join()
    with CaseDatabase.open(made.path) as case:
        marks = [sha256 for _, sha256, _ in case.marks_since(0)]
        assert len(set(marks)) == len(marks)
        assert set(confirmed) <= set(marks)
        assert len(marks) <= len(confirmed) + 1  # the one whose answer did not arrive any more
        entries = [each for each in custody_log.check(case).chain.entries.values() if each.kind == "decision"]
        assert [each.subject.split(":")[0] for each in entries] == marks
    with reviewing(made.path) as (process, address):  # goes on where it stood, and mends the copy of the log
        client = Client(address).enter()
        item = client.item()
        assert item["left"] == 60 - len(marks)
        assert item["contents"][0] not in marks
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    with CaseDatabase.open(made.path) as case:
        assert custody_log.check(case).problems == ()
        assert case.problems() == []
        assert list(case.disagreements()) == []


def test_a_case_of_another_version_is_left_as_it_is(made: Made, run: Runner) -> None:
    made.add("a.jpg")
    made.case.close()
    with sqlite3.connect(made.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = made.path.read_bytes()
    ran = run("review", made.path, "--operator", "Ben")
    assert ran.code == 1
    assert "newer version" in ran.err
    assert ran.out == ""
    assert made.path.read_bytes() == before


def test_somebody_must_be_named(tmp_path: Path, run: Runner) -> None:
    run("case", "init", tmp_path / "c.db")
    ran = run("review", tmp_path / "c.db")
    assert ran.code == 2
    assert "--operator" in ran.err
    assert run("review", tmp_path / "none.db", "--operator", "Ben").code == 1


def test_a_socket_for_a_forwarded_connection(made: Made, tmp_path: Path, run: Runner) -> None:
    made.add("a.jpg")
    made.done()
    place = tmp_path / "page.sock"
    with reviewing(made.path, "--socket", str(place)) as (process, address):
        assert oct(place.stat().st_mode & 0o777) == "0o600"
        client = Client(address.replace(":PORT", ":8765"), unix=str(place)).enter()
        assert client.item()["left"] == 1
        assert client.get("item?at=0", Host="evil.example").status == 403
        assert run("review", made.path, "--operator", "Cem", "--socket", place).code == 2
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert not place.exists()
    other = tmp_path / "precious"
    other.write_text("kept")
    assert run("review", made.path, "--operator", "Cem", "--socket", other).code == 2
    assert other.read_text() == "kept"


def test_the_export_says_who_decided_how_long_they_looked_and_how_far_they_agree(
    made: Made, tmp_path: Path, run: Runner
) -> None:
    for number in range(4):
        made.add(f"{number}.jpg")
    made.done()
    contents = [file.sha256 for file in made.case.files()]
    said = {"Ann": ("relevant", "relevant", "not-relevant", "relevant"), "Ben": ("relevant", "not-relevant") * 2}
    for who, all_said in said.items():
        for sha256, decision in zip(contents, all_said, strict=True):
            made.case.mark(str(sha256), decision=Decision(decision), by=who)
    assert run("case", "export", made.path, "-o", tmp_path / "t", "--format", "csv").code == 0
    found = json.loads((tmp_path / "t" / "case-review-csv.json").read_text())
    (agreement,) = found["agreement"]
    assert agreement["reviewers"] == ["Ann", "Ben"]
    assert (agreement["judged_by_both"], agreement["agreed"]) == (4, 1)
    low, high = agreement["interval_95"]
    assert low < agreement["kappa"] < high
    assert run("case", "export", made.path, "-o", tmp_path / "r").code == 0
    notes = json.loads((tmp_path / "r" / "report.json").read_text())["header"]["notes"]
    assert any(note.startswith("Ann and Ben both decided about 4 file contents and agreed on 1.") for note in notes)
    assert any("pictures were visible to this person for 0.0 s" in note for note in notes)
