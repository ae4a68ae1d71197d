"""Figures of a detector on a user's folders: leaks are found, shares are counted, intervals hold the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from nsfwforensics.evaluation.figures import Figures, Sourced, figures
from nsfwforensics.evaluation.file_facts import format_features
from nsfwforensics.evaluation.judging import Judged, Said
from nsfwforensics.evaluation.leaks import folds_of, look_for_leaks
from nsfwforensics.models.synthesis.calibration import Rate, Verdict

TIERS = ("as_is", "768_q60", "512_q40")


def judged(name: str, score: float | None, *, facts: Sequence[float] = (), kind: str = "image/jpeg") -> Judged:
    verdict = Verdict.GENERATED if score is not None and score > 1 else Verdict.INCONCLUSIVE
    reason = "outside_measured" if score is None else "" if verdict is Verdict.GENERATED else "grey_band"
    return Judged(
        name, f"sha {name}", dict.fromkeys(TIERS, Said(score, verdict, reason)), kind, tuple(facts) or (5.0,) * 6
    )


def folder(name: str, scores: Sequence[float | None], source: str = "one") -> list[Sourced]:
    return [(source, judged(f"{name}{index}", score)) for index, score in enumerate(scores)]


def found(real: Sequence[float | None], generated: Sequence[float | None]) -> Figures:
    return figures(folder("r", real), folder("g", generated))


def test_shares_are_of_all_pictures_and_say_who_was_ruled_out() -> None:
    state = found([0.0] * 8 + [2.0] + [None], [2.0] * 6 + [0.0] * 4).states["as_is"]
    assert state.real_called == Rate(1, 10)
    assert state.generated_called == Rate(6, 10)
    assert state.real_inconclusive == Rate(9, 10)
    assert state.judged == (Rate(1, 9), Rate(6, 10))
    assert state.auc.negatives == 9


def test_the_truth_lies_in_the_intervals() -> None:
    rng = np.random.default_rng(5)
    state = found(rng.normal(0, 1, 300).tolist(), rng.normal(1, 1, 300).tolist()).states["as_is"]
    truth = 0.5 * (1 + math.erf(0.5))
    assert state.auc.low < truth < state.auc.high
    assert state.auc.high - state.auc.low < 0.1
    assert state.tpr_at_1.low <= state.tpr_at_1.value <= state.tpr_at_1.high
    assert state.tpr_at_1.value <= state.tpr_at_5.value
    assert state.calibration_error is not None
    assert state.calibration_error < 0.1, "a curve fitted on other folds is nearly calibrated"
    assert sum(part.pictures for part in state.bins) == 600
    assert state.roc[0] == (0.0, 0.0)
    assert state.roc[-1] == (1.0, 1.0)
    assert list(state.roc) == sorted(state.roc)


def test_stated_probabilities_are_judged_as_stated() -> None:
    real, generated = folder("r", [-1.0] * 30), folder("g", [1.0] * 30)
    right = figures(real, generated, lambda score: 1.0 if score > 0 else 0.0)
    wrong = figures(real, generated, lambda score: 0.1 if score > 0 else 0.9)
    silent = figures(real, generated, lambda score: None)
    assert right.states["as_is"].calibration_error == pytest.approx(0.0)
    assert wrong.states["as_is"].calibration_error == pytest.approx(0.9)
    assert (right.own_probability, silent.own_probability) == (True, False)


def test_few_pictures_carry_no_reliability_and_none_carry_nothing() -> None:
    few = found([0.0, 0.5], [1.0]).states["as_is"]
    assert (few.calibration_error, few.bins) == (None, ())
    none = found([None], [None])
    assert math.isnan(none.states["as_is"].auc.value)
    assert none.states["as_is"].roc == ()


def test_sources_are_counted_apart() -> None:
    generated = [*folder("g", [3.0] * 5, "painter"), *folder("h", [-1.0] * 5, "camera filter")]
    state = figures(folder("r", [0.0] * 6), generated).states["512_q40"]
    assert set(state.generated_sources) == {"painter", "camera filter"}
    assert state.generated_sources["painter"].auc.value == 1.0
    assert state.generated_sources["camera filter"].auc.value == 0.0
    assert state.generated_sources["painter"].called == Rate(5, 5)


def test_unreadable_files_are_named_and_not_counted() -> None:
    real = [*folder("r", [0.0] * 3), ("one", Judged("broken.jpg", problem="cannot be read"))]
    result = figures(real, folder("g", [1.0] * 3))
    assert result.problems == (("broken.jpg", "cannot be read"),)
    assert result.states["as_is"].real_called.total == 3


def test_a_file_in_both_folders_is_noticed() -> None:
    assert figures(folder("x", [0.0] * 3), folder("x", [0.0] * 2)).in_both == ("x0", "x1")


# --- leaks -------------------------------------------------------------------------------------------------------


def facts(count: int, seed: int, *, shift: float = 0.0, kind: str = "image/jpeg") -> list[Judged]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (count, 6)) + np.array([0, 0, shift, 0, 0, 0])
    return [judged(f"{seed}.{n}", 0.0, facts=row.tolist(), kind=kind) for n, row in enumerate(rows)]


def test_folders_alike_in_everything_but_content_give_no_alarm() -> None:
    for seed in range(4):
        leaks = look_for_leaks(facts(60, 2 * seed), facts(60, 2 * seed + 1))
        assert not leaks.alarm, leaks.probes
        assert all(estimate.value >= 0.5 or estimate.low < 0.5 for estimate in leaks.probes.values())


@pytest.mark.parametrize("shift", [3.0, -3.0])
def test_compression_that_tells_is_an_alarm_whichever_way_it_lies(shift: float) -> None:
    leaks = look_for_leaks(facts(40, 1), facts(40, 2, shift=shift))
    assert leaks.alarm
    assert leaks.worst[0] in ("bytes per pixel", "all of these together")
    assert "width" not in leaks.worst


def test_format_that_tells_is_an_alarm() -> None:
    leaks = look_for_leaks(facts(40, 1), facts(40, 2, kind="image/png"))
    assert "file format" in leaks.worst
    assert leaks.formats == {"image/jpeg": (40, 0), "image/png": (0, 40)}


def test_an_empty_folder_gives_no_probe() -> None:
    assert look_for_leaks([], facts(4, 1)).probes == {}


def test_folds_hold_both_classes_evenly() -> None:
    labels = np.array([0] * 10 + [1] * 25)
    folds = folds_of(labels)
    assert all((folds[labels == 0] == fold).sum() == 2 for fold in range(5))
    assert all((folds[labels == 1] == fold).sum() == 5 for fold in range(5))


@pytest.mark.parametrize("width", [1, 2, 8, 9, 10, 300])
def test_the_facts_of_a_tiny_picture_are_numbers(width: int) -> None:
    """One of them without a number would make the probe of all together see nothing."""
    facts = format_features(np.full((40, width, 3), 90, np.uint8), (width, 40), 0.5)
    assert np.isfinite(facts).all()
