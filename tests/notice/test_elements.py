"""A draft under each law holds every element that the law asks for, filled or marked; the list is typed here anew."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from nsfwforensics.care.helplines import helplines
from nsfwforensics.notice.draft import NoticeDraft, State, draft
from nsfwforensics.notice.person import CONFIRMABLE, OwnWords
from nsfwforensics.notice.pictures import Picture
from nsfwforensics.notice.regimes import Law, fields, regime
from nsfwforensics.notice.rendering import DraftFormat, cover, letter

URLS = ("https://example.org/post/1?a=b&c=d", "http://example.net/x")
SHA256 = "ab" * 32
PDQ = "cd" * 32
HER = OwnWords(
    recipient="Example Platform",
    name="Name Of Hers",
    email="her@example.org",
    phone="+81-3-0000-0000",
    address="1-1-1 Somewhere",
    found_on="20 November 2026",
    description="third picture of the post",
    circumstances="I never agreed to this.",
    reasons="It is mine alone.\nIt harms me.",
    right="privacy",
    confirmed=frozenset(CONFIRMABLE),
)

EMPTY = {
    ("us", "en"): {
        "signature": ["Signature: ___", "Date: ___", "I am the person shown in the picture, or I am authorised"],
        "identification of the depiction": ["[PLEASE FILL IN: the hash of the picture"],
        "information to locate it": ["can be seen at: [PLEASE FILL IN: the exact web address (URL)"],
        "good-faith statement of non-consent": ["I have a good-faith belief that the publication", "not consensual"],
        "contact details": ["Name: [PLEASE FILL IN: your name]", "E-mail: [PLEASE FILL IN: your e-mail address]"],
        "48 hours": ["no later than 48 hours after receiving this request"],
        "identical copies": ["known identical copies"],
    },
    ("eu", "en"): {
        "substantiated reasons": ["Why it is illegal", "[PLEASE FILL IN: in your own words, why this is unlawful"],
        "exact URLs": ["can be seen at: [PLEASE FILL IN: the exact web address (URL)"],
        "name and e-mail": ["Name: [PLEASE FILL IN: your name]", "E-mail: [PLEASE FILL IN: your e-mail address]"],
        "good-faith statement": [
            "I believe in good faith that the information and allegations",
            "accurate and complete",
        ],
    },
    ("jp", "ja"): {
        "who": ["氏名：【要記入：氏名】", "権利を侵害された本人、または本人から委任を受けた代理人"],
        "which URL": ["【要記入：画像が掲載されている場所のURL"],
        "which right is infringed": ["侵害されたとする権利", "【要記入：侵害された権利"],
        "why": ["権利が侵害されたとする理由", "【要記入：権利が侵害されたといえる理由"],
        "contact": ["電子メール：【要記入", "電話番号：【要記入", "住所：【要記入"],
        "7 days": ["受領から7日以内に"],
    },
    ("jp", "en"): {
        "who": ["Name: [PLEASE FILL IN: your name]", "I am the person shown in the picture, or I am authorised"],
        "which URL": ["can be seen at: [PLEASE FILL IN: the exact web address (URL)"],
        "which right is infringed": ["[PLEASE FILL IN: which of your rights it infringes"],
        "why": ["[PLEASE FILL IN: in your own words, why this is unlawful"],
        "contact": ["E-mail: [PLEASE FILL IN", "Telephone: [PLEASE FILL IN", "Address: [PLEASE FILL IN"],
        "7 days": ["within 7 days of receiving this request"],
    },
    ("uk", "en"): {
        "intimate image without consent": ["an intimate image, and it was shared without the consent"],
        "priority offence": ["priority offence under the Online Safety Act 2023"],
        "where": ["can be seen at: [PLEASE FILL IN: the exact web address (URL)"],
        "contact": ["Name: [PLEASE FILL IN: your name]", "E-mail: [PLEASE FILL IN: your e-mail address]"],
    },
    ("generic", "en"): {
        "where": ["can be seen at: [PLEASE FILL IN: the exact web address (URL)"],
        "which": ["[PLEASE FILL IN: the hash of the picture"],
        "no consent": ["published without the consent of the person shown"],
        "contact": ["Name: [PLEASE FILL IN: your name]", "E-mail: [PLEASE FILL IN: your e-mail address]"],
        "signature": ["Signature: ___", "accurate and complete"],
    },
}
"""By law and language of the letter: what the law asks for, and what shows it in a draft of nothing."""

FULL = [*URLS, SHA256, "Name Of Hers", "her@example.org", "Example Platform"]
LETTERS = list(EMPTY)


def made(law: str, language: str, *, full: bool) -> NoticeDraft:
    if not full:
        return draft(Law(law), language=language, lines=helplines("jp"))
    pictures = [Picture("IMG_1.jpg", SHA256, PDQ)]
    return draft(Law(law), language=language, person=HER, urls=URLS, pictures=pictures, lines=helplines("jp"))


@pytest.mark.parametrize(("law", "language"), LETTERS)
def test_with_nothing_known_every_element_is_there_and_marked(law: str, language: str) -> None:
    text = letter(made(law, language, full=False), DraftFormat.TEXT)
    for element, shown in EMPTY[law, language].items():
        assert [part for part in shown if part not in text] == [], element


@pytest.mark.parametrize(("law", "language"), LETTERS)
def test_with_everything_known_nothing_is_left_but_the_signature(law: str, language: str) -> None:
    whole = made(law, language, full=True)
    text = letter(whole, DraftFormat.TEXT)
    assert [part for part in FULL if part not in text] == []
    assert "PLEASE" not in text and "要記入" not in text and "内容を確認" not in text
    assert text.count("____") >= 2, "signature and date are left to her hand"
    assert {slot.name for slot in whole.missing()} <= {"signature"}
    for element in whole.regime.elements:
        assert whole.state(element) in (State.FILLED, State.BY_HAND)
    own = {"us": HER.circumstances, "uk": HER.circumstances, "generic": HER.circumstances}.get(law, "It harms me.")
    assert own and own in text
    if law == "jp":
        assert HER.right and HER.address and HER.phone
        assert all(value in text for value in (HER.right, HER.address, HER.phone))


@pytest.mark.parametrize("law", Law)
def test_every_element_of_the_data_is_complete_and_has_its_fields_in_every_letter(law: Law) -> None:
    entry = regime(law)
    assert entry.id == law.value and entry.deadline.en != entry.deadline.ja
    for element in entry.elements:
        assert element.asks.en and element.asks.ja and element.source.en and element.content
        assert re.fullmatch(r"2026-\d\d", element.checked_on)
        assert set(element.fields) <= set(fields())
    for language in entry.letters:
        empty = draft(law, language=language)
        text = letter(empty, DraftFormat.TEXT)
        marks = len(re.findall(r"PLEASE (?:FILL IN|CONFIRM)|【(?:要記入|内容を確認)", text))
        to_mark = [slot for slot in empty.missing() if slot.state is not State.BY_HAND]
        assert marks == len(to_mark), "what is listed as missing is marked in the letter, once each, and nothing else"
        for slot in to_mark:
            assert slot.state is State.TO_CONFIRM or slot.entry.say(language) in text


@pytest.mark.parametrize("law", Law)
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("full", [True, False])
def test_the_cover_begins_with_minors_and_says_what_is_missing(law: Law, language: str, full: bool) -> None:
    one = made(law.value, language, full=full)
    text = cover(one, DraftFormat.TEXT)
    first = text.split("\n\n")[2]
    assert ("under 18" if language == "en" else "18歳未満") in first
    assert ("do not send copies" if language == "en" else "複製を誰にも送らず") in first
    assert text.index("Take It Down (NCMEC)") < text.index("StopNCII")
    assert ("not legal advice" if language == "en" else "法律上の助言ではありません") in text
    assert ("Nothing has been sent" if language == "en" else "まだどこにも送られていません") in text
    assert one.regime.deadline.say(language) in text
    for element in one.regime.elements:
        assert element.asks.say(language) in text
    for slot in one.missing():
        assert slot.entry.say(language) in text
    assert ("checked on November 2026" if language == "en" else "2026年11月に確認") in text
    assert "Draft" not in letter(one, DraftFormat.TEXT) and "下書き" not in letter(one, DraftFormat.TEXT)


CLAIMS = ("ai-generated", "ai generated", "deepfake", "deep fake", "artificial", "generated", "synthetic", "classifier",
          "fake", "生成ai", "生成された", "ディープフェイク", "合成", "人工知能", "偽造", "加工")  # fmt: skip


@pytest.mark.parametrize("law", Law)
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("full", [True, False])
def test_how_the_picture_was_made_is_never_a_ground(law: Law, language: str, full: bool) -> None:
    one = made(law.value, language, full=full)
    for text in (letter(one, DraftFormat.TEXT), cover(one, DraftFormat.TEXT)):
        assert [claim for claim in CLAIMS if claim in text.lower()] == []
        plain = text.replace("Revenge Porn Helpline", "")
        assert "revenge porn" not in plain.lower() and "リベンジポルノ" not in plain


def test_japanese_texts_have_no_english_but_names(capsys: pytest.CaptureFixture[str]) -> None:
    one = replace(made("jp", "ja", full=False), urls=())
    names = ("Take It Down", "NCMEC", "StopNCII", "nsfwforensics", "URL", "SHA-256", "PDQ", "IHC")
    for text in (letter(one, DraftFormat.TEXT), cover(one, DraftFormat.TEXT)):
        for name in names:
            text = text.replace(name, "")
        words = re.findall(r"[A-Za-z]{3,}", re.sub(r"https://\S+", "", text))
        assert set(words) <= {"org"}, words


def test_a_letter_goes_in_the_language_of_those_who_get_it() -> None:
    one = draft(Law.US, language="ja")
    assert one.letter_language == "en" and "Request to remove" in letter(one, DraftFormat.TEXT)
    assert "米国" in cover(one, DraftFormat.TEXT)
    assert draft(Law.JP, language="en").letter_language == "en"


def test_nothing_is_said_for_the_person_that_she_did_not_confirm() -> None:
    for law in Law:
        text = letter(made(law.value, "en", full=False), DraftFormat.TEXT)
        for line in text.splitlines():
            if re.match(r"(I am|I have|I believe|It is an intimate|What I say)", line):
                pytest.fail(f"{law}: stated without being confirmed: {line}")


def test_somebody_who_acts_for_her_says_so() -> None:
    person = OwnWords(acting_for="B. Person", confirmed=frozenset(CONFIRMABLE))
    for law in Law:
        text = letter(draft(law, language="en", person=person), DraftFormat.TEXT)
        assert "I act for B. Person" in text and "I am the person shown" not in text
    assert "B. Person has a good-faith belief" in letter(draft(Law.US, person=person), DraftFormat.TEXT)


def test_file_names_stand_on_the_cover_only_and_perceptual_hashes_where_given() -> None:
    for law in Law:
        one = made(law.value, "en", full=True)
        assert "IMG_1" not in letter(one, DraftFormat.TEXT) and "IMG_1.jpg" in cover(one, DraftFormat.TEXT)
        assert PDQ in letter(one, DraftFormat.TEXT)
        bare = replace(one, pictures=(Picture("IMG_1.jpg", SHA256),))
        assert "PDQ" not in letter(bare, DraftFormat.TEXT)


def test_a_picture_that_could_not_be_read_is_told_on_the_cover() -> None:
    one = draft(Law.GENERIC, pictures=[Picture("lost.jpg", None)])
    assert "could not be read: lost.jpg" in cover(one, DraftFormat.TEXT)
    assert one.slot("files").state is State.TO_FILL_IN


@pytest.mark.parametrize("law", Law)
def test_the_record_lists_what_is_missing(law: Law) -> None:
    one = made(law.value, "en", full=False)
    record = one.record("the letter", "the cover")
    assert record["missing"] == [
        {"field": slot.name, "state": slot.state.value, "what": slot.entry.en} for slot in one.missing()
    ]
    assert {element["id"] for element in record["elements"]} == {element.id for element in regime(law).elements}
    assert record["letter"] == "the letter" and record["checked_on"] == "2026-11"
