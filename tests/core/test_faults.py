"""A fault in any step of one file's way is that file's failure; the files before and after it are examined."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from nsfwforensics.core import assess, evidence, plan
from nsfwforensics.core.analyzer import Analyzer, BaseAnalyzer, BatchAnalyzer, Code, Outcome
from nsfwforensics.core.discover import Target, discover
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.plan import Plan, PlanSpec
from nsfwforensics.core.types import Artifact, FileInfo, FileReport, FileStatus, Finding, Question, Severity
from nsfwforensics.errors import ReportError
from nsfwforensics.execution.base import BATCH_FILES
from nsfwforensics.execution.inline import InlineEngine
from nsfwforensics.execution.pool import finished
from nsfwforensics.report import writer
from nsfwforensics.report.documents import csv
from nsfwforensics.report.page import html
from nsfwforensics.report.saved import json as report_json
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter, write_views
from nsfwforensics.store import documents as stored
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.scanning import CaseScan
from tests.formats.make import jpeg
from tests.report.factory import file as made_file
from tests.report.factory import header

BAD = "b.jpg"


class Ended(BaseException):
    """What no handler for ``Exception`` catches."""


class MuteError(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise Ended


def endless(depth: int = 0) -> int:
    return endless(depth + 1)


def raising(error: BaseException) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


RAISED: dict[str, Callable[..., Any]] = {
    "an error": raising(ValueError("on purpose")),
    "an exit": raising(SystemExit(0)),
    "no exception": raising(Ended()),
    "memory": raising(MemoryError()),
    "recursion": endless,
    "an error that cannot say what it is": raising(MuteError()),
    "a generator's end": raising(GeneratorExit()),
    "the end of an iteration": raising(StopIteration()),
    "a system error": raising(OSError(5, "Input/output error")),
    "text that cannot be stored": raising(ValueError("\udcff\x1b[2J")),
}


class _Subclass(Finding):
    """A finding that cannot be written."""

    def model_dump(self, **_: Any) -> Any:
        raise Ended


def _finding(**changes: Any) -> Finding:
    values = {"code": "PROBE-001", "title": "t", "severity": "low", "support": "supports", "explanation": "e"}
    return Finding.model_construct(**values | {"caveat": "c", "data": {}, "wording": {}, "region": None} | changes)


GARBAGE: dict[str, object] = {
    "nothing": None,
    "text": "found",
    "a class": Outcome,
    "findings that are none": Outcome(status="ok", findings=(object(),)),  # type: ignore[arg-type]
    "a status that is none": Outcome(status="fine"),  # type: ignore[arg-type]
    "data that is none": Outcome.of([_finding(data={"x": object()})]),
    "a number that is none": Outcome.of([_finding(likelihood=2.0)]),
    "an artifact that is none": Outcome.of((), None, [Artifact.model_construct(name="x", media_type=7, data=3)]),
    "measurements that are none": Outcome(status="ok", measurements=[1]),  # type: ignore[arg-type]
}


class Probe(Analyzer):
    """Does to the one file whatever is asked of it."""

    name = "probe"
    version = "1"
    title = "a probe"
    question = Question.KNOWN
    codes: ClassVar = {"PROBE-001": Code("seen", Severity.LOW, "only a probe")}
    behaviour: ClassVar[Callable[..., Any]]

    def examine(self, evidence: Evidence) -> Outcome:
        if evidence.path.name == BAD:
            return type(self).behaviour()  # type: ignore[no-any-return]
        return Outcome.of([self.finding("PROBE-001", "seen")])


class Batch(BatchAnalyzer[str, str]):
    """The same in three steps."""

    name = "batch"
    version = "1"
    title = "a batch"
    question = Question.KNOWN
    codes: ClassVar = {}
    step: ClassVar[str]
    behaviour: ClassVar[Callable[..., Any]]

    def prepare(self, evidence: Evidence) -> str:
        if (self.step, evidence.path.name) == ("prepare", BAD):
            return type(self).behaviour()  # type: ignore[no-any-return]
        return evidence.path.name

    def infer(self, batch: Sequence[str]) -> Sequence[str]:
        if self.step == "infer" and BAD in batch:
            return type(self).behaviour()  # type: ignore[no-any-return]
        return batch

    def conclude(self, info: FileInfo, scores: str) -> Outcome:
        if (self.step, scores) == ("conclude", BAD):
            return type(self).behaviour()  # type: ignore[no-any-return]
        return Outcome.of()


@dataclass
class Registered:
    """Stands for what is installed."""

    loaded: type[BaseAnalyzer]
    origin: str = "a stranger 1.0"

    @property
    def name(self) -> str:
        return self.loaded.name

    def load(self) -> type[BaseAnalyzer]:
        return self.loaded


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    evidence_folder = tmp_path / "photos"
    evidence_folder.mkdir()
    for name in ("a.jpg", BAD, "c.jpg"):
        (evidence_folder / name).write_bytes(jpeg() + name.encode())
    known = (*plan.installed(), Registered(Probe), Registered(Batch))
    monkeypatch.setattr(plan, "installed", lambda: known)
    return evidence_folder


def examined(folder: Path, *names: str) -> dict[str, FileReport]:
    found = InlineEngine().run(Plan(PlanSpec(names)), discover([folder]))
    return {Path(file.info.path).name: file for file in found}


def only_the_bad_one_failed(found: dict[str, FileReport]) -> str:
    """What is said of the bad file, once all others were found to be well."""
    assert list(found) == ["a.jpg", BAD, "c.jpg"]
    assert found["a.jpg"].status is found["c.jpg"].status is FileStatus.OK
    assert found[BAD].status is FileStatus.FAILED
    report_json.file_line(found[BAD])
    said = [found[BAD].error, *(result.error for result in found[BAD].results)]
    (reason,) = [text for text in said if text]
    assert "\n" not in reason
    return reason


@pytest.mark.parametrize("fault", RAISED)
def test_an_analyzer_may_raise_anything(folder: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "behaviour", staticmethod(RAISED[fault]), raising=False)
    found = examined(folder, "probe", "metadata")
    only_the_bad_one_failed(found)
    assert {result.analyzer: result.status.value for result in found[BAD].results}["metadata"] != "failed"


@pytest.mark.parametrize("fault", GARBAGE)
def test_an_analyzer_may_return_anything(folder: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "behaviour", staticmethod(lambda: GARBAGE[fault]), raising=False)
    only_the_bad_one_failed(examined(folder, "probe", "metadata"))


def test_nothing_of_a_strangers_own_classes_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _Subclass(**dict(_finding()))
    monkeypatch.setattr(Probe, "behaviour", staticmethod(lambda: Outcome.of([own])), raising=False)
    (finding,) = examined(folder, "probe")[BAD].findings
    assert type(finding) is Finding


@pytest.mark.parametrize("step", ["prepare", "infer", "conclude"])
@pytest.mark.parametrize("fault", RAISED)
def test_every_step_of_a_batch_may_raise_anything(
    folder: Path, step: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batch, "step", step, raising=False)
    monkeypatch.setattr(Batch, "behaviour", staticmethod(RAISED[fault]), raising=False)
    only_the_bad_one_failed(examined(folder, "batch"))


@pytest.mark.parametrize("fault", RAISED)
def test_a_file_that_breaks_a_batch_costs_only_itself(
    folder: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batch, "step", "infer", raising=False)
    monkeypatch.setattr(Batch, "behaviour", staticmethod(RAISED[fault]), raising=False)
    made = Plan(PlanSpec(("batch",)))
    together = finished(made, map(made.examine_file, discover([folder])))
    only_the_bad_one_failed({Path(file.info.path).name: file for file in together})


def test_a_batch_that_the_device_cannot_hold_is_done_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A made device that holds three pictures, and a queue with more files than that and than a batch."""
    for number in range(20):
        (folder / f"d-{number:02}.jpg").write_bytes(jpeg())
    sizes: list[int] = []

    def infer(_: Batch, batch: Sequence[str]) -> Sequence[str]:
        sizes.append(len(batch))
        if len(batch) > 3:
            raise MemoryError("out of memory on the device")
        return batch

    monkeypatch.setattr(Batch, "step", "", raising=False)
    monkeypatch.setattr(Batch, "infer", infer)
    made = Plan(PlanSpec(("batch",)))
    targets = list(discover([folder]))
    halves = [made.examine_file(target) for target in targets]
    halves[7] = made.infer([made.unread(targets[7], "its worker died")])[0]  # comes finished, between drafts
    sizes.clear()
    found = list(finished(made, halves))
    assert [file.info.path for file in found] == [str(target.path) for target in targets]
    assert [place for place, file in enumerate(found) if file.status is FileStatus.FAILED] == [7]
    assert max(sizes) == BATCH_FILES and sum(size for size in sizes if size <= 3) == len(targets) - 1


