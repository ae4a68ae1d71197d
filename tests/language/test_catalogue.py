"""Messages in other languages: translated where the catalogue has them, never changed in what they say."""

from __future__ import annotations

from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from nsfwforensics.core.messages import say, say_count, sentences
from nsfwforensics.core.types import Finding
from nsfwforensics.errors import UsageError
from nsfwforensics.language import Language, available, language

_PO = """
msgid ""
msgstr ""
"Language: xx\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "photo editor"
msgstr "画像編集ソフト"

msgid "Saved by {software}, a {kind}."
msgstr "{kind}の{software}で保存されました。"

msgid "It is {share:.1f} of {size:,}."
msgstr "{size:,}のうち{share:.1f}です。"

msgid "{count} file"
msgid_plural "{count} files"
msgstr[0] "{count} datei"
msgstr[1] "{count} dateien"

#, fuzzy
msgid "unsure"
msgstr "WRONG"
"""


def _language(code: str) -> Language:
    return Language(code, read_po(BytesIO(_PO.encode()), locale=code))


def _finding(explanation: str) -> Finding:
    return Finding(
        code="TEST-001", title="photo editor", severity="low", support="supports", explanation=explanation, caveat="c"
    )


def test_a_saved_sentence_is_said_in_another_language() -> None:
    finding = _finding(say("Saved by {software}, a {kind}.", software="photo editor", kind=say("photo editor")))
    finding = Finding.model_validate_json(finding.model_dump_json())
    ja = _language("ja")
    assert ja.said(finding, "explanation") == "画像編集ソフトのphoto editorで保存されました。"
    assert ja.said(finding, "title") == "画像編集ソフト"
    assert ja.said(finding, "caveat") == "c"
    assert language("en").said(finding, "explanation") == finding.explanation


def test_numbers_and_lists_follow_the_language() -> None:
    message = say("It is {share:.1f} of {size:,}.", share=1.5, size=12345)
    assert _language("ja").says(message) == "12,345のうち1.5です。"
    assert _language("de").says(message) == "12.345のうち1,5です。"
    assert _language("de").says(say("{n:and}", n=["a", "b"])) == "a und b"
    assert _language("ja").says(sentences(say("photo editor"), say("x"))) == "画像編集ソフトx"


@pytest.mark.parametrize(("number", "text"), [(1, "1 datei"), (2, "2 dateien")])
def test_a_number_chooses_the_form_of_the_language(number: int, text: str) -> None:
    assert _language("de").says(say_count("{count} file", "{count} files", number)) == text


def test_dates_are_localised() -> None:
    moment = "2026-11-22T01:02:03.000+00:00"
    assert _language("ja").moment(moment) == "2026年11月22日 01:02:03 UTC"
    assert _language("de").moment(moment) == "22. November 2026 01:02:03 UTC"


def test_what_the_catalogue_does_not_have_stays_english() -> None:
    assert _language("ja").says(say("Not {x} there.", x=1)) == "Not 1 there."
    assert _language("ja").says(say("unsure")) == "unsure"


def test_wording_that_does_not_make_the_stored_sentence_is_not_believed() -> None:
    finding = _finding(say("Saved by {software}, a {kind}.", software="GIMP", kind="tool"))
    forged = Finding.model_validate({**finding.model_dump(), "explanation": "Nothing was found."})
    assert _language("ja").said(forged, "explanation") == "Nothing was found."


def test_languages_are_found_by_their_files() -> None:
    assert available()[0] == "en"
    assert "ja" in available()
    with pytest.raises(UsageError, match="no catalogue"):
        language("../ja")
