"""What the header says of analyzers is what their results are shown with."""

from __future__ import annotations

from typing import Any

import pytest

from nsfwforensics.core.charts import Dates, Mark, Scale, Zone
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import AnalyzerRecord, Capability, Question, Worded
from nsfwforensics.language import Language, language
from nsfwforensics.report import charts
from nsfwforensics.report.page.arrangement import Arranger, Node
from nsfwforensics.report.words.declared import Declared
from tests.report.factory import HOSTILE, declared, file, finding, header, result

EN, JA = language("en"), language("ja")


def record(**changes: Any) -> AnalyzerRecord:
    values: dict[str, Any] = {
        "name": "other",
        "version": "1",
        "question": Question.KNOWN,
        "origin": "package 1.0",
        "title": "another",
        "figures": {"peak": "largest peak", "settings": "settings", "state": "state"},
        "words": {"state": {"as_is": "as it was"}},
        "verbatim": ("settings",),
        "messages": {"ja": {"largest peak": "最大の山", "as it was": "元のまま", "settings": "わたしの設定"}},
    }
    return AnalyzerRecord(**(values | changes))


def shaped(data: dict[str, Any], language: Language = EN, model: Worded | None = None, **changes: Any) -> Node:
    known = Declared.of(header(analyzers=(record(**changes),)))
    spoken = language.also(known.messages.get(language.code, {}))
    return Arranger(known.figures("other"), spoken, model).shape(data, "data")


def labels(node: Node) -> list[str]:
    return [label.text for label, _ in node.pairs]


def test_figures_have_the_names_that_were_declared_and_others_their_key_in_words() -> None:
    assert labels(shaped({"peak": 1, "not_declared": 2})) == ["largest peak", "not declared"]
    assert labels(shaped({"peak": 1}, JA)) == ["最大の山"]


def test_a_code_is_shown_as_what_it_means() -> None:
    assert shaped({"state": "as_is"}).pairs[0][1].text == "as it was"
    assert shaped({"state": "as_is"}, JA).pairs[0][1].text == "元のまま"
    assert shaped({"state": "other_code"}, JA).pairs[0][1].text == "other_code"


def test_what_the_file_names_is_shown_as_it_stands() -> None:
    (_, inside) = shaped({"settings": {"cfg_scale": "as_is", "state": {"peak": "settings"}}}, JA).pairs[0]
    assert [(label.text, label.as_written) for label, _ in inside.pairs] == [("cfg_scale", True), ("state", True)]
    assert inside.pairs[0][1].text == "as_is"
    assert inside.pairs[1][1].pairs[0][0].text == "peak"


def test_our_own_catalogue_goes_before_what_an_analyzer_brings() -> None:
    assert labels(shaped({"settings": 1}, JA)) == ["設定"]


def test_text_of_the_file_is_never_taken_for_a_sentence() -> None:
    made = finding(data={"text": "made brighter", "note": say("made brighter")})
    texts = [node.text for _, node in shaped(dict(made.data), JA, made).pairs]
    assert texts == ["made brighter", "明るさの増加"]


def test_a_report_of_the_first_schema_is_shown_with_what_the_installed_analyzer_says() -> None:
    (whole,) = declared("phash")
    old = AnalyzerRecord(name="phash", version="2", question=Question.KNOWN, origin="built-in")
    known = Declared.of(header(analyzers=(old,)))
    assert known.figures("phash").names == whole.figures
    assert known.providing(Capability.HASHES) == {"phash"}
    foreign = old.model_copy(update={"origin": "package 1.0"})  # no code of third parties runs to show a report
    assert not Declared.of(header(analyzers=(foreign,))).figures("phash").names


@pytest.mark.parametrize(
    "messages",
    [
        {"ja": {"{count} bars": "{secret}"}},
        {"ja": {"{count} bars": ""}},
        {"ja": {"{count} bars": ["{count} bars", "{secret}"]}},
        {"xx": {"{count} bars": "{count}"}},
    ],
)
def test_translations_out_of_a_report_may_hold_no_values_of_their_own(messages: dict[str, Any]) -> None:
    known = Declared.of(header(analyzers=(record(messages=messages),)))
    assert JA.also(known.messages.get("ja", {})).says(say("{count} bars", count=3)) == "3 bars"


SCALE = Scale(
    codes=("OTHER-001",),
    title="How much",
    unit="Share",
    marks=(Mark(value="data.share", name="this picture"), Mark(value=0.5, name="half")),
    zones=(Zone(name="little", end=0.2), Zone(name="unclear", start="data.from", end="data.to", undecided=True)),
    ends=(0.0, 1.0),
)


def drawn(scale: Scale, data: dict[str, Any]) -> str | None:
    found = finding("OTHER-001", data=data)
    return charts.score(result("other", findings=(found,)), found, (scale,), EN)


def test_a_value_is_drawn_on_the_scale_that_was_declared() -> None:
    chart = str(drawn(SCALE, {"share": 0.4, "from": 0.3, "to": 0.6}))
    assert "this picture: 0.40" in chart
    assert "half: 0.50" in chart
    assert "<title>How much</title>" in chart
    assert ">little<" in chart


@pytest.mark.parametrize("share", [None, "0.4", True, [0.4], {"a": 1}, float("nan")])
def test_without_a_value_nothing_is_drawn(share: object) -> None:
    scale = SCALE.model_copy(update={"marks": SCALE.marks[:1]})
    assert drawn(scale, {"share": share}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"ends": None},
        {"ends": (1.0, 0.0)},
        {"ends": (0.0, float("inf"))},
        {"distribution": "data.gone"},
        {"marks": (Mark(value="measurements", name="x"),)},
        {"marks": (Mark(value="....", name="x"),)},
        {"marks": (Mark(value="data.share.99999999999999999999999", name="x"),)},
        {"codes": ("OTHER-002",)},
    ],
)
def test_a_declaration_that_fits_nothing_draws_nothing(changes: dict[str, Any]) -> None:
    assert drawn(SCALE.model_copy(update=changes), {"share": 0.4}) is None


@pytest.mark.parametrize("text", [*HOSTILE.values(), "{x}", "{0.__class__}"])
def test_hostile_declarations_are_inert(text: str) -> None:
    scale = SCALE.model_copy(
        update={
            "title": text,
            "unit": text,
            "lines": text,
            "caption": (text,),
            "marks": tuple(Mark(value=value, name=text) for value in range(500)),
            "zones": tuple(Zone(name=text, start=0.0) for _ in range(500)),
        }
    )
    chart = str(drawn(scale, {}))
    assert "<script" not in chart
    assert len(chart) < 40_000
    dates = Dates(codes=("OTHER-001",), dates="data.when", kind=text, source=text, kinds={text: text})
    made = file("a.jpg", result("other", findings=(finding("OTHER-001", data={"when": "2020-01-01"}),)))
    known = Declared.of(header(analyzers=(record(charts=(dates,)),)))
    assert "<script" not in str(charts.timeline(made, known, EN))
