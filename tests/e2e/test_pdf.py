from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.conftest import Runner

pytestmark = pytest.mark.skipif(find_spec("weasyprint") is None, reason="the extra `pdf` is not installed")
SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def test_a_pdf_lies_beside_the_page_and_can_be_made_again(run: Runner, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("metadata", SAMPLES / "camera-original.jpg", "-o", out, "--pdf", "--paper", "letter", "-q")
    assert ran.code == 0, ran.err
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert "  report.pdf\n" in (out / "SHA256SUMS").read_text("utf-8")
    assert run("report", out, "-q").code == 0
    assert not (out / "report.pdf").exists()
    assert run("report", out, "-q", "--pdf").code == 0
    assert (out / "report.pdf").exists()


def test_without_a_folder_there_is_no_place_for_a_pdf(run: Runner) -> None:
    ran = run("metadata", SAMPLES / "camera-original.jpg", "--pdf")
    assert ran.code == 2
    assert "-o" in ran.err


def test_what_is_missing_is_said_before_anything_is_examined(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")")
    ran = run("metadata", SAMPLES / "camera-original.jpg", "-o", tmp_path / "out", "--pdf", path=tmp_path)
    assert ran.code == 3
    assert "libpango" in ran.err
    assert "pip install" in ran.err
    assert not (tmp_path / "out").exists()
