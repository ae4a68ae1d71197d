"""What a worker process may not do, and what is left of a file that ended one."""

# ruff: noqa: F811 - fixtures of other folders
from __future__ import annotations

import hashlib
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from nsfwforensics.core.evidence import Limits
from nsfwforensics.errors import ForensicsError
from nsfwforensics.execution import worker
from nsfwforensics.execution.base import BrokeError, DiedError, Lost
from nsfwforensics.execution.isolation import Staff, isolated
from nsfwforensics.execution.prepare import here
from nsfwforensics.execution.processes import call_apart
from nsfwforensics.seclusion import scratch
from nsfwforensics.testing import contract_file
from tests.e2e.conftest import Runner, photos, plugin, run  # noqa: F401 - fixtures
from tests.hostile.bombs import progressive

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells these of a process")
GIB = 1024**3


def confined(place: worker.Place) -> dict[str, Any]:
    """Run in a worker: what holds for it."""
    import resource

    worker.start_plain(place, Limits(max_memory=2 * GIB, max_bytes=1000))
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    too_long = False
    try:
        with tempfile.TemporaryFile() as stream:
            stream.write(b"x" * 5000)
    except OSError:
        too_long = True
    try:
        kept = bytearray(3 * GIB)
        refused = not kept
    except MemoryError:
        refused = True
    return {
        "memory": resource.getrlimit(resource.RLIMIT_DATA),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "privileges": status["NoNewPrivs"],
        "long file refused": too_long,
        "memory refused": refused,
        "temporary": tempfile.gettempdir(),
        "output": [str(Path(f"/proc/self/fd/{number}").readlink()) for number in range(3)],
        "interrupts": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    }


@LINUX
def test_a_worker_is_confined() -> None:
    found = call_apart(confined, here())
    assert found["memory"] == (2 * GIB, 2 * GIB)
    assert found["memory refused"]
    assert found["core"] == (1, 1)
    assert found["long file refused"]
    assert found["privileges"] == "1"
    assert found["temporary"] != tempfile.gettempdir()
    assert found["output"] == ["/dev/null"] * 3
    assert found["interrupts"]


def reaching_out(place: worker.Place) -> dict[str, bool]:
    """Run in a worker: what code that took over a decoder might try, and whether it was refused."""
    import ctypes
    import socket
    import subprocess

    worker.start_plain(place, Limits())

    def refused(call: Callable[[], object]) -> bool:
        try:
            call()
        except PermissionError:
            return True
        return False

    library = ctypes.CDLL(None, use_errno=True)
    return {
        "connection": refused(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)),
        "connection by IPv6": refused(lambda: socket.socket(socket.AF_INET6)),
        "packets": refused(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
        "program": refused(lambda: subprocess.run(["true"], check=False)),
        "shell": os.system("true") != 0,
        "other process": library.ptrace(16, os.getppid(), 0, 0) == -1 and ctypes.get_errno() == 1,
        "socket of this machine": refused(lambda: socket.socket(socket.AF_UNIX)),
        "reading": refused(lambda: Path(__file__).read_bytes()),
    }


@LINUX
@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the numbers of calls are not known here")
def test_a_worker_opens_no_connection_and_starts_no_program() -> None:
    found = call_apart(reaching_out, here())
    assert {what for what, refused in found.items() if not refused} == {"socket of this machine", "reading"}


def answer(what: str) -> str:
    """Run in a worker: comes back, or does not."""
    if what == "exit":
        os._exit(3)
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "sleep":
        time.sleep(100)
    if what == "raise":
        raise ZeroDivisionError("on purpose")
    if what == "later":  # between two tasks
        signal.setitimer(signal.ITIMER_REAL, 0.3)
    if what == "fill":
        raise MemoryError
    return what


def answers(*tasks: str, jobs: int = 1, seconds: float = 0.0) -> list[str | Lost]:
    staff = Staff(jobs, seconds, worker.start_plain, (here(), Limits()))
    done = list(isolated(answer, [(task,) for task in tasks], staff))
    assert [task for (task,), _ in done] == list(tasks), "in order, each once"
    return [one for _, one in done]


def test_a_task_that_ends_its_worker_costs_only_itself() -> None:
    first, killed, second, left, raised, filled, third = answers("1", "kill", "2", "exit", "raise", "fill", "3", jobs=2)
    assert [first, second, third] == ["1", "2", "3"]
    assert isinstance(killed, Lost)
    assert isinstance(left, Lost)
    assert isinstance(raised, Lost)
    assert isinstance(filled, Lost)
    assert "SIGKILL" in killed.reason
    assert "died" in left.reason
    assert raised.reason == "ZeroDivisionError: on purpose"
    assert "--max-memory" in filled.reason


