"""What maps of edited photographs come to: choice and threshold on the role *calibrate*, figures on the role *test*.

The measure of how far a region stands out is the one with the highest mean AUC over decoders and states on the
photographs in the role *calibrate*; its threshold is one that hardly any whole photograph there reaches in any state.
Then everything is measured once on the role *test*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nsfwforensics.evaluation.metrics import Estimate, auc, auc_estimate, mean_over
from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.rates import Rate
from nsfwforensics.models.synthesis.region_limits import RegionLimits
from nsfwforensics.models.synthesis.standout import STATISTICS, Standout
from training.edited import ORIGINAL, UNTOUCHED, Mapped

ALPHA = 0.01
"""Largest conformal p-value, among the photographs in the role *calibrate* of any state, of a marked region."""

INSIDE, OUTSIDE = 0.6, 0.05
"""Tiles painted at least, or at most, so much count as inside, or outside, when places are measured."""


def choose(rows: Sequence[Mapped], decoders: Sequence[str]) -> dict[str, Any]:
    """Mean AUC of every statistic on the role *calibrate*, and the name of the best."""
    here = [row for row in rows if row.role == "calibrate"]
    found: dict[str, Any] = {}
    for name in STATISTICS:
        values = {decoder: {tier: auc(*_pairs(here, name, decoder, tier)) for tier in TIERS} for decoder in decoders}
        found[name] = {**values, "mean": mean_over([v for tiers in values.values() for v in tiers.values()])}
    best = max(STATISTICS, key=lambda name: np.nan_to_num(found[name]["mean"], nan=-1.0))
    pairs = len({row.key for row in here if row.kind == UNTOUCHED})
    return {"statistic": best, "auc": found, "photographs": pairs}


def threshold(rows: Sequence[Mapped], statistic: str) -> float:
    """The least value whose p-value is at most :data:`ALPHA` in every state; infinite with too few photographs."""
    highest = 0.0
    for tier in TIERS:
        found = _values([r for r in rows if r.role == "calibrate" and r.kind == ORIGINAL and r.tier == tier], statistic)
        values = sorted((each.value for _, each in found), reverse=True)
        allowed = int(ALPHA * (len(values) + 1)) - 1
        if allowed < 0:
            return float("inf")
        highest = max(highest, values[allowed])
    return float(np.nextafter(highest, np.inf))


def measure(rows: Sequence[Mapped], decoders: Sequence[str], unseen: str) -> tuple[RegionLimits, dict[str, Any]]:
    """Chooses on the role *calibrate*, measures on the role *test*.

    Args:
        rows: All maps.
        decoders: Those that painted.
        unseen: The one among them that the network was never trained on.

    Returns:
        What is stored beside the weights, and every figure.
    """
    choice = choose(rows, decoders)
    name = choice["statistic"]
    line = threshold(rows, name)
    test = [row for row in rows if row.role == "test"]
    figures: dict[str, Any] = {
        "choice": choice,
        "statistic": name,
        "threshold": line if np.isfinite(line) else None,
        "auc": {d: {t: auc_estimate(*_pairs(test, name, d, t), paired=True) for t in TIERS} for d in decoders},
        "within_pairs": {d: {t: _within(*_pairs(test, name, d, t)) for t in TIERS} for d in decoders},
        "tiles": {d: {t: _tiles(_of(test, d, t)) for t in TIERS} for d in decoders},
        "overlap": {d: {t: _overlap(_of(test, d, t), name) for t in TIERS} for d in decoders},
        "marked": {d: {t: _marked(_of(test, d, t), name, line) for t in TIERS} for d in (*decoders, UNTOUCHED)},
        "photographs": {role: _by_source([r for r in rows if r.role == role], name, line) for role in _ROLES},
        "too_small": {t: _small(_of(test, UNTOUCHED, t)) for t in TIERS},
        "unseen": unseen,
    }
    rates: dict[str, dict[str, Rate]] = {
        t: {
            "untouched_marked": figures["photographs"]["test"][t]["all"],
            "edited_marked": figures["marked"][unseen][t],
        }
        for t in TIERS
    }
    estimates = figures["auc"][unseen]
    kept: dict[str, dict[str, float | None]] = {
        t: {k: _rounded(getattr(estimates[t], k)) for k in ("value", "low", "high")} for t in TIERS
    }
    return RegionLimits(name, line if np.isfinite(line) else 1e9, rates, {"auc": kept}), figures


_ROLES = ("calibrate", "test")


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _of(rows: Iterable[Mapped], kind: str, tier: str) -> list[Mapped]:
    return [row for row in rows if row.kind == kind and row.tier == tier]


def _values(rows: Iterable[Mapped], statistic: str) -> list[tuple[Mapped, Standout]]:
    read = ((row, row.read(statistic)) for row in rows)
    return [(row, found) for row, found in read if found is not None]


def _pairs(rows: Sequence[Mapped], statistic: str, decoder: str, tier: str) -> tuple[list[float], list[float]]:
    before = {row.key: found.value for row, found in _values(_of(rows, UNTOUCHED, tier), statistic)}
    after = {row.key: found.value for row, found in _values(_of(rows, decoder, tier), statistic)}
    keys = sorted(before.keys() & after.keys())
    return [before[key] for key in keys], [after[key] for key in keys]


def _within(before: Sequence[float], after: Sequence[float]) -> Rate:
    return Rate(sum(b > a for a, b in zip(before, after, strict=True)), len(before))


def _tiles(rows: Sequence[Mapped]) -> Estimate:
    """How well the tiles' scores tell inside from outside within one picture: AUC, mean over pictures."""
    found = []
    for row in rows:
        known = np.isfinite(row.scores) if row.scores.size else np.zeros(0, bool)
        inside, outside = (row.share >= INSIDE) & known, (row.share <= OUTSIDE) & known
        if inside.any() and outside.any():
            found.append(auc(row.scores[outside], row.scores[inside]))
    return mean_estimate(found)


