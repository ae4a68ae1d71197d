"""``--score-map`` through the installed command: a picture beside the report, words in it, no pixels with care."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import Runner


@pytest.fixture
def picture(samples: Path, tmp_path: Path) -> Path:
    """A photograph in which one place is smoother."""
    with Image.open(samples / "camera-original.jpg") as opened:
        rgb = np.array(opened.convert("RGB").resize((480, 360)))
    rgb[128:288, 160:352] = np.repeat(np.repeat(rgb[128:288:4, 160:352:4], 4, 0), 4, 1)
    Image.fromarray(rgb).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


@pytest.mark.slow
def test_a_map_lies_beside_the_report(picture: Path, tmp_path: Path, run: Runner) -> None:
    words = ("scan", picture, "--only", "deepfake", "--score-map", "--json")
    ran = run(*words, "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    (result,) = ran.file("picture.png")["results"]
    figures = result["measurements"]["score_map"]
    assert figures["tiles"] >= 4
    (found,) = [finding for finding in result["findings"] if finding["code"] == "SYN-013"]
    assert found["support"] == "inconclusive" and found["region"] is None
    assert [path.suffix for path in (tmp_path / "out" / "artifacts").rglob("*") if path.is_file()] == [".png"]
    careful = run(*words, "--sensitive", "-o", tmp_path / "careful")
    assert careful.code == 0, careful.err
    assert not list((tmp_path / "careful").rglob("*.png"))
    assert b"data:image" not in (tmp_path / "careful" / "report.html").read_bytes()
    assert careful.file("picture.png")["results"][0]["measurements"]["score_map"] == figures
