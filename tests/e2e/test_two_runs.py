"""Two runs into one folder: the second is refused in one line, and the first is what it would have been alone."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nsfwforensics.core.locks import LOCK_NAME
from tests.e2e.case_files import FAST, fill
from tests.e2e.conftest import COMMAND, Runner

FILES = 300


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("many") / "evidence", FILES)


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a run and returns once it has written something into its folder; it is held there until it may go on.

    Where that is its lock, once it has it.
    """
    started: list[subprocess.Popen[bytes]] = []

    def call(out: Path, written: str, *arguments: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [COMMAND, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        started.append(process)
        deadline = time.monotonic() + 120
        while not any(map(_is_in_use, out.glob(written))) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGSTOP)
        assert process.poll() is None, process.communicate()
        return process

    yield call
    for process in started:
        if process.returncode is None:  # not waited for yet: until then nobody else can have its number
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _is_in_use(path: Path) -> bool:
    """Whether a file is there, and locked by its process where it is a lock: it is made a moment before."""
    if path.name != LOCK_NAME or sys.platform != "linux":
        return True
    asked = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
    try:
        with path.open("rb+") as stream:
            (kind,) = struct.unpack_from("h", fcntl.fcntl(stream, fcntl.F_GETLK, asked))
    except FileNotFoundError:
        return False
    return bool(kind != fcntl.F_UNLCK)


def finish(process: subprocess.Popen[bytes]) -> int:
    os.killpg(process.pid, signal.SIGCONT)
    process.communicate(timeout=300)
    return process.returncode


@pytest.mark.parametrize("engine", [("--engine", "inline"), ("--jobs", "2")], ids=["inline", "workers"])
def test_the_second_is_refused_and_the_first_is_whole(
    many: Path, tmp_path: Path, run: Runner, start: Start, engine: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    first = start(out, "files.jsonl", "scan", many, *FAST, *engine, "-o", out)
    before = {path.name: path.stat() for path in out.iterdir()}
    for second in (
        ["scan", many / "001.jpg", *FAST, "-o", out],
        ["scan", many / "001.jpg", *FAST, "--engine", "inline", "-o", tmp_path / "out" / ".." / "out"],
        ["report", out],
        ["cluster", many / "001.jpg", "-o", out],
    ):
        ran = run(*second, COLUMNS="300")
        assert ran.code == 1, (second, ran.err)
        assert ran.err.count("\n") == 1
        assert "another run is writing to" in ran.err
    assert {path.name: path.stat() for path in out.iterdir()} == before
    assert finish(first) == 4
    assert sorted(path.name for path in out.iterdir()) == [
        "SHA256SUMS", "files.jsonl", "report-2.html", "report.html", "report.json", "summary.csv",
    ]  # fmt: skip
    assert len(json.loads((out / "report.json").read_text("utf-8"))["files"]) == FILES + 1
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=out, check=False).returncode == 0


def test_a_run_that_was_killed_blocks_nobody(many: Path, tmp_path: Path, run: Runner, start: Start) -> None:
    out = tmp_path / "out"
    first = start(out, "files.jsonl", "scan", many, *FAST, "--jobs", "2", "-o", out)
    os.kill(first.pid, signal.SIGKILL)  # and none of its workers, which are held
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
    ran = run("scan", many / "001.jpg", *FAST, "-o", out)
    assert ran.code == 1 and "--force" in ran.err  # what it had done is kept
    ran = run("scan", many / "001.jpg", *FAST, "-o", out, "--force")
    assert ran.code == 0, ran.err
    assert len(json.loads((out / "report.json").read_text("utf-8"))["files"]) == 1
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_an_index_has_one_writer_too(many: Path, tmp_path: Path, run: Runner, start: Start) -> None:
    index = tmp_path / "index"
    assert run("hashlist", "import", many / "001.jpg", "-o", index).code == 0
    first = start(index, LOCK_NAME, "hashlist", "import", many, "-o", index)
    ran = run("hashlist", "import", many / "002.jpg", "-o", index, COLUMNS="300")
    assert ran.code == 1
    assert "another run is writing to" in ran.err
    assert run("hashlist", "info", index).code == 0  # readers see it as it was
    assert finish(first) == 0
    ran = run("hashlist", "info", index, "--json")
    assert json.loads(ran.out)["lists"][1]["entries"] == FILES - 1


def test_a_letter_that_another_run_wrote_meanwhile_stays(many: Path, tmp_path: Path, run: Runner) -> None:
    letter = tmp_path / "letter.txt"
    for code in (0, 1):
        assert run("notice", many / "001.jpg", "--law", "eu", "-o", letter).code == code
        kept = letter.read_bytes()
    assert letter.read_bytes() == kept
