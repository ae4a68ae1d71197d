"""One file of a report arranged for the page: its answers, findings with their grounds, pictures and measurements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from markupsafe import Markup

from nsfwforensics.core.fields import FieldRow, field_rows
from nsfwforensics.core.types import Capability, FileReport, Finding, MethodRecord
from nsfwforensics.report import charts
from nsfwforensics.report.page.arrangement import Arranger, Node
from nsfwforensics.report.page.drawing import Drawing, draw
from nsfwforensics.report.saved.artifacts import EMBED_BYTES, data_address
from nsfwforensics.report.words import wording
from nsfwforensics.report.words.answers import QuestionView, hashes, questions
from nsfwforensics.report.words.declared import Declared, Label
from nsfwforensics.report.words.rates import figures, rate_sentences
from nsfwforensics.report.words.wording import told

if TYPE_CHECKING:
    from pathlib import Path

    from nsfwforensics.language import Language
    from nsfwforensics.report.saved.report import SavedReport

MOST_FIELDS = 600
MOST_SCORES = 12
"""Most charts of scores in one file's section; the figures stand beside every finding."""

_BASE64_JPEG = re.compile(r"/9j/[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made beside the report; ``address`` is None where the page does not embed it."""

    name: str
    path: str
    address: Markup | None


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a finding rests on: the figures, how often such findings were wrong, what the check does."""

    figures: Node | None
    rates: list[str]
    method: MethodRecord
    score: Markup | None


@dataclass(frozen=True, slots=True)
class Section:
    """One file in full; ``grounds`` are those of its findings, by the identity of the finding."""

    anchor: str
    file: FileReport
    status: wording.Badge
    priority: wording.Badge
    reason: str
    failures: list[str]
    notes: list[str]
    questions: tuple[QuestionView, ...]
    grounds: dict[int, Grounds]
    drawing: Drawing | None
    timeline: Markup | None
    thumbnail: Markup | None
    pictures: list[Picture]
    fields: list[FieldRow]
    fields_left_out: int
    hashes: list[tuple[Label, str]]
    measurements: list[tuple[str, Node]]

    def behind(self, finding: Finding) -> Grounds:
        """The grounds of one of the file's findings."""
        return self.grounds[id(finding)]


def sections(saved: SavedReport, detailed: int) -> Iterator[Section]:
    """The first files of a report in the order of triage, as many as the page shows in full."""
    room = EMBED_BYTES
    for number, file in enumerate(islice(saved.by_priority(), detailed), 1):
        pictures = _pictures(file, saved.folder, room)
        room -= sum(len(picture.address) for picture in pictures if picture.address)
        yield section(number, file, pictures, saved.declared, saved.language)


def section(number: int, file: FileReport, pictures: list[Picture], declared: Declared, language: Language) -> Section:
    """Arranges one file.

    Args:
        number: Its place in the order of triage, from 1.
        file: Its report.
        pictures: Those made beside the report.
        declared: What the header says of the analyzers.
        language: Of the page.
    """
    fielding, hashing = declared.providing(Capability.FIELDS), declared.providing(Capability.HASHES)
    fields, digests = field_rows(file, fielding), hashes(file, hashing)
    measurements = []
    for result in file.results:
        shown = {"fields"} if fields and result.analyzer in fielding else set()
        shown |= {name for name, _ in digests} if result.analyzer in hashing else set()
        rest = {key: value for key, value in result.measurements.items() if key not in shown}
        if rest:
            shaper = Arranger(declared.figures(result.analyzer), language, result)
            measurements.append((result.analyzer, shaper.shape(rest, "measurements")))
    return Section(
        anchor=f"file-{number}",
        file=file,
        status=wording.file_badge(file),
        priority=wording.PRIORITY[file.priority],
        reason=wording.reason(file),
        failures=wording.failures(file),
        notes=[told(file, f"notes.{index}") for index in range(len(file.notes))],
        questions=questions(file),
        grounds=_grounds(file, declared, language),
        drawing=draw(file),
        timeline=charts.timeline(file, declared, language),
        thumbnail=_thumbnail(file.info.thumbnail),
        pictures=pictures,
        fields=fields[:MOST_FIELDS],
        fields_left_out=max(0, len(fields) - MOST_FIELDS),
        hashes=[(declared.all_figures.label(name, "", language), value) for name, value in digests],
        measurements=measurements,
    )


def _grounds(file: FileReport, declared: Declared, language: Language) -> dict[int, Grounds]:
    grounds: dict[int, Grounds] = {}
    scores = MOST_SCORES
    for result in file.results:
        names, drawn = declared.figures(result.analyzer), declared.charts(result.analyzer)
        for finding in result.findings:
            score = charts.score(result, finding, drawn, language) if scores else None
            scores -= score is not None
            data = figures(finding)
            grounds[id(finding)] = Grounds(
                figures=Arranger(names, language, finding).shape(data, "data") if data else None,
                rates=rate_sentences(finding, language),
                method=declared.method(result.analyzer, finding),
                score=score,
            )
    return grounds


def _pictures(file: FileReport, folder: Path | None, room: int) -> list[Picture]:
    """The pictures of a file's results, those embedded that fit into ``room`` bytes."""
    pictures = []
    for artifact in (artifact for result in file.results for artifact in result.artifacts):
        address = data_address(folder, artifact) if folder and artifact.embed and room > 0 else None
        room -= len(address or "")
        shown = Markup(address) if address and room > 0 else None  # noqa: S704 - only the base64 alphabet gets here
        pictures.append(Picture(told(artifact, "name"), artifact.path, shown))
    return pictures


def _thumbnail(encoded: str | None) -> Markup | None:
    """A ``data:`` address of the small picture, or None where the saved text is anything but a JPEG in base64."""
    if encoded is None or not _BASE64_JPEG.fullmatch(encoded):
        return None
    return Markup("data:image/jpeg;base64,") + Markup(encoded)  # noqa: S704 - only the base64 alphabet gets here
