"""Sentences keep their template and values through everything a report goes through."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.core.messages import (
    ENGLISH,
    MOST_CHARACTERS,
    Message,
    placeholders,
    restored,
    say,
    say_count,
    sentences,
)
from nsfwforensics.core.types import AnalyzerResult, Finding


def _finding(explanation: str) -> Finding:
    return Finding(code="TEST-001", title="t", severity="low", support="supports", explanation=explanation, caveat="c")


def test_a_message_is_its_english_text() -> None:
    message = say(
        "The file names {software} ({share:.0%} of {count:,} files).", software="GIMP", share=0.25, count=1200
    )
    assert message == "The file names GIMP (25% of 1,200 files)."
    assert isinstance(message, str)
    assert placeholders(str(message.template)) == {"software", "share", "count"}


@pytest.mark.parametrize(("number", "text"), [(1, "1 file"), (0, "0 files"), (2000, "2,000 files")])
def test_a_number_chooses_the_form(number: int, text: str) -> None:
    assert say_count("{count} file", "{count:,} files", number) == text


def test_lists_are_written_out() -> None:
    names = ["a", "b", "c"]
    assert say("{n:and}", n=names) == "a, b and c"
    assert say("{n:or}", n=names[:2]) == "a or b"
    assert say("{n:and}", n=names[:1]) == "a"
    assert say("{n}", n=names) == "a, b, c"
    assert sentences(say("One."), "", say("Two {x}.", x=2)) == "One. Two 2."
    assert sentences(say("One."), "") == "One."


def test_times_are_written_in_utc_and_other_text_as_it_is() -> None:
    assert say("{t:moment}", t="2026-11-22T03:04:05+02:00") == "22 November 2026, 01:04:05 UTC"
    assert say("{t:moment}", t="2026-11-22 03:04:05") == "2026-11-22 03:04:05"
    assert say("{t:moment}", t=None) == "not known"
    assert say("{t:moment}", t="9999-12-31T23:59:59-14:00") == "9999-12-31T23:59:59-14:00"


def test_a_missing_value_is_an_error_of_the_programmer() -> None:
    with pytest.raises(KeyError):
        say("{name}")


def test_only_formats_of_numbers_are_obeyed() -> None:
    assert say("{n:>1000000000d}", n=3) == "3"
    assert say("{n.__class__}", n=3) == "{n.__class__}"
    assert say("{n:.2f}", n="text") == "text"
    assert say("{n:999999999d}", n=3) == "3"


def test_a_format_that_does_not_suit_its_number_is_ignored() -> None:
    assert say("{n:d}", n=1.5) == "1.5"
    assert say("{n:.1f}", n=10**400) == str(10**400)


def test_messages_survive_pickling() -> None:
    message = sentences(say("a {x}", x=say("b")), say_count("{count} c", "{count} d", 3))
    again = pickle.loads(pickle.dumps(message))
    assert isinstance(again, Message)
    assert (again, again.stored()) == (message, message.stored())  # type: ignore[attr-defined]


def test_a_finding_keeps_how_its_sentences_were_made() -> None:
    finding = _finding(say("Saved by {software}, a {kind}.", software="GIMP", kind=say("photo editor")))
    assert finding.explanation == "Saved by GIMP, a photo editor."
    assert type(finding.explanation) is str
    saved = Finding.model_validate_json(finding.model_dump_json())
    assert saved == finding
    said = saved.said("explanation")
    assert isinstance(said, Message)
    assert said.template == "Saved by {software}, a {kind}."
    assert saved.said("caveat") == "c"


def test_a_sentence_put_into_another_one_stays_a_message() -> None:
    finding = _finding(say("Saved by {software}.", software="GIMP"))
    reason = say("metadata: {reason}", reason=finding.said("explanation"))
    assert reason == "metadata: Saved by GIMP."
    result = AnalyzerResult(
        analyzer="a", version="1", origin="o", question="origin", status="failed", error=reason, seconds=0.0
    )
    stored = result.wording["error"].values["reason"]
    assert stored == {"template": "Saved by {software}.", "values": {"software": "GIMP"}}


def test_text_of_a_file_that_looks_like_a_template_stays_text() -> None:
    finding = _finding(say("It says {words}.", words="{software} {0} {x!r}"))
    assert finding.explanation == "It says {software} {0} {x!r}."
    assert str(restored(vars(finding.wording["explanation"]))) == finding.explanation


@given(st.text(), st.dictionaries(st.text(max_size=4), st.one_of(st.text(), st.integers(), st.none()), max_size=3))
def test_any_stored_template_is_filled_or_refused(template: str, values: dict[str, object]) -> None:
    try:
        assert isinstance(ENGLISH.fill(template, values), str)
    except KeyError:
        assert placeholders(template) - set(values)


@pytest.mark.parametrize("stored", [{"template": 3}, {"template": ["a"]}, {"template": None}])
def test_a_broken_stored_template_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        restored(stored)


def test_stored_messages_in_each_other_do_not_multiply() -> None:
    def nested(text: str) -> dict[str, object]:
        stored: dict[str, object] = {"template": text, "values": {}}
        for _ in range(60):
            stored = {"template": "{a}{a}", "values": {"a": stored}}
        return stored

    assert len(restored(nested("xx"))) < 2 * MOST_CHARACTERS
    assert restored(nested("")) == ""


def test_a_value_of_a_megabyte_is_kept_and_one_beyond_all_measure_is_cut() -> None:
    assert len(say("{a} and {a}", a="x" * 1_000_000)) == 2_000_005
    assert say("{a}", a="x" * (MOST_CHARACTERS + 9)) == "x" * MOST_CHARACTERS + "…"
