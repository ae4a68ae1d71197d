"""A headless Chromium that is installed here, driven through its own protocol; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.review.conftest import made, serve

__all__ = ["axe", "chromium", "made", "samples_report", "serve"]

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip("no Chromium here")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core: the file that AXE_CORE names, or the package under node_modules/."""
    path = Path(os.environ.get("AXE_CORE") or ROOT / "node_modules" / "axe-core" / "axe.min.js")
    if not path.is_file():
        pytest.skip("axe-core is not here: make browser-tests, or name axe.min.js in AXE_CORE")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def samples_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of samples/, made by the whole tool."""
    from nsfwforensics.api import scan
    from nsfwforensics.report.writer import ReportWriter

    samples = ROOT / "samples"
    options = {
        "faces": {"reference": (samples / "reference.jpg",)},
        "compare": {"original": (samples / "camera-original.jpg",)},
    }
    run = scan([samples], options=options)
    folder = tmp_path_factory.mktemp("samples")
    with ReportWriter(folder) as writer:
        writer.begin(run.header())
        for file in run:
            writer.add(file)
        writer.finish(run.header(finished=True))
    return folder
