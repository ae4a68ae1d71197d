"""The example of an analyzer of one's own is installed, runs, and is shown as ours are, with it and without it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from nsfwforensics.testing import contract_file
from tests.e2e.conftest import Runner

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "analyzer-plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example installed into it, as pip does it, without asking an index."""
    folder = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "example")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder, source], check=True, capture_output=True
    )
    return folder


@pytest.fixture
def barred(tmp_path: Path) -> Path:
    """A picture with black bars at the top and at the bottom."""
    photo = Image.open(io.BytesIO(contract_file("plain.jpg")))
    picture = Image.new("RGB", (photo.width, photo.height + 160))
    picture.paste(photo, (0, 80))
    path = tmp_path / "barred.png"
    picture.save(path)
    return path


def page(folder: Path) -> str:
    return (folder / "report.html").read_text("utf-8")


def test_its_findings_have_names_and_a_chart_in_both_languages(
    run: Runner, installed: Path, barred: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    only = ("--only", "bars", "--only", "metadata", "--allow-plugins")
    ran = run("scan", barred, *only, "-o", out, "-q", path=installed)
    assert ran.code == 0, ran.err
    english = page(out)
    assert "Plain bars lie along the edges (top and bottom) and take 25% of the picture" in english
    assert "<dt>share that is bars</dt>" in english
    assert "<title>How much of the picture is bars</title>" in english
    assert "this picture: 0.25" in english
    assert "nsfwforensics-bars 1.0" in english
    again = run("report", out, "--lang", "ja", "-q")  # without the analyzer: all of it stands in the report
    assert again.code == 0, again.err
    japanese = page(out)
    assert "縁に沿って無地の帯があり（上、下）、画像の25%を占めています" in japanese
    assert "<dt>帯の割合</dt>" in japanese
    assert "<title>画像に占める帯の割合</title>" in japanese
    assert "<dt>上</dt>" in japanese
    assert re.search(r"<bdi>上, 下</bdi>", japanese)  # sentences inside data
    assert "この画像：0.25" in japanese


def test_its_options_stand_in_a_section_of_the_help_where_it_may_run(run: Runner, installed: Path) -> None:
    shown = run("scan", "--allow-plugins", "--help", path=installed)
    assert shown.code == 0
    assert "bars: plain bars along the edges" in shown.out
    assert "--bars-least" in shown.out
    without = run("scan", "--help", path=installed)
    assert "bars-least" not in without.out


def test_its_options_are_followed(run: Runner, installed: Path, barred: Path) -> None:
    ran = run("scan", barred, "--only", "bars", "--allow-plugins", "--bars-least", "100", "--json", path=installed)
    assert ran.code == 0, ran.err
    (result,) = ran.file("barred.png")["results"]
    assert result["status"] == "nothing_found"
    assert result["measurements"] == {"top": 80, "bottom": 80, "left": 0, "right": 0}


def test_where_it_raised_is_shown_with_debug_alone(run: Runner, installed: Path, barred: Path, tmp_path: Path) -> None:
    faulty = shutil.copytree(installed, tmp_path / "faulty")
    module = faulty / "nsfwforensics_bars" / "analyzer.py"
    line = "        height, width = evidence.rgb.shape[:2]\n"
    assert line in module.read_text("utf-8")
    module.write_text(module.read_text("utf-8").replace(line, f"        1 / 0\n{line}"), "utf-8")
    words = ("scan", barred, "--only", "bars", "--allow-plugins", "--json")
    plain = run(*words, path=faulty)
    assert plain.code == 4
    assert plain.file("barred.png")["results"][0]["status"] == "failed"
    assert "Traceback" not in plain.err
    shown = run(*words, "--debug", path=faulty)
    assert shown.code == 4
    assert "Traceback" in shown.err
    assert "ZeroDivisionError" in shown.err
    assert "nsfwforensics_bars" in shown.err


def test_it_passes_the_rules_that_it_is_tested_by(installed: Path, tmp_path: Path) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={tmp_path / 'inner'}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, EXAMPLE / "tests"],
        env={"PYTHONPATH": str(installed), "PATH": ""},
        capture_output=True,
        check=False,
        cwd=EXAMPLE,
    )
    assert done.returncode == 0, done.stdout.decode()


def test_the_page_about_it_is_short() -> None:
    assert len((EXAMPLE / "README.md").read_text("utf-8").splitlines()) <= 20
