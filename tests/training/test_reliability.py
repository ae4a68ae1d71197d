"""Curves, calibration errors, criteria, tables and figures from made scores whose truth is known."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsfwforensics.evaluation.states import TIERS, Tier
from nsfwforensics.language import language
from nsfwforensics.models.synthesis.calibration import Branch, Rate, Verdict
from nsfwforensics.models.synthesis.likelihood import RatioCurve
from training import card_tables, criteria, evaluate, model_figures, plots, ratios, reliability
from training.calibrate import verdicts
from training.data import Item
from training.sources import Role
from training.unseen import Scored, Subject


def row(score: float, source: str, group: str, role: Role, kind: str, number: int, tier: Tier, label: int) -> Scored:
    item = Item(Path(f"{group}/{number}.jpg"), label, source, group, role, "CC0")
    return Scored(Subject(item, tier, kind, None, 0.1, 600), (score, score, score))


def world(*, shift: float = 0.0, count: int = 30, generated: float = 1.5) -> list[Scored]:
    """Scores in all states: photographs about 0 (in the test about ``shift``), generated pictures above."""
    rng = np.random.default_rng(3)
    found: list[Scored] = []
    roles: tuple[Role, ...] = ("calibrate", "test")
    tier: Tier
    for tier in TIERS:
        for role in roles:
            moved = shift if role == "test" else 0.0
            for make in ("one", "two", "three"):
                for n in range(count):
                    name, score = f"{role} {make}", float(rng.normal(moved, 1))
                    found.append(row(score, "camera", name, role, "picture", n, tier, 0))
                    found.append(row(score, "camera", name, role, "pair", n, tier, 0))
                    for decoder in ("taef2", "other"):
                        copy = float(rng.normal(generated, 1))
                        found.append(row(copy, "camera", name, role, decoder, n, tier, 0))
            for family in ("flux", "qwen"):
                for n in range(count):
                    score = float(rng.normal(generated, 1))
                    found.append(row(score, "mixed-models", f"{family} {role}", role, "picture", n, tier, 1))
    return found


@pytest.fixture(scope="module")
def rows() -> list[Scored]:
    return world()


@pytest.fixture(scope="module")
def curves(rows: list[Scored]) -> dict[str, RatioCurve]:
    return ratios.curves(rows)


@pytest.fixture(scope="module")
def measured(rows: list[Scored], curves: dict[str, RatioCurve]) -> dict[str, Any]:
    return reliability.measured(rows, curves, ["other"])


def test_the_curve_is_the_ratio_of_the_densities(curves: dict[str, RatioCurve]) -> None:
    # Two normal densities of variance 1 at 0 and 1.5 have log odds 1.5 (score - 0.75).
    for curve in curves.values():
        assert curve.slope == pytest.approx(1.5, rel=0.25)
        assert -curve.offset / curve.slope == pytest.approx(0.75, abs=0.2)
        assert 1 < curve.most <= curve.generated + 1
        assert (curve.photographs, curve.generated) == (90, 60)


def test_nothing_is_fitted_on_the_role_test(rows: list[Scored], curves: dict[str, RatioCurve]) -> None:
    assert ratios.curves([one for one in rows if one.subject.item.role == "calibrate"]) == curves
    assert ratios.curves([one for one in rows if one.subject.item.role == "test"]) == {}


def test_scores_that_do_not_tell_carry_no_ratio() -> None:
    for curve in ratios.curves(world(generated=0.0)).values():
        assert curve.ratio(3.0) < 2
        assert curve.ratio(-3.0) > 0.5


def test_classes_and_kinds_weigh_as_stated(rows: list[Scored]) -> None:
    part = ratios.sample(rows, "as_is", "calibrate")
    drawn = ratios.weights(part)
    assert {kind: pytest.approx(drawn[part.kinds == kind].sum()) for kind in ratios.SHARES} == ratios.SHARES
    galleries = ratios.weights(part.of(part.kinds != "copy"))
    assert galleries[part.kinds[part.kinds != "copy"] == "gallery"].sum() == pytest.approx(0.5)


def test_cost_is_one_where_nothing_is_said() -> None:
    labels, even = np.array([0, 0, 1]), np.array([0.25, 0.25, 0.5])
    assert ratios.cost(np.zeros(3), labels, even) == pytest.approx(1.0)
    assert ratios.cost(np.array([-20.0, -20.0, 20.0]), labels, even) == pytest.approx(0.0, abs=1e-6)
    assert ratios.cost(np.array([2.0, 2.0, -2.0]), labels, even) > 1


def test_a_calibrated_model_is_within_chance_and_a_shifted_one_is_not(measured: dict[str, Any]) -> None:
    for part in measured.values():
        for name in (reliability.GENERATORS, reliability.COPIES, reliability.EVERYTHING):
            assert part[name]["balanced"].found.value < 1.5 * part[name]["balanced"].chance_high
            assert part[name]["cost"] < 0.9
    test = ratios.sample(world(shift=1.2), "as_is", "test")
    curve = RatioCurve(1.5, -1.5 * 0.75, 0.1, 10.0, 90, 60)
    pictures = test.of(test.whole)
    p = np.array([curve.probability(float(score)) for score in pictures.scores])
    off = reliability.error(p, pictures.labels, balanced=True, rounds=100)
    assert off.found.value > 1.5 * off.chance_high
    assert off.found.low > off.chance


def test_chance_shrinks_with_the_pictures() -> None:
    rng = np.random.default_rng(0)
    chances = []
    for count in (60, 600):
        p = rng.uniform(0.05, 0.95, count)
        labels = (rng.random(count) < p).astype(int)
        found = reliability.error(p, labels, balanced=True, rounds=60)
        chances.append(found.chance)
        assert found.found.value < 1.6 * found.chance_high
        assert found.found.low <= found.found.high
        assert 0 < found.chance <= found.chance_high
    assert chances[1] < 0.5 * chances[0]


def test_all_unseen_pictures_are_those_of_both_roles(rows: list[Scored], measured: dict[str, Any]) -> None:
    of_test, of_both = (measured["as_is"][name]["balanced"].found for name in
                        (reliability.GENERATORS, reliability.EVERYTHING))  # fmt: skip
    known = ratios.sample(rows, "as_is", "calibrate")
    more = ((known.kinds == "photograph") & known.whole).sum(), (known.kinds == "gallery").sum()
    assert (of_both.negatives - of_test.negatives, of_both.positives - of_test.positives) == more


def test_a_source_that_calibrates_is_judged_without_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures of the role calibrate get the odds of curves without their sources, not those of the shipped one."""
    rows = world()
    monkeypatch.setattr(ratios, "left_out", lambda part, _: np.where(part.labels == 1, -9.0, 9.0))
    curves = {tier: RatioCurve(1.5, -1.5 * 0.75, 0.1, 10.0, 90, 60) for tier in ("as_is",)}
    found = reliability.measured(rows, curves, [])["as_is"]
    assert found[reliability.EVERYTHING]["balanced"].found.value > 0.3
    assert found[reliability.GENERATORS]["balanced"].found.value < 0.15