@pytest.mark.parametrize("answer", [None, (), [1, 2, 3], 7, {"a": 1, "b": 2}])
def test_a_batch_may_be_answered_with_anything(folder: Path, answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batch, "step", "infer", raising=False)
    monkeypatch.setattr(Batch, "behaviour", staticmethod(lambda: answer), raising=False)
    only_the_bad_one_failed(examined(folder, "batch"))


def of_the_bad_file(original: Callable[..., Any], fault: Callable[..., Any], about: Callable[..., Any]) -> Any:
    """Fails where a step is about the bad file, and else does what it did."""

    def call(*arguments: Any, **named: Any) -> Any:
        return fault() if about(*arguments) else original(*arguments, **named)

    return call


@pytest.mark.parametrize("fault", RAISED)
@pytest.mark.parametrize("step", ["open", "hash", "sniff", "decode", "describe", "after", "assess"])
def test_every_step_of_ours_may_raise_anything(
    folder: Path, step: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = (folder / BAD).read_bytes()
    place, name, about = {
        "open": (evidence, "open_evidence", lambda path: path.name == BAD),
        "hash": (evidence.hashlib, "sha256", lambda data=b"", **_: data == bad),
        "sniff": (evidence, "sniff", lambda _: reading[-1:] == [BAD]),
        "decode": (evidence, "decode", lambda data, *_: data == bad),
        "describe": (evidence, "header_size", lambda data, *_: data == bad),
        "after": (Evidence, "after", lambda self: self.path.name == BAD),
        "assess": (assess, "priority", lambda results, _: any(r.error == BAD for r in results)),
    }[step]
    reading: list[str] = []
    token = evidence.now_reading.set(lambda path: reading.append(path.name))
    monkeypatch.setattr(Probe, "behaviour", staticmethod(lambda: Outcome.not_applicable(BAD)), raising=False)
    monkeypatch.setattr(place, name, of_the_bad_file(getattr(place, name), RAISED[fault], about))
    found = examined(folder, "probe", "jpeg", "phash")
    evidence.now_reading.reset(token)
    assert list(found) == ["a.jpg", BAD, "c.jpg"]
    assert found["a.jpg"].status is found["c.jpg"].status is FileStatus.OK
    assert found[BAD].status is FileStatus.FAILED
    report_json.file_line(found[BAD])


def test_ctrl_c_is_nobodys_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "behaviour", staticmethod(raising(KeyboardInterrupt())), raising=False)
    with pytest.raises(KeyboardInterrupt):
        examined(folder, "probe")


