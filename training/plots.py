"""What the model card's figures show, as plain numbers; ``training/model_figures.py`` draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nsfwforensics.evaluation.figures import roc
from nsfwforensics.evaluation.states import TIERS
from training import reliability
from training.calibrate import kind_of
from training.evaluate import family
from training.unseen import Scored

STATES = {"as_is": "as the file is", "768_q60": "768 px, JPEG 60", "512_q40": "512 px, JPEG 40"}
"""Short names of the states, for legends."""

LEAST = 5
"""Sources with fewer pictures are drawn together."""


def points(rows: Sequence[Scored], found: Mapping[str, Any], decoder: str) -> dict[str, Any]:
    """Points of curves and scores of groups.

    Args:
        rows: Everything unseen, scored by the shipped model.
        found: The run's ``reliability``.
        decoder: The decoder of the content-matched curves: one never trained on.

    Returns:
        ``generators`` and ``matched`` (by state, points of the ROC curve), ``reliability`` (by state, bins),
        ``sources`` (as the files are) and ``states``: name, whether generated, and scores.
    """
    test = [row for row in rows if row.subject.item.role == "test"]

    def scores(kind: str, tier: str, of: Sequence[Scored] = test) -> list[float]:
        return [row.score for row in of if kind_of(row) == kind and row.subject.tier == tier]

    bins = {
        tier: part[reliability.GENERATORS]["bins"] for tier, part in found.items() if reliability.GENERATORS in part
    }
    states = [
        group
        for tier, words in STATES.items()
        for group in (
            _group(f"photographs, {words}", scores("real", tier), generated=False),
            _group(f"generated, {words}", scores("gallery", tier), generated=True),
        )
    ]
    return {
        "generators": {tier: roc(scores("real", tier), scores("gallery", tier)) for tier in TIERS},
        "matched": {tier: roc(scores("pair", tier, rows), scores(decoder, tier, rows)) for tier in TIERS},
        "reliability": bins,
        "sources": _sources(test),
        "states": states,
    }


def _group(name: str, scores: Sequence[float], *, generated: bool) -> dict[str, Any]:
    return {"name": name, "generated": generated, "scores": sorted(round(score, 3) for score in scores)}


def _sources(test: Sequence[Scored]) -> list[dict[str, Any]]:
    groups: dict[tuple[bool, str], list[float]] = {}
    for row in test:
        item = row.subject.item
        if row.subject.tier != "as_is" or row.subject.kind != "picture":
            continue
        name = family(row) if item.label else f"camera: {item.group}" if item.source == "camera" else item.source
        groups.setdefault((bool(item.label), name), []).append(row.score)
    small = [key for key, scores in groups.items() if len(scores) < LEAST]
    for made, name in small if len(small) > 1 else ():
        other = (made, "other generators" if made else "other cameras and sources")
        groups.setdefault(other, []).extend(groups.pop((made, name)))
    return [_group(name, scores, generated=made) for (made, name), scores in sorted(groups.items())]