def _overlap(rows: Sequence[Mapped], statistic: str) -> Estimate:
    """Intersection over union of the region that stands out most with the tiles painted at least by half."""
    found = []
    for row, region in _values(rows, statistic):
        painted = row.share >= 0.5
        if painted.any():
            found.append(float((painted & region.region).sum() / (painted | region.region).sum()))
    return mean_estimate(found)


def mean_estimate(values: Sequence[float], rounds: int = 1000) -> Estimate:
    """A mean with its 95 % percentile-bootstrap interval."""
    if not values:
        return Estimate(float("nan"), float("nan"), float("nan"), 0, 0)
    known = np.asarray(values, float)
    drawn = known[np.random.default_rng(0).integers(0, len(known), (rounds, len(known)))].mean(1)
    low, high = (float(end) for end in np.percentile(drawn, [2.5, 97.5]))
    return Estimate(float(known.mean()), low, high, len(known), len(known))


def _marked(rows: Sequence[Mapped], statistic: str, line: float) -> Rate:
    found = _values(rows, statistic)
    return Rate(sum(each.value >= line for _, each in found), len(found))


def _by_source(rows: Sequence[Mapped], statistic: str, line: float) -> dict[str, dict[str, Rate]]:
    """By state and source: whole photographs in which a region is marked."""
    found: dict[str, dict[str, Rate]] = {}
    for tier in TIERS:
        here = _of(rows, ORIGINAL, tier)
        found[tier] = {"all": _marked(here, statistic, line)}
        for source in sorted({row.source for row in here}):
            found[tier][source] = _marked([row for row in here if row.source == source], statistic, line)
    return found


def _small(rows: Sequence[Mapped]) -> Rate:
    """Photographs too small, or with too few tiles that show texture, for a map."""
    return Rate(sum(row.read(next(iter(STATISTICS))) is None for row in rows), len(rows))
