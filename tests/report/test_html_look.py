"""What the page's own style and script do: contrast, and a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nsfwforensics.report.page import html
from tests.report.factory import HOSTILE, hostile_file
from tests.report.test_html import source


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_meets_wcag_aa(scheme: str) -> None:
    blocks = re.findall(r":root \{([^}]*--paper[^}]*)\}", html.asset("report.css"))
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[("light", "dark").index(scheme)]))
    pairs = [(text, ground) for text in ("ink", "soft", "accent") for ground in ("paper", "card", "tint")]
    for text, ground in [*pairs, ("on-accent", "accent")]:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


@pytest.mark.browser
def test_a_browser_runs_the_pages_script_and_no_other(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here")
    source(tmp_path, *(hostile_file(text) for text in HOSTILE.values()))
    dump = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            f"{(tmp_path / 'report.html').as_uri()}#file-2",
        ],
        capture_output=True,
        timeout=120,
        check=True,
    ).stdout.decode()
    assert re.search(r'<details id="file-2"[^>]* open=""', dump)
    assert re.search(r'<div class="tools needs-script" role="search"', dump)
    assert re.search(r"<output [^>]*>10 of 10 shown", dump)