def test_few_pictures_carry_no_figure() -> None:
    few = world(count=3)
    assert reliability.GENERATORS not in reliability.measured(few, ratios.curves(few), ["other"])["as_is"]


# --- tables ------------------------------------------------------------------------------------------------------


def judged(rows: list[Scored]) -> list[Verdict]:
    real = [one for one in rows if one.subject.kind == "picture" and one.subject.item.label == 0]
    return verdicts(rows, [one for one in real if one.subject.item.role == "calibrate"], {})


def test_makes_are_counted_and_rare_ones_together() -> None:
    rows = [row(0.0, "camera", make, "test", "picture", n, "as_is", 0) for make in ("big", "big2") for n in range(5)]
    rows += [row(0.0, "camera", make, "test", "picture", 0, "as_is", 0) for make in ("rare", "odd")]
    said = [Verdict.INCONCLUSIVE] * 9 + [Verdict.GENERATED] * 3
    found = evaluate.by_make(rows, said)["as_is"]
    assert set(found) == {"big (test)", "big2 (test)", "others: odd, rare (test)"}
    assert found["big2 (test)"]["looks_generated"] == Rate(1, 5)
    assert found["others: odd, rare (test)"]["looks_generated"] == Rate(2, 2)


def test_criteria_say_held_and_missed(rows: list[Scored], measured: dict[str, Any]) -> None:
    said = [Verdict.INCONCLUSIVE] * len(rows)
    result = {
        "content_matched": evaluate.content_matched(rows, ["other"]),
        "generators": evaluate.across_generators(rows),
        "reliability": measured,
    }
    found = [criteria.gate({}), *criteria.criteria(rows, said, result, ["other"])]
    by_name = {one["name"]: one["states"] for one in found}
    assert found[0]["states"]["as_is"] == {"wanted": 0.75, "measured": None, "held": None}
    assert "other, never trained on" in found[1]["name"]
    assert found[1]["states"]["as_is"]["held"], "two normal densities 1.5 apart have an AUC of 0.86"
    assert found[1]["states"]["768_q60"]["held"] is None
    assert by_name["photographs of the test, portraits aside, not called generated"]["as_is"]["held"]
    assert by_name["portraits of the test, not called generated"]["as_is"]["measured"] is None
    assert not by_name["unseen pictures left inconclusive"]["as_is"]["held"]
    text = card_tables.criteria(evaluate.plain(found))
    assert "≥ 97%: 100.0%, 90/90 (95–100 %), **held**" in text
    assert "≤ 40%: 100.0%" in text
    assert text.count("not measured") >= 4


