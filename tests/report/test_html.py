from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from nsfwforensics.care.helplines import helplines
from nsfwforensics.core.types import FileReport, Question, Region
from nsfwforensics.report.page import html
from nsfwforensics.report.words import advice
from nsfwforensics.report.words.text import UNSAFE
from nsfwforensics.report.writer import ReportWriter
from tests.report.factory import HOSTILE, every_outcome, file, finding, header, hostile_file, result, thumbnail

VOID = {"meta", "link", "img", "input", "br", "hr", "rect", "circle", "line", "path", "polygon"}


class Page(HTMLParser):
    """What a browser would make of the page: elements, text, attributes."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.raw: dict[str, str] = {}
        self.headings: list[int] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:  # elements of SVG may be closed either way
            return
        assert self.open.pop() == tag
        if tag in ("td", "th", "dt", "dd", "p", "li", "h3", "h4", "h5"):
            self.text.append(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data
        else:
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.text))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    def attributes(self, name: str) -> list[str | None]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def source(folder: Path, *files: FileReport) -> str:
    with ReportWriter(folder) as writer:
        for made in files:
            writer.add(made)
        writer.finish(header())
    return (folder / "report.html").read_text(encoding="utf-8")


def page(folder: Path, *files: FileReport) -> Page:
    return Page(source(folder, *files))


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    calm = page(tmp_path / "calm", *(hostile_file(f"calm{n}") for n in range(len(HOSTILE))))
    hostile = page(tmp_path / "hostile", *(hostile_file(text) for text in HOSTILE.values()))
    assert [tag for tag, _ in hostile.tags].count("script") == 1
    assert {tag for tag, _ in hostile.tags} == {tag for tag, _ in calm.tags}
    names = {name for _, attributes in hostile.tags for name in attributes}
    assert names == {name for _, attributes in calm.tags for name in attributes}
    assert not any(name.startswith("on") or name == "style" for name in names)
    assert not UNSAFE.search(hostile.words)
    for shown in ("<script>alert(1)</script>", "{{ 7*7 }}{% raw %}", r"\u001b[2J", r"photo\u202egpj.exe", r"a\0b"):
        assert shown in hostile.words


def test_the_policy_allows_exactly_our_own_style_and_script(tmp_path: Path) -> None:
    made = page(tmp_path, every_outcome())
    policy = next(a["content"] for _, a in made.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None

    def allowed(kind: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(made.raw[kind].encode()).digest()).decode() + "'"

    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src {allowed('style')}",
        f"script-src {allowed('script')}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert (made.count("style"), made.count("script"), made.count("base"), made.count("form")) == (1, 1, 0, 0)


def test_nothing_is_loaded_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    text = source(tmp_path, every_outcome("a.jpg"), file("b.jpg", result(), info={"thumbnail": thumbnail()}))
    made = Page(text)
    ids = made.attributes("id")
    assert len(ids) == len(set(ids))
    services = {line.url for line in helplines() if line.url}
    for link in made.attributes("href"):
        assert link == "data:," or link in services or (link is not None and link[:1] == "#" and link[1:] in ids)
    assert all(link is not None and link.startswith("data:image/jpeg;base64,") for link in made.attributes("src"))
    for address in services:
        text = text.replace(address, "")
    assert not re.search(r"https?:|@import|url\(", text)
    assert ("html", {"lang": "en"}) in made.tags


def test_headings_never_jump_a_level(tmp_path: Path) -> None:
    for name, files in {"one": [every_outcome()], "two": [every_outcome("a"), every_outcome("b")]}.items():
        levels = page(tmp_path / name, *files).headings
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_what_was_found_stands_before_what_was_not(tmp_path: Path) -> None:
    words = page(tmp_path, every_outcome()).words
    details = words[words.index("The picture in detail", words.index("What this does not mean")) :]
    assert all(question.wording in details for question in Question)
    order = (Question.ORIGIN, Question.SYNTHESIS, Question.KNOWN, Question.CONTENT)
    places = [details.index(question.wording) for question in order]
    assert places == sorted(places)
    assert all(sentence in words for sentence in (*advice.NOT_MEANT, advice.KEEP_FILE, advice.WRITE_DOWN))


def test_every_outcome_looks_different(tmp_path: Path) -> None:
    text = source(
        tmp_path,
        every_outcome("a.jpg"),
        file("b.jpg", error="cannot be decoded"),
        file("c.txt", error="no image", skipped=True),
        file("d.jpg", result(), info={"decoded_share": 0.4}),
    )
    badges = set(re.findall(r'<span class="badge ([a-z-]+)">([^<]+)</span>', text))
    for word in (
        "Information found",
        "Inconclusive",
        "No sign found",
        "Not applicable",
        "Not available",
        "Failed",
        "Ran, with findings",
        "Ran, nothing found",
        "A check failed",
        "Examined in part",
        "Skipped",
    ):
        assert word in {shown for _, shown in badges}
    kinds = ("supports", "inconclusive", "nothing", "failed", "not-available", "not-applicable", "not-checked", "ran")
    style = html.asset("report.css")
    rules = {re.search(rf"\n\.badge\.{kind}\b[^{{]*\{{([^}}]+)\}}", style)[1] for kind in kinds}  # type: ignore[index]
    assert len(rules) == len(kinds)


def test_reasons_and_caveats_are_told(tmp_path: Path) -> None:
    words = page(tmp_path, every_outcome()).words
    for told in (
        "needs the extra that is not here",
        "no reference photo was given",
        "ValueError: broken table",
        "What could make this wrong: Small and recompressed pictures often end here.",
        "estimated probability 52%",
        "box 1 in the drawing",
        "nsfwforensics scan holiday",
        "ab" * 32,
    ):
        assert told.casefold() in words.casefold()


def test_a_region_is_drawn_in_the_pictures_proportions(tmp_path: Path) -> None:
    outside = finding("X1-001", region=Region(x=-50, y=1100, width=300, height=500))
    text = source(
        tmp_path,
        file(
            "a.jpg", result(findings=(outside, finding("X1-002", region=Region(x=800, y=300, width=400, height=300))))
        ),
    )
    assert 'viewBox="-4 -4 1008.0 758.0"' in text
    assert '<rect class="box other" x="500.0" y="187.5" width="250.0" height="187.5"' in text
    assert '<rect class="box other" x="0.0" y="687.5" width="156.2" height="62.5"' in text
    assert "<svg" not in source(
        tmp_path, file("a.jpg", result(findings=(outside,)), info={"width": 30000, "height": 10})
    )
    assert "<svg" not in source(
        tmp_path, file("a.jpg", result(findings=(outside,)), info={"width": None, "height": None})
    )


def test_no_pixels_unless_there_is_a_thumbnail_and_then_blurred(tmp_path: Path) -> None:
    assert page(tmp_path, every_outcome()).count("img") == 0
    text = source(tmp_path, file("a.jpg", result(), info={"thumbnail": thumbnail()}))
    assert Page(text).count("img") == 1
    assert re.search(
        r'<img src="data:image/jpeg;base64,/9j/[^>]*alt="Small copy of the examined picture, blurred', text
    )
    assert 'class="reveal"> Show the picture' in text
    assert re.search(r"\.look img \{[^}]*filter: blur", text)
    assert "The blur only spares the eye" in text


@pytest.mark.parametrize("bad", ['"><script>alert(1)</script>', "PHN2Zz4=", "/9j/ x", "https://example.org/a.jpg"])
def test_a_thumbnail_that_is_no_jpeg_is_left_out(tmp_path: Path, bad: str) -> None:
    made = page(tmp_path, file("a.jpg", result(), info={"thumbnail": bad}))
    assert made.count("img") == 0
    assert made.count("script") == 1


def test_unknown_measurements_are_shown_within_limits(tmp_path: Path) -> None:
    deep: object = 1
    for _ in range(50):
        deep = {"level": deep}
    measured = {
        "table": [{"a": n, "b": None} for n in range(1000)],
        "deep": deep,
        "flag": True,
        "ratio": 0.1 + 0.2,
        "none": [],
        "text": "T" * 1_000_000,
    }
    text = source(tmp_path, file("a.jpg", result("thirdparty", origin="theirs 2.0", measurements=measured)))
    words = Page(text).words
    assert len(text) < 200_000
    assert "Measured by thirdparty" in words
    assert "(from theirs 2.0)" in words
    assert "700 more in report.json" in words
    assert "(1,000,000 characters in all)" in words
    assert "0.3" in words


def test_metadata_values_say_where_they_were_read(tmp_path: Path) -> None:
    field = {
        "source": "JPEG APP1",
        "group": "EXIF IFD0",
        "tag": "0x010F",
        "name": "Make",
        "value": "NIKON",
        "text": "NIKON",
    }
    words = page(tmp_path, file("a.jpg", result(measurements={"fields": [field] * 700}))).words
    assert "What the file says about itself: 700 values" in words
    assert "Make NIKON JPEG APP1, EXIF IFD0" in words
    assert "100 more in report.json" in words


def test_what_is_left_out_of_a_large_page_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "DETAILED_FILES", 3)
    files = [file(f"{n}.jpg", result()) for n in range(8)]
    made = page(tmp_path, *files)
    assert "Only the first 3 of 8 files" in made.words
    assert "files.jsonl" in made.words
    assert [i for i in made.attributes("id") if i and re.fullmatch(r"file-\d+", i)] == ["file-1", "file-2", "file-3"]
    assert all(f"{n}.jpg" in made.words for n in range(8))
    monkeypatch.setattr(html, "DETAILED_BYTES", 1)
    assert "Only the first 1 of 8 files" in page(tmp_path, *files).words
