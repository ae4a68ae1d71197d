"""Charts of how good a detector is: ROC, DET, reliability, and where the scores of sources and states lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, quantiles

from markupsafe import Markup

from nsfwforensics.language import Language
from nsfwforensics.report.charts import svg
from nsfwforensics.report.words.text import shorten, visible

LINES = ("line", "line-dashed", "line-dotted")
"""Looks of the lines, in the order of the states; they differ by dashes, not by colour."""

Point = tuple[float, float]

_SIZE, _LEFT, _TOP = 340.0, 64.0, 30.0
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_DEVIATES = (0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
_LEAST = 0.005
_WIDTH, _NAMES, _ROW = 680.0, 230.0, 30.0


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Scores of one group: its name, ascending scores, and whether its pictures are generated."""

    name: str
    scores: Sequence[float]
    generated: bool


def roc(curves: Mapping[str, Sequence[Point]], language: Language) -> Markup:
    """ROC curves: generated pictures found, over photographs called generated, by state.

    Args:
        curves: By state, (false positive rate, true positive rate), ascending.
        language: Of the summary line.
    """
    lines = [[(_across(x), _up(y)) for x, y in points] for points in curves.values()]
    parts = [*_frame("photographs called generated", "generated pictures found"), *_diagonal(), *_lines(lines, curves)]
    title = "ROC curve: generated pictures found, over photographs called generated"
    caption = (
        "The nearer to the upper left corner the better; the thin diagonal is guessing. Each line is one state of the "
        "same pictures."
    )
    return _square(title, caption, parts, _curve_table(curves, "found at 1 / 5 / 10 / 20 %"), language)


def det(curves: Mapping[str, Sequence[Point]], language: Language) -> Markup:
    """DET curves: generated pictures missed, over photographs called generated, both on normal deviates.

    Args:
        curves: As for :func:`roc`.
        language: Of the summary line.
    """
    lines = []
    for points in curves.values():
        kept = [(x, 1 - y) for x, y in points if x > 0 or y > 0]
        lines.append([(_deviate_across(x), _deviate_up(y)) for x, y in kept])
    parts = [*_frame("photographs called generated", "generated pictures missed", _DEVIATES), *_lines(lines, curves)]
    title = "DET curve: generated pictures missed, over photographs called generated"
    caption = (
        "Both axes are stretched so that small errors can be seen (normal deviates); the nearer to the lower left "
        "corner the better. Errors below 0.5 % are drawn at the edge."
    )
    missed = {state: [(x, 1 - y) for x, y in points] for state, points in curves.items()}
    return _square(title, caption, parts, _curve_table(missed, "missed at 1 / 5 / 10 / 20 %"), language)


def reliability(bins: Mapping[str, Sequence[tuple[float, float, int]]], language: Language) -> Markup:
    """Reliability diagram: the share of generated pictures, over the probability that was stated.

    Args:
        bins: By state: mean probability, share of generated, number of pictures.
        language: Of the summary line.
    """
    lines = [[(_across(p), _up(share)) for p, share, _ in state] for state in bins.values()]
    dots = [
        svg.shape("circle", "dot" if number == 0 else "dot-open", cx=x, cy=y, r=4)
        for number, line in enumerate(lines)
        for x, y in line
    ]
    parts = [*_frame("stated probability", "share that was generated"), *_diagonal(), *_lines(lines, bins), *dots]
    title = "Reliability: the share of generated pictures, over the stated probability"
    caption = "On the thin diagonal a stated probability is what happens. Both classes are weighted alike."
    head = ("state", "stated probability", "share generated", "pictures")
    rows = [
        (state, f"{p:.2f}", f"{share:.2f}", f"{count}") for state, found in bins.items() for p, share, count in found
    ]
    return _square(title, caption, parts, svg.table(head, rows), language)


def spread(title: str, rows: Sequence[ScoreRow], threshold: float | None, language: Language) -> Markup:
    """Where the scores of groups lie: line from 5 to 95 %, box from 25 to 75 %, stroke at the median.

    Args:
        title: Names the chart.
        rows: The groups; those without scores have an empty row.
        threshold: Where pictures begin to look generated, or None.
        language: Of the summary line.
    """
    every = [score for row in rows for score in row.scores]
    low, high = (min(every), max(every)) if every else (0.0, 1.0)
    if threshold is not None:
        low, high = min(low, threshold), max(high, threshold)
    room = (high - low) or 1.0

    def place(value: float) -> float:
        return _NAMES + (_WIDTH - _NAMES - 24) * (value - low) / room

    bottom = _TOP + _ROW * len(rows)
    parts: list[Markup] = []
    if threshold is not None:
        parts.append(svg.shape("path", "limit", d=f"M{place(threshold):.1f} {_TOP - 8:g}V{bottom:g}"))
        parts.append(svg.label(place(threshold), _TOP - 12, "looks generated from here", "soft", "middle"))
    for index, row in enumerate(rows):
        parts += _spread_row(_TOP + _ROW * index, row, place)
    parts += _score_axis(bottom, low, high, place)
    head = ("group", "pictures", "5 %", "25 %", "median", "75 %", "95 %")
    table = svg.table(
        head, [(visible(row.name), f"{len(row.scores)}", *(f"{v:.2f}" for v in _five(row.scores))) for row in rows]
    )
    caption = (
        "Hatched boxes are photographs, filled ones generated pictures. Box: half of the scores; line: 90 % of them; "
        "stroke: the median. Where boxes overlap, a score does not tell."
    )
    drawing = svg.svg(_WIDTH, bottom + 50, title, caption, *parts)
    return svg.figure("quality", drawing, f"{title}. {caption}", language, table)