def test_criteria_count_those_that_were_called() -> None:
    rows = [row(0.0, "portraits", "a", "test", "picture", n, "as_is", 0) for n in range(20)]
    said = [Verdict.GENERATED] * 2 + [Verdict.INCONCLUSIVE] * 18
    found = {one["name"]: one["states"]["as_is"] for one in criteria.criteria(rows, said, {}, [])}
    portraits = found["portraits of the test, not called generated"]
    assert (portraits["measured"], portraits["held"]) == (Rate(18, 20, 1), False), "all show one person"
    assert found["photographs of the test, portraits aside, not called generated"]["measured"] is None


def test_shares_have_exact_intervals_on_both_sides() -> None:
    assert card_tables.exact({"count": 0, "total": 15}) == "0/15 (0–22 %)"  # tables of Clopper and Pearson
    assert card_tables.exact({"count": 5, "total": 10}) == "5/10 (18–82 %)"
    assert card_tables.exact({"count": 10, "total": 10}) == "10/10 (69–100 %)"
    assert card_tables.exact({"count": 0, "total": 0}) == "not measured"
    assert card_tables.exact({"count": 120, "total": 121, "series": 69}) == "120/121 (92–100 %)", "1 of 69"
    assert card_tables.exact({"count": 2, "total": 20, "series": 1}) == "2/20 (2–100 %)", "one series says nothing"


def test_tables_of_the_card_show_chance_and_bounds(measured: dict[str, Any]) -> None:
    plain = evaluate.plain(measured)
    assert json.loads(json.dumps(plain)) == plain
    text = card_tables.reliability(plain)
    assert text.count("chance 0.") == 18
    assert "random halves" in text
    assert "90 / 60" in card_tables.ratios(plain)
    assert card_tables.reliability({}).startswith("Not measured")
    assert card_tables.ratios({}).startswith("No likelihood ratios")


# --- figures -----------------------------------------------------------------------------------------------------


def test_figures_stand_alone_and_are_small(
    rows: list[Scored], measured: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    result.write_text(json.dumps({"plots": evaluate.plain(plots.points(rows, measured, "other"))}))
    assert model_figures.main([str(result), str(tmp_path / "figures")]) == 0
    drawn = sorted((tmp_path / "figures").iterdir())
    names = ["det", "matched", "reliability", "roc", "sources", "states"]
    assert [path.name for path in drawn] == [f"synthesis-{name}.svg" for name in names]
    for path in drawn:
        text = path.read_text()
        assert len(text) < 60_000
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        used = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert used <= {"svg", "title", "desc", "rect", "path", "text", "circle"}
        assert "href" not in text
        assert "url(" not in text
    card = (Path(plots.__file__).parent / "card.md").read_text()
    assert all(f"docs/figures/{path.name}" in card for path in drawn)
    assert "synthesis-roc.svg" in capsys.readouterr().out


def test_sources_with_few_pictures_are_drawn_together() -> None:
    rows = [row(0.0, "camera", make, "test", "picture", n, "as_is", 0) for make in ("a", "b") for n in range(2)]
    rows += [row(0.0, "wallpapers", "wallpapers", "test", "picture", n, "as_is", 0) for n in range(6)]
    found = plots.points(rows, {}, "other")
    assert {group["name"]: len(group["scores"]) for group in found["sources"]} == {
        "other cameras and sources": 4,
        "wallpapers": 6,
    }
    assert model_figures.drawings({**found, "reliability": {}}, language("en"))


def test_a_chart_without_a_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="no drawing"):
        model_figures.standing_alone("<figure></figure>")


def test_curves_fit_a_calibration(curves: dict[str, RatioCurve]) -> None:
    branch = Branch({}, {}, 0.01, 0.1, True, ratios=curves, claims_ratio=True)
    ratio = branch.likelihood_ratio("as_is", [50.0, 60.0, 70.0])
    assert ratio == pytest.approx(curves["as_is"].most)
    assert math.isfinite(curves["as_is"].ratio(-math.inf))
