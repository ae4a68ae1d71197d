"""What axe-core says of the page, and what it cannot: reflow, print, keyboard, no script."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.types import FileReport
from nsfwforensics.report.page import html
from tests.browser.pages import opened, rich, write
from tests.report.factory import every_outcome, file
from tests.report.situations import SITUATIONS, saved

pytestmark = pytest.mark.browser

REPORTS: dict[str, tuple[FileReport, ...]] = {
    "empty": (),
    "one": (rich(),),
    "failed": (file("a.jpg", error="cannot be decoded"),),
    "folder": (rich(), every_outcome("b.jpg"), file("c.txt", error="no image", skipped=True)),
    "careful": (rich().model_copy(update={"sensitive": True}), every_outcome("b.jpg")),
}
OPEN_ALL = """
document.querySelectorAll('details').forEach((part) => { part.open = true; });
document.querySelectorAll('ol.files > li').forEach((row) => { row.style.contentVisibility = 'visible'; });
"""  # rows that are not laid out before they are scrolled to move what is measured for contrast meanwhile
RUN_AXE = "axe.run(document, {resultTypes: ['violations'], iframes: false})"


def violations(tab: Any, axe: str) -> list[str]:
    """All violations, each with the elements it is about."""
    tab.evaluate(axe)
    found = tab.evaluate(RUN_AXE)["violations"]
    return [
        f"{each['impact']} {each['id']}: " + json.dumps([node["target"] for node in each["nodes"]][:5])
        for each in found
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("code", ["en", "ja"])
@pytest.mark.parametrize("kind", REPORTS)
def test_no_violation(tmp_path: Path, chromium: Any, axe: str, kind: str, code: str, scheme: str) -> None:
    page = write(tmp_path, code, *REPORTS[kind])
    with opened(chromium, page, color_scheme=scheme) as tab:
        tab.evaluate(OPEN_ALL)
        assert violations(tab, axe) == []
        assert tab.locator("html").get_attribute("lang") == code


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SITUATIONS)
def test_no_violation_in_the_eight_situations(
    tmp_path: Path, chromium: Any, axe: str, name: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "DETAILED_FILES", 20)
    saved(tmp_path, name)
    with opened(chromium, tmp_path / "report.html", color_scheme=scheme) as tab:
        tab.evaluate(OPEN_ALL)
        assert violations(tab, axe) == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
@pytest.mark.parametrize("name", SITUATIONS)
def test_what_was_found_stands_above_the_fold(
    tmp_path: Path, chromium: Any, name: str, width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "DETAILED_FILES", 20)
    saved(tmp_path, name)
    with opened(chromium, tmp_path / "report.html", viewport={"width": width, "height": height}) as tab:
        box = tab.locator("h1").bounding_box()
        assert box["y"] + box["height"] < height / 2
        first = SITUATIONS[name][2]
        headline = " ".join(tab.locator("header.page").inner_text().split())
        assert first in headline
        assert tab.locator("#next").bounding_box()["y"] < 3 * height
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_filter_leaves_what_was_asked_for_and_arrow_keys_lead_through_it(tmp_path: Path, chromium: Any) -> None:
    saved(tmp_path, "folder-of-200")
    with opened(chromium, tmp_path / "report.html") as tab:
        shown = tab.locator("ol.files > li:visible")
        assert shown.count() == 200
        tab.locator("#by-priority").select_option("high")
        high = shown.count()
        assert 0 < high < 200
        tab.locator("#by-name").fill("altered")
        tab.locator("#shown", has_text=re.compile(r"\b6 of 200")).wait_for()
        assert shown.count() == 6
        tab.locator("ol.files > li:visible summary").first.focus()
        tab.keyboard.press("ArrowDown")
        tab.keyboard.press("Enter")
        assert tab.locator("#file-2").get_attribute("open") is not None
        tab.keyboard.press("End")
        assert tab.evaluate("document.activeElement.parentElement.id") == "file-6"
        tab.locator("#by-name").fill("")
        tab.locator("#by-priority").select_option("")
        tab.locator("#by-question").select_option("identity")
        assert shown.count() == 16
        tab.locator("#order").select_option("name")
        assert "altered-0" in str(shown.first.get_attribute("data-name"))


@pytest.mark.slow
@pytest.mark.parametrize("code", ["en", "ja"])
def test_the_samples_have_no_violation(
    tmp_path: Path, chromium: Any, axe: str, code: str, samples_report: Path
) -> None:
    from nsfwforensics.language import language
    from nsfwforensics.report.saved.report import SavedReport
    from nsfwforensics.report.writer import write_views

    write_views(SavedReport.open(samples_report, language(code)), tmp_path)
    with opened(chromium, tmp_path / "report.html") as tab:
        tab.evaluate(OPEN_ALL)
        assert violations(tab, axe) == []
        assert [url for url in tab.requests if not url.startswith("data:")] == [(tmp_path / "report.html").as_uri()]


@pytest.mark.parametrize("code", ["en", "ja"])
@pytest.mark.parametrize("kind", REPORTS)
def test_a_narrow_screen_needs_no_sideways_scrolling(tmp_path: Path, chromium: Any, kind: str, code: str) -> None:
    page = write(tmp_path, code, *REPORTS[kind])
    with opened(chromium, page, viewport={"width": 320, "height": 640}) as tab:  # WCAG 1.4.10
        tab.evaluate(OPEN_ALL)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320


def test_everything_is_reached_by_keyboard_and_seen_to_be(tmp_path: Path, chromium: Any) -> None:
    page = write(tmp_path, "en", rich(), every_outcome("b.jpg"))
    with opened(chromium, page) as tab:
        tab.evaluate(OPEN_ALL)
        tab.evaluate(
            """() => {
                const all = document.querySelectorAll(
                    'a[href], button, input, select, summary, [tabindex="0"]');
                window.wanted = [...all].filter((part) => part.checkVisibility());
                window.reached = new Set();
                window.unseen = [];
            }"""
        )
        wanted = tab.evaluate("wanted.length")
        assert wanted > 40
        for _ in range(wanted + 5):
            tab.keyboard.press("Tab")
            tab.evaluate(
                """() => {
                    const part = document.activeElement;
                    window.reached.add(part);
                    const style = getComputedStyle(part);
                    const outlined = parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== 'none';
                    if (part !== document.body && !outlined) window.unseen.push(part.outerHTML.slice(0, 80));
                }"""
            )
        left = tab.evaluate("wanted.filter((part) => !reached.has(part)).map((part) => part.outerHTML.slice(0, 80))")
        assert left == []
        assert [part for part in tab.evaluate("unseen") if "skip" not in part] == []


def test_a_summary_opens_by_keyboard_and_a_link_leads_into_it(tmp_path: Path, chromium: Any) -> None:
    page = write(tmp_path, "en", rich(), every_outcome("b.jpg"))
    with opened(chromium, page) as tab:
        first = tab.locator("details.file").first
        assert first.get_attribute("open") is None
        first.locator("summary").first.focus()
        tab.keyboard.press("Enter")
        assert first.get_attribute("open") is not None
        tab.evaluate("location.hash = '#file-2'")
        tab.locator("#file-2[open]").wait_for()


def test_it_works_without_script(tmp_path: Path, chromium: Any) -> None:
    page = write(tmp_path, "en", rich(), every_outcome("b.jpg"))
    with opened(chromium, page, java_script_enabled=False) as tab:
        assert tab.locator(".needs-script").is_hidden()
        first = tab.locator("details.file").first
        first.locator("summary").first.click()
        assert first.locator(".finding").first.is_visible()
        term = first.locator("a.term:visible").first
        term.click()
        assert tab.url.endswith(str(term.get_attribute("href")))
        for link in tab.locator("nav a").all():
            assert tab.locator(str(link.get_attribute("href"))).count() == 1


@pytest.mark.parametrize(("paper", "width"), [("A4", 794), ("Letter", 816)])
def test_paper_shows_what_is_folded_and_cuts_nothing(tmp_path: Path, chromium: Any, paper: str, width: int) -> None:
    page = write(tmp_path, "en", rich(), every_outcome("b.jpg"))
    margins = 2 * 16 / 25.4 * 96  # of print.css, in pixels of CSS
    with opened(chromium, page, viewport={"width": round(width - margins), "height": 1000}) as tab:
        tab.emulate_media(media="print")
        assert tab.locator("details.print-open[open]").count() == 0
        hidden = tab.evaluate(
            """[...document.querySelectorAll('details.print-open')]
                .filter((part) => ![...part.children].some((child) => child.tagName !== 'SUMMARY'
                    && child.checkVisibility({contentVisibilityAuto: true})
                    && child.getBoundingClientRect().height > 0))
                .map((part) => part.outerHTML.slice(0, 100))"""
        )
        assert hidden == []
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert not tab.locator("nav.contents").is_visible()
        assert tab.pdf(format=paper).startswith(b"%PDF")


def test_motion_is_not_needed(tmp_path: Path, chromium: Any) -> None:
    page = write(tmp_path, "en", rich())
    with opened(chromium, page, reduced_motion="reduce") as tab:
        assert tab.evaluate("document.getAnimations().length") == 0
        assert tab.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
