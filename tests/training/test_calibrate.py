from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsfwforensics.models.calibration import Rate, Verdict
from nsfwforensics.training import calibrate, evaluate
from nsfwforensics.training.augment import TIERS, at_tier
from nsfwforensics.training.data import Item
from nsfwforensics.training.unseen import Scored, Subject, shorter_side


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


def test_small_pictures_are_compared_with_small_ones_only() -> None:
    small = [row(2.0 + n / 120, "three", 0, t, side=320) for n in range(120) for t in TIERS]
    usual_and_small = [
        row(1.5, "x", 1, "as_is"),
        row(1.5, "x", 1, "as_is", side=349),
        row(9.0, "x", 1, "as_is", side=320),
    ]
    assert calibrate.verdicts(usual_and_small, PHOTOS + small, FAKES) == [
        Verdict.GENERATED,
        Verdict.INCONCLUSIVE,
        Verdict.GENERATED,
    ]


def test_where_few_small_photographs_are_known_no_small_picture_is_called() -> None:
    few = [row(-9.0, "three", 0, t, side=320) for _ in range(40) for t in TIERS]
    assert calibrate.verdicts([row(99.0, "x", 1, "as_is", side=320)], PHOTOS + few, FAKES) == [Verdict.INCONCLUSIVE]


def test_a_size_without_generated_pictures_is_never_cleared() -> None:
    small = [row(n / 120, "three", 0, t, side=320) for n in range(120) for t in TIERS]
    copies = [row(n / 60, "three", 0, t, kind="painted", side=320) for n in range(60) for t in TIERS]
    usual, little = calibrate.sized(PHOTOS + small, {**FAKES, "resynthesised": copies})
    assert (usual.sides, little.sides) == ((350, None), (256, 350))
    assert usual.verdict(-99.0) is Verdict.INCONCLUSIVE, "none of the copies is of usual size"
    assert little.verdict(-99.0) is Verdict.INCONCLUSIVE
    assert little.verdict(99.0) is Verdict.GENERATED
    cleared, _ = calibrate.sized(PHOTOS + small, FAKES)
    assert cleared.verdict(-99.0) is Verdict.NO_INDICATION


def test_rates_are_counted_for_each_size() -> None:
    rows = [row(4.0, "x", 1, "as_is"), row(0.5, "y", 0, "as_is", side=320), row(4.0, "y", 0, "as_is", kind="painted")]
    found = calibrate.rates_by_size(rows, calibrate.verdicts(rows, PHOTOS, FAKES), "painted")
    assert found["usual"]["as_is"]["gallery_called"] == Rate(1, 1)
    assert found["usual"]["as_is"]["resynthesised_called"] == found["usual"]["as_is"]["painted_called"] == Rate(1, 1)
    assert found["small"]["as_is"] == {
        "real_called": Rate(0, 1),
        "real_cleared": Rate(0, 1),
        "real_inconclusive": Rate(1, 1),
    }
    assert set(calibrate.reported(found["usual"])["as_is"]) == {
        f"{kind}_{said}" for kind in ("gallery", "resynthesised") for said in ("called", "cleared", "inconclusive")
    }


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