@pytest.mark.parametrize("fault", ["an error", "an error that cannot say what it is", "recursion", "memory"])
def test_a_report_that_cannot_be_written_is_a_failed_file(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = lambda file: file.info.path == BAD and not file.error  # noqa: E731
    monkeypatch.setattr(writer, "line", of_the_bad_file(writer.line, RAISED[fault], about))
    with ReportWriter(tmp_path / "out") as opened:
        opened.begin(header())
        written = [opened.add(made_file(name)) for name in ("a.jpg", BAD, "c.jpg")]
        opened.finish(header())
    assert [file.status for file in written] == [FileStatus.OK, FileStatus.FAILED, FileStatus.OK]
    assert list(SavedReport.open(tmp_path / "out").files()) == written
    assert "cannot be written" in str(written[1].error)


def test_a_result_that_cannot_be_stored_in_a_case_is_a_failed_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = stored.insert
    about = lambda _, file: file.info.name == BAD and not file.error  # noqa: E731
    monkeypatch.setattr(stored, "insert", of_the_bad_file(insert, RAISED["an error"], about))
    targets = [Target(tmp_path / name, named=True) for name in ("a.jpg", BAD, "c.jpg")]
    with CaseDatabase.open_or_create(tmp_path / "x.case") as case, CaseScan(case, header()) as scan:
        done = scan.reports(lambda todo: (made_file(str(each.path)) for each in todo), lambda: iter(targets))
        assert [file.status.value for file in done] == ["ok", "failed", "ok"]
        scan.end(header())
        assert [file.status for file in case.files()].count("failed") == 1


@pytest.mark.parametrize("view", ["report.html", "summary.csv"])
def test_a_view_that_cannot_be_made_costs_nothing_else(
    tmp_path: Path, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = html if view == "report.html" else csv
    with monkeypatch.context() as patch, ReportWriter(tmp_path / "out") as writer:
        patch.setattr(place, "write", RAISED["an error"])
        writer.begin(header())
        writer.add(made_file("a.jpg"))
        with pytest.raises(ReportError, match=rf"{view} cannot be made: ValueError: on purpose; all else"):
            writer.finish(header())
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert there == {"report.json", "report.html", "summary.csv", "files.jsonl", "SHA256SUMS"} - {view}
    write_views(SavedReport.open(tmp_path / "out"))
    assert (tmp_path / "out" / view).is_file()


def test_a_folder_of_a_report_that_is_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with ReportWriter(out) as writer:
        writer.begin(header())
        writer.add(made_file("a.jpg"))
        for path in out.iterdir():
            path.unlink()
        out.rmdir()
        writer.add(made_file("b.jpg"))
        for path in out.iterdir():
            path.unlink()
        out.rmdir()
        writer.finish(header())
    assert [file.info.path for file in SavedReport.open(out).files()] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("seconds", [10**12, -(10**12), 2**55, -1, 0, 253_402_300_800, -62_135_596_801])
def test_a_time_that_no_calendar_reaches_is_only_a_time(folder: Path, seconds: int) -> None:
    real = os.fstat

    def stat(number: int) -> Any:
        found = real(number)
        names = ("st_mode", "st_size", "st_dev", "st_ino", "st_nlink")
        return SimpleNamespace(**{name: getattr(found, name) for name in names}, st_mtime_ns=seconds * 10**9)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence.os, "fstat", stat)
        found = examined(folder, "metadata", "provenance")
    for file in found.values():
        assert file.status is FileStatus.OK
        assert file.info.modified
        assert not file.info.changed


def test_hashes_are_those_of_the_bytes(folder: Path) -> None:
    Probe.behaviour = staticmethod(lambda: Outcome.of())  # type: ignore[assignment]
    found = examined(folder, "probe")[BAD]
    assert found.info.sha256 == hashlib.sha256((folder / BAD).read_bytes()).hexdigest()
