"""How good a detector was on a user's folders: ``evaluation.json``, ``evaluation.csv`` and ``evaluation.html``.

The same care as for reports: names are escaped and their acting characters shown, spreadsheet formulas neutralised, the
page loads and runs nothing but its own style, each file is written whole or not at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from nsfwforensics.core.error_rates import upper_percent
from nsfwforensics.evaluation.metrics import Estimate
from nsfwforensics.evaluation.states import TIERS
from nsfwforensics.language import language as language_of
from nsfwforensics.models.synthesis.calibration import Rate
from nsfwforensics.report.charts import quality
from nsfwforensics.report.documents.writing import write_documents

if TYPE_CHECKING:
    from nsfwforensics.evaluation.figures import Figures, Sourced

SCHEMA_VERSION = "1.0"

SHORT = {"as_is": "as the file is", "768_q60": "768 px, quality 60", "512_q40": "512 px, quality 40"}
"""The states in a few words, for plots."""

STANDING = (
    "These figures hold for pictures like the ones in these folders, and for no others. Pictures that the detector was "
    "trained or tuned on say nothing about it and must not be among them. “No interval” stands where there are fewer "
    "than ten pictures of a class, or where resampling them never changed the figure: both mean that little is known."
)

WITHHELD = (
    "Reports pass on no call of this model: its calibration withholds them, and its card says why. So no picture is "
    "counted as called generated here; AUC and the shares found at 1 % and 5 % false positives are about scores alone."
)

LOUD = (
    "WARNING: the two folders can be told apart without looking at what the pictures show ({facts}). A detector that "
    "has only learned that would score as well, and the figures for pictures as they are say nothing about how it does "
    "elsewhere. Give both folders pictures of the same formats, sizes and compression."
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation with all that its documents state.

    Attributes:
        version: Of this tool.
        command: How it was called.
        when: ISO 8601.
        detector: Name, version and SHA-256 of the model files.
        threshold: Where its scores begin to look generated, or None.
        real: Photographs by sub-folder.
        generated: Generated pictures by sub-folder.
        figures: What was worked out.
        withheld: Whether reports pass on no call of this model, so that none is counted.
    """

    version: str
    command: str
    when: str
    detector: Mapping[str, Any]
    threshold: float | None
    real: Sequence[Sourced]
    generated: Sequence[Sourced]
    figures: Figures
    withheld: bool = False


def warnings(evaluation: Evaluation) -> list[str]:
    """What a reader must know before any figure: withheld calls, leaks, files in both folders, too few pictures."""
    found, said = evaluation.figures, [WITHHELD] if evaluation.withheld else []
    if found.leaks.alarm:
        facts = ", ".join(f"{name}: AUC {found.leaks.probes[name]}" for name in found.leaks.worst)
        said.append(LOUD.format(facts=facts))
    if found.in_both:
        count = len(found.in_both)
        said.append(f"WARNING: {count} file{'s are' if count > 1 else ' is'} in both folders, byte for byte.")
    first = found.states["as_is"].auc
    if 0 < min(first.negatives, first.positives) < 60:
        said.append(
            f"Only {first.negatives} photographs and {first.positives} generated pictures have a score: the intervals "
            "are wide, and a share of 0 may be several percent elsewhere."
        )
    return said


def write(found: Evaluation, folder: Path) -> None:
    """Writes all three files into a folder, which is made if it is missing.

    Raises:
        ReportError: It cannot be written, or holds other files of these names.
    """
    shown = {
        "found": found,
        "figures": found.figures,
        "tiers": TIERS,
        "warnings": warnings(found),
        "rate": rate,
        "estimate": estimate,
        "standing": STANDING,
        "error_words": error_words,
        "charts": list(_charts(found)),
    }
    sheets = ("report.css", "charts.css", "print.css")
    write_documents(folder, "evaluation", as_json(found), _rows(found), shown, sheets)


def as_json(found: Evaluation) -> str:
    """The document: all figures and warnings, without the single pictures."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "tool": "nsfwforensics",
        "version": found.version,
        "command": found.command,
        "when": found.when,
        "detector": dict(found.detector),
        "threshold": found.threshold,
        "warnings": warnings(found),
        "leak": found.figures.leaks.alarm,
        **plain(found.figures),
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Figures as JSON values; what was not measured is null."""
    if isinstance(value, Estimate):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Rate):
        return {"count": value.count, "total": value.total, "upper": round(value.upper, 5)}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _rows(found: Evaluation) -> Iterator[Sequence[object]]:
    """One row for every file and state."""
    yield "class", "source", "path", "sha256", "state", "score", "answer", "reason", "problem"
    for name, folder in (("real", found.real), ("generated", found.generated)):
        for source, one in folder:
            head = (name, source, one.path, one.sha256)
            if not one.states:
                yield *head, "", "", "", "", one.problem
            for state, said in (one.states or {}).items():
                score = None if said.score is None else round(said.score, 5)
                yield *head, state, score, said.verdict.value, said.reason, ""


def rate(value: Rate) -> str:
    """A counted share with its one-sided 95 % bound."""
    if not value.total:
        return "not measured"
    return f"{value.count} of {value.total} ({value.share:.1%}, at most {upper_percent(value.upper)})"


FEWEST = 10
"""A bootstrap over fewer pictures of a class gives no honest interval."""


def estimate(value: Estimate) -> str:
    """A figure with its interval, or that it can have none: too few pictures, or all resamples alike."""
    if not math.isfinite(value.value):
        return "not measured"
    if min(value.negatives, value.positives) < FEWEST or value.low == value.high:
        return f"{value.value:.2f} (no interval)"
    return str(value)


def error_words(value: float | None) -> str:
    """An expected calibration error, or that there is none."""
    return "not measured: too few pictures" if value is None else f"{value:.3f}"


def _charts(found: Evaluation) -> Iterator[Markup]:
    english = language_of("en")
    states = found.figures.states
    curves = {SHORT[tier]: states[tier].roc for tier in TIERS if states[tier].roc}
    if curves:
        yield quality.roc(curves, english)
        yield quality.det(curves, english)
    bins = {
        SHORT[tier]: [(part.probability, part.share, part.pictures) for part in states[tier].bins]
        for tier in TIERS
        if states[tier].bins
    }
    if bins:
        yield quality.reliability(bins, english)
    rows = [
        quality.ScoreRow(f"{name} ({'generated' if made else 'real'})", source.scores, made)
        for made, sources in ((False, states["as_is"].real_sources), (True, states["as_is"].generated_sources))
        for name, source in sources.items()
    ]
    yield quality.spread("Scores by source, pictures as they are", rows, found.threshold, english)
    rows = [
        quality.ScoreRow(f"{kind}, {SHORT[tier]}", sorted(s for source in sources for s in source.scores), made)
        for tier in TIERS
        for made, kind, sources in (
            (False, "real", states[tier].real_sources.values()),
            (True, "generated", states[tier].generated_sources.values()),
        )
    ]
    yield quality.spread("Scores by degradation, all sources", rows, found.threshold, english)


__all__ = ["STANDING", "Evaluation", "as_json", "error_words", "estimate", "plain", "rate", "warnings", "write"]
