"""What a score means, from pictures never trained on; and how well that holds on sources it was not taken from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nsfwforensics.models.calibration import Branch, Rate, Verdict
from nsfwforensics.models.preprocess import CROP
from nsfwforensics.training.augment import TIERS
from nsfwforensics.training.unseen import Scored

ALPHA = 0.01
"""Largest p-value under *real* for "looks generated": well below the 3 % of unseen photographs that may be called so,
because sources that nobody has met differ from those that calibrated."""

SMALL_SIDE = 350
"""Pictures with a shorter side below this, in pixels, are calibrated apart: they hold few crops that do not overlap,
and their scores scatter more."""

BETA = 0.10
"""Largest p-value under *generated* for "no indication"."""

CLEAR_GATE = 0.60
"""Least lower bound, in every state, of the content-matched AUC of a decoder left out of training at which the model
may say "no indication". Below it the model cannot tell a photograph from a painted copy, and silence means nothing."""

MAX_FLAT_SHARE = 0.75
"""Pictures flatter than this are not photographs as measured here."""

MIN_QUALITY = 50.0
"""Below this estimated JPEG quality nothing is said."""


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


def is_small(row: Scored) -> bool:
    """Whether its shorter side is below :data:`SMALL_SIDE`."""
    return row.subject.side < SMALL_SIDE


def of_size(rows: Sequence[Scored], *, small: bool) -> list[Scored]:
    """The small ones, or the others."""
    return [row for row in rows if is_small(row) == small]


def sized(
    photographs: Sequence[Scored],
    generated: Mapping[str, Sequence[Scored]],
    *,
    beta: float = BETA,
) -> tuple[Branch, Branch]:
    """The calibrations of pictures of usual size and of small ones (group-conditional conformal p-values, Vovk 2012).

    Args:
        photographs: As in :func:`branch`, of every size.
        generated: As in :func:`branch`, of every size.
        beta: See :func:`branch`; a size of which a kind of generated pictures is missing is never cleared.
    """
    made = []
    for small in (False, True):
        kinds = {kind: of_size(rows, small=small) for kind, rows in generated.items()}
        made.append(branch(of_size(photographs, small=small), kinds, beta=beta if all(kinds.values()) else 0.0))
    usual, small_ones = made
    return replace(usual, sides=(SMALL_SIDE, None)), replace(small_ones, sides=(CROP, SMALL_SIDE))


def _by_state(rows: Sequence[Scored]) -> dict[str, list[float]]:
    states = {tier: sorted(row.score for row in rows if row.subject.tier == tier) for tier in TIERS}
    return {tier: scores for tier, scores in states.items() if scores}


def verdicts(
    rows: Sequence[Scored],
    photographs: Sequence[Scored],
    generated: Mapping[str, Sequence[Scored]],
    max_flat_share: float = MAX_FLAT_SHARE,
    beta: float = BETA,
) -> list[Verdict]:
    """Judges unseen pictures with a calibration that never saw their source.

    A picture from a source or group that took part in the calibration is judged by one made without that source (for
    photographs) or group (for generated pictures); the others by the whole. Each is judged by pictures of its size.

    Args:
        rows: What is judged.
        photographs: Calibration photographs.
        generated: Calibration pictures by kind.
        max_flat_share: Flatter pictures are inconclusive.
        beta: See :func:`branch`.
    """  # fmt: skip
    made: dict[str | None, tuple[Branch, Branch]] = {}
    keys = {unit_of(row) for kind in ((photographs), *generated.values()) for row in kind}
    found: list[Verdict] = []
    for row in rows:
        unit = unit_of(row)
        left_out = unit if unit in keys else None
        if left_out not in made:
            kept = [other for other in photographs if unit_of(other) != left_out]
            others = {k: [other for other in part if unit_of(other) != left_out] for k, part in generated.items()}
            made[left_out] = sized(kept, others, beta=beta)
        usual, small = made[left_out]
        found.append(row.verdict(small if is_small(row) else usual, max_flat_share))
    return found


def unit_of(row: Scored) -> str:
    """What is left out together: a photograph's source or camera make (with all its copies), a generator's family."""
    item = row.subject.item
    return f"{item.source}/{item.group}" if item.label or item.source == "camera" else item.source


def rates(rows: Sequence[Scored], said: Sequence[Verdict], strongest: str = "") -> dict[str, dict[str, Rate]]:
    """Counts, for every state and kind, how many were called generated, cleared, or left inconclusive.

    Names are ``<kind>_called``, ``<kind>_cleared``, ``<kind>_inconclusive`` with the kinds ``real`` (photographs),
    ``gallery`` (generators' pictures) and the decoders' names; the decoder ``strongest`` is counted as
    ``resynthesised`` as well.
    """
    found: dict[str, dict[str, Rate]] = {tier: {} for tier in TIERS}
    for tier in TIERS:
        by_kind: dict[str, list[Verdict]] = {}
        for row, verdict in zip(rows, said, strict=True):
            if row.subject.tier == tier:
                by_kind.setdefault(kind_of(row), []).append(verdict)
        if strongest in by_kind:
            by_kind["resynthesised"] = by_kind[strongest]
        for kind, those in by_kind.items():
            for name, wanted in _NAMES.items():
                found[tier][f"{kind}_{name}"] = Rate(sum(v is wanted for v in those), len(those))
    return found


SIZES = ("usual", "small")
"""Names of the two groups by size, in the order of :func:`sized`."""


def rates_by_size(
    rows: Sequence[Scored], said: Sequence[Verdict], strongest: str
) -> dict[str, dict[str, dict[str, Rate]]]:
    """As :func:`rates`, for each of :data:`SIZES`."""
    found = {}
    for size, small in zip(SIZES, (False, True), strict=True):
        chosen = [(row, verdict) for row, verdict in zip(rows, said, strict=True) if is_small(row) == small]
        found[size] = rates([row for row, _ in chosen], [verdict for _, verdict in chosen], strongest)
    return found


def reported(found: Mapping[str, Mapping[str, Rate]]) -> dict[str, dict[str, Rate]]:
    """The rates that a report tells: of photographs, generators' pictures and copies by the strongest decoder."""
    return {tier: {n: r for n, r in by.items() if n.split("_")[0] in _REPORTED} for tier, by in found.items()}


_REPORTED = ("real", "gallery", "resynthesised")

_NAMES = {"called": Verdict.GENERATED, "cleared": Verdict.NO_INDICATION, "inconclusive": Verdict.INCONCLUSIVE}


def kind_of(row: Scored) -> str:
    """``real``, ``gallery``, ``pair`` or a decoder's name."""
    subject = row.subject
    if subject.kind != "picture":
        return subject.kind
    return "gallery" if subject.item.label else "real"


def facts(estimates: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as plain values for the calibration file."""
    return {name: _plain(value) for name, value in estimates.items()}


def _plain(value: Any) -> Any:
    if hasattr(value, "low"):
        return {"value": round(value.value, 4), "low": round(value.low, 4), "high": round(value.high, 4)}
    return value
