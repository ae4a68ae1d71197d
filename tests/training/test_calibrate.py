from __future__ import annotations

from pathlib import Path

import pytest

from nsfwforensics.models.calibration import Rate, Verdict
from nsfwforensics.training import calibrate, evaluate
from nsfwforensics.training.augment import TIERS
from nsfwforensics.training.data import Item
from nsfwforensics.training.unseen import Scored, Subject


def row(
    score: float, source: str, label: int, tier: str, *, kind: str = "picture", flat: float = 0.0, shift: float = 0.0
) -> Scored:
    item = Item(Path(f"/nowhere/{source}/{score}.jpg"), label, source, source, "calibrate", "none")
    subject = Subject(item, tier, kind, None, flat)  # type: ignore[arg-type]
    return Scored(subject, (score, score + shift, score))


def many(low: float, high: float, count: int, source: str, label: int) -> list[Scored]:
    step = (high - low) / (count - 1)
    return [row(low + step * n, source, label, tier) for n in range(count) for tier in TIERS]


PHOTOS = many(-4, 0, 60, "one", 0) + many(-3, 1, 60, "two", 0)
FAKES = {"gallery": many(0, 5, 40, "gen", 1)}


def test_the_branch_calls_only_what_hardly_any_photo_reached() -> None:
    branch = calibrate.branch(PHOTOS, FAKES)
    assert branch.reals == 120
    assert branch.verdict(1.5) is Verdict.GENERATED
    assert branch.verdict(0.5) is Verdict.INCONCLUSIVE
    assert branch.verdict(-5.0) is Verdict.NO_INDICATION
    assert (
        calibrate.branch(PHOTOS[:30], FAKES).verdict(99.0) is Verdict.INCONCLUSIVE
    )  # ten photos carry no claim of 1 %


def test_a_model_that_failed_the_gate_never_clears() -> None:
    branch = calibrate.branch(PHOTOS, FAKES, beta=0.0)
    assert branch.verdict(-99.0) is Verdict.INCONCLUSIVE
    assert branch.verdict(1.5) is Verdict.GENERATED
    rows = [row(-99.0, "x", 0, "as_is")]
    assert calibrate.verdicts(rows, PHOTOS, FAKES, beta=0.0) == [Verdict.INCONCLUSIVE]


def test_a_source_never_judges_itself() -> None:
    """Source two reaches higher than source one; judged by one alone, its top is called generated."""
    photos = [row(-1.0 + n / 120, "one", 0, t) for n in range(120) for t in TIERS]
    outliers = [row(3.0, "two", 0, t) for t in TIERS]
    said = calibrate.verdicts(outliers, photos + outliers * 3, FAKES)
    assert set(said) == {Verdict.GENERATED}
    unseen = [row(3.0, "three", 0, t) for t in TIERS]
    assert set(calibrate.verdicts(unseen, photos + outliers * 3, FAKES)) == {Verdict.INCONCLUSIVE}


def test_flat_pictures_and_flips_are_inconclusive() -> None:
    rows = [row(4.0, "x", 1, "as_is", flat=0.9), row(4.0, "x", 1, "as_is", shift=-4.0), row(4.0, "x", 1, "as_is")]
    said = calibrate.verdicts(rows, PHOTOS, FAKES)
    assert said == [Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, Verdict.GENERATED]


def test_rates_count_by_kind_and_state() -> None:
    rows = [
        row(4.0, "x", 1, "as_is"),
        row(-9.0, "x", 1, "as_is"),
        row(0.5, "y", 0, "as_is"),
        row(0.5, "y", 0, "as_is", kind="pair"),
    ]
    found = calibrate.rates(rows, calibrate.verdicts(rows, PHOTOS, FAKES))["as_is"]
    assert found["gallery_called"] == Rate(1, 2)
    assert found["gallery_cleared"] == Rate(1, 2)
    assert found["real_inconclusive"] == Rate(1, 1)
    assert found["pair_called"] == Rate(0, 1)


def test_content_matched_figures_pair_each_photo_with_its_copy() -> None:
    rows = []
    for n in range(8):
        for tier in TIERS:
            rows += [row(n, "s", 0, tier, kind="pair"), row(n, "s", 0, tier, kind="painted")]
    found = evaluate.content_matched(rows, ["painted"])["painted"]["as_is"]
    assert found.value == pytest.approx(0.5)
    assert found.positives == 8


def test_results_become_plain_values() -> None:
    found = evaluate.plain({"a": Rate(1, 4), "b": (1, 2.5), "c": {"d": evaluate.auc_estimate([0.0], [1.0])}})
    assert found["a"]["count"] == 1
    assert found["b"] == [1, 2.5]
    assert found["c"]["d"]["value"] == 1.0
