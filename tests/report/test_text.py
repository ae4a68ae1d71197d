from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.report.words.text import UNSAFE, count, duration, shorten, shorten_middle, size, visible

ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=200)


@given(ANY_TEXT)
def test_visible_text_holds_nothing_that_acts(text: str) -> None:
    shown = visible(text)
    assert not UNSAFE.search(shown)
    assert {unicodedata.category(c) for c in shown}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert not {unicodedata.bidirectional(c) for c in shown} & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "PDI"}


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), max_size=50))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


def test_escapes_tell_different_names_apart() -> None:
    assert visible("photo\u202egpj.exe") == r"photo\u202egpj.exe"
    assert visible("a\nb\tc\0") == r"a\nb\tc\0"
    assert visible("\x1b[2J") == r"\u001b[2J"
    assert visible("tag\U000e0041") == r"tag\ue0041"
    assert visible("emoji family 👩‍👧 and نص") == "emoji family 👩‍👧 and نص"


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
