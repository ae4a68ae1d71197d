"""Are stated probabilities what happens? Expected calibration error on unseen sources, with what chance alone gives.

The error is measured over five equally filled bins, with both classes weighing alike (as the curves state it) and,
beside it, with every picture weighing alike (the probabilities then carried over to the classes' shares by Bayes'
rule). Few pictures give an error above 0 however well a model is calibrated, so beside each figure stands what a
perfectly calibrated model with the same probabilities and counts would get (consistency resampling, Bröcker and Smith
2007). A model that always says one half has no calibration error either, but the cost of its log likelihood ratios
(:func:`training.ratios.cost`) is 1: it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nsfwforensics.evaluation.metrics import Estimate, calibration_error, class_weights, sigmoid
from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.likelihood import RatioCurve, support
from training import ratios
from training.unseen import Scored

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Labels = NDArray[np.int64]

BINS = 5
ROUNDS = 400
HALVES = 40
FEWEST = 20
"""Fewer pictures of a class carry no figure."""

GENERATORS, COPIES, EVERYTHING = "generators", "copies", "everything"


@dataclass(frozen=True, slots=True)
class Error:
    """An expected calibration error.

    Attributes:
        found: With its percentile-bootstrap interval over pictures, classes resampled apart.
        chance: Mean error of a perfectly calibrated model.
        chance_high: 95th percentile of the same.
    """

    found: Estimate
    chance: float
    chance_high: float


def measured(rows: Sequence[Scored], curves: Mapping[str, RatioCurve], never_trained: Sequence[str]) -> dict[str, Any]:
    """Calibration errors in the role *test*, and what to expect of yet other sources.

    Args:
        rows: Everything unseen.
        curves: By state, from the role *calibrate*.
        never_trained: Decoders that the model never saw; each is judged by curves that it took no part in either.

    Returns:
        By state: ``curve``, ``elsewhere`` (mean error over random halves of the calibration's sources), and for
        generators' pictures of the test, for those of both roles (each picture that calibrates judged by a curve
        without the pictures of its source, though with painted copies of them) and for painted copies ``balanced``,
        ``plain``, ``cost`` and ``bins``; kinds with too few pictures are left out.
    """
    found: dict[str, Any] = {}
    blind = {name: ratios.curves(rows, without=name) for name in never_trained}
    for tier, curve in curves.items():
        known, test = (ratios.sample(rows, tier, role) for role in ("calibrate", "test"))
        part: dict[str, Any] = {"curve": curve.plain(), "elsewhere": elsewhere(known)}
        there, here = test.of(_whole(test)), _whole(known)
        unseen = _chances(there, curve)
        part |= _judged(GENERATORS, unseen, there.labels)
        limit = np.log(support(curve.photographs, curve.generated))  # as RatioCurve.probability is bounded
        held = sigmoid(np.clip(ratios.left_out(known, ratios.ridge_for(known))[here], -limit, limit))
        part |= _judged(EVERYTHING, np.r_[unseen, held], np.r_[there.labels, known.labels[here]])
        for name in never_trained[:1]:
            copies = test.of((test.kinds == "photograph") & ~test.whole | (test.units == name))
            if tier in blind[name]:
                part |= _judged(COPIES, _chances(copies, blind[name][tier]), copies.labels)
        found[tier] = part
    return {tier: found[tier] for tier in TIERS if tier in found}


def _whole(part: ratios.Sample) -> NDArray[np.bool_]:
    """Whole photographs and generators' pictures."""
    return np.asarray((part.kinds == "photograph") & part.whole | (part.kinds == "gallery"), np.bool_)


def _chances(part: ratios.Sample, curve: RatioCurve) -> Numbers:
    return np.array([curve.probability(float(score)) for score in part.scores])


def _judged(name: str, p: Numbers, labels: Labels) -> dict[str, Any]:
    if min((labels == 0).sum(), (labels == 1).sum()) < FEWEST:
        return {}
    prior = float(labels.mean())
    log_odds = np.log(p / (1 - p))
    carried = sigmoid(log_odds + np.log(prior / (1 - prior)))
    figures = {
        "balanced": error(p, labels, balanced=True),
        "plain": error(carried, labels, balanced=False),
        "cost": ratios.cost(log_odds, labels, class_weights(labels)),
        "bins": bins(p, labels),
    }
    return {name: figures}


