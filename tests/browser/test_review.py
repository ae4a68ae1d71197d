"""The review page in a real Chromium: five hundred files by keyboard alone, what is sent meanwhile, and axe."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nsfwforensics.core.types import Question, Region, Severity
from nsfwforensics.store import custody_log, people, reviewing
from nsfwforensics.store.people import ShownPerson
from nsfwforensics.store.reviewing import ReviewState
from nsfwforensics.store.rows import Decision
from tests.browser.test_accessibility import violations
from tests.report.factory import HOSTILE, finding, result
from tests.review.conftest import Made, Serve

pytestmark = pytest.mark.browser

REGION = Region(x=100, y=100, width=100, height=80)
HIGH = result(findings=(finding("META-004", severity=Severity.HIGH, region=REGION, title=HOSTILE["script"]),))
INTIMATE = result(findings=(finding("META-002", severity=Severity.HIGH, question=Question.CONTENT),))


class Tab:
    """A page that is worked by its keys, and everything that it asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[tuple[str, str, str]] = []
        self.problems: list[str] = []
        page.on("request", lambda each: self.requests.append((each.method, each.url, each.post_data or "")))
        page.on("console", lambda each: self.problems.append(each.text) if each.type == "error" else None)
        page.on("pageerror", lambda each: self.problems.append(str(each)))

    @property
    def number(self) -> str:
        return str(self.page.locator("#item").get_attribute("data-number"))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def then(self, key: str) -> None:
        """A key after which another file is there."""
        before = self.number
        self.press(key)
        self.page.wait_for_function("(n) => document.getElementById('item').dataset.number !== n", arg=before)

    def says(self, text: str) -> None:
        self.page.wait_for_function("(t) => document.getElementById('said').textContent.includes(t)", arg=text)


@contextmanager
def tab(chromium: Any, address: str, **context: Any) -> Iterator[Tab]:
    made_context = chromium.new_context(**context)
    try:
        page = made_context.new_page()
        opened = Tab(page)
        page.goto(address)
        page.wait_for_function("() => document.getElementById('item')?.dataset.number")
        yield opened
    finally:
        made_context.close()


