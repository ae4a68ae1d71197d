"""A scan into a case does what is not done, once, whoever else is at it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.discover import Target
from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import CaseError
from nsfwforensics.store import runs, scanning
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.claims import claim_key
from nsfwforensics.store.rows import Decision, Done
from nsfwforensics.store.runs import stored_path
from nsfwforensics.store.scanning import CaseScan, belongs_to_case
from tests.report.factory import file, header, result
from tests.store.conftest import sha


class Examiner:
    """Reads files and finds nothing; counts what it was given."""

    def __init__(self, ahead: int = 3) -> None:
        self.given: list[str] = []
        self.ahead = ahead
        self.interrupt_at: int | None = None

    def __call__(self, targets: Iterable[Target]) -> Iterator[FileReport]:
        waiting: list[Target] = []
        for target in targets:
            self.given.append(target.path.name)
            waiting.append(target)
            if len(waiting) >= self.ahead:
                yield self._report(waiting.pop(0))
        for target in waiting:
            yield self._report(target)

    def _report(self, target: Target) -> FileReport:
        if self.interrupt_at is not None:
            self.interrupt_at -= 1
            if self.interrupt_at < 0:
                raise KeyboardInterrupt
        if target.skip:
            return file(str(target.path), error=target.skip, skipped=True, info={"sha256": None, "size": None})
        content = target.path.read_text()
        error = "broken" if content.startswith("broken") else None
        info = {"sha256": sha(content), "size": len(content)}
        return file(str(target.path), result(), error=error, info=info)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "evidence"
    found.mkdir()
    for index in range(10):
        (found / f"{index}.jpg").write_text(f"picture {index}")
    return found


def targets(folder: Path) -> Iterator[Target]:
    for path in sorted(folder.iterdir()):
        yield Target(path, named=False, skip="a symbolic link" if path.is_symlink() else None)


def scan(case: CaseDatabase, folder: Path, examine: Examiner, plan: str = "plan") -> tuple[list[str], int]:
    with CaseScan(case, header(fingerprint=plan)) as scanned:
        names = [report.info.name for report in scanned.reports(examine, lambda: targets(folder))]
    return names, scanned.already_done


NAMES = [f"{index}.jpg" for index in range(10)]


def test_the_second_time_nothing_is_examined_and_all_is_reported(case: CaseDatabase, folder: Path) -> None:
    assert scan(case, folder, Examiner()) == (NAMES, 0)
    again = Examiner()
    assert scan(case, folder, again) == (NAMES, 10)
    assert again.given == []
    assert case.info().files == 10


def test_saved_and_new_files_are_reported_in_the_order_of_the_targets(case: CaseDatabase, folder: Path) -> None:
    hidden = [folder / name for name in ("0.jpg", "3.jpg", "4.jpg", "9.jpg")]
    for path in hidden:
        path.rename(path.with_name(f"{path.name}.away"))
    apart = folder.with_name("apart")
    apart.mkdir()
    for path in hidden:
        path.with_name(f"{path.name}.away").rename(apart / path.name)
    scan(case, folder, Examiner())
    for path in hidden:
        (apart / path.name).rename(path)
    examine = Examiner()
    assert scan(case, folder, examine) == (NAMES, 6)
    assert examine.given == ["0.jpg", "3.jpg", "4.jpg", "9.jpg"]


@pytest.mark.parametrize(("seconds", "waits"), [(0.0, True), (3600.0, False)])
def test_a_scan_waits_for_the_disk_when_it_is_due_and_at_its_end(
    case: CaseDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, waits: bool
) -> None:
    monkeypatch.setattr(scanning, "FLUSH_SECONDS", seconds)
    settings: list[int] = []
    save = runs.save

    def seen(connection: sqlite3.Connection, *arguments: Any) -> None:
        settings.extend(connection.execute("PRAGMA synchronous").fetchone())
        save(connection, *arguments)

    monkeypatch.setattr(runs, "save", seen)
    case._connection.execute("PRAGMA synchronous = FULL")  # as a case is opened
    scan(case, folder, Examiner())
    assert set(settings) == {2 if waits else 1}
    with case.writing() as connection:  # a decision, or the end of the scan
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def committed_names(case: CaseDatabase) -> set[str]:
    with CaseDatabase.open(case.path) as other:
        return {Path(each.path).name for each in other.files()}


def test_reports_that_are_there_already_are_committed_together_before_any_of_them_is_handed_on(
    case: CaseDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "MOST_AT_ONCE", 4)
    answers = iter([True, True, False, True, True, True, True, True, True, True])
    transactions: list[bool] = []
    writing = case.writing
    monkeypatch.setattr(case, "writing", lambda **how: (transactions.append(True), writing(**how))[1])
    with CaseScan(case, header(fingerprint="plan")) as scanned:
        before = len(transactions)
        seen = [
            (report.info.name, len(committed_names(case)), len(transactions) - before)
            for report in scanned.reports(Examiner(), lambda: targets(folder), lambda: next(answers))
        ]
    assert [name for name, _, _ in seen] == NAMES
    assert [(files, commits) for _, files, commits in seen] == [(3, 1)] * 3 + [(7, 2)] * 4 + [(10, 3)] * 3
    assert case.problems() == []


def test_of_files_that_are_committed_together_one_that_cannot_be_stored_costs_itself(
    case: CaseDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = scanning.documents.insert

    def fussy(connection: sqlite3.Connection, report: FileReport, **how: Any) -> None:
        if report.info.name == "2.jpg" and report.error is None:
            raise ValueError("a number that no database holds")
        insert(connection, report, **how)

    monkeypatch.setattr(scanning.documents, "insert", fussy)
    with CaseScan(case, header(fingerprint="plan")) as scanned:
        reports = list(scanned.reports(Examiner(), lambda: targets(folder), lambda: True))
    assert [report.info.name for report in reports] == NAMES
    assert [report.info.name for report in reports if report.error] == ["2.jpg"]
    assert "a number that no database holds" in str(reports[2].error)
    assert scan(case, folder, Examiner())[1] == 9


@pytest.mark.parametrize("first", [True, False])
def test_what_waited_to_be_committed_is_kept_when_the_scan_is_broken_off(
    case: CaseDatabase, folder: Path, first: bool
) -> None:
    examine = Examiner()
    examine.interrupt_at = 5
    names = []
    with pytest.raises(KeyboardInterrupt), CaseScan(case, header(fingerprint="plan")) as scanned:
        look = scanned.first if first else scanned.reports
        for report in look(examine, lambda: targets(folder), lambda: True):
            names.append(report.info.name)  # noqa: PERF401 - what came before the interrupt counts
    assert committed_names(case) == set(NAMES[:5])
    assert names == ([] if first else NAMES[:5])
    if not first:
        assert scan(case, folder, Examiner()) == (NAMES, 5)


def test_what_another_scan_does_meanwhile_is_not_repeated_and_nothing_is_looked_up_before_there_is_one(
    case: CaseDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    done = runs.done

    def counted(connection: sqlite3.Connection, raw: bytes, *fingerprints: str) -> Done | None:
        asked.append(Path(os.fsdecode(raw)).name)
        return done(connection, raw, *fingerprints)

    monkeypatch.setattr(runs, "done", counted)
    examine = Examiner(ahead=1)
    with CaseScan(case, header(fingerprint="plan")) as scanned:
        reports = scanned.reports(examine, lambda: targets(folder))
        names = [next(reports).info.name for _ in range(3)]
        asked_before = asked.copy()
        with CaseDatabase.open(case.path) as other:
            assert scan(other, folder, Examiner()) == (NAMES, 3)
        names += [report.info.name for report in reports]
    assert names == NAMES
    assert examine.given == ["0.jpg", "1.jpg", "2.jpg"]
    assert not set(asked_before) - {"0.jpg"}  # before anything is known of others


def test_another_plan_examines_again(case: CaseDatabase, folder: Path) -> None:
    scan(case, folder, Examiner())
    examine = Examiner()
    assert scan(case, folder, examine, plan="another") == (NAMES, 0)
    assert examine.given == NAMES
    assert scan(case, folder, Examiner()) == (NAMES, 10)


def test_what_changed_and_what_failed_is_examined_again(case: CaseDatabase, folder: Path) -> None:
    (folder / "2.jpg").write_text("broken")
    scan(case, folder, Examiner())
    (folder / "5.jpg").write_text("longer than before")
    examine = Examiner()
    assert scan(case, folder, examine)[1] == 8
    assert examine.given == ["2.jpg", "5.jpg"]


def test_a_change_behind_the_back_of_size_and_time_is_found(case: CaseDatabase, folder: Path) -> None:
    scan(case, folder, Examiner())
    path = folder / "7.jpg"
    before = path.stat()
    path.write_text("PICTURE 7")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    examine = Examiner()
    scan(case, folder, examine)
    assert examine.given == ["7.jpg"]
    assert case.find("7.jpg")[0].sha256 == sha("PICTURE 7")


def test_a_change_of_properties_alone_costs_one_reading(
    case: CaseDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(case, folder, Examiner())
    (folder / "7.jpg").chmod(0o600)
    (folder / "7.jpg").chmod(0o640)
    read: list[str] = []
    digest = scanning.file_sha256
    monkeypatch.setattr(scanning, "file_sha256", lambda path, **how: (read.append(path.name), digest(path, **how))[1])
    for _ in range(2):
        examine = Examiner()
        assert scan(case, folder, examine) == (NAMES, 10)
        assert examine.given == []
    assert read == ["7.jpg"]


def test_links_and_the_like_are_accounted_for_each_time(case: CaseDatabase, folder: Path) -> None:
    (folder / "link").symlink_to(folder / "1.jpg")
    for _ in range(2):
        assert scan(case, folder, Examiner())[0] == [*NAMES, "link"]
    assert case.find("link")[0].status == "skipped"
    assert case.info().files == 11


def test_a_path_that_is_named_twice_is_examined_once(case: CaseDatabase, folder: Path) -> None:
    examine = Examiner()
    with CaseScan(case, header()) as scanned:
        twice = list(scanned.reports(examine, lambda: iter([*targets(folder), *targets(folder)])))
    assert len(twice) == 10
    assert examine.given == NAMES


def test_after_an_interrupt_everything_that_is_saved_is_reported(case: CaseDatabase, folder: Path) -> None:
    for name in NAMES[:6]:
        (folder / name).rename(folder.with_name(name))
    scan(case, folder, Examiner())
    for name in NAMES[:6]:
        folder.with_name(name).rename(folder / name)
    examine = Examiner(ahead=2)
    examine.interrupt_at = 3
    names = []
    with pytest.raises(KeyboardInterrupt), CaseScan(case, header(fingerprint="plan")) as scanned:
        for report in scanned.reports(examine, lambda: targets(folder)):
            names.append(report.info.name)  # noqa: PERF401 - what came before the interrupt counts
    assert names == ["0.jpg", "1.jpg", "2.jpg", "6.jpg", "7.jpg", "8.jpg", "9.jpg"]
    assert scan(case, folder, Examiner()) == (NAMES, 7)


def test_what_another_process_is_busy_with_comes_last(
    case: CaseDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one finishes one of its files, and dies over the next."""
    busy = {claim_key(stored_path(folder / name)) for name in ("0.jpg", "1.jpg")}
    waits = []

    def wait(_: float) -> None:
        waits.append(len(busy))
        if len(waits) == 1:
            with CaseDatabase.open(case.path) as other, other.writing() as connection:
                record = scanning.runs.begin(connection, header(fingerprint="plan"))
                report = next(Examiner()([Target(folder / "0.jpg", named=False)]))
                seen = scanning.Stat.of(folder / "0.jpg")
                scanning.runs.save(connection, record, folder / "0.jpg", report, seen)
        busy.pop()

    monkeypatch.setattr(scanning.time, "sleep", wait)
    with CaseScan(case, header(fingerprint="plan")) as scanned:
        take = scanned._claims.take
        monkeypatch.setattr(scanned._claims, "take", lambda key: key not in busy and take(key))
        examine = Examiner()
        names = [report.info.name for report in scanned.reports(examine, lambda: targets(folder))]
    assert names[:8] == NAMES[2:]
    assert sorted(names) == NAMES
    assert scanned.already_done == 1
    assert examine.given == [*NAMES[2:], "1.jpg"]
    assert waits
    assert case.info().files == 10


