"""One writer for a folder at a time; whoever is gone holds nothing, however they went."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nsfwforensics.core import locks
from nsfwforensics.core.locks import LOCK_NAME, FolderLock
from nsfwforensics.errors import BusyError

HOLD = """
import sys, time
from pathlib import Path
from nsfwforensics.core.locks import FolderLock
held = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_one_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    process = holder(tmp_path)
    with pytest.raises(BusyError, match="another run is writing to"):
        FolderLock(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (tmp_path / LOCK_NAME).exists()  # and blocks nobody
    with FolderLock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_part_of_this_process_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with FolderLock(tmp_path / "folder"):
        for same in ("folder", "link", "folder/../folder"):
            with pytest.raises(BusyError):
                FolderLock(tmp_path / same)
        with FolderLock(tmp_path):  # another folder
            pass
    with FolderLock(tmp_path / "link"):
        pass


def _wait() -> None:
    time.sleep(600)


def test_a_child_that_lives_on_holds_nothing(tmp_path: Path) -> None:
    """Workers may outlive a command that was killed by a moment."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("no process is forked here")
    lock = FolderLock(tmp_path)
    child = multiprocessing.get_context("fork").Process(target=_wait)
    child.start()
    descriptor, lock._descriptor = lock._descriptor, None
    assert descriptor is not None
    os.close(descriptor)  # as the end of this process would
    FolderLock._held.clear()
    try:
        process = holder(tmp_path)
        process.kill()
        process.communicate()
    finally:
        child.kill()
        child.join()


def test_a_file_that_its_holder_has_just_removed_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = locks.lock, []

    def lock(descriptor: int, offset: int = 0) -> None:
        if not calls:
            (tmp_path / LOCK_NAME).unlink()
        calls.append(descriptor)
        real(descriptor, offset)

    monkeypatch.setattr(locks, "lock", lock)
    with FolderLock(tmp_path):
        assert len(calls) == 2
        assert (tmp_path / LOCK_NAME).exists()


def test_the_lock_of_another_in_a_folder_that_was_made_again_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    first = FolderLock(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "moved")
    (tmp_path / "out").mkdir()
    process = holder(tmp_path / "out")
    first.release()
    with pytest.raises(BusyError):
        FolderLock(tmp_path / "out")
    process.kill()
    process.communicate()


def test_a_planted_link_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "target")
    with pytest.raises(OSError):
        FolderLock(tmp_path)
    assert not (tmp_path / "target").exists()
    (tmp_path / LOCK_NAME).unlink()
    with FolderLock(tmp_path):  # what failed holds nothing
        pass


def test_a_file_system_without_locks_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(locks, "lock", none)
    with FolderLock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