@pytest.mark.slow
def test_five_hundred_files_by_keyboard_alone(made: Made, serve: Serve, chromium: Any, tmp_path: Path) -> None:
    made.add("0-first.jpg", HIGH)
    made.add("1-careful.jpg", INTIMATE)
    for number in range(9):
        made.add(f"2-group-{number}.jpg", HIGH, pdq=f"{number:064x}")
    for number in range(489):
        made.add(f"3-{number:03}.jpg")
    made.done()
    files = {file.id: file for file in made.case.files()}
    careful = next(file for file in files.values() if "careful" in file.path)
    keys = {"1": "relevant", "2": "not-relevant", "3": "false-positive", "4": "needs-review"}
    expected: Counter[str] = Counter()
    client = serve(enter=False)
    with tab(chromium, client.address) as ben:
        assert ben.page.locator("img[src]").count() == 0  # nothing is shown that was not asked for
        ben.press("v")
        ben.says("step 1 of 5")
        ben.press("v")
        ben.says("step 2 of 5")
        assert ben.page.locator("#picture").evaluate("(image) => image.naturalWidth") == 160
        ben.press("h")
        assert ben.page.locator("img[src]").count() == 0
        ben.press("e")
        ben.page.keyboard.type("1 is no key here")
        ben.press("Escape")
        ben.then("1")
        expected["relevant"] += 1
        assert "1-careful" in ben.page.locator("h2").first.inner_text()
        ben.press("v", "c")
        ben.then("4")
        expected["needs-review"] += 1
        assert ben.page.locator("#scope").inner_text() == "for all 9"
        ben.then("2")
        expected["not-relevant"] += 9
        ben.then("u")  # back to the group
        assert ben.page.locator("#scope").inner_text() == "for all 9"
        expected["undecided"] += 9
        ben.press("a")
        ben.says("for this one of 9")
        ben.press("1")
        ben.says("Recorded")
        expected["relevant"] += 1
        ben.press("x")
        assert ben.page.evaluate("document.activeElement.dataset.dismiss") == "META-004"
        ben.press("h")
        assert ben.page.locator("#scope").inner_text() == "for all 8"
        ben.then("3")
        expected["false-positive"] += 8
        ben.then("b")
        ben.then("n")
        for number in range(489):
            key = "1234"[number % 4]
            ben.then(key)
            expected[keys[key]] += 1
        assert ben.number == "end"
        assert ben.page.locator("#left").inner_text().startswith("0 ")
        assert ben.problems == []
    addresses = [url for _, url, _ in ben.requests]
    assert all(url.startswith((f"http://{client.host}/", "blob:", "data:")) for url in addresses)
    asked = [body for _, url, body in ben.requests if url.endswith("/picture")]
    assert len(asked) == 2
    assert not any(f'"file":{careful.id},' in body for body in asked)
    marks = made.case.marks_since(0)
    assert Counter(mark.decision.value for _, _, mark in marks) == expected
    assert next(mark.note for _, _, mark in marks) == "1 is no key here"
    check = custody_log.check(made.case)
    assert check.problems == ()
    entries = [entry for entry in check.chain.entries.values() if entry.kind == "decision"]
    logged = [line for entry in entries for line in entry.subject.split("; ")]
    assert [line[:64] for line in logged] == [sha256 for _, sha256, _ in marks]
    assert sum("picture seen" in line for line in logged) == 1
    assert {path.name for path in tmp_path.iterdir()} <= {
        "evidence", "one.db", "one.db-wal", "one.db-shm", "one.db.custody.jsonl"
    }  # fmt: skip

    with tab(chromium, serve("Cem", enter=False, blind=True).address) as cem:
        assert "Ben" not in cem.page.content()
        cem.then("2")
    with tab(chromium, serve("Dee", enter=False).address) as dee:
        dee.press("f")  # to the first of the filters
        assert dee.page.evaluate("document.activeElement.name") == "show"
        dee.page.keyboard.type("two people")
        dee.press("Tab")
        dee.page.locator("#filters button").focus()
        dee.press("Enter")
        dee.page.wait_for_function("() => document.getElementById('left').textContent.startsWith('1 ')")
        assert "two people disagree" in dee.page.locator("#chosen").inner_text()
        assert dee.page.evaluate("document.activeElement.id") == "item-title"
        dee.then("1")
    first = next(file.sha256 for file in files.values() if "0-first" in file.path)
    history = made.case.history(str(first))
    assert [(mark.by, mark.decision) for mark in history] == [
        ("Ben", Decision.RELEVANT), ("Cem", Decision.NOT_RELEVANT), ("Dee", Decision.RELEVANT)
    ]  # fmt: skip
    assert reviewing.standing(history) is ReviewState.SETTLED


def test_people_and_lists_are_fetched_when_the_filters_are_opened(made: Made, serve: Serve, chromium: Any) -> None:
    digests = [str(made.add(f"{name}.jpg").info.sha256) for name in "abc"]
    shown = {digests[0]: [ShownPerson(3, (100, 100, 50, 50))], digests[1]: [ShownPerson(3, (9, 9, 60, 60))]}
    with made.case.writing() as connection:
        people.write(made.case, connection, shown)
    with tab(chromium, serve(enter=False).address) as ann:
        assert not any(url.endswith("/choices") for _, url, _ in ann.requests)
        ann.page.locator("#item [data-person='3']").first.click()  # before anybody opened the filters
        ann.page.wait_for_function("() => document.getElementById('left').textContent.startsWith('2 ')")
        assert "person 3" in ann.page.locator("#chosen").inner_text()
        ann.press("f")
        assert ann.page.locator("#filters [name='person'] option").all_inner_texts() == ["any", "person 3 (2)"]
        assert sum(url.endswith("/choices") for _, url, _ in ann.requests) == 1
        assert ann.problems == []


