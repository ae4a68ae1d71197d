"""Third-party analyzers: run only when allowed, named in the report, and their faults stay theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsfwforensics.core import installation
from nsfwforensics.testing import contract_file
from tests.e2e.conftest import PROBE, Runner


def test_a_third_partys_analyzer_runs_only_when_allowed(run: Runner, photos: Path, plugin: Path) -> None:
    refused = run("scan", photos, "--only", "probe", path=plugin)
    assert refused.code == 2
    assert "--allow-plugins" in refused.err
    listed = run("analyzers", path=plugin)
    assert "probe-package 7.0" in listed.out
    ran = run("scan", photos, "--only", "probe", "--allow-plugins", "--json", path=plugin)
    assert ran.code == 0, ran.err
    assert ran.report["header"]["analyzers"][0]["origin"] == "probe-package 7.0"
    assert ran.file("plain.jpg")["results"][0]["findings"][0]["code"] == "PROBE-001"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_analyzer_that_raises_fails_its_file_only(run: Runner, photos: Path, plugin: Path, jobs: str) -> None:
    (photos / "broken.jpg").write_bytes(contract_file("plain.jpg"))
    ran = run(
        "scan",
        photos,
        "--only",
        "probe",
        "--only",
        "metadata",
        "--allow-plugins",
        "--json",
        "--jobs",
        jobs,
        path=plugin,
    )
    assert ran.code == 4
    statuses = {result["analyzer"]: result["status"] for result in ran.file("broken.jpg")["results"]}
    assert statuses["probe"] == "failed"
    assert statuses["metadata"] != "failed"
    assert ran.file("plain.jpg")["status"] == "ok"


TRACE = "import pathlib; pathlib.Path(__file__).with_name('ran').write_text('')\n"


@pytest.mark.parametrize("folder", ["probe_package-7.0", "nsfwforensics-9.9"])
def test_a_package_that_merely_bears_our_name_is_a_third_partys(
    run: Runner, photos: Path, plugin: Path, folder: str
) -> None:
    (plugin / "probe_package-7.0.dist-info").rename(plugin / f"{folder}.dist-info")
    package = plugin / "nsfwforensics_probe"
    package.mkdir()
    (plugin / "probe_package.py").rename(package / "probe.py")
    for file in ("__init__.py", "command.py"):
        (package / file).write_text(TRACE)
    (plugin / f"{folder}.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: nsfwforensics\nVersion: 9.9\n"
    )
    (plugin / f"{folder}.dist-info" / "entry_points.txt").write_text(
        "[nsfwforensics.analyzers]\nprobe = nsfwforensics_probe.probe:Probe\n"
    )
    refused = run("scan", photos, "--only", "probe", path=plugin)
    assert refused.code == 2 and "--allow-plugins" in refused.err
    ran = run("scan", photos / "plain.jpg", "--only", "metadata", "--json", path=plugin)
    assert ran.code == 0, ran.err
    assert ran.report["header"]["version"] == installation.version() != "9.9"
    assert run("--version", path=plugin).out.strip() == f"nsfwforensics {installation.version()}"
    assert not list(plugin.rglob("ran")), "its code ran though nobody allowed it"
    allowed = run("scan", photos / "plain.jpg", "--only", "probe", "--allow-plugins", "--json", path=plugin)
    assert allowed.code == 0, allowed.err
    assert allowed.report["header"]["analyzers"][0]["origin"] == "nsfwforensics 9.9, another package of that name"


HARM = {
    "b-killer.jpg": "worker process that examined it died",
    "c-segfault.jpg": "died (SIGSEGV)",
    "d-hanging.jpg": "longer than the limit of 8 seconds",
    "e-greedy.jpg": "memory",
}


@pytest.mark.slow
def test_a_file_that_kills_or_holds_its_worker_costs_only_itself(run: Runner, photos: Path, plugin: Path) -> None:
    for name in (*HARM, "f-plain.jpg", "z-killer.jpg"):
        (photos / name).write_bytes(contract_file("plain.jpg"))
    limits = ("--max-seconds", "8", "--max-memory", str(1024**3))
    ran = run("scan", photos, "--only", "probe", "--allow-plugins", "--json", "--jobs", "2", *limits, path=plugin)
    assert ran.code == 4, ran.err
    assert [Path(file["info"]["path"]).name for file in ran.report["files"]] == sorted(p.name for p in photos.iterdir())
    for file in ran.report["files"]:
        name = Path(file["info"]["path"]).name
        reason = HARM.get(name, "died" if "killer" in name else None)
        assert file["status"] == ("failed" if reason else "ok"), name
        said = [file["error"], *(result["error"] for result in file["results"])]
        assert reason is None or any(reason in text for text in said if text), (name, said)


COMMAND = """
from nsfwforensics import Command, Listing

COMMAND = Command("probing", "Probe files.", listing=lambda file: [Listing("probed", rows=((file.info.name,),))])
"""


def test_a_third_party_may_bring_a_command_that_is_there_only_when_allowed(
    run: Runner, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    package, info = folder / "probing", folder / "probing-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").touch()
    (package / "probe.py").write_text(PROBE)
    (package / "command.py").write_text(COMMAND)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probing\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nsfwforensics.analyzers]\nprobe = probing.probe:Probe\n")
    assert "probing" not in run("--help", path=folder).out
    assert "Probe files." in run("--help", "--allow-plugins", path=folder).out
    assert run("probing", photos / "plain.jpg", path=folder).code == 2
    ran = run("probing", photos / "plain.jpg", "--allow-plugins", path=folder)
    assert ran.code == 0, ran.err
    assert "probed\n  plain.jpg" in ran.out
    assert "seen by a probe" in ran.out
