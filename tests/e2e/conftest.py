"""Running the installed command as its user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.testing import contract_file
from tests.e2e.forks import COMMAND, Forks


def listen() -> None:
    """For ``preexec_fn``: a command that is to be interrupted must not ignore it.

    What runs in the background inherits an ignored Ctrl-C, and under nohup an ignored closed terminal.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @classmethod
    def of(cls, done: subprocess.CompletedProcess[bytes]) -> Ran:
        """What a process left that has ended."""
        return cls(done.returncode, done.stdout.decode(), done.stderr.decode())

    @property
    def report(self) -> dict[str, Any]:
        """Standard output as JSON."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    def file(self, name: str) -> dict[str, Any]:
        """The one file of the report whose name ends so."""
        (found,) = [file for file in self.report["files"] if file["info"]["path"].endswith(name)]
        return found  # type: ignore[no-any-return]


Runner = Callable[..., Ran]


@cache
def forks() -> Forks:
    """One for each process that runs tests; it ends with that process."""
    return Forks()


def installed(
    words: Sequence[str], environment: Mapping[str, str], stdin: bytes = b"", *, umask: int = -1, timeout: float = 300
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command and waits for it, forked from a process that has loaded its modules where that shows the same.

    Args:
        words: What follows its name.
        environment: All of its variables.
        stdin: What it is given to read.
        umask: What it is not to allow when it makes files; -1 for the same as here.
        timeout: Seconds after which it is killed.
    """
    if Forks.possible() and forks().fits(environment):
        return forks().run(words, stdin, environment, timeout, umask)
    return subprocess.run(
        [COMMAND, *words], input=stdin, capture_output=True, env=environment, umask=umask, timeout=timeout, check=False
    )


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs the command with a home of its own; ``path`` goes in front of the module search path."""
    home = tmp_path_factory.mktemp("home")

    def call(*arguments: object, stdin: bytes = b"", path: Path | None = None, **environment: str) -> Ran:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("NSFWFORENSICS_")}
        variables = inherited | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "COLUMNS": "80", **environment}
        if path is not None:
            variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(path), inherited.get("PYTHONPATH")]))
        return Ran.of(installed([*map(str, arguments)], variables, stdin))

    return call


PROBE = '''
"""A third party's analyzer, which dies or breaks on files that are named so."""
import ctypes
import os
import time
from nsfwforensics import Analyzer, Code, Outcome, Question, Severity


class Probe(Analyzer):
    """Breaks on demand."""

    name = "probe"
    version = "7"
    title = "a probe"
    question = Question.KNOWN
    codes = {"PROBE-001": Code("seen", Severity.HIGH, "only a probe")}

    def examine(self, evidence):
        if "killer" in evidence.path.name:
            os._exit(1)
        if "segfault" in evidence.path.name:
            ctypes.string_at(0)
        if "hanging" in evidence.path.name:
            time.sleep(3600)
        if "greedy" in evidence.path.name:
            kept = [bytearray(64 * 1024 * 1024) for _ in range(200)]
        if "broken" in evidence.path.name:
            raise ZeroDivisionError("on purpose")
        return Outcome.of([self.finding("PROBE-001", f"seen by a probe: {evidence.size} bytes")])
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A folder to put on the module search path that holds an installed third-party analyzer."""
    folder = tmp_path / "site"
    info = folder / "probe_package-7.0.dist-info"
    info.mkdir(parents=True)
    (folder / "probe_package.py").write_text(PROBE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probe-package\nVersion: 7.0\n")
    (info / "entry_points.txt").write_text("[nsfwforensics.analyzers]\nprobe = probe_package:Probe\n")
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three good pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("plain.jpg", "alpha.png", "turned.jpg"):
        (folder / name).write_bytes(contract_file(name))
    return folder
