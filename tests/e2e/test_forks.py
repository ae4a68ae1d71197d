"""A fork of the command says, writes and ends as the installed command does."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import COMMAND, forks, installed
from tests.e2e.forks import Forks

pytestmark = pytest.mark.skipif(not Forks.possible(), reason="the command is not forked here")

LINES = [
    ("--version",),
    ("helplines", "--lang", "ja"),
    ("metadata", "PHOTOS", "--json"),
    ("metadata", "PHOTOS", "--engine", "inline", "-o", "OUT"),
    ("hash", "PHOTOS/plain.jpg", "PHOTOS/absent.jpg"),
    ("scan", "PHOTOS", "--only", "probe", "--allow-plugins", "--json"),
    ("hashlist", "import", "-", "-o", "OUT"),
    ("scan",),
]
VARYING = re.compile(rb'"(started|finished|seconds|accessed|at)": ?[^,}\n]*|\b[0-9.]+ s\b|in [0-9.]+ seconds?')


def left(folder: Path) -> list[tuple[str, int]]:
    """What is in a folder, and for whom."""
    return sorted((str(path.relative_to(folder)), path.stat().st_mode) for path in folder.rglob("*"))


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_it_is_what_the_installed_command_is(
    photos: Path, plugin: Path, tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, home = tmp_path / "out", tmp_path / "home"
    home.mkdir()
    line = [word.replace("PHOTOS", str(photos)).replace("OUT", str(out)) for word in words]
    variables = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(plugin)}
    monkeypatch.chdir(photos)
    seen = []
    for forked in (True, False):
        if forked:
            done = installed(line, variables, b"plain.jpg\n")
        else:
            done = subprocess.run(
                [COMMAND, *line], env=variables, input=b"plain.jpg\n", capture_output=True, check=False
            )
        said = VARYING.sub(b"", done.stdout), VARYING.sub(b"", done.stderr)
        seen.append((done.returncode, *said, left(out), left(home)))
        if out.is_dir():
            out.rename(tmp_path / f"out {forked}")
    assert seen[0] == seen[1]


def test_what_it_starts_with_matters_where_it_is_read_then(tmp_path: Path) -> None:
    usual = dict(os.environ)
    assert forks().fits(usual)
    assert forks().fits(usual | {"COLUMNS": "7", "PYTHONPATH": str(tmp_path)})
    assert not forks().fits(usual | {"LC_ALL": "C.other"})
    (tmp_path / "sitecustomize.py").touch()
    assert not forks().fits(usual | {"PYTHONPATH": str(tmp_path)})


def test_one_that_takes_too_long_is_killed(photos: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        installed(["metadata", str(photos)], os.environ, timeout=0.001)
