"""Each way to end has its own exit code, and what was done is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nsfwforensics.testing import contract_file
from tests.e2e.conftest import COMMAND, Runner, listen


def test_done(run: Runner, photos: Path) -> None:
    ran = run("metadata", photos)
    assert ran.code == 0
    assert "plain.jpg" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["metadata", "nowhere.jpg"], "nowhere.jpg"),
        (["scan", ".", "--only", "nonsense"], "nonsense"),
        (["metadata", ".", "--device", "abacus", "--nonsense"], "--nonsense"),
        (["detect", ".", "--device", "abacus"], "abacus"),
        (["metadata", "-"], "no paths"),
        (["metadata", ".", "--config", "missing.toml"], "missing.toml"),
    ],
)
def test_usage_errors(run: Runner, arguments: list[str], says: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert says in ran.err
    assert not ran.out


def test_a_device_asked_for_by_name_and_missing_is_an_error(run: Runner, photos: Path) -> None:
    ran = run("detect", photos, "--device", "cuda:63")
    assert ran.code == 3
    assert "cuda:63" in ran.err
    assert run("detect", photos / "plain.jpg", "--device", "auto", "--quiet").code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_an_output_that_is_full_is_an_error_in_one_line(photos: Path, extra: tuple[str, ...]) -> None:
    command = [COMMAND, "metadata", str(photos), *extra]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "error: the output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_some_failed_and_the_rest_went_on(run: Runner, photos: Path) -> None:
    (photos / "a-corrupt.jpg").write_bytes(contract_file("header-only.jpg"))
    ran = run("hash", photos, "--json")
    assert ran.code == 4
    assert ran.file("a-corrupt.jpg")["status"] == "failed"
    assert ran.file("plain.jpg")["status"] == "ok"


def test_quiet_keeps_no_data_back(run: Runner, photos: Path) -> None:
    assert "plain.jpg" in run("hash", photos, "--format", "csv", "--quiet").out
    assert run("hash", photos, "--quiet").out == ""


def test_fail_on(run: Runner, photos: Path, plugin: Path) -> None:
    arguments = ("scan", photos, "--only", "probe", "--allow-plugins", "--quiet")
    assert run(*arguments, path=plugin).code == 0
    assert run(*arguments, "--fail-on", "high", path=plugin).code == 5
    assert run("metadata", photos, "--quiet", "--fail-on", "high").code == 0


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Callable[[int], tuple[subprocess.Popen[bytes], Path]]]:
    """Starts a run over 3,000 pictures and returns when its first result is written."""
    folder, report = tmp_path / "many", tmp_path / "report"
    folder.mkdir()
    for index in range(3000):
        (folder / f"{index:04}.jpg").write_bytes(contract_file("plain.jpg"))
    started: list[subprocess.Popen[bytes]] = []

    def begin(jobs: int) -> tuple[subprocess.Popen[bytes], Path]:
        command = [COMMAND, "metadata", folder, "-o", report, "--jobs", str(jobs)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # A job in the background inherits an ignored Ctrl-C; this one is to feel it.
            preexec_fn=listen,
        )
        started.append(process)
        stream = report / "files.jsonl"
        deadline = time.monotonic() + 60
        while not (stream.exists() and stream.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
        return process, report

    yield begin
    for process in started:
        process.kill()
        process.wait()


Begin = Callable[[int], tuple["subprocess.Popen[bytes]", Path]]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_run_keeps_what_was_done(begun: Begin, jobs: int) -> None:
    process, report = begun(jobs)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error.decode()
    saved = json.loads((report / "report.json").read_text())
    assert saved["header"]["interrupted"] is True
    assert 0 < len(saved["files"]) < 3000
    assert len(saved["files"]) == len((report / "files.jsonl").read_text().splitlines())


def test_a_killed_run_can_be_made_into_a_report(begun: Begin, run: Runner) -> None:
    process, report = begun(1)
    process.kill()
    process.wait(timeout=60)
    ran = run("report", report, "--json")
    assert ran.code == 0, ran.err
    assert 0 < len(ran.report["files"]) < 3000
    assert (report / "report.html").exists()
