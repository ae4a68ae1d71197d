"""Measured distributions in the few numbers that a report keeps, so that a chart needs no weights.

A distribution is ``{"start", "step", "groups": {name: counts}}``: a histogram with bins of equal width for each group
of what was measured, the first and the last bin holding everything beyond as well.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nsfwforensics.models.synthesis.calibration import counting

if TYPE_CHECKING:
    from nsfwforensics.models.faces.rates import FaceRates
    from nsfwforensics.models.synthesis.calibration import Branch

MOST_BINS, _FEWEST_BINS = 32, 8
_STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0)

REAL = "real"
SAME, STRANGERS = "same_person", "different_people"


def of_scores(branch: Branch, state: str) -> dict[str, Any]:
    """Scores of photographs and of generated pictures in one state, with the limits of what may be said.

    Args:
        branch: The calibration of one head.
        state: A measured state such as ``as_is``.

    Returns:
        The distribution with ``generated_from`` (scores above it look generated) and ``clear_below`` (scores below it
        show no indication), each None where no score is enough; empty where nothing was measured.
    """
    groups = {REAL: branch.real.get(state, ()), **{kind: by.get(state, ()) for kind, by in branch.generated.items()}}
    groups = {name: scores for name, scores in groups.items() if scores}
    if not groups:
        return {}
    low, high = min(scores[0] for scores in groups.values()), max(scores[-1] for scores in groups.values())
    most = min(MOST_BINS, max(_FEWEST_BINS, round(2 * math.sqrt(max(map(len, groups.values()))))))
    step = next((step for step in _STEPS if (high - low) / step < most - 1), (high - low) / (most - 1))
    start = math.floor(low / step) * step
    bins = math.floor((high - start) / step) + 1
    counts = {name: _counted(scores, start, step, bins) for name, scores in groups.items()}
    return {"start": round(start, 6), "step": round(step, 6), "groups": counts, **_limits(branch, state)}


def as_high(branch: Branch, state: str, score: float) -> dict[str, list[int]]:
    """By group, how many scored at least as high in that state, and of how many."""
    groups = {REAL: branch.real.get(state, ()), **{kind: by.get(state, ()) for kind, by in branch.generated.items()}}
    return {name: [len(all_) - bisect.bisect_left(all_, score), len(all_)] for name, all_ in groups.items() if all_}


def of_distances(rates: FaceRates) -> dict[str, Any]:
    """Distances between faces of the same and of different people, from the counts over distance.

    Returns:
        The distribution; empty where the counts stand at uneven distances.
    """
    points = rates.curve
    steps = {round(after.distance - before.distance, 6) for before, after in pairwise(points)}
    if len(steps) != 1:
        return {}
    every = max(1, math.ceil(len(points) / MOST_BINS))  # few pairs of one person: fine bins would be noise
    kept = points[::every]
    step = steps.pop() * every
    strangers = [point.false_matches for point in kept]
    same = [rates.false_non_match.trials - point.misses for point in kept]
    groups = {
        SAME: _between(same, rates.false_non_match.trials),
        STRANGERS: _between(strangers, rates.false_match.trials),
    }
    return {"start": round(kept[0].distance - step, 6), "step": round(step, 6), "groups": groups}


def _between(below: Sequence[int], total: int) -> list[int]:
    """Counts per bin from counts below each edge: all below the first edge, those between, all from the last on."""
    return [after - before for before, after in pairwise((0, *below, total))]


def _counted(ascending: Sequence[float], start: float, step: float, bins: int) -> list[int]:
    edges = [bisect.bisect_left(ascending, start + index * step) for index in range(1, bins)]
    return _between(edges, len(ascending))


def _limits(branch: Branch, state: str) -> Mapping[str, float | None]:
    """Where the verdicts of :meth:`Branch.verdict` change."""
    if not branch.speaks:
        return {"generated_from": None, "clear_below": None}
    tops = [_passed(branch.real[state], branch.alpha_of(state))] if branch.real.get(state) else []
    lows = [
        _passed([-s for s in reversed(scores)], branch.beta_of(state))
        for by in branch.generated.values()
        for scores in counting(by, state)
    ]
    above = None if not tops or None in tops else max(top for top in tops if top is not None)
    below = None if not lows or None in lows else max(low for low in lows if low is not None)
    return {"generated_from": above, "clear_below": None if below is None else -below}


def _passed(ascending: Sequence[float], level: float) -> float | None:
    """The largest score whose conformal p-value is above ``level``; None where every score's is."""
    trials = len(ascending) + 1
    allowed = math.floor(level * trials) - 1
    if (allowed + 2) / trials <= level:  # the product was rounded down across a whole number …
        allowed += 1
    elif (allowed + 1) / trials > level:  # … or up: the verdict compares quotients, and so does this
        allowed -= 1
    if allowed < 0:
        return None
    return ascending[len(ascending) - 1 - allowed] if allowed < len(ascending) else -math.inf
