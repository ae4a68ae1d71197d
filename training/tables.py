"""The tables and figures of the model card beyond plain rates: criteria, camera makes, reliability, plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nsfwforensics.models.synthesis.calibration import Verdict
from nsfwforensics.models.synthesis.likelihood import RatioCurve
from training import criteria, evaluate, plots, reliability
from training.unseen import Scored


def tables(
    rows: Sequence[Scored],
    judged: tuple[Sequence[Scored], Sequence[Verdict]],
    result: Mapping[str, Any],
    curves: Mapping[str, RatioCurve],
    never_trained: Sequence[str],
) -> dict[str, Any]:
    """Works them out.

    Args:
        rows: Everything unseen, scored by the shipped model.
        judged: The rows that the rules were tested on, and what they say of each.
        result: ``content_matched`` and ``generators`` of the run.
        curves: Likelihood ratios by state.
        never_trained: Decoders never trained on.
    """
    found = reliability.measured(rows, curves, never_trained)
    return {
        "reliability": found,
        "by_make": evaluate.by_make(*judged),
        "criteria": criteria.criteria(*judged, {**result, "reliability": found}, never_trained),
        "plots": plots.points(rows, found, never_trained[0] if never_trained else ""),
    }
