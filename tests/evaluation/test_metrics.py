from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsfwforensics.evaluation import metrics

SCORES = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=30)


@given(SCORES, SCORES)
def test_auc_is_the_share_of_ordered_pairs(negatives: list[float], positives: list[float]) -> None:
    pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positives for n in negatives]
    assert metrics.auc(negatives, positives) == pytest.approx(sum(pairs) / len(pairs))
    assert metrics.auc(negatives, positives) == pytest.approx(1 - metrics.auc(positives, negatives))


def test_auc_of_an_empty_class_is_nan() -> None:
    assert math.isnan(metrics.auc([], [1.0]))
    assert math.isnan(metrics.auc_estimate([1.0], []).low)


def test_intervals_hold_the_value_and_shrink_with_more_pictures() -> None:
    rng = np.random.default_rng(0)
    few = metrics.auc_estimate(rng.normal(0, 1, 20).tolist(), rng.normal(1, 1, 20).tolist())
    many = metrics.auc_estimate(rng.normal(0, 1, 500).tolist(), rng.normal(1, 1, 500).tolist())
    assert few.low <= few.value <= few.high
    assert many.high - many.low < few.high - few.low
    assert many.value == pytest.approx(0.76, abs=0.05)


@given(SCORES, SCORES, st.floats(0, 1))
def test_rate_at_keeps_its_false_positive_limit(negatives: list[float], positives: list[float], limit: float) -> None:
    rate = metrics.rate_at(negatives, positives, limit)
    assert 0 <= rate <= 1
    caught = sorted(positives, reverse=True)[: round(rate * len(positives))]
    if caught:
        assert np.mean(np.asarray(negatives) >= caught[-1]) <= limit + 1e-9


def test_logistic_recovers_known_odds() -> None:
    rng = np.random.default_rng(1)
    scores = np.concatenate([rng.normal(-1, 1, 4000), rng.normal(1, 1, 4000)])
    labels = np.repeat([0, 1], 4000)
    slope, offset = metrics.fit_logistic(scores, labels)
    assert slope == pytest.approx(2.0, abs=0.15)  # two unit normals two apart
    assert offset == pytest.approx(0.0, abs=0.1)
    assert metrics.calibration_error(metrics.sigmoid(slope * scores + offset), labels) < 0.03
    assert metrics.calibration_error(np.full(8000, 0.9), labels) == pytest.approx(0.4, abs=0.01)


def test_separable_scores_stay_finite() -> None:
    slope, offset = metrics.fit_logistic([-5, -4, 4, 5], [0, 0, 1, 1])
    assert math.isfinite(slope)
    assert math.isfinite(offset)


def test_sigmoid_does_not_overflow() -> None:
    assert metrics.sigmoid([-1e6, 0.0, 1e6]).tolist() == [0.0, 0.5, 1.0]
