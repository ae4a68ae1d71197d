"""One file of a report arranged for the page: its answers, findings with their grounds, pictures and measurements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from markupsafe import Markup

from nsfwforensics.core.fields import FieldRow, field_rows
from nsfwforensics.core.types import Capability, FileReport, MethodRecord, Priority, Support
from nsfwforensics.report import charts
from nsfwforensics.report.page.arrangement import Arranger, Node
from nsfwforensics.report.page.drawing import Drawing, draw, frame
from nsfwforensics.report.saved.artifacts import EMBED_BYTES, data_address
from nsfwforensics.report.words import text, wording
from nsfwforensics.report.words.answers import QuestionView, hashes, questions
from nsfwforensics.report.words.declared import Declared, Label
from nsfwforensics.report.words.headline import headline
from nsfwforensics.report.words.rates import figures, rate_sentences
from nsfwforensics.report.words.wording import told

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from nsfwforensics.language import Language
    from nsfwforensics.report.saved.report import Row, SavedReport

MOST_FIELDS = 600
MOST_SCORES = 12
"""Most charts of scores in one file's section; the figures stand beside every finding."""

_BASE64_JPEG = re.compile(r"/9j/[A-Za-z0-9+/]+={0,2}")


class Surroundings(Protocol):
    """What one file's section needs of the report it stands in; a page that shows one file at a time has as much."""

    @property
    def declared(self) -> Declared:
        """What its analyzers say of themselves."""

    @property
    def language(self) -> Language:
        """What it is written in."""

    @property
    def originals(self) -> Container[str]:
        """The names of the analyzers that compare with originals."""

    @property
    def common_folder(self) -> str:
        """The folder that all its files lie in, with its closing separator, or nothing."""


@dataclass(frozen=True, slots=True)
class MadePicture:
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
class CardLook:
    """What a file looks like on its card: its outline, what is marked in it, and a picture where one was asked for.

    Attributes:
        width: Of the outline, in units of the drawing.
        height: Likewise.
        drawing: What is marked, or None.
        picture: Address of the small picture, or None.
    """

    width: float
    height: float
    drawing: Drawing | None
    picture: Markup | None


