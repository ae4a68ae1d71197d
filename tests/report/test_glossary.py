from __future__ import annotations

import pytest

from nsfwforensics.core.messages import say
from nsfwforensics.language import language
from nsfwforensics.report.page.glossary import Glossary
from nsfwforensics.report.page.terms import TERMS


def test_a_term_is_linked_once_in_a_section_and_explained() -> None:
    glossary = Glossary(language("en"))
    assert glossary.link("The EXIF data and other EXIF.") == (
        'The <a class="term" href="#term-exif">EXIF</a> data and other EXIF.'
    )
    assert glossary.link("EXIF again.") == "EXIF again."
    glossary.section()
    assert "term-exif" in glossary.link("exif once more")
    assert [entry.name for entry in glossary.entries()] == ["EXIF"]


def test_words_are_whole_words_and_the_longest_wins() -> None:
    glossary = Glossary(language("en"))
    assert glossary.link("rehashed and EXIFTool") == "rehashed and EXIFTool"
    assert 'href="#term-perceptual">perceptual hashes</a>' in glossary.link("Two perceptual hashes.")
    assert [entry.anchor for entry in glossary.entries()] == ["term-perceptual"]


def test_terms_of_another_language_are_found_without_spaces() -> None:
    glossary = Glossary(language("ja"))
    linked = glossary.link("EXIFと量子化テーブルを比較しました。")
    assert linked.count("<a ") == 2
    assert {entry.anchor for entry in glossary.entries()} == {"term-exif", "term-quantisation"}
    assert all(not entry.meaning.isascii() for entry in glossary.entries())


@pytest.mark.parametrize("text", ["<b>EXIF</b>", "a\u202eEXIF", "EXİF PDQ ſcore", "x" * 100_000])
def test_evidence_in_a_sentence_stays_harmless(text: str) -> None:
    linked = str(Glossary(language("en")).link(text))
    assert "<b>" not in linked
    assert "\u202e" not in linked
    assert len(linked) < 6000


def test_what_is_to_be_typed_is_set_as_code() -> None:
    linked = Glossary(language("en")).link(say("Type {command} now.", command="tool <x>"))
    assert linked == "Type <code>tool &lt;x&gt;</code> now."


def test_every_term_is_its_own() -> None:
    keys = [term.key for term in TERMS]
    assert len(keys) == len(set(keys)) >= 25
    words = [word.casefold() for term in TERMS for word in (term.name, *term.words)]
    assert len(words) == len(set(words))
    names = {term.name.casefold() for term in TERMS}
    assert {"exif", "hash", "likelihood ratio", "hamming distance", "content credentials", "false match rate"} <= names
