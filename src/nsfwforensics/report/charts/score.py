"""A measured value beside the distributions that were measured for known pictures, and what may be said of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from nsfwforensics.core.charts import Chart, Scale
from nsfwforensics.core.messages import Message, as_message, say
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
    says = language.says
    ground = _Ground(
        found.edges,
        tuple((says(name), says(_counted(name, counts)), counts) for name, counts in found.groups),
        tuple((span.start, span.end, span.undecided, says(span.name)) for span in found.spans),
        says(found.unit),
    )
    below, table = _drawn(ground, language)
    told = svg.element("p", says(found.description))
    drawing = svg.svg(
        _WIDTH,
        ground.bottom + 46,
        says(found.title),
        says(found.description),
        below,
        *_marks(found, ground, language),
    )
    return svg.figure("score", drawing, says(found.caption), language, svg.joined([told, table]) if table else told)


def _counted(name: str, counts: Sequence[int]) -> Message:
    return say("{group}: {total:,} measured", group=as_message(name), total=sum(counts))


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is drawn below the values of a picture, in the words of one language: the same for many pictures.

    Attributes:
        edges: Of the bins, ascending.
        groups: Names, names with what was counted, and counts per bin.
        spans: From, to, whether nothing may be said there, and what may.
        unit: Of the axis.
    """

    edges: tuple[float, ...]
    groups: tuple[tuple[str, str, tuple[int, ...]], ...]
    spans: tuple[tuple[float, float, bool, str], ...]
    unit: str

    def place(self, value: float) -> float:
        """Where a value lies; beyond the measured range at its edge."""
        first, last = self.edges[0], self.edges[-1]
        share = (value - first) / (last - first)
        return _LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, share))

    @property
    def bottom(self) -> float:
        """Where the axis is drawn."""
        return _TOP + len(self.groups) * _ROW if self.groups else _TOP + _ROW / 2


@lru_cache(maxsize=64)
def _drawn(ground: _Ground, language: Language) -> tuple[Markup, Markup | None]:
    """The ground, and the same as a table where there is something counted."""
    parts = [*_zones(ground)]
    for index, (_, counted, counts) in enumerate(ground.groups):
        parts += _bars(_TOP + 20 + index * _ROW, counted, counts, ground)
    parts += _axis(ground, language)
    return Markup("").join(parts), _table(ground, language)


def _zones(ground: _Ground) -> Iterator[Markup]:
    """What may be said where: the undecided band is tinted, its limits are dashed, each zone is named above."""
    height = ground.bottom - 8 - _TOP
    for start, end, undecided, text in ground.spans:
        left, right = ground.place(start), ground.place(end)
        if undecided:
            yield svg.shape("rect", "band", x=left, y=_TOP, width=max(0.0, right - left), height=height)
        for edge in (left, right):
            if _LEFT < edge < _RIGHT:
                yield svg.shape("path", "limit", d=f"M{edge:.1f} {_TOP:g}v{height:.1f}")
        if svg.text_width(text) < right - left:
            yield svg.label((left + right) / 2, 14, text, "soft", "middle")


def _bars(top: float, counted: str, counts: Sequence[int], ground: _Ground) -> Iterator[Markup]:
    most = max(counts)
    yield svg.label(_LEFT, top - 4, counted, "strong")
    base = top + _BAR
    for index, count in enumerate(counts):
        if count:
            height = max(2.0, (_BAR - 8) * count / most)
            left, right = ground.place(ground.edges[index]), ground.place(ground.edges[index + 1])
            yield svg.shape("rect", "bar", x=left + 0.5, y=base - height, width=right - left - 1, height=height)
    yield svg.shape("path", "axis", d=f"M{_LEFT:g} {base:.1f}H{_RIGHT:g}")


def _axis(ground: _Ground, language: Language) -> Iterator[Markup]:
    first, last, bottom = ground.edges[0], ground.edges[-1], ground.bottom
    step = next((s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if (last - first) / s <= 14), last - first)
    tick = math.ceil(first / step) * step
    while tick <= last + 1e-9:
        yield svg.shape("path", "axis", d=f"M{ground.place(tick):.1f} {bottom - 8:.1f}v5")
        number = language.number(round(tick, 6) + 0.0, "g")
        yield svg.label(ground.place(tick), bottom + 12, number, "soft", "middle")
        tick += step
    yield svg.label((_LEFT + _RIGHT) / 2, bottom + 36, ground.unit, "soft", "middle")


def _marks(found: Measured, ground: _Ground, language: Language) -> Iterator[Markup]:
    bottom = ground.bottom
    rows = [_TOP + 20 + index * _ROW for index in range(len(found.groups))] or [_TOP]
    for mark in reversed(found.marks):  # the main one last, on top of the others
        look = "mark" if mark is found.marks[0] else "mark-other"
        x = ground.place(mark.value)
        way = "".join(f"M{x:.1f} {top:.1f}V{min(top + _BAR, bottom - 8):.1f}" for top in rows)
        yield svg.shape("path", look, d=way)
    main = found.marks[0]
    x = ground.place(main.value)
    turn = found.beyond(main.value)  # an arrow to the side where the value lies beyond what is drawn
    arrow = f"M{x - 7 * turn:.1f} 22v14l{14 * turn:g} -7Z" if turn else f"M{x - 7:.1f} 26h14l-7 12Z"
    yield svg.shape("path", "dot", d=arrow)
    text = language.says(main.words)
    room = svg.text_width(text) + 14
    beside, anchor = (x + 14, None) if x + room < _RIGHT else (x - 14, "end")
    yield svg.label(beside, 35, text, "strong", anchor)


def _table(ground: _Ground, language: Language) -> Markup | None:
    says = language.says
    last = len(ground.edges) - 2
    rows = []
    for index in range(last + 1):
        counts = [counts[index] for _, _, counts in ground.groups]
        if any(counts):
            start, end = (language.number(round(edge, 6) + 0.0, "g") for edge in ground.edges[index : index + 2])
            span = say("{start} to {end}", start=start, end=end)
            if index == 0:
                span = say("below {end}", end=end)
            elif index == last:
                span = say("{start} and above", start=start)
            rows.append([says(span), *(language.number(count, ",d") for count in counts)])
    return svg.table([ground.unit, *(name for name, _, _ in ground.groups)], rows) if rows else None
