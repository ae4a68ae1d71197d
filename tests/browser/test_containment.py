"""Nothing that came out of a file acts in the page, and the page asks for nothing but itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import PLANTED, opened, planted, planted_header, rich, write

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("code", ["en", "ja"])
def test_planted_markup_does_not_run_and_nothing_is_requested(tmp_path: Path, chromium: Any, code: str) -> None:
    files = [planted(text, number) for number, text in enumerate(PLANTED)]
    page = write(tmp_path, code, *files, head=planted_header(" ".join(PLANTED)))
    with opened(chromium, page) as tab:
        tab.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        for label in tab.locator("label").all():
            label.click()
        tab.mouse.move(200, 200)
        for _ in range(40):
            tab.keyboard.press("Tab")
        tab.wait_for_timeout(300)
        assert tab.evaluate("window.planted") is None
        assert tab.dialogs == []
        assert [url for url in tab.requests if not url.startswith("data:")] == [page.as_uri()]
        assert tab.url.split("#")[0] == page.as_uri()
        assert tab.evaluate("document.scripts.length") == 1
        assert tab.locator("iframe, object, embed, base, form, a[href^='javascript']").count() == 0
        for text in ("<img src=x onerror=window.planted=1>", "{{ 7*7 }}{software}{% raw %}", r"a\u202egnp.exe"):
            assert text in tab.locator("main").inner_text()


def test_one_planted_file_alone(tmp_path: Path, chromium: Any) -> None:
    for number, text in enumerate(PLANTED):
        page = write(tmp_path / str(number), "en", planted(text, number))
        with opened(chromium, page) as tab:
            assert tab.evaluate("window.planted") is None
            assert tab.locator("h1").count() == 1
            assert [url for url in tab.requests if not url.startswith("data:")] == [page.as_uri()]


def test_a_link_to_help_is_followed_only_when_it_is_clicked_and_says_nothing_of_the_page(
    tmp_path: Path, chromium: Any
) -> None:
    page = write(tmp_path, "en", rich().model_copy(update={"sensitive": True}))
    with opened(chromium, page) as tab:
        links = tab.locator("a[href^='https://']")
        assert links.count() > 5
        for link in links.all():
            assert {"noopener", "noreferrer"} <= set(str(link.get_attribute("rel")).split())
        assert tab.locator("meta[name=referrer]").get_attribute("content") == "no-referrer"
        assert tab.locator("link[rel~=preconnect], link[rel~=dns-prefetch], link[rel~=prefetch]").count() == 0
        assert [url for url in tab.requests if not url.startswith("data:")] == [page.as_uri()]
