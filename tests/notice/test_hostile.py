"""Names, addresses and a person's file that mean harm stay what they are: text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nsfwforensics.care.helplines import helplines
from nsfwforensics.errors import UsageError
from nsfwforensics.notice.draft import NoticeDraft, draft
from nsfwforensics.notice.person import OwnWords, read_person, web_address
from nsfwforensics.notice.pictures import Picture
from nsfwforensics.notice.regimes import Law
from nsfwforensics.notice.rendering import DraftFormat, cover, letter
from tests.report.factory import HOSTILE

MARKDOWN = {
    "link": "[click](javascript:alert(1))",
    "picture": "![x](https://evil.example/p.png)",
    "code": "`` ` ``` x",
    "html": "<img src=https://evil.example/p.png onerror=alert(1)>",
    "bare": "https://evil.example/ and www.evil.example",
    "heading": "# not a heading",
    "list": "- not an item",
    "rule": "---",
    "entity": "&lt;script&gt; &#60;b&#62;",
    "reference": "[a]: https://evil.example",
    "table": "a | b",
    "emphasis": "**_~x~_**",
}


def hostile(text: str) -> NoticeDraft:
    """A draft in which the hostile text stands wherever a draft may hold foreign text."""
    words = OwnWords.model_construct(
        **{name: text for name in OwnWords.model_fields if name != "confirmed"}, confirmed=frozenset()
    )
    pictures = (Picture(text, "ab" * 32), Picture(text, None))
    return draft(Law.JP, person=words, urls=["https://example.org/"], pictures=pictures, lines=helplines())


class Seen(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", [*HOSTILE.values(), *MARKDOWN.values()])
def test_in_a_page_it_is_text(text: str) -> None:
    for page in (letter(hostile(text), DraftFormat.HTML), cover(hostile(text), DraftFormat.HTML)):
        seen = Seen()
        seen.feed(page)
        assert seen.tags <= {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "ul", "li",
                             "code", "strong", "mark", "span", "a", "br"}  # fmt: skip
        assert seen.links <= {line.url for line in helplines() if line.url}
        assert not [name for name in seen.attributes if name.startswith("on")]
        assert "default-src 'none'" in page and "script" not in seen.tags
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


@pytest.mark.parametrize("text", [*HOSTILE.values(), *MARKDOWN.values()])
def test_in_plain_text_no_control_character_is_left(text: str) -> None:
    for plain in (letter(hostile(text), DraftFormat.TEXT), cover(hostile(text), DraftFormat.TEXT)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", plain)


@pytest.mark.parametrize("text", MARKDOWN.values())
def test_in_markdown_nothing_of_it_is_active(text: str) -> None:
    for marked in (letter(hostile(text), DraftFormat.MARKDOWN), cover(hostile(text), DraftFormat.MARKDOWN)):
        outside = re.sub(r"(`+) ?.*? ?\1(?!`)", "", marked)  # what stands in code spans is inert
        own = re.compile(r"<https?://[^<>\s]+>")
        outside = own.sub("", outside)
        assert "<" not in outside and not re.search(r"(?<!\\)\]\(", outside)
        assert not re.search(r"(?<!\\)!\[", outside)
        assert not re.search(r"https?://|(?<!\\)www\.", outside)
        assert not re.search(r"^(- )?(# not|- not|---$|\[a\]:)", outside, re.MULTILINE)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.org/",
        "https://",
        "https:///x",
        "https://[::1",
        "https://example.org/ x",
        "https://example.org/\nBcc: x",
        "https://example.org/\u202egpj",
        "https://example.org/\u200b",
        "https://example.org/\u3000x",
        "https://example.org/<script>",
        "https://example.org/`x`",
        'https://example.org/"onmouseover=',
        "https://example.org/" + "x" * 5000,
        " https://example.org/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"web address|blanks"):
        web_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/post/1?a=b&c=d#e",
        "http://例え.jp/写真/1",
        "HTTPS://Example.org:8443/_a_*b*(c)[d]",
        "https://user@example.org/",
        "http://[2001:db8::1]/x",
    ],
)
def test_an_address_is_shown_as_given_and_leads_nowhere(url: str) -> None:
    one = draft(Law.US, urls=[web_address(url), url])
    assert one.urls == (url,)
    assert url in letter(one, DraftFormat.TEXT)
    assert f"`{url}`" in letter(one, DraftFormat.MARKDOWN)
    seen = Seen()
    seen.feed(letter(one, DraftFormat.HTML))
    assert url in seen.text and seen.links == set()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("name = 3", "name"),
        ("nickname = 'x'", "nickname"),
        ('name = "a\\nb"', "line break"),
        ('name = "a\\u202eb"', "cannot be seen"),
        ('reasons = "a\\u0000b"', "cannot be seen"),
        ('name = "' + "x" * 400 + '"', "name"),
        ("confirmed = ['signature']", "signature"),
        ("confirmed = 'accurate'", "confirmed"),
        ("not toml [", "cannot be read"),
    ],
)
def test_a_person_file_that_is_wrong_is_refused(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "her.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=match):
        read_person(path)


def test_her_words_keep_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "her.toml"
    path.write_text('circumstances = """\nFirst line.\nSecond <b>line</b>.\n"""\nname = " A B "\n', encoding="utf-8")
    one = draft(Law.US, person=read_person(path))
    assert one.person.name == "A B"
    assert "First line.\nSecond <b>line</b>." in letter(one, DraftFormat.TEXT)
    assert "First line.<br>\nSecond &lt;b&gt;line&lt;/b&gt;." in letter(one, DraftFormat.HTML)
    assert "First line.\\\nSecond &lt;b&gt;line&lt;/b&gt;." in letter(one, DraftFormat.MARKDOWN)
