from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from nsfwforensics.core.discover import Look, Target
from nsfwforensics.core.memory import give_back
from nsfwforensics.execution import machine, worker

GNU = pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="the GNU C library's")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_GROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 33554432 kB\n")
    return tmp_path


@pytest.mark.parametrize(
    ("limit", "used", "jobs"),
    [(None, None, 22), ("max", "5", 22), ("8000000000", "500000000", 5), ("1000", "2000", 1), ("?", "1", 22)],
)
def test_workers_are_as_many_as_there_is_memory_for(
    system: Path, limit: str | None, used: str | None, jobs: int
) -> None:
    if limit is not None and used is not None:
        (system / "memory.max").write_text(limit + "\n")
        (system / "memory.current").write_text(used + "\n")
    assert machine.automatic_jobs() == jobs


def test_cores_limit_them_too_and_without_figures_there_are_no_more_than_eight(
    system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (system / "meminfo").unlink()
    assert machine.automatic_jobs() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    assert machine.automatic_jobs() == 3


@GNU
def test_freed_memory_goes_back_to_the_system() -> None:
    def held() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    blocks = [b"x" * (20_000 + number) for number in range(4000)]
    last = blocks.pop()  # above all others, so that the library keeps what lies below
    blocks.clear()
    before = held()
    give_back()
    assert held() < before - 60_000_000
    assert len(last) == 23_999


@GNU
def test_an_array_lies_where_the_last_one_lay_until_memory_is_given_back_and_the_largest_go_at_once() -> None:
    code = """
import os
from nsfwforensics.core.memory import give_back
from nsfwforensics.execution import machine
def held():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
machine.keep_freed()
before = held()
arrays = [bytearray(b"x") * 7_000_000 for _ in range(12)]
arrays.clear()
kept = held() - before
give_back()
given = held() - before
bytearray(b"x") * 80_000_000
print(kept > 70_000_000, given < 10_000_000, held() - before < 10_000_000)
"""
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.split() == ["True", "True", "True"]


def test_a_worker_gives_back_after_every_25_files_of_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    looked: list[Look] = []
    monkeypatch.setattr(worker, "_plan", object())
    monkeypatch.setattr(worker, "_looks", Counter())
    monkeypatch.setattr(worker, "examine", lambda plan, target: looked.append(target.look))
    monkeypatch.setattr(worker, "give_back", lambda: given.append(len(looked)))
    for look in (*[Look.FIRST] * 30, *[Look.REST] * 50):
        worker.work(Target(Path("one.jpg"), named=True, look=look))
    assert given == [25, 55, 80]
