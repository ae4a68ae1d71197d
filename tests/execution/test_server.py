"""The server that workers are forked from, where it branches off a command: what it has of that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
