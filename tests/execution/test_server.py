"""The server that workers are forked from, where it branches off a command: what it has of that."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.threads import VARIABLES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="servers of workers are for Linux")

SCRIPT = """
import json, os, signal, sys, threading
from nsfwforensics.seclusion import seclude
seclude()
from nsfwforensics.execution.processes import call_apart
from nsfwforensics.execution.server import warm_up
import tests.execution.test_server as here

if "threads" in sys.argv:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
os.environ["LEFT_BEHIND"] = "no"
kept = os.open("/", os.O_RDONLY)
os.set_inheritable(kept, True)
here.loaded_by_the_command = True
signal.signal(signal.SIGTERM, lambda *_: None)
warm_up(["tests.execution.test_server"], branch="plain" not in sys.argv)
print(json.dumps(call_apart(here.look, kept)))
"""

loaded_by_the_command = False


def look(kept: int) -> dict[str, Any]:
    """Run in a worker."""
    import os
    import signal
    from pathlib import Path

    open_files = {int(link.name): str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.exists()}
    return {
        "branched": loaded_by_the_command,
        "held": open_files.get(kept) == "/",
        "scratch": any("nsfwforensics-work-" in name or "/nsf-" in name for name in open_files.values()),
        "signals": signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, None),
        "home": os.environ["HOME"],
        "parent": os.getppid(),
    }


def found(*words: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert not done.stderr
    return answer


def test_a_branch_has_what_was_loaded_and_nothing_that_was_opened() -> None:
    answer = found()
    assert answer["branched"]
    assert not answer["held"]
    assert not answer["scratch"]  # the lock that says whose folder it is ends with the command alone
    assert answer["signals"]
    assert "/nsf" in answer["home"]


@pytest.mark.parametrize("word", ["threads", "plain"])
def test_with_a_second_thread_or_unasked_a_server_is_started_anew(word: str) -> None:
    assert not found(word)["branched"]


def test_the_libraries_of_a_worker_compute_with_one_thread() -> None:
    """Asked in a process that inherits nothing of it from the tests."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    asked = f"""
import os
from nsfwforensics.core.evidence import Limits
from nsfwforensics.execution import worker
from nsfwforensics.execution.isolation import Staff, isolated
from nsfwforensics.execution.prepare import here
staff = Staff(1, 60, worker.start_plain, (here(), Limits()))
print(*(answer for _, answer in isolated(os.getenv, [(name,) for name in {[*VARIABLES]}], staff)))
"""
    done = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*VARIABLES.values()]


HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
GIVES_NONE = (
    platform.libc_ver()[0] != "glibc"
    or tuple(map(int, platform.libc_ver()[1].split(".")[:2])) < (2, 35)
    or not HUGE_PAGES.exists()
    or "[never]" in HUGE_PAGES.read_text()
)


def in_huge_pages() -> tuple[str | None, bool]:
    """Run in a worker: what the user tunes, and whether most of 84 MB are in huge pages."""
    arrays = [bytearray(b"x") * 7_000_000 for _ in range(12)]
    held = Path("/proc/self/smaps_rollup").read_text().splitlines()
    huge = next(int(line.split()[1]) for line in held if line.startswith("AnonHugePages"))
    return os.environ.get("GLIBC_TUNABLES"), bool(arrays) and huge > 50_000


@pytest.mark.parametrize(
    "tuned", [pytest.param(None, marks=pytest.mark.skipif(GIVES_NONE, reason="gives none")), "glibc.malloc.perturb=0"]
)
def test_workers_have_huge_pages_unless_the_user_tunes_memory_otherwise(tuned: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    asked = """
import os
from nsfwforensics.execution import worker
from nsfwforensics.execution.isolation import Staff, isolated
from nsfwforensics.execution.prepare import here
from nsfwforensics.execution.server import warm_up
from nsfwforensics.core.evidence import Limits
import tests.execution.test_server as tests
warm_up(["tests.execution.test_server"])
staff = Staff(1, 60, worker.start_plain, (here(), Limits()))
print(*(answer for _, answer in isolated(tests.in_huge_pages, [()], staff)), os.environ.get("GLIBC_TUNABLES"))
"""
    environment |= {"GLIBC_TUNABLES": tuned} if tuned else {}
    done = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    tuning, huge, own = re.fullmatch(r"\('(.+)', (True|False)\) (.+)\n", done.stdout).groups()
    assert own == str(tuned)  # a program that has files examined keeps its own
    if tuned:
        assert tuning == tuned
    else:
        assert (tuning, huge) == ("glibc.malloc.hugetlb=1", "True")
