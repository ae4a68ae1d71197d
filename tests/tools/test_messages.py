from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tools import messages

PO = """
msgid ""
msgstr ""
"Language: ja\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "kept {name}"
msgstr "{name}を保持"

msgid "gone"
msgstr "消えた"

msgid "{count} file"
msgid_plural "{count} files"
msgstr[0] "{count}ファイル"
"""


def catalogue(text: str = PO):
    return read_po(BytesIO(text.encode()), locale="ja")


def test_messages_of_python_and_of_templates_are_found() -> None:
    found = messages.extracted()
    assert "Nothing stood out" in found
    assert "Image examination report" in found
    assert ("{count:,} file, {when}", "{count:,} files, {when}") in found


def test_translations_are_kept_and_come_back() -> None:
    files = ("{count} file", "{count} files")
    new = messages.brought_up_to_date(catalogue(), ["kept {name}", "new", files])
    assert new.get("kept {name}").string == "{name}を保持"
    assert new.get(files[0]).string == ("{count}ファイル",)
    assert messages.missing(new) == {"new": ""}
    again = messages.brought_up_to_date(catalogue(messages.written(new)), ["gone", files])
    assert again.get("gone").string == "消えた"
    assert again.get(files[0]).string == ("{count}ファイル",)


def test_what_is_written_is_read_and_written_the_same() -> None:
    text = messages.written(messages.brought_up_to_date(catalogue(), ["kept {name}", "new"]))
    assert messages.written(catalogue(text)) == text
    assert "#:" not in text


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        ({"kept {name}": "{other}"}, "placeholders other instead of name"),
        ({"kept {name}": " "}, "no text"),
        ({"nowhere": "x"}, "not in the source"),
        ({"{count} file": "x"}, "plural here or there only"),
        ({"{count} file": ["{count} filez", "x"]}, "another plural"),
        ({"{count} file": ["{count} files", "x", "y"]}, "2 forms instead of 1"),
    ],
)
def test_a_translation_that_does_not_fit_is_refused(pair: dict[str, object], problem: str) -> None:
    target = catalogue()
    assert problem in messages.merged(target, pair)[0]
    assert target.get("kept {name}").string == "{name}を保持"


def test_translations_are_put_in() -> None:
    target = catalogue()
    assert messages.merged(target, {"gone": "新", "{count} file": ["{count} files", "{count}件"]}) == []
    assert target.get("gone").string == "新"
    assert target.get("{count} file").string == ("{count}件",)


def test_every_catalogue_is_named_after_its_language() -> None:
    assert [path.stem for path in messages.catalogues()] == ["es", "fr", "ja", "ko", "pt"]
    assert all(isinstance(path, Path) for path in messages.catalogues())