def error(p: Numbers, labels: Labels, *, balanced: bool, rounds: int = ROUNDS, seed: int = 0) -> Error:
    """The calibration error of probabilities, with interval and what chance gives.

    Args:
        p: Float64 (N,), 0–1.
        labels: Int (N,), 0 or 1.
        balanced: Both classes weigh alike; else every picture does.
        rounds: Resamplings.
        seed: Of the resampling.
    """
    rng = np.random.default_rng(seed)
    of = [np.flatnonzero(labels == label) for label in (0, 1)]

    def again() -> float:
        drawn = np.concatenate([rng.choice(part, len(part)) for part in of])
        return calibration_error(p[drawn], labels[drawn], BINS, balanced=balanced)

    draw = _perfect(p, labels, rng) if balanced else _perfect_plain(p, rng)
    boot = np.percentile([again() for _ in range(rounds)], [2.5, 97.5])
    chance = [calibration_error(*draw(), BINS, balanced=balanced) for _ in range(rounds)]
    value = calibration_error(p, labels, BINS, balanced=balanced)
    found = Estimate(value, float(boot[0]), float(boot[1]), len(of[0]), len(of[1]))
    return Error(found, float(np.mean(chance)), float(np.percentile(chance, 95)))


def _perfect(p: Numbers, labels: Labels, rng: Generator) -> Callable[[], tuple[Numbers, Labels]]:
    """Draws as many pictures of each class from a world in which the probabilities hold for even classes.

    The probabilities are tilted so that their weighted mean is one half, else they could not hold there.
    """
    base = class_weights(labels)
    low, high = -200.0, 200.0
    for _ in range(80):
        tilt = (low + high) / 2
        drawn = base * np.exp(tilt * (p - 0.5))
        low, high = (tilt, high) if float(drawn @ (p - 0.5)) < 0 else (low, tilt)
    counts = [int((labels == label).sum()) for label in (0, 1)]
    chances = [drawn * (1 - p), drawn * p]
    fixed = np.repeat([0, 1], counts)

    def draw() -> tuple[Numbers, Labels]:
        parts = [rng.choice(p, n, p=c / c.sum()) for n, c in zip(counts, chances, strict=True)]
        return np.concatenate(parts), fixed

    return draw


def _perfect_plain(p: Numbers, rng: Generator) -> Callable[[], tuple[Numbers, Labels]]:
    def draw() -> tuple[Numbers, Labels]:
        return p, (rng.random(len(p)) < p).astype(int)

    return draw


def bins(p: Numbers, labels: Labels) -> list[tuple[float, float, int]]:
    """The reliability diagram: mean probability, share of generated (classes weighing alike), pictures."""
    drawn = class_weights(labels)
    places = np.searchsorted(np.quantile(p, np.linspace(0, 1, BINS + 1)[1:-1]), p, "right")
    found = []
    for part in (places == place for place in range(BINS)):
        if part.any():
            total = drawn[part].sum()
            mean, share = (float((drawn[part] * values[part]).sum() / total) for values in (p, labels))
            found.append((round(mean, 4), round(share, 4), int(part.sum())))
    return found


def elsewhere(part: ratios.Sample, rounds: int = HALVES, seed: int = 0) -> float | None:
    """Mean calibration error on a random half of the sources, makes, families and decoders, fitted on the others.

    What to expect of sources that differ from these as these differ from each other. None with fewer than two units
    of a kind.
    """
    units = {kind: sorted(set(part.units[part.kinds == kind].tolist())) for kind in set(part.kinds.tolist())}
    if not part.usable or min(len(names) for names in units.values()) < 2:
        return None
    ridge = ratios.ridge_for(part)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        out = {name for kind in sorted(units) for name in rng.permutation(units[kind])[: len(units[kind]) // 2]}
        inside = np.isin(part.units, sorted(out))
        slope, offset = ratios.fit(part.of(~inside), ridge)
        held = part.of(inside)
        p = sigmoid(slope * held.scores + offset)
        found.append(weighted_error(p, held.labels, ratios.weights(held)))
    return float(np.mean(found))


def weighted_error(p: Numbers, labels: Labels, drawn: Numbers) -> float:
    """Calibration error with weights of one's own."""
    places = np.searchsorted(np.quantile(p, np.linspace(0, 1, BINS + 1)[1:-1]), p, "right")
    gaps = [abs(float(drawn[part] @ (p[part] - labels[part]))) for part in (places == n for n in range(BINS))]
    return sum(gaps) / float(drawn.sum())
