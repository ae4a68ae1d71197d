from __future__ import annotations

import os
from pathlib import Path

import pytest

from nsfwforensics.execution import machine


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
