"""The command ``provenance`` as its user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.analyzers import provenance_files as files
from tests.e2e.test_imports import loaded_by
from tests.formats import make

COMMAND = Path(sys.executable).with_name("nsfwforensics")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, "provenance", *arguments], capture_output=True, text=True, check=False)


def test_it_shows_what_could_be_recovered(samples: Path) -> None:
    done = run(samples / "generator-metadata.png", "--json")
    (file,) = json.loads(done.stdout)["files"]
    (result,) = file["results"]
    assert result["analyzer"] == "provenance"
    (fact,) = result["measurements"]["recovered"]
    assert fact["prompt"] and fact["settings"]["Sampler"] and fact["seed"]
    origin = next(answer for answer in file["answers"] if answer["question"] == "origin")
    assert origin["statement"].startswith("The file claims to be made by Stable Diffusion web UI")


def test_the_console_names_settings_and_keeps_the_prompt_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(files.png(parameters="a secret boat\n" + files.SETTINGS.split("\n", 1)[1]))
    shown = run(path).stdout
    assert "seed: 1" in shown and "model: boats" in shown
    assert "secret" not in shown and "13 characters, not shown here" in shown


def test_a_file_without_marks_is_not_called_genuine(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(make.jpeg())
    done = run(path)
    assert done.returncode == 0
    assert "No statement of origin was found" in done.stdout and "proves nothing" in done.stdout
    assert "authentic" not in done.stdout and "genuine" not in done.stdout


@pytest.mark.parametrize("name", ["x.jpg", "x.png"])
def test_it_loads_neither_torch_nor_cv2(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(files.FILES["webui-img2img"]() if name.endswith("jpg") else files.stealth())
    modules = loaded_by("provenance", str(path), "--json")
    assert "nsfwforensics.analyzers.provenance.analyzer" in modules
    assert not modules & {"torch", "cv2"}
