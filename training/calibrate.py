"""What a score means, from pictures never trained on; and how well that holds on sources it was not taken from."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.calibration import Branch, Rate, Verdict
from training.data import series_of
from training.formats import SAVINGS
from training.sources import trained_on
from training.unseen import Scored

ALPHA = 0.02
"""Largest p-value under *real* for "looks generated": below the 3 % of unseen photographs that may be called so,
because sources that nobody has met differ from those that calibrated."""

LEAST_SIDE = 330
"""Pictures with a shorter side below this, in pixels, are not judged: they hold few crops that do not overlap, their
scores scatter more, and nearly all small photographs at hand come from one source. Small photographs still calibrate:
they score higher than others and stand in for kinds of photographs that nobody has met."""

BETA = 0.10
"""Largest p-value under *generated* for "no indication"."""

CLEAR_GATE = 0.60
"""Least lower bound, in every state, of the content-matched AUC of a decoder left out of training at which the model
may say "no indication". Below it the model cannot tell a photograph from a painted copy, and silence means nothing."""

MAX_FLAT_SHARE = 0.75
"""Pictures flatter than this are not photographs as measured here."""

MIN_QUALITY = 50.0
"""Below this estimated JPEG quality nothing is said."""


def judged(rows: Sequence[Scored]) -> list[Scored]:
    """Those that are large enough."""
    return [row for row in rows if row.subject.side >= LEAST_SIDE]


def branch(
    photographs: Sequence[Scored],
    generated: Mapping[str, Sequence[Scored]],
    *,
    claims: bool = True,
    beta: float = BETA,
) -> Branch:
    """Makes the conformal calibration of a head.

    Args:
        photographs: Scores of unseen photographs, every state.
        generated: By kind, scores of unseen generated pictures, every state.
        claims: Whether the head may state anything.
        beta: Largest p-value under *generated* for "no indication"; 0 forbids it.
    """
    return Branch(
        real=_by_state(photographs),
        generated={kind: _by_state(rows) for kind, rows in generated.items()},
        alpha=ALPHA,
        beta=beta,
        claims=claims,
    )


def _by_state(rows: Sequence[Scored]) -> dict[str, list[float]]:
    return {state: sorted(row.score for row in rows if row.subject.tier == state) for state in states_of(rows)}


def states_of(rows: Sequence[Scored]) -> list[str]:
    """The states that rows are in: tiers first, then formats, each in its own order."""
    present = {row.subject.tier for row in rows}
    return [state for state in (*TIERS, *SAVINGS) if state in present]


def verdicts(
    rows: Sequence[Scored],
    photographs: Sequence[Scored],
    generated: Mapping[str, Sequence[Scored]],
    max_flat_share: float = MAX_FLAT_SHARE,
    beta: float = BETA,
    alone: bool = False,
) -> list[Verdict]:
    """Judges unseen pictures with a calibration that never saw their source.

    A picture from a source or group that took part in the calibration is judged by one made without that source (for
    photographs) or group (for generated pictures); the others by the whole.

    Args:
        rows: What is judged.
        photographs: Calibration photographs.
        generated: Calibration pictures by kind.
        max_flat_share: Flatter pictures are inconclusive.
        beta: See :func:`branch`.
        alone: By the picture's own score only, without flip test and flatness rule.
    """  # fmt: skip
    made: dict[str | None, Branch] = {}
    keys = {unit_of(row) for kind in ((photographs), *generated.values()) for row in kind}
    found: list[Verdict] = []
    for row in rows:
        unit = unit_of(row)
        left_out = unit if unit in keys else None
        if left_out not in made:
            kept = [other for other in photographs if unit_of(other) != left_out]
            others = {k: [other for other in part if unit_of(other) != left_out] for k, part in generated.items()}
            made[left_out] = branch(kept, others, beta=beta)
        known = made[left_out]
        found.append(known.verdict(row.score, row.subject.tier) if alone else row.verdict(known, max_flat_share))
    return found


def testable(rows: Sequence[Scored], photographs: Sequence[Scored]) -> list[Scored]:
    """Those that a calibration without their source could call at all: with few photographs left no p-value is small.

    Args:
        rows: What is judged.
        photographs: Calibration photographs.
    """
    units = {unit_of(row) for row in photographs}
    left: dict[str, bool] = {}
    for unit in {unit_of(row) for row in rows}:
        kept = _by_state([row for row in photographs if unit not in units or unit_of(row) != unit])
        left[unit] = bool(kept) and all(1 / (len(scores) + 1) <= ALPHA for scores in kept.values())
    return [row for row in rows if left[unit_of(row)]]


def counted(rows: Sequence[Scored], kept: Sequence[Scored]) -> dict[str, dict[str, int]]:
    """By state, how many whole photographs and generated pictures are in ``rows`` and not in ``kept``."""
    inside = {id(row) for row in kept}
    found = {tier: {"real": 0, "gallery": 0} for tier in map(str, TIERS)}
    for row in rows:
        if id(row) not in inside and row.subject.kind == "picture":
            found[row.subject.tier][kind_of(row)] += 1
    return found


def unit_of(row: Scored) -> str:
    """What is left out together: a photograph's source or camera make (with all its copies), a generator's family."""
    item = row.subject.item
    return f"{item.source}/{item.group}" if item.label or item.source == "camera" else item.source


def rates(rows: Sequence[Scored], said: Sequence[Verdict]) -> dict[str, dict[str, Rate]]:
    """Counts, for every state and kind, how many were called generated, cleared, or left inconclusive.

    Names are ``<kind>_called``, ``<kind>_cleared``, ``<kind>_inconclusive`` with the kinds ``real`` (photographs),
    ``gallery`` (generators' pictures), ``strangers`` (those of them by publishers never trained on) and the decoders'
    names.
    """
    found: dict[str, dict[str, Rate]] = {state: {} for state in states_of(rows)}
    for tier in found:
        by_kind: dict[str, list[tuple[Scored, Verdict]]] = {}
        for row, verdict in zip(rows, said, strict=True):
            if row.subject.tier == tier:
                by_kind.setdefault(kind_of(row), []).append((row, verdict))
                if is_stranger(row):
                    by_kind.setdefault("strangers", []).append((row, verdict))
        for kind, those in by_kind.items():
            for name, wanted in _NAMES.items():
                found[tier][f"{kind}_{name}"] = rate(those, {wanted})
    return found


def rate(those: Sequence[tuple[Scored, Verdict]], wanted: Container[Verdict]) -> Rate:
    """The share of pictures whose verdict counts, with the number of series that they come from.

    Args:
        those: Pictures in one state with what was said of each.
        wanted: The verdicts that count.
    """
    series = len({series_of(row.subject.item) for row, _ in those})
    return Rate(sum(verdict in wanted for _, verdict in those), len(those), 0 if series == len(those) else series)


_NAMES = {"called": Verdict.GENERATED, "cleared": Verdict.NO_INDICATION, "inconclusive": Verdict.INCONCLUSIVE}


def kind_of(row: Scored) -> str:
    """``real``, ``gallery``, ``pair`` or a decoder's name."""
    subject = row.subject
    if subject.kind != "picture":
        return subject.kind
    return "gallery" if subject.item.label else "real"


def is_stranger(row: Scored) -> bool:
    """Whether this is a generated picture by a publisher of whom no picture was trained on."""
    return kind_of(row) == "gallery" and not trained_on(row.subject.item.source)


def facts(estimates: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as plain values for the calibration file."""
    return {name: _plain(value) for name, value in estimates.items()}


def _plain(value: Any) -> Any:
    if hasattr(value, "low"):
        return {"value": round(value.value, 4), "low": round(value.low, 4), "high": round(value.high, 4)}
    return value
