from __future__ import annotations

import pytest
from nsfwforensics.report.words.figure_values import figure_value

from nsfwforensics.language import language
from nsfwforensics.report.page.shape import shape


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("what", "camera owner", "カメラの所有者"),
        ("kind", "gps_time", "衛星測位の時刻"),
        ("changes", "reduced to 87 % of its size", "元の大きさの87%への縮小"),
        ("where", "in the upper right of the picture, to the right of the face", "画像の右上（顔の右側）"),
    ],
)
def test_words_of_ours_are_said_in_the_language(key: str, text: str, said: str) -> None:
    words = figure_value(key, text)
    assert words is not None
    assert language("ja").says(words) == said
    assert shape({key: text}, language("ja")).pairs[0][1].text == said


@pytest.mark.parametrize("key", ["text", "prompt", "name", "model"])
def test_text_of_the_evidence_stays_as_it_is(key: str) -> None:
    for text in ("camera", "taken", "comment", "reduced to 87 % of its size"):
        assert figure_value(key, text) is None


def test_what_only_looks_like_words_of_ours_stays_as_it_is() -> None:
    assert figure_value("what", "camera owner ") is None
    assert figure_value("changes", "reduced to {share} 87 % of its size") is None
    assert figure_value("where", "in the {where}, to the right of the face") is None


def test_english_pages_show_words_as_they_are_saved() -> None:
    for key, text in (("what", "artist"), ("changes", "cropped to about 28 % of the original")):
        words = figure_value(key, text)
        assert words == text
