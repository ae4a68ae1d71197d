"""The same plan gives the same findings, whatever runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.api import Request, Run
from nsfwforensics.core.types import FileReport
from nsfwforensics.execution.base import Engine
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


@pytest.mark.slow
def test_inline_and_pool_agree(folder: Path) -> None:
    run = Run(Request([folder], settings=Settings(device="cpu")))
    inline = [comparable(file) for file in InlineEngine().run(run.plan, run.targets())]
    pooled = [comparable(file) for file in PoolEngine(2).run(run.plan, run.targets())]
    assert [file["info"]["name"] for file in inline] == sorted((*NAMES, "notes.txt"))
    assert {result["analyzer"] for result in inline[0]["results"]} >= {"metadata", "phash", "faces", "deepfake"}
    assert inline == pooled


def test_files_are_examined_apart_unless_told_otherwise(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)

    def engine(**settings: Any) -> Engine:
        return Run(Request([folder], only=["metadata"], settings=Settings(**settings))).engine

    assert isinstance(few := engine(), PoolEngine)
    assert few.jobs == 1, "one worker is enough for a few files"
    assert isinstance(engine(isolate=False), InlineEngine)
    assert isinstance(engine(engine="inline"), InlineEngine)
    for index in range(20):
        (folder / f"{index}.jpg").write_bytes(b"")
    assert isinstance(many := engine(), PoolEngine)
    assert many.jobs == 3
    assert isinstance(one := engine(jobs=1), PoolEngine)
    assert one.jobs == 1
    assert isinstance(engine(isolate=False), InlineEngine)
    assert isinstance(engine(isolate=False, jobs=2), PoolEngine)
