"""Ray runs the same plan, keeps the order, and loses no more than the file that kills its worker."""

# ruff: noqa: F811 - fixtures of other folders
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nsfwforensics.api import Request, Run
from nsfwforensics.errors import MissingDependencyError
from nsfwforensics.execution import ray_pool
from nsfwforensics.execution.inline import InlineEngine
from nsfwforensics.execution.ray_pool import RayEngine
from nsfwforensics.settings import Settings
from nsfwforensics.testing import contract_file
from tests.e2e.conftest import Runner, photos, plugin, run  # noqa: F401 - fixtures
from tests.execution.test_engines import comparable, folder  # noqa: F401 - a fixture

pytestmark = pytest.mark.ray
SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture
def _ray() -> None:
    pytest.importorskip("ray", reason="needs the ray extra")


@pytest.mark.slow
@pytest.mark.usefixtures("_ray")
def test_inline_and_ray_agree_over_the_samples() -> None:
    options = {
        "faces": {"reference": [SAMPLES / "reference.jpg"]},
        "compare": {"original": [SAMPLES / "camera-original.jpg"]},
    }
    prepared = Run(Request([SAMPLES], options=options, settings=Settings(device="cpu")))
    inline = [comparable(file) for file in InlineEngine().run(prepared.plan, prepared.targets())]
    rayed = [comparable(file) for file in RayEngine(2).run(prepared.plan, prepared.targets())]
    assert len(inline) > 15
    assert inline == rayed


@pytest.mark.slow
@pytest.mark.usefixtures("_ray")
def test_a_device_stage_of_its_own_changes_nothing(folder: Path) -> None:
    prepared = Run(Request([folder], settings=Settings(device="cpu")))
    inline = [comparable(file) for file in InlineEngine().run(prepared.plan, prepared.targets())]
    rayed = RayEngine(2, device_stage=True).run(prepared.plan, prepared.targets())
    assert inline == [comparable(file) for file in rayed]


@pytest.mark.slow
@pytest.mark.usefixtures("_ray")
def test_a_file_that_kills_or_holds_its_worker_costs_only_itself(run: Runner, photos: Path, plugin: Path) -> None:
    for index in range(12):
        (photos / f"c-{index:02}.jpg").write_bytes(contract_file("plain.jpg"))
    for name in ("b-killer.jpg", "c-05-hanging.jpg", "z-segfault.jpg"):
        (photos / name).write_bytes(contract_file("plain.jpg"))
    limits = ("--max-seconds", "8", "--jobs", "2", "--engine", "ray")
    ran = run("scan", photos, "--only", "probe", "--allow-plugins", "--json", *limits, path=plugin)
    assert ran.code == 4, ran.err
    names = [Path(file["info"]["path"]).name for file in ran.report["files"]]
    assert names == sorted(path.name for path in photos.iterdir())
    failed = {Path(f["info"]["path"]).name: f["error"] for f in ran.report["files"] if f["status"] == "failed"}
    assert set(failed) == {"b-killer.jpg", "c-05-hanging.jpg", "z-segfault.jpg"}
    assert "8 seconds" in failed["c-05-hanging.jpg"]
    assert "died" in failed["b-killer.jpg"]
    assert ran.report["header"]["engine"].startswith("ray, 2")


def test_without_ray_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingDependencyError, match="nsfwforensics\\[ray\\]"):
        RayEngine(1)


def test_an_examiner_that_was_lost_gets_nothing_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a made Ray: a promise is a function that is not there yet, raises, or returns."""

    class GoneError(Exception):
        pass

    pending: set[Any] = set()

    def waited(promises: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        ready = [promise for promise in promises if promise not in pending]
        return ready, [promise for promise in promises if promise in pending]

    def gone() -> None:
        raise GoneError

    made = SimpleNamespace(
        wait=waited, get=lambda promise: promise(), exceptions=SimpleNamespace(RayError=GoneError)
    )  # fmt: skip
    monkeypatch.setattr(ray_pool, "_ray", lambda: made)
    monkeypatch.setattr(ray_pool, "ASK_SECONDS", 0.0)
    answers: list[Any] = [gone, gone, gone]
    examiners = [
        SimpleNamespace(examine=SimpleNamespace(remote=lambda _, number=number: answers[number])) for number in range(3)
    ]
    crew = ray_pool._Crew(cast(Any, None), examiners)
    assert crew.there() == [0, 1, 2]
    crew.lose(1)
    assert crew.there() == crew.there() == [0, 2]  # it is asked again, and is still gone

    def promise() -> None: ...

    pending.add(promise)
    flight = [ray_pool._Chunk([], 0, promise, None), ray_pool._Chunk([], 1, gone, None)]
    assert ray_pool._idlest(flight, crew.there()) == 2, "not the lost one, whose chunks are all over"
    assert ray_pool._idlest([*flight, ray_pool._Chunk([], 2, promise, None)], [0]) == 0
    crew.lose(0), crew.lose(2)
    assert crew.there() == [1, 0, 2], "with all of them lost, each may be tried"
    answers[1] = promise  # asked once more, it does not answer yet
    pending.clear()
    crew.there()
    assert crew.there() == [1]
