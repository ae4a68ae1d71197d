"""Messages in other languages: translated where the catalogue has them, never changed in what they say."""

from __future__ import annotations

from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from nsfwforensics.core.messages import say, say_count, sentences
from nsfwforensics.core.types import Finding
from nsfwforensics.errors import ForensicsError, UsageError
from nsfwforensics.language import Language, available, brought, language

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


@pytest.mark.parametrize("code", available()[1:])
def test_numbers_hold_nothing_that_a_terminal_would_escape(code: str) -> None:
    assert language(code).number(1234567.5, ",.1f").replace(" ", "").isascii()


def test_a_sentence_that_was_worded_anew_is_found_among_the_obsolete_ones() -> None:
    gone = """
#~ msgid "It was saved {count} times."
#~ msgstr "{count}回保存されました。"

#~ msgid "one file"
#~ msgid_plural "{count} files"
#~ msgstr[0] "{count}ファイル"
#~ msgstr[1] "{count}個のファイル"

#~ msgid "photo editor"
#~ msgstr "古い訳"

#, fuzzy
#~ msgid "unsure"
#~ msgstr "たぶん"
"""
    spoken = Language("xx", read_po(BytesIO((_PO + gone).encode())))
    assert spoken.says(say("It was saved {count} times.", count=3)) == "3回保存されました。"
    assert spoken.says(say_count("one file", "{count} files", 2)) == "2個のファイル"
    assert spoken.says("photo editor") == "画像編集ソフト"
    assert spoken.says(say("nobody knows this")) == "nobody knows this"


def test_the_japanese_catalogue_finds_its_obsolete_translations() -> None:
    catalogue = read_po((files("nsfwforensics.language") / "ja.po").open("rb"), locale="ja")
    gone = [entry for entry in catalogue.obsolete.values() if isinstance(entry.id, str) and entry.string]
    assert gone
    for entry in gone:
        assert language("ja").translated(entry.id, {}) == entry.string


def test_translations_brought_by_a_package_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "brings_a_catalogue"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "ja.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "bars"\nmsgstr "帯"\n\nmsgid "one bar"\nmsgid_plural "{count} bars"\nmsgstr[0] "{count}本"\n\n'
        'msgid "not translated"\nmsgstr ""\n',
        "utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = brought("brings_a_catalogue")
    assert found == {"ja": {"bars": "帯", "one bar": ("{count} bars", "{count}本")}}
    spoken = language("ja").also(found["ja"])
    assert spoken.says(say_count("one bar", "{count} bars", 2)) == "2本"
    assert language("en").also(found["ja"]) is language("en")
    (package / "ja.po").write_text('msgid "bars\n', "utf-8")
    brought.cache_clear()
    with pytest.raises(ForensicsError, match=r"ja\.po of brings_a_catalogue"):
        brought("brings_a_catalogue")
