"""The criteria of a release, each with what was measured and whether it is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.synthesis.calibration import Rate, Verdict
from training import calibrate, reliability
from training.unseen import Scored

MATCHED = {"as_is": 0.75, "512_q40": 0.68}
FAMILIES = {"as_is": 0.88, "768_q60": 0.86, "512_q40": 0.83}
PHOTOGRAPHS, PORTRAITS, INCONCLUSIVE, CALIBRATION = 0.97, 0.95, 0.40, 0.05
PORTRAIT_SOURCE = "portraits"


def criteria(
    rows: Sequence[Scored], said: Sequence[Verdict], result: Mapping[str, Any], never_trained: Sequence[str]
) -> list[dict[str, Any]]:
    """Checks a run; what is content-matched comes first. The row of the gate is made by :func:`gate`.

    Args:
        rows: Everything unseen.
        said: What the finished rules say of each row.
        result: ``content_matched``, ``generators``, ``saved_alike`` and ``reliability`` of the run.
        never_trained: Decoders never trained on.

    Returns:
        Rows with ``name``, ``sign`` (``≥`` or ``≤``) and ``states``: by state ``wanted``, ``measured`` (a number, a
        :class:`Rate` or an estimate) and ``held``, each None where there is none.
    """
    matched, errors = result.get("content_matched", {}), result.get("reliability", {})
    found: list[dict[str, Any]] = []
    for name in never_trained:
        words = f"content-matched: photographs and their copies by {name}, never trained on, AUC"
        found.append(_row(words, "≥", MATCHED, matched.get(name, {})))
    for name, kind in (("", "generators"), (", every file saved once more alike", "saved_alike")):
        means: dict[str, Any] = {tier: part["mean_over_families"] for tier, part in result.get(kind, {}).items()}
        found.append(_row(f"test families of generators{name}, mean AUC", "≥", FAMILIES, means))
        parts = {tier: part["strangers"] for tier, part in result.get(kind, {}).items() if "strangers" in part}
        strange = {tier: part["mean_over_families"] for tier, part in parts.items()}
        words = f"those of them by publishers of whom no picture was trained on{name}, mean AUC"
        found.append(_row(words, "≥", FAMILIES, strange))
    for words, wanted, source, roles in (
        ("photographs of the test, portraits aside, not called generated", PHOTOGRAPHS, "", ("test",)),
        ("all unseen photographs, portraits aside, not called generated", PHOTOGRAPHS, "", ("calibrate", "test")),
        ("portraits of the test, not called generated", PORTRAITS, PORTRAIT_SOURCE, ("test",)),
        ("all unseen portraits, not called generated", PORTRAITS, PORTRAIT_SOURCE, ("calibrate", "test")),
    ):
        spared = _spared(rows, said, source, roles)
        found.append(_row(words, "≥", dict.fromkeys(TIERS, wanted), spared))
    left: dict[str, Rate] = {tier: _share(rows, said, tier) for tier in TIERS}
    found.append(_row("unseen pictures left inconclusive", "≤", dict.fromkeys(TIERS, INCONCLUSIVE), left))
    for kind, name in (
        (reliability.GENERATORS, "calibration error, generators of the test"),
        (reliability.EVERYTHING, "calibration error, all unseen generators"),
    ):
        by_state = {tier: part[kind]["balanced"].found for tier, part in errors.items() if kind in part}
        found.append(_row(name, "≤", dict.fromkeys(TIERS, CALIBRATION), by_state))
    return found


def gate(measured: Mapping[str, Any]) -> dict[str, Any]:
    """The row of the release gate.

    Args:
        measured: As the run measures it; empty where the pictures were not at hand.
    """
    words = "content-matched: photographs and generated pictures of the same kinds, AUC"
    return _row(words, "≥", MATCHED, measured.get("shipped", {}))


def _row(name: str, sign: str, wanted: Mapping[str, float], measured: Mapping[str, Any]) -> dict[str, Any]:
    states = {}
    for tier in TIERS:
        value, limit = measured.get(tier), wanted.get(tier)
        held = None if value is None or limit is None else _held(_number(value), sign, limit)
        states[tier] = {"wanted": limit, "measured": value, "held": held}
    return {"name": name, "sign": sign, "states": states}


def _number(value: Any) -> float:
    if isinstance(value, Rate):
        return value.share if value.total else float("nan")
    return float(getattr(value, "value", value))


def _held(value: float, sign: str, limit: float) -> bool:
    return value >= limit if sign == "≥" else value <= limit


def _spared(rows: Sequence[Scored], said: Sequence[Verdict], source: str, roles: Sequence[str]) -> dict[str, Rate]:
    found: dict[str, Rate] = {}
    for tier in TIERS:
        those = [
            (row, verdict)
            for row, verdict in zip(rows, said, strict=True)
            if row.subject.tier == tier
            and row.subject.kind == "picture"
            and row.subject.item.label == 0
            and row.subject.item.role in roles
            and (row.subject.item.source == PORTRAIT_SOURCE) == (source == PORTRAIT_SOURCE)
        ]
        if those:
            found[tier] = calibrate.rate(those, set(Verdict) - {Verdict.GENERATED})
    return found


def _share(rows: Sequence[Scored], said: Sequence[Verdict], tier: str) -> Rate:
    those = [
        (row, verdict)
        for row, verdict in zip(rows, said, strict=True)
        if row.subject.tier == tier and row.subject.kind == "picture"
    ]
    return calibrate.rate(those, {Verdict.INCONCLUSIVE})