def test_a_task_that_takes_too_long_is_stopped() -> None:
    slow, after = answers("sleep", "1", seconds=1.5)
    assert isinstance(slow, Lost)
    assert "1.5 seconds" in slow.reason
    assert after == "1"


def ends_once(mark: Path) -> None:
    """The start of a worker that ends itself, the first time."""
    if not mark.exists():
        mark.touch()
        os._exit(1)


def ends_always() -> None:
    os._exit(1)


def test_a_worker_that_ends_between_two_tasks_costs_nothing(tmp_path: Path) -> None:
    staff = Staff(1, 0.0, ends_once, (tmp_path / "mark",))
    assert [one for _, one in isolated(answer, [("1",), ("2",)], staff)] == ["1", "2"]


def test_workers_that_cannot_start_are_an_error_and_no_endless_loop() -> None:
    with pytest.raises(ForensicsError, match="--no-isolate"):
        list(isolated(answer, [("1",)], Staff(1, 0.0, ends_always, ())))


def test_a_call_whose_process_ends_says_how() -> None:
    with pytest.raises(DiedError) as caught:
        call_apart(answer, "kill")
    assert caught.value.code == -signal.SIGKILL
    with pytest.raises(BrokeError, match="ZeroDivisionError: on purpose"):  # as text: its class is a stranger's
        call_apart(answer, "raise")


def leaves_something(place: worker.Place) -> None:
    """Run in a worker: dies with a part of a picture in a temporary file."""
    worker.start_plain(place, Limits())
    Path(tempfile.mkstemp()[1]).write_bytes(b"part of a picture")
    os._exit(1)


def test_what_a_dying_worker_leaves_lies_where_it_is_cleared() -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    with pytest.raises(DiedError):
        call_apart(leaves_something, here())
    assert [path for path in scratch().iterdir() if path.is_file() and path.read_bytes() == b"part of a picture"]
    new = set(Path(tempfile.gettempdir()).iterdir()) - before - {scratch()}
    assert not [path for path in new if path.is_file() and path.read_bytes() == b"part of a picture"]


@pytest.mark.parametrize("name", ["killer.jpg", "segfault.jpg"])
def test_a_single_file_is_examined_apart_by_default(run: Runner, photos: Path, plugin: Path, name: str) -> None:
    (photos / name).write_bytes(contract_file("plain.jpg"))
    arguments = ("scan", photos / name, "--only", "probe", "--allow-plugins", "--json")
    ran = run(*arguments, path=plugin)
    assert ran.code == 4, ran.err
    assert "died" in ran.file(name)["error"]
    assert ran.file(name)["info"]["sha256"] == hashlib.sha256(contract_file("plain.jpg")).hexdigest()
    assert run(*arguments, "--no-isolate", path=plugin).code not in (0, 4), "it takes the command with it"


@pytest.mark.slow
def test_a_picture_that_keeps_a_decoder_busy_is_given_up(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "scans.jpg").write_bytes(progressive(6000, 3000))
    started = time.monotonic()
    ran = run("hash", tmp_path / "scans.jpg", "--json", "--max-seconds", "2")
    assert ran.code == 4, ran.err
    assert "2 seconds" in ran.file("scans.jpg")["error"]
    assert time.monotonic() - started < 60


@LINUX
def test_workers_end_with_the_command(tmp_path: Path, plugin: Path, photos: Path) -> None:
    """Killed from outside, with a worker that is stuck in a file: nothing is left running."""
    import subprocess

    from tests.e2e.conftest import COMMAND

    (photos / "hanging.jpg").write_bytes(contract_file("plain.jpg"))
    process = subprocess.Popen(
        [COMMAND, "scan", photos / "hanging.jpg", "--only", "probe", "--allow-plugins", "-o", tmp_path / "out"],
        env=os.environ | {"PYTHONPATH": str(plugin)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        helpers: list[psutil.Process] = []
        deadline = time.monotonic() + 60
        while len(helpers) < 3 and time.monotonic() < deadline:
            helpers = psutil.Process(process.pid).children(recursive=True)
            time.sleep(0.05)
        time.sleep(1)
    finally:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(helpers, timeout=20)
    assert not alive


def test_cluster_and_hash_lists_read_apart_too(run: Runner, tmp_path: Path, photos: Path) -> None:
    (photos / "scans.jpg").write_bytes(progressive(6000, 3000))
    ran = run("cluster", photos, "--json", "--max-seconds", "2")
    assert ran.code == 4, ran.err
    reasons = {Path(problem["path"]).name: problem["reason"] for problem in json.loads(ran.out)["problems"]}
    assert "2 seconds" in reasons["scans.jpg"]
