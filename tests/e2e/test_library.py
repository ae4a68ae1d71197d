"""The library in a plain script, as the README shows it: no guard around its lines, and they run once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"

_SCRIPT = f"""
import nsfwforensics
print("once")
for file in nsfwforensics.scan([{str(SAMPLES / "other-person.jpg")!r}], only=("metadata", "phash")):
    print(file.info.name, file.status)
"""


@pytest.mark.parametrize("how", ["a file", "standard input"])
def test_a_script_without_a_guard(tmp_path: Path, how: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    arguments = [str(script)] if how == "a file" else ["-"]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=None if how == "a file" else _SCRIPT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "once\nother-person.jpg ok\n"), done.stderr
