"""Curves of likelihood ratios, chosen on the role *calibrate* alone, one for each state.

Photographs stand against generators' pictures and against painted copies, half and half: galleries alone tell styles
apart, and a curve that only knows them is sure of itself where it should not be. Sources, camera makes, families and
decoders count with the root of their pictures. How steep the curve may be is decided by sources that are left out of it
(:func:`curve`), and its ends by the ratios that left-out pictures get
(:func:`nsfwforensics.models.synthesis.likelihood.elub`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nsfwforensics.evaluation.metrics import fit_logistic
from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.likelihood import RatioCurve, elub, support
from training.calibrate import kind_of, unit_of
from training.unseen import Scored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

RIDGES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Penalties on the squared slope (of scores with standard deviation 1) that are tried."""

SHARES: Mapping[str, float] = {"photograph": 0.5, "gallery": 0.25, "copy": 0.25}
"""What each kind of picture weighs; where one of the generated kinds is missing, the other has its share as well."""

_STEPS = 15


@dataclass(frozen=True, slots=True)
class Sample:
    """Scores in one state with what a curve needs to know of them, N each.

    Attributes:
        scores: float64.
        labels: 0 photograph, 1 generated.
        kinds: Keys of :data:`SHARES`.
        units: What is left out together: source, camera make, family, decoder.
        whole: Whether it is a whole picture, not the region of a photograph beside its copies.
    """

    scores: Numbers
    labels: NDArray[np.int64]
    kinds: NDArray[np.str_]
    units: NDArray[np.str_]
    whole: NDArray[np.bool_]

    def of(self, chosen: NDArray[np.bool_]) -> Sample:
        """A part of it."""
        parts = (self.scores, self.labels, self.kinds, self.units, self.whole)
        return Sample(*(part[chosen] for part in parts))  # type: ignore[arg-type]

    @property
    def usable(self) -> bool:
        """Whether both classes are there."""
        return bool((self.labels == 0).any() and (self.labels == 1).any())


def sample(rows: Sequence[Scored], tier: str, role: str) -> Sample:
    """The scores of a role in one state.

    Args:
        rows: Everything unseen.
        tier: The state.
        role: ``calibrate`` or ``test``.
    """
    found = [row for row in rows if row.subject.tier == tier and row.subject.item.role == role]
    kinds = [kind_of(row) for row in found]
    named = {"real": "photograph", "pair": "photograph", "gallery": "gallery"}
    painted = [kind not in named for kind in kinds]
    return Sample(
        scores=np.array([row.score for row in found], float),
        labels=np.array([int(row.subject.generated) for row in found], int),
        kinds=np.array([named.get(kind, "copy") for kind in kinds], str),
        units=np.array([k if p else unit_of(r) for k, p, r in zip(kinds, painted, found, strict=True)], str),
        whole=np.array([row.subject.kind == "picture" for row in found], bool),
    )


def weights(part: Sample) -> Numbers:
    """Weights of pictures: units with the root of their size, kinds by :data:`SHARES`, classes one half each."""
    found = np.zeros(len(part.scores))
    for kind in set(part.kinds.tolist()):
        of_kind = part.kinds == kind
        for unit in set(part.units[of_kind].tolist()):
            these = of_kind & (part.units == unit)
            found[these] = these.sum() ** -0.5
        found[of_kind] *= SHARES[kind] / found[of_kind].sum()
    for label in (0, 1):
        found[part.labels == label] *= 0.5 / max(1e-12, found[part.labels == label].sum())
    return found


def fit(part: Sample, ridge: float) -> tuple[float, float]:
    """Slope (at least 0) and offset of the log odds, both classes weighing alike.

    Args:
        part: Scores of both classes.
        ridge: Penalty on the squared slope of standardised scores.
    """
    drawn = weights(part)
    middle = float(drawn @ part.scores)
    scale = float(np.sqrt(drawn @ (part.scores - middle) ** 2)) or 1.0
    found = fit_logistic((part.scores - middle) / scale, part.labels, _STEPS, weights=drawn, ridge=ridge)
    if found[0] <= 0:
        return 0.0, 0.0
    return found[0] / scale, found[1] - found[0] * middle / scale


def left_out(part: Sample, ridge: float) -> Numbers:
    """Log odds of every picture by a curve that its source, make, family or decoder took no part in.

    0 (nothing is known) where too little is left to fit a curve.
    """
    found = np.zeros(len(part.scores))
    for unit in sorted(set(part.units.tolist())):
        inside = part.units == unit
        rest = part.of(~inside)
        if rest.usable:
            slope, offset = fit(rest, ridge)
            found[inside] = slope * part.scores[inside] + offset
    return found


def cost(log_odds: Numbers, labels: NDArray[np.int64], drawn: Numbers) -> float:
    """The cost of log likelihood ratios (C_llr, Brümmer and du Preez 2006): 0 is perfect, 1 says nothing.

    Args:
        log_odds: Natural logarithms of the ratios.
        labels: 0 or 1.
        drawn: Weights that give each class one half.
    """
    wrong = np.where(labels == 1, -log_odds, log_odds)
    return float(drawn @ np.logaddexp(0, wrong) / np.log(2))


def ridge_for(part: Sample) -> float:
    """The penalty with which sources left out cost least."""
    drawn = weights(part)
    return min(RIDGES, key=lambda ridge: cost(left_out(part, ridge), part.labels, drawn))


def curve(part: Sample, without: str = "") -> RatioCurve | None:
    """The curve of one state, or None where a class is missing.

    Args:
        part: Scores in the role *calibrate*.
        without: A unit that takes no part.
    """
    part = part.of(part.units != without)
    if not part.usable:
        return None
    ridge = ridge_for(part)
    slope, offset = fit(part, ridge)
    least, most, counts = _bounds(part, np.exp(np.clip(left_out(part, ridge), -50, 50)))
    made = RatioCurve(slope, offset, 1.0, 1.0, *counts)
    limit = support(*counts)
    return replace(made, least=max(least, 1 / limit), most=min(most, limit))


def _bounds(part: Sample, ratios: Numbers) -> tuple[float, float, tuple[int, int]]:
    """The narrowest bounds over kinds of generated pictures, and the counts behind them.

    Only whole photographs count, because a region is no further photograph; and each decoder's copies by themselves.
    """
    photographs = ratios[(part.labels == 0) & part.whole]
    made = {
        unit if kind == "copy" else kind
        for kind, unit, label in zip(part.kinds.tolist(), part.units.tolist(), part.labels, strict=True)
        if label == 1
    }
    groups = [ratios[(part.labels == 1) & ((part.kinds == name) | (part.units == name))] for name in sorted(made)]
    ends = [elub(group.tolist(), photographs.tolist()) for group in groups]
    counts = len(photographs), min(len(group) for group in groups)
    return max(low for low, _ in ends), min(high for _, high in ends), counts


def curves(rows: Sequence[Scored], without: str = "") -> dict[str, RatioCurve]:
    """The curves of all states that have one.

    Args:
        rows: Everything unseen; only the role *calibrate* is used.
        without: A decoder or family that takes no part.
    """
    found = {tier: curve(sample(rows, tier, "calibrate"), without) for tier in TIERS}
    return {tier: made for tier, made in found.items() if made is not None}
