"""What may be said: thresholds by left-out publishers, and rates counted with thresholds that others set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from nsfwforensics.models.rates import Rate
from nsfwforensics.models.synthesis.calibration import (
    LARGE,
    LARGER_THAN,
    PLAIN_GROUND,
    PORTRAIT,
    TIERS,
    Branch,
    Verdict,
)
from training.leave_out import Scored

VIEWS = (*TIERS, "grey", "small")
"""Views that are judged as they would be in use."""

STATES = (*VIEWS, LARGE, PORTRAIT, PLAIN_GROUND)
"""States that a picture is told by."""

ALPHAS = (0.02, 0.0175, 0.015, 0.0135, 0.012, 0.011, 0.01, 0.009, 0.008, 0.007, 0.006, 0.005, 0.004, 0.003, 0.002)
"""Largest p-values under *real* that are tried, from the most daring on."""

BETAS = (0.12, 0.11, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.045, 0.04, 0.035, 0.03, 0.025, 0.02, 0.015, 0.01)
"""Largest p-values under *generated* that are tried."""

CALLED = 0.01
"""Largest share of photographs of left-out publishers that may be called generated, in every state."""

FEWEST = 100
"""Pictures of a class below which nothing is said in a state: among fewer no score is as rare as :data:`CALLED`."""

CLEARED = 0.05
"""Largest share of generated pictures of left-out publishers in which no sign may be said to be found."""

GENERATED = "gallery"


def branch(rows: Iterable[Scored], alphas: Mapping[str, float], betas: Mapping[str, float]) -> Branch:
    """A calibration from scores of pictures that no fit saw."""
    real: dict[str, list[float]] = defaultdict(list)
    generated: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.view not in VIEWS:
            continue
        scores = generated if row.label else real
        kind = kind_of(row)
        for state in {kind} if kind else {row.view, LARGE} if _large(row) else {row.view}:
            scores[state].append(row.score)
    # Large photographs alone would be too few to be compared with; what that does to them is counted.
    real[LARGE] = real[TIERS[0]]
    return Branch(
        real={state: sorted(scores) for state, scores in real.items()},
        generated={GENERATED: {state: sorted(scores) for state, scores in generated.items()}},
        alpha=0.0,
        alphas=alphas,
        beta=0.0,
        betas=betas,
        claims=True,
    )


def verdicts(
    rows: Sequence[Scored], alphas: Mapping[str, float], betas: Mapping[str, float]
) -> list[tuple[Scored, Verdict]]:
    """Judges every picture with a calibration from the publishers of the other folds."""
    found = []
    for fold in sorted({row.fold for row in rows}):
        limits = branch((row for row in rows if row.fold != fold and row.use == "develop"), alphas, betas)
        found += [(row, limits.verdict(row.score, _state(row))) for row in rows if row.fold == fold]
    return found


def _share(judged: Sequence[tuple[Scored, Verdict]], state: str, name: str) -> float:
    """What decides in a state: for kinds of content the largest of the tiers, for large photographs that of all too."""
    if state in (PORTRAIT, PLAIN_GROUND):
        tiers = (counted(p for p in judged if p[0].view == tier and kind_of(p[0]) == state)[name] for tier in TIERS)
        return max((rate.share for rate in tiers if rate.total), default=0.0)
    found = by_state(judged)
    among = (LARGE, TIERS[0]) if state == LARGE and name == "real_called" else (state,)
    return max(found[each][name].share for each in among)


def kind_of(row: Scored) -> str | None:
    """The state that a picture is told by whatever became of it: portraits, what stands on plain ground, or None."""
    return PORTRAIT if row.portrait else PLAIN_GROUND if row.plain else None


def _state(row: Scored) -> str:
    """What a picture is told by in use; twins and pairs by the tier that they resemble."""
    if kind := kind_of(row):
        return kind
    if _large(row):
        return LARGE
    return row.view if row.view in VIEWS else TIERS[0]


def _large(row: Scored) -> bool:
    return row.longer > LARGER_THAN and row.view not in (*TIERS[1:], "grey", "small", "twin")


def rate(rows: Iterable[tuple[Scored, Verdict]], counts: Callable[[Verdict], bool]) -> Rate:
    """How many verdicts count, of how many pictures and series."""
    listed = list(rows)
    return Rate(sum(counts(verdict) for _, verdict in listed), len(listed), len({row.series for row, _ in listed}))


_SAYS: Mapping[str, Verdict] = {
    "called": Verdict.GENERATED,
    "cleared": Verdict.NO_INDICATION,
    "inconclusive": Verdict.INCONCLUSIVE,
}


def counted(judged: Iterable[tuple[Scored, Verdict]]) -> dict[str, Rate]:
    """What was said of photographs and of generated pictures of development, by name."""
    listed = [pair for pair in judged if pair[0].use == "develop"]
    return {
        f"{who}_{what}": rate([pair for pair in listed if pair[0].label == label], verdict.__eq__)
        for who, label in (("real", 0), (GENERATED, 1))
        for what, verdict in _SAYS.items()
    }


def by_view(judged: Sequence[tuple[Scored, Verdict]]) -> dict[str, dict[str, Rate]]:
    """The measured shares in each view, portraits and others together."""
    return {view: counted(pair for pair in judged if pair[0].view == view) for view in VIEWS}


def by_state(judged: Sequence[tuple[Scored, Verdict]]) -> dict[str, dict[str, Rate]]:
    """The measured shares in each state: portraits and plain ground (as they are) apart from others."""
    found = {state: counted(p for p in judged if p[0].view == state and not kind_of(p[0])) for state in VIEWS}
    found[LARGE] = counted(p for p in judged if _large(p[0]) and not kind_of(p[0]))
    as_is = [pair for pair in judged if pair[0].view == TIERS[0]]
    return found | {kind: counted(p for p in as_is if kind_of(p[0]) == kind) for kind in (PORTRAIT, PLAIN_GROUND)}


def calibrated(rows: Sequence[Scored]) -> tuple[Branch, list[tuple[Scored, Verdict]]]:
    """Chooses the thresholds and counts.

    The most daring thresholds are taken with which left-out publishers fare well enough: photographs called at most
    :data:`CALLED`, generated pictures cleared at most :data:`CLEARED`. Nothing is said in a state of too few
    pictures.

    Args:
        rows: All scores.

    Returns:
        The calibration from all left-out publishers with the counted rates, and the verdicts behind these.
    """
    develop = [row for row in rows if row.use == "develop"]
    alphas: dict[str, float] = {}
    counts = by_state([(row, Verdict.INCONCLUSIVE) for row in develop])
    enough = [s for s in STATES if all(counts[s][f"{who}_called"].total >= FEWEST for who in ("real", GENERATED))]
    for alpha in ALPHAS:
        judged = verdicts(develop, dict.fromkeys(enough, alpha), {})
        for state in enough:
            if state not in alphas and _share(judged, state, "real_called") <= CALLED:
                alphas[state] = alpha
    betas: dict[str, float] = {}
    for beta in BETAS:
        judged = verdicts(develop, {}, dict.fromkeys(enough, beta))
        for state in enough:
            if state not in betas and _share(judged, state, "gallery_cleared") <= CLEARED:
                betas[state] = beta
    judged = verdicts(rows, alphas, betas)
    found = branch(develop, alphas, betas)
    return replace(found, rates=by_state(judged), claims=bool(alphas or betas)), judged
