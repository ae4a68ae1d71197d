"""``report.html``: one self-contained page, written as a stream so that a large folder needs no large memory.

Everything is escaped by the template engine, and every character that acts instead of being seen is shown as an
escape. The page's Content Security Policy allows its own style and script by their SHA-256 and nothing else, so even
text that slipped through could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files as package_files
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nsfwforensics.core.types import FileReport, FileStatus, Priority
from nsfwforensics.report import text, wording
from nsfwforensics.report.artifacts import EMBED_BYTES, data_address
from nsfwforensics.report.drawing import Drawing, draw
from nsfwforensics.report.shape import Node, shape
from nsfwforensics.report.view import FieldRow, QuestionView, hashes, metadata_fields, questions

if TYPE_CHECKING:
    from pathlib import Path

    from nsfwforensics.report.saved import SavedReport

DETAILED_FILES = 1000
"""Most files that get a section of their own; all files stand in the table."""
DETAILED_BYTES = 24_000_000
"""Most bytes of saved JSON that become sections, so that a phone can open the page."""
LONGEST_TEXT = 4000
"""Longer text is cut in the page; the whole of it is in ``report.json``."""
LONGEST_FIELD = 600
MOST_FIELDS = 600

_BASE64_JPEG = re.compile(r"/9j/[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True)
class Row:
    """One file in the table of a folder. ``anchor`` is None where the page has no section for it."""

    number: int
    anchor: str | None
    folder: str
    name: str
    status: wording.Badge
    status_rank: int
    priority: wording.Badge
    priority_rank: int
    reason: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made beside the report; ``address`` is None where the page does not embed it."""

    name: str
    path: str
    address: Markup | None


@dataclass(frozen=True, slots=True)
class Section:
    """One file in full."""

    anchor: str
    file: FileReport
    status: wording.Badge
    priority: wording.Badge
    reason: str
    failures: list[str]
    questions: tuple[QuestionView, ...]
    drawing: Drawing | None
    thumbnail: Markup | None
    pictures: list[Picture]
    fields: list[FieldRow]
    fields_left_out: int
    hashes: list[tuple[str, str]]
    measurements: list[tuple[str, Node]]


def write(saved: SavedReport, stream: TextIO) -> None:
    """Writes the page.

    Args:
        saved: The report.
        stream: A text stream in UTF-8.
    """
    detailed = _how_many_in_full(saved.lengths_by_priority())
    pieces = _environment().get_template("report.html.j2").stream(_context(saved, detailed))
    pieces.enable_buffering(200)
    stream.writelines(pieces)


def _how_many_in_full(lengths: list[int]) -> int:
    total = 0
    for number, length in enumerate(lengths[:DETAILED_FILES]):
        total += length
        if total > DETAILED_BYTES:
            return max(1, number)
    return min(len(lengths), DETAILED_FILES)


def _context(saved: SavedReport, detailed: int) -> dict[str, Any]:
    style, script = _asset("report.css"), _asset("report.js")
    return {
        "style": Markup(style),  # noqa: S704 - our own file, never evidence
        "script": Markup(script),  # noqa: S704
        "style_hash": _csp_hash(style),
        "script_hash": _csp_hash(script),
        "header": saved.header,
        "summary": saved.summary,
        "notes": wording.run_notes(saved.header),
        "statuses": [(wording.FILE_STATUS[status], saved.summary.by_status.get(status, 0)) for status in FileStatus],
        "priorities": [(wording.PRIORITY[rank], saved.summary.by_priority.get(rank, 0)) for rank in Priority],
        "how_to_read": wording.HOW_TO_READ,
        "rows": _rows(saved, detailed),
        "sections": _sections(saved, detailed),
        "detailed": detailed,
        "common_folder": saved.common_folder,
    }


