from __future__ import annotations

import json

import pytest

from nsfwforensics.core.figures import Figure, names_of, unnamed, verbatim_of, words_of
from nsfwforensics.core.messages import Message, say
from nsfwforensics.core.storable import storable
from nsfwforensics.core.types import AnalyzerResult, Finding
from nsfwforensics.language import language
from tests.report.factory import finding, result

JA = language("ja")
FIGURES = {
    "score": "score",
    "settings": Figure("settings", verbatim=True),
    "kind": Figure("kind", {"a": "the first kind"}),
    "counts": Figure("counts", {"real": "real photographs"}),
}


@pytest.mark.parametrize(
    ("value", "nameless"),
    [
        ({"score": 1, "settings": {"Anything at all": {"as deep": ["as", {"it": 1}]}}}, []),
        ({"score": [{"scoer": 1}]}, ["scoer"]),
        ({"counts": {"real": [1, 2], "made": [3, 4]}}, ["made"]),
        ({"error_rates": [{"what": "x", "errors": 0, "trials": 3, "rate": 0.0, "upper": 1.0, "conditions": None}]}, []),
        ([], []),
        ("text", []),
    ],
)
def test_figures_without_a_name_are_found(value: object, nameless: list[str]) -> None:
    assert list(unnamed(value, FIGURES)) == nameless


def test_a_figure_is_a_name_or_more() -> None:
    assert names_of(FIGURES)["kind"] == "kind"
    assert words_of(FIGURES) == {"kind": {"a": "the first kind"}, "counts": {"real": "real photographs"}}
    assert verbatim_of(FIGURES) == ("settings",)


def test_a_message_inside_data_stays_a_message() -> None:
    kept = storable({"where": (say("reduced to {share} of its size", share="87 %"),), "text": "of the file"})
    assert isinstance(kept, dict)
    (message,) = kept["where"]
    assert isinstance(message, Message)
    assert message == "reduced to 87 % of its size"
    assert not isinstance(kept["text"], Message)


def test_what_a_message_holds_is_made_storable_too() -> None:
    message = storable(say("“{name}”, {size:.1f}", name="bad\udc80", size=float("nan")))
    assert isinstance(message, Message)
    assert "\\udc80" in message
    assert json.dumps(message.stored()).isascii()


def test_a_saved_report_knows_which_texts_in_its_data_are_sentences() -> None:
    changes = [say("mirrored"), say("reduced to {share} of its size", share=say("{percent:.0f} %", percent=87))]
    made = finding(data={"changes": changes, "nested": {"list": [{"note": say("mirrored")}]}, "text": "mirrored"})
    read = Finding.model_validate_json(made.model_dump_json())
    assert read == made
    assert read.data["changes"] == ["mirrored", "reduced to 87 % of its size"]
    assert JA.says(read.said_inside("data.changes.1", "reduced to 87 % of its size")) == "元の大きさの87%への縮小"
    assert JA.says(read.said_inside("data.nested.list.0.note", "mirrored")) == "左右反転"
    assert read.said_inside("data.text", "mirrored") is read.data["text"] or not isinstance(
        read.said_inside("data.text", "mirrored"), Message
    )


def test_measurements_keep_their_sentences_as_well() -> None:
    made = result(measurements={"not_judged": say("the file is cut short")})
    read = AnalyzerResult.model_validate_json(made.model_dump_json())
    assert isinstance(read.said_inside("measurements.not_judged", "the file is cut short"), Message)


@pytest.mark.parametrize("wording", [{"template": "{gone}"}, {"template": "another sentence"}, {"template": ["", ""]}])
def test_a_wording_that_was_tampered_with_says_nothing(wording: dict[str, object]) -> None:
    text = "reduced to 87 % of its size"
    made = finding(data={"changes": [text]}, wording={"data.changes.0": wording})
    assert made.said_inside("data.changes.0", text) == text
    assert not isinstance(made.said_inside("data.changes.0", text), Message)
