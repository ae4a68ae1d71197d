"""Tables of the model card: criteria, shares by source with exact intervals, reliability, likelihood ratios."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nsfwforensics.core.error_rates import clopper_pearson_upper
from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.models.rates import Rate
from training import reliability as measured

Table = Mapping[str, Any]

STATES: Mapping[str, str] = {str(tier): words for tier, words in TIERS.items()}
NOT_MEASURED = "not measured"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def estimate(value: Table, digits: int = 2) -> str:
    """A figure with its interval."""
    return f"{value['value']:.{digits}f} ({value['low']:.{digits}f}–{value['high']:.{digits}f})"


def exact(value: Table | None) -> str:
    """A count with the two-sided exact 95 % interval of its share (Clopper and Pearson 1934), rounded outwards.

    Where pictures come in series, of the share by series (:attr:`Rate.by_series`).
    """
    if value is None or not value["total"]:
        return NOT_MEASURED
    count, total = value["count"], value["total"]
    those, series = Rate(count, total, value.get("series", 0)).by_series
    low = 1 - clopper_pearson_upper(series - those, series, 0.975)
    high = clopper_pearson_upper(those, series, 0.975)
    return f"{count}/{total} ({math.floor(100 * low + 1e-9)}–{math.ceil(100 * high - 1e-9)} %)"


def criteria(found: Sequence[Table]) -> str:
    """Each criterion with what was measured in each state, and whether it is held."""
    head = ("criterion", *(f"{words}: wanted, measured" for words in TIERS.values()))
    return table(head, [(row["name"], *(_criterion(row["states"][t], row["sign"]) for t in TIERS)) for row in found])


def _criterion(state: Table, sign: str) -> str:
    value = state["measured"]
    if value is None:
        return NOT_MEASURED if state["wanted"] is not None else "–"
    if isinstance(value, Mapping):
        shown = exact(value) if "count" in value else estimate(value, 2 if sign == "≥" else 3)
        if "count" in value and value["total"]:
            shown = f"{value['count'] / value['total']:.1%}, {shown}"
    else:
        shown = f"{value:.2f}"
    if state["wanted"] is None:
        return shown
    wanted = f"{state['wanted']:.0%}" if isinstance(value, Mapping) and "count" in value else f"{state['wanted']:.2f}"
    return f"{sign} {wanted}: {shown}, **{'held' if state['held'] else 'missed'}**"


def sources(found: Table, what: str, prefix: str = "") -> str:
    """By source: called generated and left inconclusive, in every state.

    Args:
        found: By state and name, shares by verdict.
        what: Names the first column.
        prefix: Only names that begin with it.
    """
    names = sorted({name for tier in TIERS for name in found[tier] if name.startswith(prefix)})
    rows = [
        (
            name.removeprefix(prefix),
            *(exact(found[t].get(name, {}).get("looks_generated")) for t in TIERS),
            *(exact(found[t].get(name, {}).get("inconclusive")) for t in TIERS),
        )
        for name in names
    ]
    states = list(TIERS.values())
    called, left = (f"called generated, {states[0]}", *states[1:]), (f"inconclusive, {states[0]}", *states[1:])
    return table((what, *called, *left), rows)


def reliability(found: Table) -> str:
    """Calibration errors beside what a perfectly calibrated model would get with as few pictures."""
    names = {
        measured.GENERATORS: "generators' pictures",
        measured.EVERYTHING: "generators' pictures, all unseen",
        measured.COPIES: "copies by a decoder never trained on",
    }
    rows = []
    for tier, part in found.items():
        for key, words in names.items():
            if key in part:
                figures = part[key]
                counts = figures["balanced"]["found"]
                rows.append(
                    (
                        STATES[tier],
                        words,
                        f"{counts['negatives']} / {counts['positives']}",
                        _error(figures["balanced"]),
                        _error(figures["plain"]),
                        f"{figures['cost']:.2f}",
                    )
                )
    if not rows:
        return "Not measured: too few pictures."
    head = ("state", "against", "real / generated", "classes weighing alike", "pictures weighing alike", "C_llr")
    spread = [
        f"{part['elsewhere']:.2f} ({STATES[tier]})" for tier, part in found.items() if part["elsewhere"] is not None
    ]
    after = f"\n\nOn random halves of the calibration's own sources, fitted on the others: {', '.join(spread)}."
    return table(head, rows) + (after if spread else "")


def _error(value: Table) -> str:
    found = value["found"]
    bounds = f"{found['low']:.3f}–{found['high']:.3f}"
    return f"{found['value']:.3f} ({bounds}); chance {value['chance']:.3f}, 95 % below {value['chance_high']:.3f}"


def ratios(found: Table) -> str:
    """The bounds of likelihood ratios with the counts behind them."""
    rows = [
        (
            STATES[tier],
            f"{part['curve']['least']:.2f}",
            f"{part['curve']['most']:.2f}",
            f"{part['curve']['photographs']} / {part['curve']['generated']}",
        )
        for tier, part in found.items()
    ]
    if not rows:
        return "No likelihood ratios: too few pictures."
    return table(("state", "least ratio", "greatest ratio", "photographs / generated of the smallest kind"), rows)
