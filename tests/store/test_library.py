"""The library scans into a case; what counts as the same plan."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

import nsfwforensics
from nsfwforensics.analyzers.metadata.analyzer import MetadataAnalyzer
from nsfwforensics.api import Request, Run
from nsfwforensics.core.types import FileReport
from nsfwforensics.errors import CaseError, UsageError
from nsfwforensics.report.documents.case import full_entry, report_of
from nsfwforensics.settings import Settings
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.testing import contract_file


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("plain.jpg", "alpha.png"):
        (folder / name).write_bytes(contract_file(name))
    return folder


def request(folder: Path, case: Path | None) -> Run:
    return Run(Request([folder], only=["metadata"], settings=Settings(jobs=1), case=case))


def without_times(file: FileReport) -> FileReport:
    results = tuple(result.model_copy(update={"seconds": 0.0}) for result in file.results)
    return file.model_copy(update={"results": results})


def test_a_scan_into_a_case_yields_what_a_scan_yields(photos: Path, tmp_path: Path) -> None:
    plain = [without_times(file) for file in request(photos, None)]
    for done in (0, 2):
        run = request(photos, tmp_path / "c.db")
        assert [without_times(file) for file in run] == plain
        assert run.sink.already_done == done
    with CaseDatabase.open(tmp_path / "c.db") as case:
        first, second = case.headers()
        assert first.finished is not None
        assert first.fingerprint == second.fingerprint == run.plan.fingerprint()
    again = nsfwforensics.scan([], case=tmp_path / "c.db", only=["metadata"])
    assert [without_times(file) for file in again] == [plain[0], plain[1]]
    assert (again.sink.already_done, again.sink.gone) == (2, 0)


@pytest.mark.parametrize("engine", ["pool", "inline"])
def test_a_run_that_is_left_is_recorded_as_interrupted(
    photos: Path, tmp_path: Path, engine: Literal["inline", "pool"]
) -> None:
    run = iter(Run(Request([photos], ["metadata"], settings=Settings(jobs=1, engine=engine), case=tmp_path / "c.db")))
    given = next(run)
    run.close()  # type: ignore[attr-defined]
    with CaseDatabase.open(tmp_path / "c.db") as case:
        assert [header.interrupted for header in case.headers()] == [True]
        kept = [case.report(file).info.path for file in case.files()]
    assert given.info.path in kept
    if engine == "inline":  # in a pool the second file's answer may be there already, and is committed with the first's
        assert len(kept) == 1


def test_with_and_without_pictures_are_two_plans(photos: Path, tmp_path: Path) -> None:
    """Otherwise pictures of the evidence would come into a report that was to have none."""
    settings, case = Settings(jobs=1), tmp_path / "c.db"
    pictures = settings.model_copy(update={"thumbnails": True})
    shown = list(Run(Request([photos], only=["phash"], settings=pictures, case=case)))
    assert all(file.info.thumbnail for file in shown)
    run = Run(Request([photos], only=["phash"], settings=settings, case=case))
    assert not any(file.info.thumbnail for file in run)
    assert run.sink.already_done == 0
    with CaseDatabase.open(case) as opened:
        first = next(opened.files())
        assert opened.report(first).info.thumbnail
        assert report_of(opened, first).info.thumbnail is None
        assert report_of(opened, first, thumbnails=True).info.thumbnail
        assert full_entry(opened, first)["report"]["info"]["thumbnail"] is None


def test_an_analyzer_that_could_not_run_makes_another_plan(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = request(photos, None).plan.fingerprint()
    monkeypatch.setattr(MetadataAnalyzer, "unavailable", lambda _: "its model is missing")
    assert request(photos, None).plan.fingerprint() != before


def test_a_case_is_looked_at_before_anything_is_loaded(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nsfwforensics.api.select", lambda *_, **__: pytest.fail("analyzers were loaded"))
    other = tmp_path / "other.jpg"
    other.write_bytes(contract_file("plain.jpg"))
    with pytest.raises(CaseError, match="is not a case database"):
        request(photos, other)
    with pytest.raises(CaseError, match="there is no case"):
        Run(Request([], case=tmp_path / "none.db"))
    CaseDatabase.create(tmp_path / "c.db").close()
    with pytest.raises(UsageError, match="holds no files yet"):
        Run(Request([], case=tmp_path / "c.db"))
