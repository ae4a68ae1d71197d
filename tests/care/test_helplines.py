from __future__ import annotations

import re
from pathlib import Path

import pytest

from nsfwforensics.care.helplines import Audience, for_minors, helplines
from nsfwforensics.errors import UsageError

FACTS = {
    "*": {"stopncii.org", "takeitdown.ncmec.org"},
    "us": {"report.cybertip.org", "takeitdown.ftc.gov", "cybercivilrights.org"},
    "gb": {"revengepornhelpline.org.uk", "iwf.org.uk", "childline.org.uk"},
    "au": {"esafety.gov.au"},
    "jp": {"safe-line.jp", "ihaho.jp", "jinken.go.jp", "paps.jp", "internethotline.jp", "#8103", "#8891"},
}
"""Typed from the practice guide, not from the data file."""


@pytest.mark.parametrize("country", FACTS)
def test_every_line_of_the_practice_guide_is_there(country: str) -> None:
    shown = " ".join(f"{line.url} {line.phone}" for line in helplines() if country in line.countries)
    assert {place for place in FACTS[country] if place not in shown} == set()


def test_each_says_when_it_was_checked_for_whom_it_is_and_what_it_does_in_both_languages() -> None:
    for line in helplines():
        assert re.fullmatch(r"2026-(0[1-9]|1[0-2])", line.checked_on)
        assert line.audience and line.countries
        assert line.what("en") != line.what("ja")
        assert re.search("[ぁ-ん]", line.what("ja")) and line.what("en").isascii()
        assert line.title("en").isascii(), "an English reader can read the name"
        assert line.what("tlh") == line.what("en")


def test_a_country_has_its_own_first_and_those_for_everywhere() -> None:
    japan = helplines("JP")
    assert [line.everywhere for line in japan] == sorted(line.everywhere for line in japan)
    assert {"stopncii", "ncmec-take-it-down", "police-8103"} <= {line.id for line in japan}
    assert not any("us" in line.countries for line in japan)
    assert helplines("uk") == helplines("gb")
    assert all(line.everywhere for line in helplines("fr"))


def test_a_place_for_minors_leads_everywhere() -> None:
    for country in ("us", "gb", "jp", "au", "fr"):
        lines = for_minors(helplines(country))
        assert lines
        assert Audience.MINOR in lines[0].audience
        assert not any(set(line.audience) <= {Audience.ADULT, Audience.PLATFORM} for line in lines)


@pytest.mark.parametrize("code", ["", "j", "jpn", "日本", "1a", "*"])
def test_what_is_no_country_code_is_said(code: str) -> None:
    with pytest.raises(UsageError, match="two-letter"):
        helplines(code)


ENTRY = """
[[line]]
id = "{id}"
name = "Own line"
url = "{url}"
countries = ["fr"]
audience = ["adult"]
purpose.en = "Ours."
checked_on = "2027-02-03"
"""


def test_own_entries_replace_add_and_take_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        ENTRY.format(id="stopncii", url="https://example.org/a")
        + ENTRY.format(id="local", url="https://example.org/b")
        + '[[line]]\nid = "ccri"\nclosed = true\n',
        encoding="utf-8",
    )
    lines = {line.id: line for line in helplines(own=own)}
    assert lines["stopncii"].url == "https://example.org/a"
    assert lines["local"].checked_on == "2027-02-03"
    assert "ccri" not in lines and "iwf" in lines
    assert "local" not in {line.id for line in helplines()}
    monkeypatch.setenv("NSFWFORENSICS_HELPLINES", str(own))
    assert "local" in {line.id for line in helplines("fr")}


@pytest.mark.parametrize(
    "text",
    [
        ENTRY.format(id="x", url="javascript:alert(1)"),
        ENTRY.format(id="x", url="https://a b/"),
        ENTRY.format(id="x", url="https://a\\u202e/"),
        ENTRY.format(id="x", url="https:///nowhere"),
        ENTRY.format(id="X y", url="https://example.org/"),
        ENTRY.format(id="x", url="https://example.org/").replace("2027-02-03", "soon"),
        ENTRY.format(id="x", url="https://example.org/").replace('url = "https://example.org/"\n', ""),
        "line = 3",
        "not toml [",
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"own\.toml"):
        helplines(own=own)
