"""Two looks at every file say what one says; what only the first reached stands in the report all the same."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.api import Run
from nsfwforensics.core.discover import Look, Target
from nsfwforensics.core.plan import Plan
from nsfwforensics.core.types import FileReport, Priority
from nsfwforensics.errors import UsageError
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter, write_views
from nsfwforensics.request import Request
from nsfwforensics.settings import Settings
from nsfwforensics.store.casedb import CaseDatabase

QUICK = {"metadata", "provenance", "phash"}
CHOSEN = (*sorted(QUICK), "jpeg", "watermark")


def run_over(*paths: Path, **more: Any) -> Run:
    settings = Settings(isolate=False, engine="inline", thumbnails=more.pop("thumbnails", False))
    return Run(Request(list(paths), only=CHOSEN, settings=settings, **more))


def plain(file: FileReport) -> dict[str, Any]:
    dumped = file.model_dump(mode="json")
    for result in dumped["results"]:
        del result["seconds"]
    return dumped


@pytest.fixture
def folder(tmp_path: Path, samples: Path) -> Path:
    folder = tmp_path / "evidence"
    shutil.copytree(samples, folder)
    (folder / "empty.jpg").write_bytes(b"")
    return folder


def test_two_looks_say_what_one_says(folder: Path) -> None:
    once = {file.info.path: plain(file) for file in run_over(folder, thumbnails=True)}
    run = run_over(folder, thumbnails=True)
    first = list(run.first())
    assert [file.info.path for file in first] == list(once)
    assert {result.analyzer for file in first for result in file.results if result.seconds} <= QUICK
    assert not any(file.info.thumbnail for file in first)
    rest = list(run)
    assert {file.info.path: plain(file) for file in rest} == once


def test_files_with_signs_come_first_after_the_first_look(folder: Path) -> None:
    run = run_over(folder)
    urgent = [file.info.path for file in run.first() if file.priority in (Priority.HIGH, Priority.MEDIUM)]
    assert urgent
    assert {file.info.path for file, _ in zip(run, urgent, strict=False)} == set(urgent)


def test_a_file_that_changed_between_the_looks_is_examined_as_a_whole(folder: Path) -> None:
    place = folder / "camera-original.jpg"
    run = run_over(place)
    (before,) = run.first()
    shutil.copy(folder / "no-face.jpg", place)
    (after,) = run
    (whole,) = run_over(place)
    assert after.info.sha256 != before.info.sha256
    assert plain(after)["results"] == plain(whole)["results"]


def test_quick_ends_after_the_first_look(folder: Path) -> None:
    run = run_over(folder, quick=True)
    assert list(run.first()) == []
    assert set(run.plan.analyzers) == QUICK
    with pytest.raises(UsageError, match="no analyzer"):
        Run(Request([folder], only=["watermark"], quick=True, settings=Settings(isolate=False)))


def broken_off(folder: Path, where: Path, reached: int) -> Iterator[ReportWriter]:
    """A run that ends after so many second looks."""
    run = run_over(folder)
    with ReportWriter(where) as writer:
        writer.begin(run.header())
        for file in run.first():
            writer.add_first(file)
        writer.expect(str(target.path) for target in run.targets())
        for _, file in zip(range(reached), run, strict=False):
            writer.add(file)
        yield writer
        writer.finish(run.header(finished=True, interrupted=True))


@pytest.mark.parametrize("reached", [0, 3, 100])
def test_an_interrupted_run_reports_what_the_first_look_found(folder: Path, tmp_path: Path, reached: int) -> None:
    for _ in broken_off(folder, tmp_path / "report", reached):
        pass
    saved = SavedReport.open(tmp_path / "report")
    files = list(saved.files())
    assert [file.info.path for file in files] == [target.path.as_posix() for target in run_over(folder).targets()]
    examined = [file for file in files if {"jpeg", "watermark"} & {result.analyzer for result in file.results}]
    assert len(examined) == min(reached, len([file for file in files if file.info.media_type]))
    assert not (tmp_path / "report" / "first.jsonl").exists()


@pytest.mark.parametrize("reached", [0, 3])
def test_a_killed_run_is_read_with_what_the_first_look_found(folder: Path, tmp_path: Path, reached: int) -> None:
    where, left = tmp_path / "report", tmp_path / "left"
    for _ in broken_off(folder, where, reached):
        shutil.copytree(where, left, ignore=shutil.ignore_patterns("*.lock"))
    (left / "first.jsonl").write_bytes((left / "first.jsonl").read_bytes() + b'{"info": {"pa')  # cut off
    saved = SavedReport.open(left)
    assert saved.unfinished
    assert any("first look" in note for note in saved.header.notes)
    names = [file.info.name for file in saved.files()]
    assert sorted(names) == sorted(path.name for path in folder.iterdir())
    write_views(saved)
    again = SavedReport.open(left)
    assert [file.info.name for file in again.files()] == names
    assert not (left / "first.jsonl").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.execution.test_first_look import run_over
run = run_over(Path(sys.argv[1]), case=Path(sys.argv[2]))
left = int(sys.argv[3])
for number, _ in enumerate(run.first()):
    if left < 0 and number == -left:
        os.kill(os.getpid(), signal.SIGKILL)
for number, _ in enumerate(run):
    if number == left:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("left", "rest"), [(-3, 0), (0, 0), (2, 2)])
def test_a_case_resumes_at_the_analyzer(samples: Path, tmp_path: Path, left: int, rest: int) -> None:
    """A run that is killed while it looks first, before it looks again, or on the way: the next repeats nothing."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name in ("camera-original.jpg", "corrupt.jpg", "generator-metadata.png", "hostile-text.jpg", "reference.jpg"):
        shutil.copy(samples / name, folder)
    case = tmp_path / "one.nsfcase"
    arguments = [str(folder), str(case), str(left)]
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=root, check=False)
    assert killed.returncode == -signal.SIGKILL
    once = {file.info.path: plain(file) for file in run_over(folder)}
    tried = {path for path, file in once.items() if file["status"] == "failed"}  # what failed is tried again
    run = run_over(folder, case=case)
    sent: list[Target] = []
    engine_run = run.engine.run

    def seen(plan: Plan, targets: Iterable[Target]) -> Iterator[FileReport]:
        def noted() -> Iterator[Target]:
            for target in targets:
                sent.append(target)
                yield target

        return engine_run(plan, noted())

    run.engine.run = seen  # type: ignore[method-assign]
    first = list(run.first())
    repeated = [target for target in sent if target.look is Look.FIRST and str(target.path) not in tried]
    looked_before = -left if left < 0 else len(once)
    assert len(repeated) <= len(once) - looked_before
    assert bool(repeated) == (left < 0)
    found = {file.info.path: plain(file) for file in run}
    assert found == once
    assert len(first) >= len(once) - rest - len(tried)
    with CaseDatabase.open(case) as opened, opened.reading() as connection:
        (standing,) = connection.execute("SELECT count(*) FROM examinations WHERE superseded = 0").fetchone()
    assert standing == len(once)
