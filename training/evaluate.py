"""Measures a trained classifier on pictures, generators, cameras and a decoder it never saw.

The content-matched figure comes first, because it is the one that says whether traces were learned or only content:
photographs against copies of themselves painted by a decoder never trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from nsfwforensics.evaluation.metrics import (
    Estimate,
    auc_estimate,
    mean_over,
    rate_at,
)
from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.calibration import Rate, Verdict
from training import calibrate
from training.unseen import Scored


def family(row: Scored) -> str:
    """What a generated picture is counted under."""
    item = row.subject.item
    return item.group if item.source == "mixed-models" else item.source


def _of(rows: Sequence[Scored], kind: str, tier: str) -> list[Scored]:
    return [row for row in rows if calibrate.kind_of(row) == kind and row.subject.tier == tier]


def content_matched(rows: Sequence[Scored], decoders: Sequence[str]) -> dict[str, dict[str, Estimate]]:
    """AUC of photographs' regions against their copies, by decoder and state, resampled in pairs."""
    found: dict[str, dict[str, Estimate]] = {}
    for decoder in decoders:
        found[decoder] = {}
        for tier in TIERS:
            real = {row.subject.item.key: row.score for row in _of(rows, "pair", tier)}
            fake = {row.subject.item.key: row.score for row in _of(rows, decoder, tier)}
            keys = sorted(real.keys() & fake.keys())
            found[decoder][tier] = auc_estimate([real[k] for k in keys], [fake[k] for k in keys], paired=True)
    return found


def across_generators(rows: Sequence[Scored], roles: Sequence[str] = ("test",)) -> dict[str, dict[str, Any]]:
    """By state: AUC of all unseen photographs against each family, their mean, and rates at fixed false positives.

    Under ``strangers``, where there are any, the mean over the families, and all pictures together, of publishers never
    trained on. Pictures too small to be judged count here as well.
    """
    found: dict[str, dict[str, Any]] = {}
    for tier in TIERS:
        real = [row.score for row in _of(rows, "real", tier)]
        fakes: dict[str, list[float]] = {}
        strange: set[str] = set()
        for row in _of(rows, "gallery", tier):
            if row.subject.item.role in roles:
                fakes.setdefault(family(row), []).append(row.score)
                strange |= {family(row)} if calibrate.is_stranger(row) else set()
        by_family = {name: auc_estimate(real, scores) for name, scores in sorted(fakes.items())}
        pooled = [score for scores in fakes.values() for score in scores]
        found[tier] = {
            "pooled": auc_estimate(real, pooled),
            "mean_over_families": mean_over([estimate.value for estimate in by_family.values()]),
            "families": by_family,
            "tpr_at_1": rate_at(real, pooled, 0.01),
            "tpr_at_5": rate_at(real, pooled, 0.05),
        }
        if strange:
            names = sorted(strange)
            found[tier]["strangers"] = {
                "families": names,
                "pooled": auc_estimate(real, [score for name in names for score in fakes[name]]),
                "mean_over_families": mean_over([by_family[name].value for name in names]),
            }
    return found


def by_source(rows: Sequence[Scored], said: Sequence[Verdict]) -> dict[str, dict[str, dict[str, Rate]]]:
    """For every state and real source: how many photographs were called generated, and how many left inconclusive."""
    found: dict[str, dict[str, dict[str, Rate]]] = {}
    for tier in TIERS:
        groups: dict[str, list[tuple[Scored, Verdict]]] = {}
        for row, verdict in zip(rows, said, strict=True):
            if row.subject.tier == tier and row.subject.kind == "picture":
                item = row.subject.item
                name = f"real: {item.source} ({item.role})" if item.label == 0 else f"generated: {family(row)}"
                groups.setdefault(name, []).append((row, verdict))
        found[tier] = {name: _counted(those) for name, those in sorted(groups.items())}
    return found


def by_make(rows: Sequence[Scored], said: Sequence[Verdict], least: int = 4) -> dict[str, dict[str, dict[str, Rate]]]:
    """As :func:`by_source` for the makes of cameras; makes with fewer pictures than ``least`` are counted together."""
    cameras = [
        (row, verdict)
        for row, verdict in zip(rows, said, strict=True)
        if row.subject.kind == "picture" and row.subject.item.label == 0 and row.subject.item.source == "camera"
    ]
    pictures: dict[tuple[str, str], set[str]] = {}
    for row, _ in cameras:
        item = row.subject.item
        pictures.setdefault((item.role, item.group), set()).add(item.key)
    rare = {role: sorted(make for (r, make), keys in pictures.items() if r == role and len(keys) < least)
            for role, _ in pictures}  # fmt: skip
    found: dict[str, dict[str, dict[str, Rate]]] = {tier: {} for tier in TIERS}
    for tier in TIERS:
        groups: dict[str, list[tuple[Scored, Verdict]]] = {}
        for row, verdict in cameras:
            item = row.subject.item
            make = f"others: {', '.join(rare[item.role])}" if item.group in rare[item.role] else item.group
            if row.subject.tier == tier:
                groups.setdefault(f"{make} ({item.role})", []).append((row, verdict))
        found[tier] = {name: _counted(those) for name, those in sorted(groups.items())}
    return found


def _counted(those: Sequence[tuple[Scored, Verdict]]) -> dict[str, Rate]:
    return {v.value: calibrate.rate(those, {v}) for v in Verdict}


def flips(rows: Sequence[Scored], said: Sequence[Verdict], branch_verdicts: Sequence[Verdict]) -> Rate:
    """How many whole pictures would have got a verdict but for the flip test or the flatness rule."""
    pairs = [
        (final, first)
        for row, final, first in zip(rows, said, branch_verdicts, strict=True)
        if row.subject.kind == "picture" and first is not Verdict.INCONCLUSIVE
    ]
    return Rate(sum(final is not first for final, first in pairs), len(pairs))


def plain(value: Any) -> Any:
    """Turns results into plain JSON values."""
    if isinstance(value, Estimate):
        return {name: round(number, 4) for name, number in asdict(value).items()}
    if isinstance(value, Rate):
        found = {"count": value.count, "total": value.total, "upper": round(value.upper, 4)}
        return found | ({"series": value.series} if value.series else {})
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
