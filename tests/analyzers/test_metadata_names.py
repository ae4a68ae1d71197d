"""What names of files say: messengers and screenshots in many languages, with the date, also in copies of copies."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsfwforensics.analyzers.metadata import names

TABLE = names.table()
ROWS = [(kind, row) for kind in ("service", "screenshot") for row in TABLE[kind]]


@pytest.mark.parametrize(
    ("kind", "row"), ROWS, ids=lambda value: value["example"] if isinstance(value, dict) else value
)
def test_every_row_has_a_source_and_matches_its_example(kind: str, row: dict[str, str]) -> None:
    assert row["source"]
    named = names.service(row["example"] + ".jpg", camera=False) if kind == "service" else None
    named = named or names.screenshot(row["example"] + ".jpg")
    assert named is not None and named.what == row.get("what", "")
    if re.search(r"20\d\d-?\d\d-?\d\d", row["example"]):
        assert named.date.startswith("2026-")


def test_screenshots_are_known_in_more_than_twenty_languages_with_their_date() -> None:
    assert len(TABLE["words"]) >= 20
    for words in TABLE["words"].values():
        for word in words:
            for text in (word, unicodedata.normalize("NFD", word)):
                named = names.screenshot(f"{text} 2026-05-07 22.26.54.png")
                assert named is not None and named.date == "2026-05-07 22:26:54", word
            assert names.screenshot(f"{word} (3).png") is not None


@pytest.mark.parametrize(
    ("name", "what", "date"),
    [
        ("WhatsApp Bild 2026-08-31 um 15.41.14.jpeg", "WhatsApp", "2026-08-31 15:41:14"),
        ("Imagem do WhatsApp de 2026-08-31 à(s) 15.41.14_b6372282.jpg", "WhatsApp", "2026-08-31 15:41:14"),
        ("Image WhatsApp 2026-08-31 à 15.41.14.jpg", "WhatsApp", "2026-08-31 15:41:14"),
        ("WhatsApp-bild 2026-08-31 kl. 15.41.14.jpg", "WhatsApp", "2026-08-31 15:41:14"),
        ("Изображение WhatsApp 2026-08-31 в 15.41.14.jpg", "WhatsApp", "2026-08-31 15:41:14"),
        ("صورة واتساب بتاريخ 2026-08-31 في 15.41.14.jpg", "WhatsApp", "2026-08-31 15:41:14"),
        ("WhatsApp Image 2026-08-31 at 3.41.14 PM.jpeg", "WhatsApp", "2026-08-31 15:41:14"),
        ("WhatsApp Image 2026-08-31 at 12.05.00\u202fAM.jpeg", "WhatsApp", "2026-08-31 00:05:00"),
        ("WhatsApp Image 2026-08-31 at 15.41.14 (1).jpeg", "WhatsApp", "2026-08-31 15:41:14"),
        ("Copy of IMG-20260831-WA0005.jpg", "WhatsApp", "2026-08-31"),
        ("Kopie von signal-2026-05-07-222654 (2).jpg", "Signal", "2026-05-07 22:26:54"),
        ("photo_2026-05-07_22-26-54 - Copy (3).jpg", "Telegram", "2026-05-07 22:26:54"),
        ("photo_2026-05-07_22-26-54 copy 2.jpg", "Telegram", "2026-05-07 22:26:54"),
        ("IMG-20260507-WA0001~2.jpg", "WhatsApp", "2026-05-07"),
        ("Copy of Copy of received_1234567890123456 (1) (2).jpeg", "Facebook Messenger", ""),
        ("FB_IMG_1600000000000-edited.jpg", "Facebook", "2020-09-13 12:26:40 UTC"),
        ("IMG-20269931-WA0005.jpg", "WhatsApp", ""),
        ("Messenger_creation_1234567890123456.jpeg", "Facebook Messenger", ""),
        ("photo_5192837465019283746_y (1).jpg", "Telegram", ""),
    ],
)
def test_services_are_named_in_any_language_and_through_copies(name: str, what: str, date: str) -> None:
    assert names.service(name, camera=False) == names.Named(what, date)


@pytest.mark.parametrize(
    "name",
    ["IMG_20260507_222654.jpg", "PXL_20260507_222654123.jpg", "DSC_0001.JPG", "P1000001.JPG", "holiday.jpg",
     "Screenshotter tips.png", "snippet.png", "Beautiful_sunset1.jpg", "IMG_1234.HEIC", "20260507_222654.jpg",
     "photo.jpg", "signal.jpg", "line.png", "", ".jpg", "a" * 400],
)  # fmt: skip
def test_other_names_say_nothing(name: str) -> None:
    assert names.service(name, camera=False) is None
    assert names.screenshot(name) is None


def test_a_name_that_cameras_give_too_counts_only_without_camera_data() -> None:
    assert names.service("IMG_20260507_222654_123.jpg", camera=False) is not None
    assert names.service("IMG_20260507_222654_123.jpg", camera=True) is None


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_name_makes_it_fail(name: str) -> None:
    names.service(name, camera=False)
    names.screenshot(name)
