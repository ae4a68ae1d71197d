"""Text that a file carries does nothing, wherever it is shown."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nsfwforensics.care.helplines import helplines
from tests.e2e.conftest import Runner

SCRIPT, MARKUP, ERASE, FORMULA = "<script>alert(1)</script>", "[red]x[/red]", "\x1b[2J", "=cmd()"


class Elements(HTMLParser):
    """Counts the elements of a page and collects its text."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs))
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def test_exif_text_is_inert_in_every_view(run: Runner, samples: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    shown = run("metadata", samples / "hostile-text.jpg", "-o", report)
    assert shown.code == 0
    assert ERASE[0] not in shown.out
    for text in (SCRIPT, MARKUP, FORMULA):
        assert text in re.sub(r"\s+", "", shown.out.replace("│", "")) or text in shown.out

    page = Elements()
    html = (report / "report.html").read_text("utf-8")
    page.feed(html)
    assert len(page.scripts) <= 1
    assert SCRIPT not in html
    assert SCRIPT in "".join(page.shown)
    assert MARKUP in "".join(page.shown)
    assert ERASE[0] not in html
    help_lines = {line.url for line in helplines()}
    assert all(link.startswith(("#", "data:")) or link in help_lines for link in page.links)
    assert "default-src 'none'" in html

    with (report / "summary.csv").open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.reader(stream):
            for cell in row:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
                assert ERASE[0] not in cell

    assert ERASE[0] not in (report / "report.json").read_text("utf-8")
    values = [
        str(field["value"])
        for result in run("metadata", samples / "hostile-text.jpg", "--json").file("hostile-text.jpg")["results"]
        for field in result["measurements"]["fields"]
    ]
    for text in (SCRIPT, MARKUP, ERASE, FORMULA):
        assert any(text in value for value in values), f"{text!r} must reach the data as it is"


@pytest.mark.slow
def test_the_report_is_made_again_byte_for_byte(run: Runner, samples: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    run("scan", samples, "--skip", "deepfake", "-o", report, "--quiet", "--thumbnails")
    names = ("report.html", "summary.csv", "report.json")
    before = {name: (report / name).read_bytes() for name in names}
    (report / "report.html").unlink()
    (report / "summary.csv").unlink()
    assert run("report", report, "--quiet").code == 0
    assert {name: (report / name).read_bytes() for name in names} == before
