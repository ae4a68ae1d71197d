"""A file that travels with its bytes is reported as one that was opened where it lies."""

# ruff: noqa: F811 - fixtures of other folders
from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from nsfwforensics.api import Request, Run
from nsfwforensics.core.discover import Target
from nsfwforensics.core.draft import Draft
from nsfwforensics.core.types import FileReport
from nsfwforensics.execution import parcels, ray_pool
from nsfwforensics.execution.inline import InlineEngine
from nsfwforensics.execution.ray_pool import RayEngine
from nsfwforensics.settings import Settings
from nsfwforensics.testing import contract_file
from tests.execution.test_engines import comparable, folder  # noqa: F401 - a fixture

MOST = 100_000_000


@pytest.fixture
def lying(tmp_path: Path) -> Path:
    """A folder with a photo, notes about it, a broken one, and what is no picture."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(contract_file("plain.jpg"))
    notes = {"title": "a.jpg", "photoTakenTime": {"timestamp": "1600000000"}, "description": "harbour, from the boat"}
    (folder / "a.jpg.json").write_text(json.dumps(notes))
    os.utime(folder / "a.jpg", ns=(1_600_000_000_000_000_000, 1_600_000_000_123_456_789))
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(500))
    (folder / "c.txt").write_text("no picture")
    return folder


def test_parcels_are_examined_as_if_they_lay_where_they_came_from(lying: Path) -> None:
    run = Run(Request([lying], only=["metadata", "phash"], settings=Settings(device="cpu", engine="inline")))
    targets = list(run.targets())
    expected = [comparable(file) for file in InlineEngine().run(run.plan, targets)]
    sent = [ray_pool._packed(run.plan, target) for target in targets]
    assert [type(one) for one in sent] == [parcels.Parcel] * len(targets)
    shutil.rmtree(lying)  # nothing is to be seen there any more
    found = []
    for one in sent:
        assert isinstance(one, parcels.Parcel)
        with parcels.unpacked(one) as here:
            draft = parcels.readdressed(run.plan.examine_file(here), one.target)
            assert isinstance(draft, Draft)
            found += [comparable(file) for file in run.plan.infer([draft])]
        assert not here.path.exists()
    assert found == expected
    assert "harbour, from the boat" in json.dumps(found[0]), "notes beside the picture travelled with it"


def test_what_cannot_be_packed_is_said_by_who_sees_it(lying: Path) -> None:
    link = lying / "link.jpg"
    link.symlink_to(lying / "a.jpg")
    (lying / "empty.jpg").write_bytes(b"")
    settings = Settings(device="cpu", engine="inline", max_bytes=400)
    run = Run(Request([lying], only=["phash"], settings=settings))
    reports = {}
    for target in run.targets():
        sent = ray_pool._packed(run.plan, target)
        if isinstance(sent, FileReport):
            reports[target.path.name] = sent
    expected = {Path(file.info.path).name: file for file in InlineEngine().run(run.plan, run.targets())}
    assert {"a.jpg", "b.jpg", "empty.jpg", "link.jpg"} <= set(reports)
    for name, report in reports.items():
        assert comparable(report) == comparable(expected[name])
    assert "--max-bytes" in str(reports["b.jpg"].error)


def test_many_bytes_make_small_chunks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ray_pool, "MOST_BYTES", 250)
    targets = []
    for number in range(6):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(bytes(100))
        targets.append(Target(path, named=False))
    engine = RayEngine.__new__(RayEngine)
    waiting, engine.send_bytes = iter(targets), True
    assert [len(engine._taken(waiting, 4)) for _ in range(3)] == [3, 3, 0]
    waiting, engine.send_bytes = iter(targets), False
    assert [len(engine._taken(waiting, 4)) for _ in range(3)] == [4, 2, 0]


@pytest.mark.ray
@pytest.mark.slow
def test_sent_files_and_opened_ones_are_reported_alike(folder: Path) -> None:
    pytest.importorskip("ray", reason="needs the ray extra")
    prepared = Run(Request([folder], settings=Settings(device="cpu")))
    inline = [comparable(file) for file in InlineEngine().run(prepared.plan, prepared.targets())]
    sent = RayEngine(2, send_bytes=True).run(prepared.plan, prepared.targets())
    assert [comparable(file) for file in sent] == inline