@dataclass(frozen=True, slots=True)
class Bare:
    """One file as a card without its details; ``link`` leads to the page that has them, if one does."""

    link: str
    path: str
    copies: tuple[str, ...]
    folder: str
    name: str
    headline: tuple[str, ...]
    status: wording.Badge
    badge: wording.Badge
    priority: Priority
    signs: str
    decision: str
    size: int
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One file in full; ``grounds`` are those of its findings, in their order."""

    anchor: str
    file: FileReport
    status: wording.Badge
    priority: wording.Badge
    reason: str
    failures: list[str]
    notes: list[str]
    headline: tuple[str, ...]
    folder: str
    path: str
    copies: tuple[str, ...]
    signs: str
    decision: str
    look: CardLook | None
    questions: tuple[QuestionView, ...]
    grounds: tuple[Grounds, ...]
    timeline: Markup | None
    thumbnail: Markup | None
    pictures: list[MadePicture]
    fields: list[FieldRow]
    fields_left_out: int
    hashes: list[tuple[Label, str]]
    measurements: list[tuple[str, Node]]

    @property
    def marked(self) -> bool:
        """Whether its look shows more than its proportions."""
        return self.look is not None and (self.look.drawing is not None or self.look.picture is not None)

    @property
    def asked(self) -> list[QuestionView]:
        """The questions that were checked, or failed, in the order of what they brought."""
        return [view for view in self.questions if view not in self.unasked]

    @property
    def unasked(self) -> list[QuestionView]:
        """The questions that nothing is known of."""
        return [v for v in self.questions if v.support is Support.NOT_CHECKED and v.badge.kind != "failed"]


def sections(saved: SavedReport, start: int, stop: int) -> Iterator[Section]:
    """Some files of a report in the order of triage, in full."""
    room = EMBED_BYTES
    for number, row in enumerate(saved.rows(start, stop), start + 1):
        pictures = _pictures(row.file, saved.folder, room)
        room -= sum(len(picture.address) for picture in pictures if picture.address)
        yield section(number, row, pictures, saved)


def rows(saved: SavedReport, start: int, stop: int, link: Callable[[int], str]) -> Iterator[Bare]:
    """Some files of a report in the order of triage, as cards without details.

    Args:
        saved: The report.
        start: How many of the first are passed over.
        stop: The place after the last one.
        link: The address of the page that shows a file in full, by its number from 0; empty where none does.
    """
    folders, names = text.ShownNames(120), text.ShownNames(120)
    for number, row in enumerate(saved.rows(start, stop), start):
        file = row.file
        name = file.info.name or file.info.path
        yield Bare(
            link=link(number),
            path=_searched(row),
            copies=_copies(saved, row),
            folder=folders(_folder(saved, file)),
            name=names(name),
            headline=headline(file, saved.originals),
            status=wording.file_badge(file),
            badge=wording.PRIORITY[file.priority],
            priority=file.priority,
            signs=_signs(file),
            decision=decision(file),
            size=file.info.size or 0,
            sensitive=file.sensitive,
        )


def decision(file: FileReport) -> str:
    """What a person decided about a file in a case, as the case names it; empty where nobody did."""
    for result in file.results:
        if result.origin == "case":
            for finding in result.findings:
                return str(finding.data.get("decision", ""))
    return ""


def _folder(saved: Surroundings, file: FileReport) -> str:
    name = file.info.name or file.info.path
    return file.info.path.removesuffix(name).removeprefix(saved.common_folder)


def _signs(file: FileReport) -> str:
    """The questions with signs, for the filter of the page; what a file says about itself is information."""
    return " ".join(answer.question.value for answer in file.answers if answer.support is Support.SUPPORTS)


MOST_COPIES = 200
"""Most copies of one picture that its card names."""


def _copies(saved: Surroundings, row: Row) -> tuple[str, ...]:
    return tuple(text.shown_name(path.removeprefix(saved.common_folder)) for path in row.copies)


def _searched(row: Row) -> str:
    """What the name in the filter of the page is looked for in: the paths of the file and of its copies."""
    return " ".join(text.shown_name(path) for path in (row.file.info.path, *row.copies[:MOST_COPIES]))


def section(number: int, row: Row, pictures: list[MadePicture], saved: Surroundings) -> Section:
    """What the page shows of one file.

    Args:
        number: Its place in the order of triage, from 1.
        row: Its report, and the copies that are folded into it.
        pictures: Those made beside the report.
        saved: The report that it stands in.
    """
    file, declared, language = row.file, saved.declared, saved.language
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
        reason=wording.reason(file, saved.originals),
        failures=wording.failures(file),
        notes=[told(file, f"notes.{index}") for index in range(len(file.notes))],
        headline=headline(file, saved.originals),
        folder=text.shown_name(_folder(saved, file)),
        path=_searched(row),
        copies=_copies(saved, row),
        signs=_signs(file),
        decision=decision(file),
        look=_look(file),
        questions=questions(file),
        grounds=tuple(_grounds(file, declared, language)),
        timeline=charts.timeline(file, declared, language),
        thumbnail=_thumbnail(file.info.thumbnail),
        pictures=pictures,
        fields=fields[:MOST_FIELDS],
        fields_left_out=max(0, len(fields) - MOST_FIELDS),
        hashes=[(declared.all_figures.label(name, "", language), value) for name, value in digests],
        measurements=measurements,
    )


def _grounds(file: FileReport, declared: Declared, language: Language) -> Iterator[Grounds]:
    scores = MOST_SCORES
    for result in file.results:
        names, drawn = declared.figures(result.analyzer), declared.charts(result.analyzer)
        for finding in result.findings:
            score = charts.score(result, finding, drawn, language) if scores else None
            scores -= score is not None
            data = figures(finding)
            yield Grounds(
                figures=Arranger(names, language, finding).shape(data, "data") if data else None,
                rates=rate_sentences(finding, language),
                method=declared.method(result.analyzer, finding),
                score=score,
            )


def _pictures(file: FileReport, folder: Path | None, room: int) -> list[MadePicture]:
    """The pictures of a file's results, those embedded that fit into ``room`` bytes."""
    pictures = []
    for artifact in (artifact for result in file.results for artifact in result.artifacts):
        address = data_address(folder, artifact) if folder and artifact.embed and room > 0 else None
        room -= len(address or "")
        shown = Markup(address) if address and room > 0 else None  # noqa: S704 - only the base64 alphabet gets here
        pictures.append(MadePicture(told(artifact, "name"), artifact.path, shown))
    return pictures


def _look(file: FileReport) -> CardLook | None:
    edges = frame(file)
    picture = None if file.sensitive else _thumbnail(file.info.thumbnail)
    return CardLook(*edges, draw(file), picture) if edges is not None else None


def _thumbnail(encoded: str | None) -> Markup | None:
    """A ``data:`` address of the small picture, or None where the saved text is anything but a JPEG in base64."""
    if encoded is None or not _BASE64_JPEG.fullmatch(encoded):
        return None
    return Markup("data:image/jpeg;base64,") + Markup(encoded)  # noqa: S704 - only the base64 alphabet gets here