def _rows(saved: SavedReport, detailed: int) -> Iterator[Row]:
    for number, file in enumerate(saved.by_priority(), 1):
        name = file.info.name or file.info.path
        folder = file.info.path.removesuffix(name).removeprefix(saved.common_folder)
        yield Row(
            number=number,
            anchor=f"file-{number}" if number <= detailed else None,
            folder=text.shorten_middle(text.visible(folder), 120),
            name=text.shorten_middle(text.visible(name), 120),
            status=wording.file_badge(file),
            status_rank=list(FileStatus).index(file.status),
            priority=wording.PRIORITY[file.priority],
            priority_rank=file.priority.rank,
            reason=text.shorten(text.visible(wording.reason(file)), 200),
        )


def _sections(saved: SavedReport, detailed: int) -> Iterator[Section]:
    room = EMBED_BYTES
    for number, file in enumerate(islice(saved.by_priority(), detailed), 1):
        pictures = _pictures(file, saved.folder, room)
        room -= sum(len(picture.address) for picture in pictures if picture.address)
        yield _section(number, file, pictures)


def _pictures(file: FileReport, folder: Path | None, room: int) -> list[Picture]:
    """The pictures of a file's results, those embedded that fit into ``room`` bytes."""
    pictures = []
    for artifact in (artifact for result in file.results for artifact in result.artifacts):
        address = data_address(folder, artifact) if folder and artifact.embed and room > 0 else None
        room -= len(address or "")
        shown = Markup(address) if address and room > 0 else None  # noqa: S704 - only the base64 alphabet gets here
        pictures.append(Picture(artifact.name, artifact.path, shown))
    return pictures


def _section(number: int, file: FileReport, pictures: list[Picture]) -> Section:
    fields = metadata_fields(file)
    shown = {"metadata": {"fields"} if fields else set(), "phash": {name for name, _ in hashes(file)}}
    measurements = []
    for result in file.results:
        rest = {key: v for key, v in result.measurements.items() if key not in shown.get(result.analyzer, set())}
        if rest:
            measurements.append((result.analyzer, shape(rest)))
    return Section(
        anchor=f"file-{number}",
        file=file,
        status=wording.file_badge(file),
        priority=wording.PRIORITY[file.priority],
        reason=wording.reason(file),
        failures=wording.failures(file),
        questions=questions(file),
        drawing=draw(file),
        thumbnail=_thumbnail(file.info.thumbnail),
        pictures=pictures,
        fields=[FieldRow(*(_cut(part, LONGEST_FIELD) for part in row)) for row in fields[:MOST_FIELDS]],
        fields_left_out=max(0, len(fields) - MOST_FIELDS),
        hashes=hashes(file),
        measurements=measurements,
    )


def _thumbnail(encoded: str | None) -> Markup | None:
    """A ``data:`` address of the small picture, or None where the saved text is anything but a JPEG in base64."""
    if encoded is None or not _BASE64_JPEG.fullmatch(encoded):
        return None
    return Markup("data:image/jpeg;base64,") + Markup(encoded)  # noqa: S704 - only the base64 alphabet gets here


@cache
def _asset(name: str) -> str:
    return (package_files("nsfwforensics.report") / "templates" / name).read_text(encoding="utf-8")


def _csp_hash(content: str) -> str:
    """The source expression of Content Security Policy Level 3 for an inline element with this content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nsfwforensics.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters |= {
        "count": text.count,
        "size": text.size,
        "duration": text.duration,
        "when": when,
        "short": text.shorten,
    }
    environment.globals |= {
        "SEVERITY": wording.SEVERITY,
        "FINDING_SUPPORT": wording.FINDING_SUPPORT,
        "shape": shape,
    }
    return environment


def _harmless(value: Any) -> Any:
    """What every printed expression passes through before it is escaped."""
    if isinstance(value, Markup):
        return value
    return _cut(text.visible("" if value is None else value), LONGEST_TEXT)


def _cut(value: str, limit: int) -> str:
    if len(value) <= limit:
        return value
    return f"{text.shorten(value, limit)} ({len(value):,} characters in all; the whole text is in report.json)"


def when(moment: str | None) -> str:
    """A time of the report as a person reads it: ``21 November 2026, 22:11:08 UTC``; other text as it is."""
    if not moment:
        return "not known"
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    if parsed.tzinfo is None:
        return moment
    utc = parsed.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M:%S} UTC"


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