def test_a_full_disk_ends_the_scan_and_keeps_what_was_done(case: CaseDatabase, folder: Path) -> None:
    with case.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    done = []
    with pytest.raises(CaseError, match="the disk is full"), CaseScan(case, header(fingerprint="plan")) as scanned:
        for report in scanned.reports(Examiner(), lambda: targets(folder)):
            done.append(report.info.name)  # noqa: PERF401
    with case.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert [Path(f.path).name for f in case.files()] == done
    assert scan(case, folder, Examiner()) == (NAMES, len(done))
    assert case.problems() == []


def test_marks_are_on_what_a_scan_yields_and_not_on_what_it_saves(case: CaseDatabase, folder: Path) -> None:
    scan(case, folder, Examiner())
    case.mark(sha("picture 3"), decision=Decision.RELEVANT)
    for plan in ("plan", "another", "another"):
        with CaseScan(case, header(fingerprint=plan)) as scanned:
            reports = list(scanned.reports(Examiner(), lambda: targets(folder)))
        assert [[f.code for f in report.findings] for report in reports] == [[]] * 3 + [["CASE-001"]] + [[]] * 6
    with case.reading() as connection:
        assert connection.execute("SELECT count(*) FROM findings").fetchone() == (0,)


def test_an_engine_that_mixes_up_its_targets_saves_nothing_under_a_wrong_name(case: CaseDatabase, folder: Path) -> None:
    def reverse(targets: Iterable[Target]) -> Iterator[FileReport]:
        return Examiner()(reversed(list(targets)))

    with pytest.raises(RuntimeError, match="order"), CaseScan(case, header()) as scanned:
        list(scanned.reports(reverse, lambda: targets(folder)))
    assert case.info().files == 0


def test_the_case_and_what_stands_beside_it_belong_to_it(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    (tmp_path / "other").mkdir()
    (tmp_path / "way").symlink_to(tmp_path)
    for name in ("c.db", "c.db-wal", "c.db-shm", "c.db-journal", "c.db-lock"):
        assert belongs_to_case(tmp_path / name, path)
        assert belongs_to_case(tmp_path / "way" / name, path)
        assert not belongs_to_case(tmp_path / "other" / name, path)
        assert belongs_to_case(tmp_path / name, tmp_path / "way" / "c.db")
    assert not belongs_to_case(tmp_path / "c.db.jpg", path)
