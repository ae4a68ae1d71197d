"""Ctrl-C reaches every process of the terminal's group, at whatever moment; the run ends in order."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from nsfwforensics.execution import processes
from nsfwforensics.testing import contract_file
from tests.e2e.conftest import COMMAND, listen

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")

Begin = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for index in range(1500):
        (folder / f"{index:04}.jpg").write_bytes(contract_file("plain.jpg"))
    return folder


@pytest.fixture
def begin(many: Path, report: Path, tmp_path: Path) -> Iterator[Begin]:
    temporary = Path(tempfile.mkdtemp(prefix="i-"))  # a short path: a socket of the workers' server lies in it
    (tmp_path / "temporary").symlink_to(temporary)
    started: list[subprocess.Popen[bytes]] = []

    def call() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [COMMAND, "hash", many, "-o", report, "--jobs", "2"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"TMPDIR": str(temporary)},
            preexec_fn=listen,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.wait()
    shutil.rmtree(temporary, ignore_errors=True)


def starting() -> float:
    """Seconds of processor time after which the interpreter has started and the command is loading; before that an
    interrupt is the interpreter's own business, which ends with 1. Measured: it takes longer on a busy machine."""
    process = psutil.Popen(
        [sys.executable, "-c", "import time; print(time.process_time(), flush=True)"], stdout=subprocess.PIPE
    )
    said, _ = process.communicate(timeout=60)
    return 0.03 + 1.5 * float(said)


def helpers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def number_of_helpers(process: subprocess.Popen[bytes]) -> int:
    """How many there are now, without a look at every process of the machine where the kernel knows."""
    if not Path("/proc/self/task").is_dir():
        return len(helpers(process))
    parents = [str(process.pid)]
    for parent in parents:
        with suppress(OSError):  # it has ended
            for thread in Path("/proc", parent, "task").iterdir():
                parents += (thread / "children").read_text("ascii").split()
    return len(parents) - 1


def wait_for_helpers(process: subprocess.Popen[bytes], count: int) -> None:
    """Returns as soon as so many have appeared, or the command has ended."""
    while number_of_helpers(process) < count and process.poll() is None:
        time.sleep(0.001)


def interrupted(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Sends Ctrl-C to the whole group; returns the exit code and what was said."""
    others = helpers(process)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    _, alive = psutil.wait_procs(others, timeout=20)
    assert not alive, "processes are left behind"
    return process.returncode, error.decode()


@pytest.mark.parametrize("count", [1, 4])
def test_while_the_processes_are_started(begin: Begin, count: int) -> None:
    """The tracker of resources, the server, the first and the second worker: each has just appeared."""
    process = begin()
    wait_for_helpers(process, count)
    code, said = interrupted(process)
    assert code == 130, said
    assert "Traceback" not in said


@pytest.mark.parametrize("delay", [0.02, 0.3])
def test_soon_after_the_workers_are_there(begin: Begin, report: Path, delay: float) -> None:
    process = begin()
    wait_for_helpers(process, 4)
    time.sleep(delay)
    code, said = interrupted(process)
    assert code == 130, said
    assert "Traceback" not in said
    if (report / "report.json").exists():
        saved = json.loads((report / "report.json").read_text())
        assert saved["header"]["interrupted"] is True
        assert len(saved["files"]) < 1500


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_kill_or_a_closed_terminal_leaves_nothing_behind(begin: Begin, tmp_path: Path, sent: signal.Signals) -> None:
    process = begin()
    wait_for_helpers(process, 4)
    others = helpers(process)
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    _, alive = psutil.wait_procs(others, timeout=20)
    assert not alive
    assert not list((tmp_path / "temporary").iterdir())


def test_before_anything_has_begun(begin: Begin) -> None:
    started, process = starting(), begin()
    while sum(psutil.Process(process.pid).cpu_times()[:2]) < started and process.poll() is None:
        time.sleep(0.001)
    code, _ = interrupted(process)
    assert code in (130, -signal.SIGINT), "a shell shows both as 130"


def test_a_process_whose_answer_nobody_awaits_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ignore_interrupts", lambda: None)
    readable, writable = multiprocessing.Pipe(duplex=False)
    readable.close()
    processes._answer(writable, False, abs, (-1,))