def compared(here: Made) -> None:
    sha256 = here.add("original.jpg").info.sha256
    changed = result(
        question=Question.ALTERATION,
        findings=(finding("META-004", severity=Severity.HIGH, data={"sha256": sha256}, region=REGION),),
        measurements={
            "original_sha256": sha256,
            "suspect_to_original": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        },
    )
    here.add("suspect-once.jpg", changed, pdq="0" * 64)
    here.add("suspect-twice.jpg", HIGH, pdq="0" * 64)
    here.done()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("code", ["en", "ja"])
def test_axe_finds_nothing(made: Made, serve: Serve, chromium: Any, axe: str, scheme: str, code: str) -> None:
    compared(made)
    address = serve(enter=False, lang=code).address
    with tab(chromium, address, color_scheme=scheme, bypass_csp=True) as page:  # axe is put in as a script
        page.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        page.press("v", "c", "c")
        page.page.wait_for_selector("#slide:not([hidden])")
        assert violations(page.page, axe) == []
        page.page.evaluate("document.getElementById('pause').showModal()")
        assert violations(page.page, axe) == []


def test_a_phone_needs_no_sideways_scrolling_and_keys_can_be_turned_off(
    made: Made, serve: Serve, chromium: Any
) -> None:
    compared(made)
    with tab(chromium, serve(enter=False).address, viewport={"width": 320, "height": 640}) as page:
        page.press("v", "c")
        page.page.wait_for_selector("#other:not([hidden])")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 320
        page.page.locator("details.keys summary").click()
        page.page.locator("#with-keys").uncheck()
        before = page.number
        page.press("1", "2")
        page.page.wait_for_timeout(200)
        assert page.number == before
        assert made.case.marks_since(0) == []


def test_a_break_is_proposed_and_hides_pictures(made: Made, serve: Serve, chromium: Any) -> None:
    made.add("a.jpg")
    with _with_clock(chromium, serve(enter=False, break_every=20).address) as page:
        page.press("v")
        page.says("step 1")
        page.page.clock.fast_forward("21:00")
        page.page.wait_for_selector("#pause[open]")
        assert page.page.locator("img[src]").count() == 0
        page.press("1")
        assert made.case.marks_since(0) == []
        page.press("Enter")
        page.page.wait_for_selector("#pause:not([open])", state="attached")


@contextmanager
def _with_clock(chromium: Any, address: str) -> Iterator[Tab]:
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.clock.install()
        opened = Tab(page)
        page.goto(address)
        page.clock.run_for(1000)
        page.wait_for_function("() => document.getElementById('item')?.dataset.number")
        yield opened
    finally:
        context.close()


def test_a_server_that_is_gone_is_said_and_nothing_is_taken_for_done(
    made: Made,
    serve: Serve,
    chromium: Any,
) -> None:
    made.add("a.jpg"), made.add("b.jpg")
    with tab(chromium, serve(enter=False).address) as page:
        before = page.number
        page.page.context.set_offline(True)
        page.press("1")
        page.page.wait_for_function("() => /does not answer/.test(document.getElementById('problem').textContent)")
        assert page.number == before
        page.page.context.set_offline(False)
        page.then("1")
    assert len(made.case.marks_since(0)) == 1


def test_two_tabs_of_one_browser_do_not_decide_over_each_other(made: Made, serve: Serve, chromium: Any) -> None:
    made.add("a.jpg"), made.add("b.jpg")
    with tab(chromium, serve(enter=False).address) as one:
        other = Tab(one.page.context.new_page())
        other.page.goto(re.sub(r"\?.*", "", one.page.url))
        other.page.wait_for_function("() => document.getElementById('item')?.dataset.number")
        one.then("1")
        other.page.bring_to_front()
        other.press("2")
        other.page.wait_for_function("() => /meanwhile/.test(document.getElementById('problem').textContent)")
        assert other.page.locator(".history").inner_text().startswith("relevant")
    assert len(made.case.marks_since(0)) == 1
