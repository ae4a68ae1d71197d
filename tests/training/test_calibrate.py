from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.evaluation.states import TIERS, at_tier
from nsfwforensics.models.synthesis.calibration import Rate, Verdict
from training import calibrate, evaluate
from training.data import Item
from training.unseen import Scored, Subject, shorter_side


def row(
    score: float,
    source: str,
    label: int,
    tier: str,
    *,
    kind: str = "picture",
    flat: float = 0.0,
    shift: float = 0.0,
    side: int = 600,
) -> Scored:
    item = Item(Path(f"/nowhere/{source}/{score}.jpg"), label, source, source, "calibrate", "none")
    subject = Subject(item, tier, kind, None, flat, side)  # type: ignore[arg-type]
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


def test_small_pictures_are_not_judged() -> None:
    rows = [
        row(1.0, "x", 1, "as_is", side=329),
        row(1.0, "x", 1, "as_is", side=330),
        row(0.0, "x", 0, "as_is", side=10),
    ]
    assert calibrate.judged(rows) == rows[1:2]
    assert calibrate.counted(rows, rows[1:2])["as_is"] == {"real": 1, "gallery": 1}
    assert calibrate.counted(rows, rows[1:2])["512_q40"] == {"real": 0, "gallery": 0}


def test_only_photographs_that_could_have_been_called_are_counted() -> None:
    """Without the large source too few photographs are left for any p-value below the limit."""
    photos = many(-4, 0, 200, "large", 0) + many(-4, 0, 40, "little", 0)
    unseen = [row(99.0, "new", 0, t) for t in TIERS] + [row(99.0, "gen", 1, t) for t in TIERS]
    dead = [row(99.0, "large", 0, t) for t in TIERS]
    kept = calibrate.testable([*photos, *unseen, *dead], photos)
    assert {one.subject.item.source for one in kept} == {"little", "new", "gen"}
    assert set(calibrate.verdicts(dead, photos, FAKES)) == {Verdict.INCONCLUSIVE}, "whatever they score"
    assert set(calibrate.verdicts(unseen, photos, FAKES)) == {Verdict.GENERATED}


def test_a_state_with_few_photographs_makes_a_source_untestable() -> None:
    photos = many(-4, 0, 200, "one", 0) + [row(-4 + n / 90, "two", 0, "512_q40") for n in range(90)]
    thin = [one for one in photos if one.subject.tier != "512_q40" or one.subject.item.source == "two"]
    assert not calibrate.testable([row(9.0, "two", 0, "as_is")], [one for one in thin if one.subject.tier == "512_q40"])
    assert calibrate.testable([row(9.0, "new", 0, "as_is")], thin)
    assert not calibrate.testable(
        [row(9.0, "new", 0, "as_is")], [one for one in thin if one.subject.item.source == "x"]
    )


@pytest.mark.parametrize(("width", "height"), [(1600, 900), (481, 321), (512, 512), (300, 1999), (767, 769)])
def test_the_side_of_a_shared_picture_is_what_sharing_makes_of_it(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "photo.png"
    Image.new("RGB", (width, height)).save(path)
    item = Item(path, 0, "s", "s", "test", "none")
    for tier in TIERS:
        made = at_tier(np.zeros((height, width, 3), np.uint8), tier)
        assert shorter_side(item, tier) == min(made.shape[:2])


def test_a_tile_has_the_size_of_its_part(tmp_path: Path) -> None:
    path = tmp_path / "grid.png"
    Image.new("RGB", (1200, 903)).save(path)
    assert shorter_side(Item(path, 1, "s", "s", "test", "none", tile=(2, 2)), "as_is") == 451


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


def test_what_strange_publishers_made_is_counted_apart() -> None:
    """A family of a publisher that trained is held out, its publisher is not."""
    rows = [row(4.0, "mixed-models", 1, "as_is"), row(4.0, "comfyui", 1, "as_is"), row(-9.0, "dalle-2", 1, "as_is")]
    found = calibrate.rates(rows, calibrate.verdicts(rows, PHOTOS, FAKES))["as_is"]
    assert found["gallery_called"] == Rate(2, 3)
    assert found["strangers_called"] == Rate(1, 2)
    photos = [row(0.0, "y", 0, tier) for tier in TIERS]
    across = evaluate.across_generators(
        photos + [in_state(one, tier) for one in rows for tier in TIERS], ("calibrate",)
    )
    strangers = across["as_is"]["strangers"]
    assert strangers["families"] == ["comfyui", "dalle-2"]
    assert strangers["pooled"].positives == 2
    assert strangers["mean_over_families"] == pytest.approx(0.5)
    assert across["as_is"]["mean_over_families"] == pytest.approx(2 / 3)


def in_state(one: Scored, tier: str) -> Scored:
    return replace(one, subject=replace(one.subject, tier=tier))


def test_formats_count_for_pictures_in_them_only() -> None:
    photos = PHOTOS + [row(3.0 + n / 100, "one", 0, "webp") for n in range(120)]
    branch = calibrate.branch(photos, FAKES)
    assert list(branch.real) == [*TIERS, "webp"]
    assert branch.reals == 120
    assert branch.verdict(2.0) is Verdict.GENERATED
    assert branch.verdict(2.0, "webp") is Verdict.INCONCLUSIVE
    assert branch.verdict(9.0, "webp") is Verdict.GENERATED
    said = calibrate.verdicts([row(2.0, "x", 0, "webp"), row(2.0, "x", 0, "as_is")], photos, FAKES)
    assert said == [Verdict.INCONCLUSIVE, Verdict.GENERATED]
    assert calibrate.rates([row(9.0, "x", 0, "webp")], [Verdict.GENERATED])["webp"]["real_called"] == Rate(1, 1)


def test_a_verdict_by_the_score_alone_knows_no_flip() -> None:
    turned = [row(4.0, "x", 1, "as_is", shift=-4.0)]
    assert calibrate.verdicts(turned, PHOTOS, FAKES) == [Verdict.INCONCLUSIVE]
    assert calibrate.verdicts(turned, PHOTOS, FAKES, alone=True) == [Verdict.GENERATED]


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
