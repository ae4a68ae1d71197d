"""The same plan gives the same findings, whatever runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.api import Request, Run
from nsfwforensics.core.types import FileReport
from nsfwforensics.execution.inline import InlineEngine
from nsfwforensics.execution.pool import PoolEngine
from nsfwforensics.settings import Settings
from nsfwforensics.testing import contract_file

NAMES = ("plain.jpg", "alpha.png", "turned.jpg", "header-only.jpg", "truncated.jpg", "animated.gif")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).write_bytes(contract_file(name))
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path


def comparable(file: FileReport) -> dict[str, Any]:
    dumped = file.model_dump(mode="json")
    for result in dumped["results"]:
        del result["seconds"]
    return dumped


def test_inline_and_pool_agree(folder: Path) -> None:
    run = Run(Request([folder], settings=Settings(device="cpu")))
    inline = [comparable(file) for file in InlineEngine().run(run.plan, run.targets())]
    pooled = [comparable(file) for file in PoolEngine(2).run(run.plan, run.targets())]
    assert [file["info"]["name"] for file in inline] == sorted((*NAMES, "notes.txt"))
    assert {result["analyzer"] for result in inline[0]["results"]} >= {"metadata", "phash", "faces", "deepfake"}
    assert inline == pooled


def test_few_files_stay_in_one_process_and_many_do_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    only = ["metadata"]
    assert isinstance(Run(Request([folder], only=only)).engine, InlineEngine)
    for index in range(20):
        (folder / f"{index}.jpg").write_bytes(b"")
    engine = Run(Request([folder], only=only)).engine
    assert isinstance(engine, PoolEngine)
    assert engine.jobs == 3
    assert isinstance(Run(Request([folder], only=only, settings=Settings(jobs=1))).engine, InlineEngine)
