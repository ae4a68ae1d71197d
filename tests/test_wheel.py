"""The wheel carries the weights and the templates, and works outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from nsfwforensics.testing import contract_file

ROOT = Path(__file__).resolve().parent.parent

EVALUATE = """
import sys
from nsfwforensics.cli.app import main
if __name__ == "__main__":
    sys.argv = ["nsfwforensics", "model", "evaluate", "--real", sys.argv[1], "--fake", sys.argv[2], "--json", "--quiet"]
    main()
"""

SCRIPT = """
import sys, nsfwforensics
from nsfwforensics.models.weights import weights_folder
from nsfwforensics.cli.app import main
print(nsfwforensics.__file__, weights_folder(), sep="\\n", file=sys.stderr)
sys.argv = ["nsfwforensics", "scan", sys.argv[1], "-o", sys.argv[2], "--json"]
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (built,) = out.glob("*.whl")
    return built


def test_what_is_inside(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "weights").iterdir():
        assert f"nsfwforensics/_weights/{path.name}" in names
    for path in (ROOT / "src/nsfwforensics/report/page/templates").iterdir():
        assert f"nsfwforensics/report/page/templates/{path.name}" in names
    assert "nsfwforensics/py.typed" in names
    assert not any(name.startswith(("tests/", "samples/")) for name in names)
    assert "nsfwforensics/evaluation/figures.py" in names
    assert not [name for name in names if "training" in name], "the laboratory stays in the repository"


def test_the_laboratory_is_in_the_source_distribution(tmp_path: Path) -> None:
    pytest.importorskip("build")
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for path in (ROOT / "training").iterdir():
        assert path.name == "__pycache__" or f"training/{path.name}" in names


def test_it_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    picture = tmp_path / "plain.jpg"
    picture.write_bytes(contract_file("plain.jpg"))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, picture, tmp_path / "report"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    module, folder = done.stderr.splitlines()[:2]
    assert Path(module).is_relative_to(site)
    assert Path(folder).is_relative_to(site)
    assert {result["status"] for result in json.loads(done.stdout)["files"][0]["results"]} <= {
        "ok",
        "nothing_found",
        "measured",
        "not_applicable",
    }
    assert (tmp_path / "report" / "report.html").stat().st_size > 5000


@pytest.mark.slow
def test_a_detector_is_measured_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    site, script = tmp_path / "site", tmp_path / "evaluate.py"
    zipfile.ZipFile(wheel).extractall(site)
    script.write_text(EVALUATE)
    for side in ("real", "fake"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "plain.jpg").write_bytes(contract_file("plain.jpg"))
    done = subprocess.run(
        [sys.executable, script, tmp_path / "real", tmp_path / "fake"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["in_both"], "one file is in both folders"
