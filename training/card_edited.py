"""The section "Edited regions" of the model card."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nsfwforensics.evaluation.states import TIERS

HEADING = "## Edited regions"

Table = Mapping[str, Any]


def section(found: Table) -> str:
    """The section, heading and all, as Markdown.

    Args:
        found: Plain figures of :func:`training.edited_run.run`.
    """
    pairs = max((found["auc"][found["unseen"]][tier]["negatives"] for tier in TIERS), default=0)
    small = ", ".join(
        f"{found['too_small'][t]['count']} of {found['too_small'][t]['total']} ({TIERS[t]})" for t in TIERS
    )
    choice = found["choice"]
    tiles = f"{found['tile']} pixels (at least {found['stride']} apart, at most {found['most']} tiles a picture"
    return f"""{HEADING}

The trace network's score over tiles of {tiles}, flat
and clipped ones left out), and how far one region stands out of the rest. In photographs never used in training a
soft-edged region of 3 to 30 % was painted again and blended in; the edited copy and its untouched twin were saved
alike, at the photograph's own JPEG quality (what was painted was saved once, what surrounds it twice, as in a picture
that somebody edited). Larger photographs were first cut or reduced to {found["longest"]} pixels.
Measure (*{found["statistic"]}*) and threshold were chosen on {choice["photographs"]} edited and all whole
photographs in the role *calibrate*; the figures are of up to {pairs} others. Too small or too flat for a map: {small}.

{_measures(found)}

The AUC compares the most outstanding region of the edited copies with that of the untouched twins; 0.5 is guessing.
*Inside against outside* compares tiles within one edited picture. Intervals are 95 % bootstrap intervals over
photographs.

Whole photographs in the role *test* in which a region would be marked, with the one-sided 95 % bound:

{_photographs(found["photographs"]["test"])}

{_verdict(found)}"""


def placed(card: str, found: Table) -> str:
    """A card with this section in place of an earlier one, or at its end."""
    text = section(found).rstrip() + "\n"
    pattern = re.compile(rf"^{re.escape(HEADING)}\n.*?(?=^## |\Z)", re.M | re.S)
    if pattern.search(card):
        return pattern.sub(lambda match: text + ("\n" if match.end() < len(card) else ""), card, count=1)
    return card.rstrip() + "\n\n" + text


def _measures(found: Table) -> str:
    rows: list[Sequence[object]] = []
    for decoder in found["auc"]:
        name = f"{decoder}, {'never trained on' if decoder == found['unseen'] else 'trained on'}"
        rows += [
            (name, "AUC, edited against untouched", *(_estimate(found["auc"][decoder][t]) for t in TIERS)),
            (name, "edited copy stands out more", *(_share(found["within_pairs"][decoder][t]) for t in TIERS)),
            (name, "inside against outside, AUC of tiles", *(_estimate(found["tiles"][decoder][t]) for t in TIERS)),
            (name, "overlap of region and edit (IoU)", *(_estimate(found["overlap"][decoder][t]) for t in TIERS)),
            (name, "marked at the threshold", *(_share(found["marked"][decoder][t]) for t in TIERS)),
        ]
    rows.append(
        ("untouched twins", "marked at the threshold", *(_rate(found["marked"]["untouched"][t]) for t in TIERS))
    )
    return _rows(("painted by", "figure", *TIERS.values()), rows)


def _photographs(found: Table) -> str:
    names = sorted({name for tier in TIERS for name in found[tier]}, key=lambda name: (name == "all", name))
    return _rows(("source", *TIERS.values()), [(n, *(_rate(found[t].get(n)) for t in TIERS)) for n in names])


def _verdict(found: Table) -> str:
    spoken = [TIERS[tier] for tier in TIERS if found["speaks"][tier]]
    if spoken:
        where = "; ".join(spoken)
        return f"A marked region is reported as a finding in these states: {where}. Elsewhere it is only a lead."
    return (
        "This was measured to be not reliable enough for a finding (which takes at most 3 % of untouched photographs\n"
        "marked, with 95 % confidence, in every state, and an AUC certainly above 0.6 for the decoder never trained\n"
        "on): the map is only a lead for people, and the answer beside it is *inconclusive*."
    )


def _estimate(value: Table) -> str:
    if value["value"] is None or math.isnan(value["value"]):
        return "not measured"
    return f"{value['value']:.2f} ({value['low']:.2f}–{value['high']:.2f})"


def _share(value: Table) -> str:
    return (
        f"{value['count']}/{value['total']} ({value['count'] / value['total']:.0%})"
        if value["total"]
        else "not measured"
    )


def _rate(value: Table | None) -> str:
    if value is None or not value["total"]:
        return "not measured"
    return f"{value['count']}/{value['total']} ({value['count'] / value['total']:.1%}, ≤ {value['upper']:.1%})"


def _rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])
