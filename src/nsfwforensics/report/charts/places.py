"""Looking up the places that chart declarations name (:mod:`nsfwforensics.core.charts`) in what was saved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nsfwforensics.core.charts import Place
from nsfwforensics.core.types import AnalyzerResult, Finding


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved of one finding.

    Attributes:
        result: What the analyzer did with the file.
        finding: One of its findings.
    """

    result: AnalyzerResult
    finding: Finding

    def at(self, place: Place) -> Iterator[object]:
        """All values at a place; none where there is no such place."""
        root, *steps = place.split(".")
        roots: Mapping[str, object] = {"data": self.finding.data, "measurements": self.result.measurements}
        found = [roots[root]] if root in roots else []
        for step in steps:
            found = [inner for value in found for inner in self._inside(value, step)]
        yield from found

    def number(self, place: Place | float | None) -> float | None:
        """The first number at a place, or the number itself."""
        return as_number(next(self.at(place), None) if isinstance(place, str) else place)

    def _inside(self, value: object, step: str) -> Iterable[object]:
        if isinstance(value, Mapping):
            return (value[step],) if step in value else ()
        if not isinstance(value, list):
            return ()
        if step == "*":
            return value
        if step.startswith("@"):
            region = self.finding.region
            box = region and [region.x, region.y, region.width, region.height]
            return [item for item in value if isinstance(item, Mapping) and box and item.get(step[1:]) == box]
        return (value[int(step)],) if step.isdecimal() and int(step[:9]) < len(value) else ()


def as_number(value: object) -> float | None:
    """A finite number, or None for anything else."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(float(value)) else None  # type: ignore[arg-type]
