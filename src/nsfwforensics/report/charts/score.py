"""A measured value beside the distributions that were measured for known pictures, and what may be said of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nsfwforensics.core.charts import Chart, Scale
from nsfwforensics.core.messages import as_message, say
from nsfwforensics.core.types import AnalyzerResult, Finding
from nsfwforensics.language import Language
from nsfwforensics.report.charts import svg
from nsfwforensics.report.charts.measured import Measured, measured

_WIDTH, _LEFT, _RIGHT, _TOP, _BAR, _ROW = 680.0, 24.0, 656.0, 44.0, 64.0, 92.0


def score(result: AnalyzerResult, finding: Finding, charts: Sequence[Chart], language: Language) -> Markup | None:
    """Draws where one picture or face lies among what was measured.

    Args:
        result: What an analyzer did with a file.
        finding: One of its findings.
        charts: What the analyzer has drawn of its data.
        language: What the chart speaks.

    Returns:
        The chart with its table, or None for a finding beside which nothing is to be drawn.
    """
    scales = (chart for chart in charts if isinstance(chart, Scale) and finding.code in chart.codes)
    found = next(filter(None, (measured(scale, result, finding) for scale in scales)), None)
    if found is None:
        return None
    scale = _Scale(found)
    parts = [*_zones(found, scale, language)]
    for index, (name, counts) in enumerate(found.groups):
        parts += _bars(_TOP + 20 + index * _ROW, name, counts, scale, language)
    bottom = _bottom(found)
    parts += [*_axis(bottom, found, scale, language), *_marks(bottom, found, scale, language)]
    drawing = svg.svg(_WIDTH, bottom + 46, language.says(found.title), language.says(found.description), *parts)
    return svg.figure("score", drawing, language.says(found.caption), language, _table(found, language))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values to places; beyond the measured range they stay at its edge."""

    found: Measured

    def __call__(self, value: float) -> float:
        first, last = self.found.edges[0], self.found.edges[-1]
        share = (value - first) / (last - first)
        return _LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, share))


def _bottom(found: Measured) -> float:
    return _TOP + len(found.groups) * _ROW if found.groups else _TOP + _ROW / 2


def _zones(found: Measured, scale: _Scale, language: Language) -> Iterator[Markup]:
    """What may be said where: the undecided band is tinted, its limits are dashed, each zone is named above."""
    height = _bottom(found) - 8 - _TOP
    for zone in found.spans:
        left, right = scale(zone.start), scale(zone.end)
        if zone.undecided:
            yield svg.shape("rect", "band", x=left, y=_TOP, width=max(0.0, right - left), height=height)
        for edge in (left, right):
            if _LEFT < edge < _RIGHT:
                yield svg.shape("path", "limit", d=f"M{edge:.1f} {_TOP:g}v{height:.1f}")
        text = language.says(zone.name)
        if svg.text_width(text) < right - left:
            yield svg.label((left + right) / 2, 14, text, "soft", "middle")


def _bars(top: float, name: str, counts: Sequence[int], scale: _Scale, language: Language) -> Iterator[Markup]:
    total, most = sum(counts), max(counts)
    said = say("{group}: {total:,} measured", group=as_message(name), total=total)
    yield svg.label(_LEFT, top - 4, language.says(said), "strong")
    base = top + _BAR
    edges = scale.found.edges
    for index, count in enumerate(counts):
        if count:
            height = max(2.0, (_BAR - 8) * count / most)
            left, right = scale(edges[index]), scale(edges[index + 1])
            yield svg.shape("rect", "bar", x=left + 0.5, y=base - height, width=right - left - 1, height=height)
    yield svg.shape("path", "axis", d=f"M{_LEFT:g} {base:.1f}H{_RIGHT:g}")


def _axis(bottom: float, found: Measured, scale: _Scale, language: Language) -> Iterator[Markup]:
    first, last = found.edges[0], found.edges[-1]
    step = next((s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if (last - first) / s <= 14), last - first)
    tick = math.ceil(first / step) * step
    while tick <= last + 1e-9:
        yield svg.shape("path", "axis", d=f"M{scale(tick):.1f} {bottom - 8:.1f}v5")
        yield svg.label(scale(tick), bottom + 12, language.number(round(tick, 6) + 0.0, "g"), "soft", "middle")
        tick += step
    yield svg.label((_LEFT + _RIGHT) / 2, bottom + 36, language.says(found.unit), "soft", "middle")


def _marks(bottom: float, found: Measured, scale: _Scale, language: Language) -> Iterator[Markup]:
    rows = [_TOP + 20 + index * _ROW for index in range(len(found.groups))] or [_TOP]
    for mark in reversed(found.marks):  # the main one last, on top of the others
        look = "mark" if mark is found.marks[0] else "mark-other"
        x = scale(mark.value)
        way = "".join(f"M{x:.1f} {top:.1f}V{min(top + _BAR, bottom - 8):.1f}" for top in rows)
        yield svg.shape("path", look, d=way)
    main = found.marks[0]
    x = scale(main.value)
    turn = found.beyond(main.value)  # an arrow to the side where the value lies beyond what is drawn
    arrow = f"M{x - 7 * turn:.1f} 22v14l{14 * turn:g} -7Z" if turn else f"M{x - 7:.1f} 26h14l-7 12Z"
    yield svg.shape("path", "dot", d=arrow)
    text = language.says(main.words)
    room = svg.text_width(text) + 14
    beside, anchor = (x + 14, None) if x + room < _RIGHT else (x - 14, "end")
    yield svg.label(beside, 35, text, "strong", anchor)


def _table(found: Measured, language: Language) -> Markup:
    says = language.says
    head = [says(found.unit), *(says(name) for name, _ in found.groups)]
    last = len(found.edges) - 2
    rows = []
    for index in range(last + 1):
        counts = [counts[index] for _, counts in found.groups]
        if any(counts):
            start, end = (language.number(round(edge, 6) + 0.0, "g") for edge in found.edges[index : index + 2])
            span = say("{start} to {end}", start=start, end=end)
            if index == 0:
                span = say("below {end}", end=end)
            elif index == last:
                span = say("{start} and above", start=start)
            rows.append([says(span), *(language.number(count, ",d") for count in counts)])
    told = svg.element("p", says(found.description))
    return svg.joined([told, svg.table(head, rows)]) if rows else told
