"""An outline drawing of where findings lie: the picture's proportions and numbered boxes, none of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

from nsfwforensics.core.types import FileReport, Region
from nsfwforensics.report.words.answers import regions

_WIDEST = 8.0
"""Pictures longer than this many times their other side are not drawn: nothing could be seen."""


MOST_CORNERS = 200


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """One box in units of the drawing, with the numbers of the findings that share it.

    ``outline`` holds the points of the polygon that is drawn in its stead, as SVG writes them; empty for the box.
    """

    x: float
    y: float
    width: float
    height: float
    label: str
    label_x: float
    label_y: float
    outline: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing whose longer side is 1000 units; ``font`` and ``stroke`` are in the same units."""

    width: float
    height: float
    boxes: tuple[DrawnBox, ...]
    font: float = 42.0


def draw(file: FileReport) -> Drawing | None:
    """Draws the regions of a file's findings, or returns None where there are none or the size is not known."""
    width, height = file.info.width, file.info.height
    found = regions(file)
    if not found or not width or not height or max(width / height, height / width) > _WIDEST:
        return None
    scale = 1000.0 / max(width, height)
    shared: dict[Region, list[int]] = {}
    for numbered in found:
        shared.setdefault(numbered.region, []).append(numbered.number)
    boxes = []
    for box, numbers in shared.items():
        left, top = _within(box.x, width), _within(box.y, height)
        right, bottom = _within(box.x + box.width, width), _within(box.y + box.height, height)
        corners = ((_within(x, width) * scale, _within(y, height) * scale) for x, y in box.outline[:MOST_CORNERS])
        boxes.append(
            DrawnBox(
                x=round(left * scale, 1),
                y=round(top * scale, 1),
                width=round((right - left) * scale, 1),
                height=round((bottom - top) * scale, 1),
                label=", ".join(str(number) for number in numbers),
                label_x=round(_label_x(left * scale, right * scale, width * scale, len(numbers)), 1),
                label_y=round(min(top * scale + 44, height * scale - 10), 1),
                outline=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners),
            )
        )
    return Drawing(round(width * scale, 1), round(height * scale, 1), tuple(boxes))


def _label_x(left: float, right: float, width: float, numbers: int) -> float:
    """Puts the label inside its box, or beside a box too small for it."""
    room = 60.0 * numbers
    if right - left > room:
        return left + 10
    return right + 10 if right + room < width else max(left - room, 4.0)


def _within(value: int, limit: int) -> int:
    return max(0, min(value, limit))
