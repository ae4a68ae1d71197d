"""The lock files are complete, hashed and silent about where packages come from."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
problems: Callable[[str, list[str]], list[str]] = runpy.run_path(str(ROOT / "tools/check_lock.py"))["problems"]
PLACE = "https:" + "//registry.example"
HASH = f" --hash=sha256:{'a' * 64}"


def test_ours_is_sound() -> None:
    done = subprocess.run(
        [sys.executable, "tools/check_lock.py", "requirements.lock"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "every package is pinned, with SHA-256\n")


@pytest.mark.parametrize(
    ("lock", "wrong"),
    [
        (f"jinja2==3.1.6{HASH}\n", None),
        (f"jinja2==3.1.6 \\\n   {HASH}\n", None),
        (f'jinja2==3.1.6 ; python_version < "4"{HASH}\n', None),
        (f"jinja2>=3.1.6{HASH}\n", "not pinned"),
        (f"jinja2==3.*{HASH}\n", "not pinned"),
        ("jinja2==3.1.6\n", "no SHA-256"),
        ("jinja2==3.1.6 --hash=md5:00\n", "no SHA-256"),
        (f"--index-url {PLACE}\njinja2==3.1.6{HASH}\n", "where a package comes from"),
        (f"jinja2 @ {PLACE}/jinja2.whl{HASH}\n", "where a package comes from"),
        (f"jinja2==2.0{HASH}\n", "2.0 is locked, >=3.1 wanted"),
        (f"rich==14.0{HASH}\n", "nothing is locked"),
    ],
)
def test_what_is_wrong_is_told(lock: str, wrong: str | None) -> None:
    found = problems(lock, ["jinja2>=3.1"])
    assert (wrong is None and not found) or (wrong is not None and any(wrong in line for line in found))
