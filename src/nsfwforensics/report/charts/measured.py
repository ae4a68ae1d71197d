"""What a finding's data says of a measured value: its distribution, its limits and where the picture lies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from nsfwforensics.core.messages import Message, say, sentences
from nsfwforensics.core.types import AnalyzerResult, FileReport, Finding

MOST_BINS = 200
"""Distributions of more bins are not ours and are not drawn."""
MOST_MARKS = 12

PDQ_MATCH = "KNOWN-002"
FACE_CODES = ("SYN-010", "SYN-011")
"""Findings about scores of faces; other ``SYN`` findings are about the whole picture."""

_GROUPS: Mapping[str, Message] = {
    "real": say("Real photographs"),
    "gallery": say("Generated pictures"),
    "resynthesised": say("Photographs painted again by a neural network"),
    "same_person": say("Pairs of faces of one person"),
    "different_people": say("Pairs of faces of different people"),
}
_FACES = say("Faces in real photographs")
_SCORE, _DISTANCE = say("Score of the model (no unit)"), say("Distance between faces (no unit)")


@dataclass(frozen=True, slots=True)
class Mark:
    """A value of this picture."""

    name: str
    value: float

    @property
    def words(self) -> Message:
        """The value with its name; whole numbers without decimals."""
        if self.value.is_integer():
            return say("{what}: {value:.0f}", what=self.name, value=self.value)
        return say("{what}: {value:.2f}", what=self.name, value=self.value)


@dataclass(frozen=True, slots=True)
class Zone:
    """What may be said of values from ``start`` to ``end``; ``grey`` where nothing may."""

    start: float
    end: float
    name: Message
    grey: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """All that a chart of one value shows.

    Attributes:
        title: Names the chart.
        unit: Of the axis.
        edges: Of the bins, ascending, one more than there are bins.
        groups: Names with counts per bin; the first and the last bin hold everything beyond as well.
        zones: What may be said where.
        marks: Values of this picture, the main one first.
        description: The same in a sentence or two.
        caption: How to read it.
    """

    title: Message
    unit: Message
    edges: tuple[float, ...]
    groups: tuple[tuple[Message, tuple[int, ...]], ...]
    zones: tuple[Zone, ...]
    marks: tuple[Mark, ...]
    description: str
    caption: str

    def beyond(self, value: float) -> int:
        """-1 or 1 for a value below or above everything that is drawn, 0 for others."""
        return (value > self.edges[-1]) - (value < self.edges[0])


def measured(file: FileReport, finding: Finding) -> Measured | None:
    """What there is to draw for a finding; None where its data holds no distribution or no value."""
    if finding.code == PDQ_MATCH:
        return _known(file, finding)
    stored = finding.data.get("distribution")
    if not isinstance(stored, Mapping):
        return None
    bins = _bins(stored)
    if bins is None:
        return None
    edges, groups = bins
    if finding.code in FACE_CODES:
        groups = tuple((_FACES if name == _GROUPS["real"] else name, counts) for name, counts in groups)
    if finding.code.startswith("SYN-"):
        marks = _scores(file, finding)
        zones = _score_zones(edges, _number(stored.get("clear_below")), _number(stored.get("generated_from")))
        title, unit = say("The score of this picture among measured scores"), _SCORE
        if finding.code in FACE_CODES:
            title = say("The scores of faces among measured scores")
    elif finding.code.startswith("FACE-"):
        distance = _number(finding.data.get("distance"))
        marks = (Mark(say("this face"), distance),) if distance is not None else ()
        near, far = _number(finding.data.get("match_below")), _number(finding.data.get("unlike_above"))
        zones = _distance_zones(edges, near, far)
        title, unit = say("The distance of this face among measured distances"), _DISTANCE
    else:
        return None
    if not marks:
        return None
    description = sentences(_where(marks), *_as_high(file, finding))
    return Measured(title, unit, edges, groups, zones, marks, description, _caption(finding, zones, marks))


def _known(file: FileReport, finding: Finding) -> Measured | None:
    """A PDQ distance on its scale of 256 bits; there is no measured distribution to draw."""
    result, matches = _result(file, finding), finding.data.get("matches")
    nearest = matches[0] if isinstance(matches, list) and matches and isinstance(matches[0], Mapping) else {}
    distance = _number(nearest.get("distance"))
    limit = _number(result.measurements.get("max_distance")) if result else None
    if distance is None or limit is None or nearest.get("hash_kind") != "pdq":
        return None
    zones = (Zone(-1, limit, say("counts as a match")), Zone(limit, 257, say("does not count as a match"), grey=True))
    marks = (Mark(say("this picture"), distance), Mark(say("unrelated pictures, on average"), 128.0))
    caption = sentences(
        say(
            "The solid line is the nearest known picture; 0 is the same hash, and unrelated pictures lie about 128 "
            "apart."
        ),
        say("Crops, borders and turned copies lie farther away than they look."),
    )
    title = say("How far the hash of this picture is from the nearest known one")
    return Measured(title, say("PDQ distance in bits"), (0.0, 256.0), (), zones, marks, _where(marks), caption)


def _bins(stored: Mapping[str, object]) -> tuple[tuple[float, ...], tuple[tuple[Message, tuple[int, ...]], ...]] | None:
    start, step, groups = _number(stored.get("start")), _number(stored.get("step")), stored.get("groups")
    if start is None or step is None or step <= 0 or not isinstance(groups, Mapping):
        return None
    found = []
    for name, counts in groups.items():
        known = isinstance(counts, list) and all(isinstance(n, int) and n >= 0 for n in counts) and any(counts)
        if known and name in _GROUPS and len(counts) <= MOST_BINS:
            found.append((_GROUPS[name], tuple(counts)))
    if not found or len({len(counts) for _, counts in found}) != 1:
        return None
    return tuple(start + index * step for index in range(len(found[0][1]) + 1)), tuple(found)


def _scores(file: FileReport, finding: Finding) -> tuple[Mark, ...]:
    """The scores behind a finding: of the picture and its two changed copies, or of the faces."""
    result = _result(file, finding)
    if result is None:
        return ()
    if finding.code in FACE_CODES:
        return tuple(islice(_faces(result.measurements.get("faces"), finding), MOST_MARKS))
    names = (
        ("score", say("this picture")),
        ("score_recompressed", say("the same, saved again")),
        ("score_resized", say("the same, made smaller")),
    )
    values = ((name, _number(result.measurements.get(key))) for key, name in names)
    return tuple(Mark(name, value) for name, value in values if value is not None)


def _faces(faces: object, finding: Finding) -> Iterator[Mark]:
    box = finding.region and [finding.region.x, finding.region.y, finding.region.width, finding.region.height]
    for face in faces if isinstance(faces, list) else ():
        value = _number(face.get("score")) if isinstance(face, Mapping) else None
        if value is not None and (box is None or face.get("box") == box):
            yield Mark(say("this face") if box else say("a face"), value)


def _score_zones(edges: tuple[float, ...], low: float | None, high: float | None) -> tuple[Zone, ...]:
    start, end = -math.inf if low is None else low, math.inf if high is None else high
    zones = [Zone(start, end, say("inconclusive"), grey=True)]
    zones += [Zone(-math.inf, start, say("no sign found"))] if low is not None else []
    zones += [Zone(end, math.inf, say("looks generated"))] if high is not None else []
    return tuple(zone for zone in zones if zone.start < edges[-1] and zone.end > edges[0])


def _distance_zones(edges: tuple[float, ...], near: float | None, far: float | None) -> tuple[Zone, ...]:
    if near is None or far is None:
        return ()
    zones = (
        Zone(near, far, say("inconclusive"), grey=True),
        Zone(-math.inf, near, say("similar")),
        Zone(far, math.inf, say("not similar")),
    )
    return tuple(zone for zone in zones if zone.start < edges[-1] and zone.end > edges[0])


def _where(marks: tuple[Mark, ...]) -> Message:
    return say("{marks:semicolon}.", marks=[mark.words for mark in marks])


def _result(file: FileReport, finding: Finding) -> AnalyzerResult | None:
    return next((result for result in file.results if finding in result.findings), None)


def _as_high(file: FileReport, finding: Finding) -> Iterator[Message]:
    """How many of each group scored as high, where it was counted."""
    result = _result(file, finding)
    counted = result.measurements.get("scored_as_high") if result and finding.code not in FACE_CODES else None
    for name, pair in counted.items() if isinstance(counted, Mapping) else ():
        if name in _GROUPS and isinstance(pair, list) and len(pair) == 2 and all(isinstance(n, int) for n in pair):
            yield say(
                "{group}: {count:,} of {total:,} scored as high or higher.",
                group=_GROUPS[name],
                count=pair[0],
                total=pair[1],
            )


def _caption(finding: Finding, zones: tuple[Zone, ...], marks: tuple[Mark, ...]) -> str:
    if len(marks) == 1:
        lines = say("The line is the value found here.")
    elif finding.code in FACE_CODES:
        lines = say("Each line is a face in this picture.")
    else:
        lines = say(
            "The solid line is this picture; the dashed lines are the same picture saved again and made smaller."
        )
    return sentences(
        say("Bars: how many of the pictures or pairs that were measured lie where; each group has its own height."),
        lines,
        say("In the tinted band both kinds are found, so nothing follows from a value there.")
        if any(zone.grey for zone in zones)
        else "",
        say("Where a value lies is no probability: that depends on the pictures that were measured."),
    )


def _number(value: object) -> float | None:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(float(value)) else None  # type: ignore[arg-type]
