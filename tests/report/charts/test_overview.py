from __future__ import annotations

import pytest

from nsfwforensics.core.types import Priority, Question, Summary, Support
from nsfwforensics.language import language
from nsfwforensics.report.charts import overview
from nsfwforensics.report.saved.tally import Tally
from tests.report.charts.drawn import cells, inside, read, shapes, texts
from tests.report.factory import every_outcome, file, finding, result

ENGLISH = language("en")


def summary(files: int, signs: int, high: int) -> Summary:
    return Summary(
        files=files,
        by_priority={Priority.HIGH: high, Priority.NONE: files - high},
        by_question={Question.SYNTHESIS: {Support.SUPPORTS: signs, Support.NO_INDICATION: files - signs}},
    )


def test_every_number_is_drawn_and_stands_in_a_table() -> None:
    chart = read(overview(summary(12, 5, 3), {Question.SYNTHESIS: {Priority.HIGH: 3, Priority.NONE: 2}}, ENGLISH))
    assert texts(chart)[:3] == ["Priority for review", "3", "9"]
    rows = cells(chart)
    assert ["Generated or face-swapped", "5", "0", "7", "0"] in rows
    assert ["Generated or face-swapped", "3", "0", "0", "2"] in rows
    title, description = (chart.findtext(f"svg/{name}") for name in ("title", "desc"))
    assert title == "12 files at a glance"
    assert description is not None
    assert "Signs found 5" in description
    inside(chart)


def test_a_question_without_answers_was_not_checked() -> None:
    rows = cells(read(overview(summary(12, 5, 3), {}, ENGLISH)))
    assert ["Known image", "0", "0", "0", "12"] in rows


@pytest.mark.parametrize("files", [2, 17, 999, 50_000])
def test_one_file_among_many_is_seen(files: int) -> None:
    chart = read(overview(summary(files, 1, 1), {}, ENGLISH))
    inside(chart)
    lone = [shape for shape in shapes(chart, "supports") if shape.attrib["width"] != "16"]
    assert len(lone) == 2
    assert all(float(shape.attrib["width"]) >= 3 for shape in lone)


def test_looks_differ_by_more_than_colour() -> None:
    chart = read(overview(summary(12, 5, 3), {}, ENGLISH))
    hatched = shapes(chart, "inconclusive")
    assert hatched
    assert shapes(chart, "hatch")
    strokes = {
        look: shapes(chart, look)[0].get("stroke-dasharray") for look in ("inconclusive", "nothing", "not-checked")
    }
    assert len(set(strokes.values())) == 3


def test_one_file_needs_no_overview() -> None:
    assert overview(summary(1, 1, 1), {}, ENGLISH) is None


def test_signs_are_counted_by_question_and_priority() -> None:
    tally = Tally()
    quiet = every_outcome()
    tally.add(quiet, 0, 1)
    loud = file("b.jpg", result("jpeg", Question.ALTERATION, findings=(finding("JPEG-001", severity="high"),)))
    tally.add(loud, 2, 1)
    assert tally.signs[Question.ALTERATION] == {loud.priority: 1} | {p: 0 for p in Priority if p is not loud.priority}
    assert sum(tally.signs[Question.ORIGIN].values()) == 1
    assert sum(tally.signs[Question.SYNTHESIS].values()) == 0
