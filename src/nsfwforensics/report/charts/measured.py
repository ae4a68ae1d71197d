"""What there is to draw beside a finding: values of the picture, what was measured for known ones, what may be said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from nsfwforensics.core.charts import Scale, Zone
from nsfwforensics.core.messages import Message, as_message, say, sentences
from nsfwforensics.core.types import AnalyzerResult, Finding
from nsfwforensics.report.charts.places import Saved, as_number

MOST_BINS = 200
"""Distributions of more bins are not drawn."""
MOST_MARKS = 12
MOST_ZONES = 12
MOST_GROUPS = 12

Bins = tuple[tuple[float, ...], tuple[tuple[str, tuple[int, ...]], ...]]
"""Edges, ascending, and counts by name of the group."""


@dataclass(frozen=True, slots=True)
class MarkedValue:
    """A value of this picture."""

    name: str
    value: float

    @property
    def words(self) -> Message:
        """The value with its name; whole numbers without decimals."""
        if self.value.is_integer():
            return say("{what}: {value:.0f}", what=as_message(self.name), value=self.value)
        return say("{what}: {value:.2f}", what=as_message(self.name), value=self.value)


@dataclass(frozen=True, slots=True)
class Span:
    """What may be said of values from ``start`` to ``end``; ``undecided`` where nothing may."""

    start: float
    end: float
    name: str
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """All that a chart of one value shows.

    Attributes:
        title: Names the chart.
        unit: Of the axis.
        edges: Of the bins, ascending, one more than there are bins; of the axis where there are none.
        groups: Names with counts per bin; the first and the last bin hold everything beyond as well.
        spans: What may be said where.
        marks: Values of this picture, the main one first.
        description: The same in a sentence or two.
        caption: How to read it.
    """

    title: str
    unit: str
    edges: tuple[float, ...]
    groups: tuple[tuple[str, tuple[int, ...]], ...]
    spans: tuple[Span, ...]
    marks: tuple[MarkedValue, ...]
    description: str
    caption: str

    def beyond(self, value: float) -> int:
        """-1 or 1 for a value below or above everything that is drawn, 0 for others."""
        return (value > self.edges[-1]) - (value < self.edges[0])


def measured(scale: Scale, result: AnalyzerResult, finding: Finding) -> Measured | None:
    """What there is to draw for a finding; None where its data holds no value, or no distribution where one belongs.

    Args:
        scale: The chart as the analyzer declares it; not trusted.
        result: What the analyzer did with the file.
        finding: One of its findings.
    """
    data = Saved(result, finding)
    bins = _bins(scale, data) if scale.distribution else _axis(scale)
    marks = tuple(islice(_marks(scale, data), MOST_MARKS))
    if bins is None or not marks:
        return None
    edges, groups = bins
    spans = tuple(islice(_spans(scale.zones, data, edges), MOST_ZONES))
    description = sentences(say("{marks:semicolon}.", marks=[mark.words for mark in marks]), *_as_high(scale, data))
    caption = _caption(scale, spans, marks)
    return Measured(scale.title, scale.unit, edges, groups, spans, marks, description, caption)


def _bins(scale: Scale, data: Saved) -> Bins | None:
    stored = next(data.at(scale.distribution), None)
    if not isinstance(stored, Mapping):
        return None
    start, step, groups = as_number(stored.get("start")), as_number(stored.get("step")), stored.get("groups")
    if start is None or step is None or step <= 0 or not isinstance(groups, Mapping):
        return None
    found: list[tuple[str, tuple[int, ...]]] = []
    for name, counts in groups.items():
        known = isinstance(counts, list) and all(isinstance(n, int) and n >= 0 for n in counts) and any(counts)
        if known and name in scale.groups and len(counts) <= MOST_BINS and len(found) < MOST_GROUPS:
            found.append((scale.groups[name], tuple(counts)))
    if not found or len({len(counts) for _, counts in found}) != 1:
        return None
    return tuple(start + index * step for index in range(len(found[0][1]) + 1)), tuple(found)


def _axis(scale: Scale) -> Bins | None:
    """An axis without a distribution."""
    ends = scale.ends
    return (ends, ()) if ends and all(map(math.isfinite, ends)) and ends[0] < ends[1] else None


def _marks(scale: Scale, data: Saved) -> Iterator[MarkedValue]:
    for mark in scale.marks:
        for value in data.at(mark.value) if isinstance(mark.value, str) else (mark.value,):
            number = as_number(value)
            if number is not None:
                yield MarkedValue(mark.name, number)


def _spans(zones: Iterable[Zone], data: Saved, edges: tuple[float, ...]) -> Iterator[Span]:
    """The zones that can be seen, the undecided ones first, under the others."""
    for zone in sorted(zones, key=lambda zone: not zone.undecided):
        start, end = data.number(zone.start), data.number(zone.end)
        cut = (zone.start is not None and start is None) or (zone.end is not None and end is None)
        low, high = -math.inf if start is None else start, math.inf if end is None else end
        if (zone.undecided or not cut) and low < edges[-1] and high > edges[0]:
            yield Span(low, high, zone.name, zone.undecided)


def _as_high(scale: Scale, data: Saved) -> Iterator[Message]:
    """How many of each group lie as high, where it was counted."""
    counted = next(data.at(scale.counted), None) if scale.counted else None
    for name, pair in counted.items() if isinstance(counted, Mapping) else ():
        if name in scale.groups and isinstance(pair, list) and len(pair) == 2 and all(isinstance(n, int) for n in pair):
            yield say(
                "{group}: {count:,} of {total:,} scored as high or higher.",
                group=as_message(scale.groups[name]),
                count=pair[0],
                total=pair[1],
            )


def _caption(scale: Scale, spans: tuple[Span, ...], marks: tuple[MarkedValue, ...]) -> str:
    several = as_message(scale.lines) if scale.lines else ""
    own = (as_message(text) for text in scale.caption)
    if not scale.distribution:
        return sentences(several if len(marks) > 1 else say("The line is the value found here."), *own)
    return sentences(
        say("Bars: how many of the pictures or pairs that were measured lie where; each group has its own height."),
        several if len(marks) > 1 else say("The line is the value found here."),
        say("In the tinted band both kinds are found, so nothing follows from a value there.")
        if any(span.undecided for span in spans)
        else "",
        say("Where a value lies is no probability: that depends on the pictures that were measured."),
        *own,
    )
