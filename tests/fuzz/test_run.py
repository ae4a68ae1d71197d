"""The fuzzing run covers every parser, and a fault in one is found, kept and told by the exit code."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from nsfwforensics import formats
from tests.fuzz.run import TARGETS, changed

ROOT = Path(__file__).parents[2]

_FAULTY = """
import sys
from tests.fuzz import run

def parser(data):
    if len(data) > 40:
        {fault}

run.TARGETS = {{"faulty": (parser, [bytes(60)])}}
if __name__ == "__main__":
    sys.argv = ["fuzz", "--seconds", "20"]
    sys.exit(run.main())
"""


def test_no_parser_is_forgotten() -> None:
    assert {module.name for module in pkgutil.iter_modules(formats.__path__)} < set(TARGETS)


def test_changed_files_differ_and_can_be_made_again() -> None:
    seeds = [b"a sound file" * 9]
    made = [changed(seeds, Random(number)) for number in range(200)]
    assert len(set(made)) > 150
    assert made[7] == changed(seeds, Random(7))


def _run(folder: Path, fault: str) -> tuple[int, str, list[bytes]]:
    script = folder / "faulty.py"
    script.write_text(_FAULTY.format(fault=fault))
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    return done.returncode, done.stdout, [kept.read_bytes() for kept in (folder / ".work/fuzz").glob("faulty-*.bin")]


@pytest.mark.slow
def test_an_exception_is_found_and_its_input_kept(tmp_path: Path) -> None:
    code, said, kept = _run(tmp_path, "raise IndexError")
    assert (code, len(kept)) == (1, 1)
    assert "FAULT" in said
    assert len(kept[0]) > 40


def test_a_crash_of_the_process_is_found_and_its_input_kept(tmp_path: Path) -> None:
    code, said, kept = _run(tmp_path, "import os; os.abort()")
    assert (code, len(kept)) == (1, 1)
    assert "exit code -6" in said


@pytest.mark.slow
def test_a_hang_is_found(tmp_path: Path) -> None:
    code, said, kept = _run(tmp_path, "run.time.sleep(60)")
    assert (code, len(kept)) == (1, 1)
    assert "exit code -14" in said