def _spread_row(top: float, row: ScoreRow, place: object) -> Iterator[Markup]:
    assert callable(place)  # noqa: S101 - for the type checker
    yield svg.label(_NAMES - 12, top + 19, shorten(visible(row.name), 29), "ink", "end")
    values = _five(row.scores)
    if not values:
        return
    ends = [float(place(value)) for value in values]
    yield svg.shape("path", "axis", d=f"M{ends[0]:.1f} {top + 14:.1f}H{ends[4]:.1f}")
    yield from svg.box(ends[1], top + 6, max(3.0, ends[3] - ends[1]), 16, "bar" if row.generated else "inconclusive")
    yield svg.shape("path", "mark", d=f"M{ends[2]:.1f} {top + 3:.1f}v22")


def _score_axis(bottom: float, low: float, high: float, place: object) -> Iterator[Markup]:
    assert callable(place)  # noqa: S101 - for the type checker
    yield svg.shape("path", "axis", d=f"M{_NAMES:g} {bottom + 6:.1f}H{_WIDTH - 24:g}")
    for share in _TICKS:
        value = low + (high - low) * share
        yield svg.label(float(place(value)), bottom + 24, f"{value:.2f}", "soft", "middle")
    yield svg.label((_NAMES + _WIDTH) / 2, bottom + 44, "score (log odds, no probability)", "soft", "middle")


def _five(scores: Sequence[float]) -> list[float]:
    if not scores:
        return []
    if len(scores) == 1:
        return [scores[0]] * 5
    cuts = quantiles(scores, n=20, method="inclusive")
    return [cuts[0], cuts[4], cuts[9], cuts[14], cuts[18]]


def _across(x: float) -> float:
    return _LEFT + _SIZE * x


def _up(y: float) -> float:
    return _TOP + _SIZE * (1 - y)


def _deviate(value: float) -> float:
    """0–1 on an axis from :data:`_LEAST` to 0.9 in standard normal deviates."""
    normal = NormalDist()
    first, last = normal.inv_cdf(_LEAST), normal.inv_cdf(0.9)
    kept = min(0.9, max(_LEAST, value))
    return (normal.inv_cdf(kept) - first) / (last - first)


def _deviate_across(x: float) -> float:
    return _across(_deviate(x))


def _deviate_up(y: float) -> float:
    return _up(_deviate(y))


def _frame(x_name: str, y_name: str, deviates: Sequence[float] = ()) -> Iterator[Markup]:
    yield svg.shape("rect", "axis", x=_LEFT, y=_TOP, width=_SIZE, height=_SIZE)
    for tick in deviates or _TICKS:
        share = _deviate(tick) if deviates else tick
        yield svg.label(_across(share), _TOP + _SIZE + 20, f"{tick:.0%}", "soft", "middle")
        yield svg.label(_LEFT - 8, _up(share) + 5, f"{tick:.0%}", "soft", "end")
        yield svg.shape("path", "limit", d=f"M{_across(share):.1f} {_TOP + _SIZE:.1f}v-6")
        yield svg.shape("path", "limit", d=f"M{_LEFT:.1f} {_up(share):.1f}h6")
    yield svg.label(_LEFT + _SIZE / 2, _TOP + _SIZE + 42, x_name, "soft", "middle")
    yield svg.label(_LEFT, _TOP - 10, y_name, "soft")


def _diagonal() -> Iterator[Markup]:
    yield svg.shape("path", "limit", d=f"M{_across(0):.1f} {_up(0):.1f}L{_across(1):.1f} {_up(1):.1f}")


def _lines(lines: Sequence[Sequence[Point]], names: Mapping[str, object]) -> Iterator[Markup]:
    for number, (points, name) in enumerate(zip(lines, names, strict=True)):
        look = LINES[number % len(LINES)]
        if points:
            way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            yield svg.shape("path", look, d=f"M{way}")
        y = _TOP + 20 + 24 * number
        yield svg.shape("path", look, d=f"M{_LEFT + _SIZE + 20:g} {y - 5:g}h36")
        yield svg.label(_LEFT + _SIZE + 64, y, name)


def _square(title: str, caption: str, parts: Sequence[Markup], table: Markup, language: Language) -> Markup:
    drawing = svg.svg(_WIDTH, _TOP + _SIZE + 54, title, caption, *parts)
    return svg.figure("quality", drawing, f"{title}. {caption}", language, table)


def _curve_table(curves: Mapping[str, Sequence[Point]], what: str) -> Markup:
    rows = []
    for state, points in curves.items():
        cells = []
        for limit in (0.01, 0.05, 0.1, 0.2):
            below = [y for x, y in points if x <= limit + 1e-9]
            cells.append(f"{below[-1]:.0%}" if below and math.isfinite(below[-1]) else "not measured")
        rows.append((state, " / ".join(cells)))
    return svg.table(("state", what + " of photographs called generated"), rows)
