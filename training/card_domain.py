"""The model card's section on pictures that are no photographs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nsfwforensics.core.error_rates import clopper_pearson_upper
from nsfwforensics.evaluation.states import TIERS

Table = Mapping[str, Any]


def section(figures: Table | None, called: Table | None = None) -> str:
    """Writes the section.

    Args:
        figures: Plain figures of :func:`training.domain.fitted`: ``kinds`` and ``fitted_on``; or None.
        called: Plain figures of :func:`training.domain_figures.measured`; or None.

    Returns:
        Markdown, heading included.
    """
    if not figures:
        return "## Pictures that are no photographs\n\nNot measured: only flat pictures are ruled out."
    parts = ["## Pictures that are no photographs", _METHOD, _ruled_out(figures["kinds"])]
    if called:
        parts += [_CALLED, _called(called)]
    fitted = ", ".join(f"{count} of {kind}" for kind, count in figures["fitted_on"].items())
    return "\n\n".join([*parts, f"Pictures in the fit: {fitted}.", _LIMITS])


_METHOD = (
    "Drawings, paintings and renderings (art), pages of text, screenshots and charts are no photographs, and the model "
    "has nothing to say of them. They are recognised by plain measurements of a copy of at most 512 pixels: number of "
    "colours, even areas, hardness and straightness of edges, strokes, grain. A logistic regression weighs them, each "
    "only in the direction that its name promises, so that a report can say why. It was fitted on other packages and "
    "other page generators than those tested here; its limit was set on photographs in the role *calibrate* and on "
    "photographic generated pictures in the roles *train* and *calibrate*, and none of them is in the table: ruled out "
    "by it or by the rule against flat pictures, of all pictures of at least 256 pixels, with the exact 95 % interval "
    "(Clopper and Pearson)."
)

_CALLED = (
    "And what the classifier says of those that pass: called generated, of all pictures of the kind that are large "
    "enough, ruled out or not."
)

_LIMITS = (
    "Painted and rendered pictures with texture, shading and many colours pass for photographs; so does a photograph "
    "that fills most of a screenshot. Photographs of screens and of pages, burnt-out or foggy ones may be ruled out. "
    "Scans were simulated, web pages were made for the test."
)


def _ruled_out(kinds: Table) -> str:
    rows = [(kind, *(interval(states[tier]["either"]) for tier in TIERS)) for kind, states in kinds.items()]
    return _rows(("ruled out", *TIERS.values()), rows)


def _called(kinds: Table) -> str:
    rows = [(kind, *(interval(states[tier]["called"]) for tier in TIERS)) for kind, states in kinds.items()]
    return _rows(("called generated", *TIERS.values()), rows)


def interval(rate: Table) -> str:
    """A count with its share and two-sided exact 95 % interval."""
    count, total = rate["count"], rate["total"]
    if not total:
        return "–"
    low = 1.0 - clopper_pearson_upper(total - count, total, 0.975)
    high = clopper_pearson_upper(count, total, 0.975)
    bounds = f"{math.floor(100 * low + 1e-9)}–{math.ceil(100 * high - 1e-9)} %"
    return f"{count}/{total} ({count / total:.0%}, {bounds})"


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
