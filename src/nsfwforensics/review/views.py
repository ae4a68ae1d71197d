"""Which pictures may be looked at for one file: itself, its frames, its faces, and what it is compared with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import FileReport, Question, Region
from nsfwforensics.core.vocabulary import PictureKind
from nsfwforensics.review.pictures import Box, Wanted
from nsfwforensics.store.people import ShownPerson
from nsfwforensics.store.rows import CaseFile

MOST_VIEWS = 40
MOST_FRAMES = 24
MOST_PEOPLE = 12

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MATRIX = "suspect_to_original"
_OF_ORIGINAL = "original_sha256"


@dataclass(frozen=True, slots=True)
class View:
    """One picture that may be asked for.

    Attributes:
        label: What it shows.
        wanted: How it is made.
        lies_on: Whether it was laid onto the file itself, so that one can be drawn over the other.
    """

    label: str
    wanted: Wanted
    lies_on: bool = False


def views(
    file: CaseFile, report: FileReport, places: Mapping[str, Path], people: Sequence[ShownPerson] = ()
) -> list[View]:
    """The pictures that belong to a file, itself first.

    Args:
        file: Of a case.
        report: What is known of it.
        places: Where pictures lie that it may have been compared with, by SHA-256.
        people: Faces in it that were joined with others.
    """
    if file.sha256 is None:
        return []
    regions = [finding.region for finding in report.findings if finding.region is not None]
    whole = Wanted(file.place, file.sha256, boxes=tuple(map(_box, regions)))
    found = [View(say("this file"), whole)]
    found += _compared(whole, report, places)
    found += _faces(whole, report, places)
    found += [
        View(say("face of person {number}", number=face.person), replace(whole, part=face.box, boxes=()))
        for face in people[:MOST_PEOPLE]
    ]
    numbers = [
        each.number
        for each in report.info.pictures
        if each.kind in (PictureKind.FRAME, PictureKind.PAGE) and each.number is not None
    ]
    plain = replace(whole, boxes=())
    found += [
        View(say("frame or page {number}", number=number), replace(plain, frame=number))
        for number in sorted(set(numbers))[:MOST_FRAMES]
    ]
    return found[:MOST_VIEWS]


def _box(region: Region) -> Box:
    return region.x, region.y, region.width, region.height


def _compared(whole: Wanted, report: FileReport, places: Mapping[str, Path]) -> Iterator[View]:
    """Whatever a finding names by its SHA-256: an original, a picture that is known."""
    seen = {whole.sha256}
    for result in report.results:
        matrix = _matrix(result.measurements.get(_MATRIX))
        for sha256 in _digests([result.measurements.get(_OF_ORIGINAL), *(each.data for each in result.findings)]):
            place = places.get(sha256)
            if place is None or sha256 in seen or result.question is Question.IDENTITY:
                continue
            seen.add(sha256)
            wanted = Wanted(place, sha256)
            yield View(say("compared with: {name}", name=place.name), wanted)
            if matrix and sha256 == result.measurements.get(_OF_ORIGINAL) and report.info.width and report.info.height:
                onto = (matrix, report.info.width, report.info.height)
                label = say("laid onto this file: {name}", name=place.name)
                yield View(label, replace(wanted, onto=onto, boxes=whole.boxes), lies_on=True)


def _faces(whole: Wanted, report: FileReport, places: Mapping[str, Path]) -> Iterator[View]:
    for result in report.results:
        for number, finding in enumerate(result.about(Question.IDENTITY), 1):
            if finding.region is None:
                continue
            label = say("face {number} in this file", number=number)
            yield View(label, replace(whole, part=_box(finding.region), boxes=()))
            for sha256 in _digests([finding.data]):
                if sha256 in places:
                    name = places[sha256].name
                    yield View(
                        say("reference for face {number}: {name}", number=number, name=name),
                        Wanted(places[sha256], sha256),
                    )


def _digests(values: Sequence[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield from [value] if _DIGEST.fullmatch(value) else []
        elif isinstance(value, Mapping):
            yield from _digests(list(value.values()))
        elif isinstance(value, (list, tuple)):
            yield from _digests(value)


def _matrix(value: Any) -> tuple[float, ...] | None:
    try:
        found = tuple(float(number) for row in value for number in row)
    except (TypeError, ValueError):
        return None
    return found if len(found) == 9 else None
