"""An outline drawing of where findings lie: the picture's proportions and numbered boxes, none of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nsfwforensics.core.types import FileReport, Question, Region, Support
from nsfwforensics.report.words.answers import regions

_WIDEST = 8.0
"""Pictures longer than this many times their other side are not drawn: nothing could be seen."""

MOST_CORNERS = 200
_HATCH = 48.0
_MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """One box in units of the drawing, with the numbers of the findings that share it.

    ``outline`` holds the points of the polygon that is drawn in its stead, as SVG writes them; empty for the box.
    ``kind`` is ``changed``, ``face`` or ``other``; ``hatch`` are lines (x1, y1, x2, y2) across what was changed.
    """

    x: float
    y: float
    width: float
    height: float
    label: str
    label_x: float
    label_y: float
    outline: str = ""
    kind: str = "other"
    hatch: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing whose longer side is 1000 units; ``font`` and ``stroke`` are in the same units."""

    width: float
    height: float
    boxes: tuple[DrawnBox, ...]
    font: float = 60.0

    def has(self, kind: str) -> bool:
        """Whether a box of this kind is in it."""
        return any(box.kind == kind for box in self.boxes)


def frame(file: FileReport) -> tuple[float, float] | None:
    """Width and height of a picture's outline in units of a drawing; None where it cannot be drawn."""
    width, height = file.info.width, file.info.height
    if not width or not height or max(width / height, height / width) > _WIDEST:
        return None
    scale = 1000.0 / max(width, height)
    return round(width * scale, 1), round(height * scale, 1)


def draw(file: FileReport) -> Drawing | None:
    """Draws the regions of a file's findings, or returns None where there are none or the size is not known."""
    width, height = file.info.width, file.info.height
    found = regions(file)
    if not found or not width or not height or frame(file) is None:
        return None
    scale = 1000.0 / max(width, height)
    kinds = _kinds(file)
    shared: dict[Region, list[int]] = {}
    for numbered in found:
        shared.setdefault(numbered.region, []).append(numbered.number)
    boxes = []
    for box, numbers in shared.items():
        left, top = _within(box.x, width), _within(box.y, height)
        right, bottom = _within(box.x + box.width, width), _within(box.y + box.height, height)
        kind = kinds.get(box, "other")
        edges = [(left, top), (right, top), (right, bottom), (left, bottom)]
        corners = [(_within(x, width) * scale, _within(y, height) * scale) for x, y in box.outline[:MOST_CORNERS]]
        boxes.append(
            DrawnBox(
                x=round(left * scale, 1),
                y=round(top * scale, 1),
                width=round((right - left) * scale, 1),
                height=round((bottom - top) * scale, 1),
                label=", ".join(str(number) for number in numbers),
                label_x=round(_label_x(left * scale, right * scale, width * scale, len(numbers)), 1),
                label_y=round(min(top * scale + 62, height * scale - 10), 1),
                outline=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners),
                kind=kind,
                hatch=_hatch(corners or [(x * scale, y * scale) for x, y in edges]) if kind == "changed" else (),
            )
        )
    return Drawing(round(width * scale, 1), round(height * scale, 1), tuple(boxes))


def _kinds(file: FileReport) -> dict[Region, str]:
    """What the places of findings are, as far as their looks tell them apart."""
    found: dict[Region, str] = {}
    for result in file.results:
        for finding in result.findings:
            if finding.region is None:
                continue
            question = finding.question or result.question
            if question is Question.ALTERATION and finding.support is Support.SUPPORTS:
                found[finding.region] = "changed"
            elif question is Question.IDENTITY:
                found.setdefault(finding.region, "face")
    return found


def _hatch(corners: Sequence[tuple[float, float]]) -> tuple[tuple[float, float, float, float], ...]:
    """Lines from lower left to upper right across a polygon, by which what was changed is told without colour."""
    sums = [x + y for x, y in corners]
    step = max(_HATCH, (max(sums) - min(sums)) / _MOST_LINES)
    lines: list[tuple[float, float, float, float]] = []
    at = min(sums) + step / 2
    while at < max(sums):
        crossed = []
        for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
            before, after = x1 + y1 - at, x2 + y2 - at
            if (before < 0) != (after < 0):
                share = before / (before - after)
                crossed.append((x1 + share * (x2 - x1), y1 + share * (y2 - y1)))
        crossed.sort()
        for (x1, y1), (x2, y2) in zip(crossed[::2], crossed[1::2], strict=False):
            lines.append((round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)))
        at += step
    return tuple(lines)


def _label_x(left: float, right: float, width: float, numbers: int) -> float:
    """Puts the label inside its box, or beside a box too small for it."""
    room = 80.0 * numbers
    if right - left > room:
        return left + 10
    return right + 10 if right + room < width else max(left - room, 4.0)


def _within(value: int, limit: int) -> int:
    return max(0, min(value, limit))
