from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.report.words.text import (
    LONGEST_NAME,
    UNSAFE,
    ShownNames,
    count,
    duration,
    is_hidden,
    shorten,
    shorten_middle,
    shown_name,
    size,
    visible,
)

ROOT = Path(__file__).resolve().parents[2]

ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=200)


@given(ANY_TEXT)
def test_visible_text_holds_nothing_that_acts(text: str) -> None:
    shown = visible(text)
    assert not UNSAFE.search(shown)
    assert {unicodedata.category(c) for c in shown}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert not {unicodedata.bidirectional(c) for c in shown} & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "PDI"}


ORDINARY = st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "M"], include_characters=" "), max_size=50)


@given(ORDINARY.filter(lambda text: "\\" not in text and not any(map(is_hidden, text))))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


def test_escapes_tell_different_names_apart() -> None:
    assert visible("photo\u202egpj.exe") == r"photo\u202egpj.exe"
    assert visible("a\nb\tc\0") == r"a\nb\tc\0"
    assert visible("\x1b[2J") == r"\u001b[2J"
    assert visible("tag\U000e0041") == r"tag\U000e0041"
    assert visible("emoji family 👩\u200d👧 and نص") == r"emoji family 👩\u200d👧 and نص"
    assert visible(r"C:\users\data\x.jpg") == r"C:\users\data\x.jpg"
    assert visible(r"literal \u200b, \n") == r"literal \\u200b, \\n"


INVISIBLE = {
    "zero-width joiner": "\u200d", "zero-width non-joiner": "\u200c", "zero-width space": "\u200b",
    "combining grapheme joiner": "\u034f", "variation selector": "\ufe0f", "another selector": "\U000e0100",
    "Mongolian selector": "\u180b", "Mongolian vowel separator": "\u180e", "Hangul filler": "\u3164",
    "Hangul choseong filler": "\u115f", "halfwidth filler": "\uffa0", "Khmer inherent vowel": "\u17b4",
    "soft hyphen": "\u00ad", "word joiner": "\u2060", "invisible times": "\u2062", "byte order mark": "\ufeff",
    "a tag": "\U000e0061", "Braille blank": "\u2800", "no-break space": "\u00a0", "ideographic space": "\u3000",
    "hair space": "\u200a", "musical begin beam": "\U0001d173", "shorthand format": "\U0001bca0",
    "interlinear anchor": "\ufff9", "private use": "\ue000", "unassigned": "\U000e0fff", "a control": "\x7f",
    "Arabic letter mark": "\u061c", "Kaithi number sign": "\U000110bd", "line separator": "\u2028",
}  # fmt: skip


@pytest.mark.parametrize("what", INVISIBLE)
def test_what_cannot_be_seen_is_shown_as_an_escape(what: str) -> None:
    character = INVISIBLE[what]
    code = ord(character)
    assert visible(f"a{character}b") == (f"a\\u{code:04x}b" if code < 0x10000 else f"a\\U{code:08x}b")
    assert is_hidden(character)


def test_all_that_a_reader_may_ignore_is_hidden_by_property() -> None:
    """Every format character, blank separator, surrogate, control and variation selector that this Python knows of."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        kind, name = unicodedata.category(character), unicodedata.name(character, "")
        ignorable = kind in ("Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp") or (kind == "Zs" and character != " ")
        blank = re.search("VARIATION SELECTOR|(?:HANGUL|KHITAN).* FILLER$|PATTERN BLANK", name)
        assert is_hidden(character) or not (ignorable or blank), f"U+{code:04X} {name}"


def read_back(shown: str) -> str:
    """What a reader makes of text that was shown: the escapes that are documented, and everything else as it is."""
    kinds = r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|([nrt0\\]))"
    short = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\"}
    return re.sub(kinds, lambda m: short[m[3]] if m[3] else chr(int(m[1] or m[2], 16)), shown)


LETTERS = "\\uUn02bea… \u200b\n\u0301é\u1100\u1161\u212b\U000e0041"
TRICKY = st.text(alphabet=LETTERS, max_size=30)


@given(ANY_TEXT | TRICKY)
def test_what_is_shown_tells_what_was_there(text: str) -> None:
    assert read_back(visible(text)) == text
    assert visible(visible(text)) == visible(text)
    assert read_back(shown_name(text)) == text or len(shown_name(text)) > 900


@given(TRICKY, TRICKY)
def test_two_names_never_look_alike(one: str, other: str) -> None:
    first, second = (re.sub(" +", " ", unicodedata.normalize("NFC", shown_name(name))).strip() for name in (one, other))
    assert (first == second) == (one == other)


def test_names_that_are_cut_do_not_look_alike() -> None:
    name = ShownNames(20)
    long = "holiday/" + "x" * 40 + ".jpg"
    assert name(long) == name(long) == shorten_middle(long, 20)
    other = long.replace("x" * 40, "x" * 19 + "y" + "x" * 20)
    assert name(other) == other
    assert name(shorten_middle(long, 20)) == shorten_middle(long, 20).replace("…", r"\u2026")
    giant = "d/" + "a" * 5000 + ".jpg"
    assert len(shown_name(giant)) <= LONGEST_NAME
    assert shown_name(giant) != shown_name(giant.replace("a", "b").replace("b", "a", 4000))


@given(st.text(alphabet="ab/", min_size=0, max_size=60), st.text(alphabet="ab/", max_size=60))
def test_shortened_names_are_as_different_as_the_names(one: str, other: str) -> None:
    name = ShownNames(10)
    assert (name(one) == name(other)) == (one == other)


def test_no_sentence_of_ours_holds_what_cannot_be_seen() -> None:
    for path in sorted((ROOT / "src/nsfwforensics/language").glob("*.po")):
        hidden = {character for character in path.read_text("utf-8") if is_hidden(character)} - {"\n"}
        assert not hidden, path.name


@given(st.text(max_size=80), st.integers(4, 60))
def test_shortening_keeps_the_limit(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
    assert len(shorten_middle(text, limit)) <= limit
    if len(text) <= limit:
        assert shorten(text, limit) == shorten_middle(text, limit) == text


def test_a_path_keeps_more_of_its_end() -> None:
    assert shorten_middle("/cases/2026/november/incoming/IMG_0001.jpg", 22) == "/cases/…g/IMG_0001.jpg"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (None, "unknown"),
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (2_345_678, "2.3 MB"),
        (5e12, "5,000.0 GB"),
    ],
)
def test_sizes(number: int | None, words: str) -> None:
    assert size(number) == words


def test_counts_and_durations() -> None:
    assert (count(1, "file"), count(12_000, "file"), count(2, "box", "boxes")) == ("1 file", "12,000 files", "2 boxes")
    assert (duration(0.44), duration(200), duration(7500)) == ("0.4 s", "3 min 20 s", "2 h 5 min")
