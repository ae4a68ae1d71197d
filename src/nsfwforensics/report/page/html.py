"""``report.html``: one self-contained page, written as a stream so that a large folder needs no large memory.

Everything is escaped by the template engine, and every character that acts instead of being seen is shown as an
escape. The page's Content Security Policy allows its own style and script by their SHA-256 and nothing else, so even
text that slipped through could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from markupsafe import Markup

from nsfwforensics.core.messages import say
from nsfwforensics.core.types import FileStatus, Priority, Support
from nsfwforensics.report import charts
from nsfwforensics.report.page.arrangement import Arranger, Node
from nsfwforensics.report.page.glossary import Glossary
from nsfwforensics.report.page.opening import first_files, what_stood_out
from nsfwforensics.report.page.sections import sections
from nsfwforensics.report.page.templating import environment
from nsfwforensics.report.words import advice, text, wording

if TYPE_CHECKING:
    from nsfwforensics.language import Language
    from nsfwforensics.report.saved.report import SavedReport
    from nsfwforensics.report.words.answers import QuestionView

DETAILED_FILES = 1000
"""Most files that get a section of their own; all files stand in the table."""
DETAILED_BYTES = 24_000_000
"""Most bytes of saved JSON that become sections, so that a phone can open the page."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a report one page shows.

    Attributes:
        files: Most files that get a section of their own.
        bytes: Most bytes of saved JSON that become sections.
        rows: Most files in the table; None for all.
        paper: Whether it is made for paper, on which figures and measurements are left out.
    """

    files: int
    bytes: int
    rows: int | None = None
    paper: bool = False


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
    sensitive: bool


def write(saved: SavedReport, stream: TextIO, extent: Extent | None = None) -> None:
    """Writes the page.

    Args:
        saved: The report; its language is the page's.
        stream: A text stream in UTF-8.
        extent: How much of the report it shows; what a browser can open if omitted.
    """
    extent = extent or Extent(DETAILED_FILES, DETAILED_BYTES)
    context = _context(saved, _how_many_in_full(saved.lengths_by_priority(), extent), extent)
    pieces = environment(saved.language).get_template("report.html.j2").stream(context)
    pieces.enable_buffering(200)
    stream.writelines(pieces)


def _how_many_in_full(lengths: list[int], extent: Extent) -> int:
    total = 0
    for number, length in enumerate(lengths[: extent.files]):
        total += length
        if total > extent.bytes:
            return max(1, number)
    return min(len(lengths), extent.files)


def _context(saved: SavedReport, detailed: int, extent: Extent) -> dict[str, Any]:
    sheets = ("report.css", "charts.css", "print.css", *(("pdf.css",) if extent.paper else ()))
    style, script = "".join(map(asset, sheets)), asset("report.js")
    found = sections(saved, detailed)
    alone = next(found, None) if saved.summary.files == 1 else None
    return {
        "style": Markup(style),  # noqa: S704 - our own file, never evidence
        "script": Markup(script),  # noqa: S704
        "style_hash": policy_hash(style),
        "script_hash": policy_hash(script),
        "header": saved.header,
        "summary": saved.summary,
        "notes": wording.run_notes(saved.header),
        "statuses": [(wording.FILE_STATUS[status], saved.summary.by_status.get(status, 0)) for status in FileStatus],
        "priorities": [(wording.PRIORITY[rank], saved.summary.by_priority.get(rank, 0)) for rank in Priority],
        "alone": alone,
        "stood_out": [] if alone else what_stood_out(saved.summary),
        "first": [] if alone else first_files(saved, detailed),
        "overview": charts.overview(saved.summary, saved.signs, saved.language),
        "sensitive": saved.sensitive,
        "advice": advice,
        "help": advice.help_lines(saved.language, minors_first=saved.sensitive),
        "rows": islice(_rows(saved, detailed), extent.rows),
        "rows_left_out": 0 if extent.rows is None else max(0, saved.summary.files - extent.rows),
        "paper": extent.paper,
        "sections": iter([alone]) if alone else found,
        "detailed": detailed,
        "common_folder": saved.common_folder,
        "glossary": Glossary(saved.language),
        "shape": Arranger(saved.declared.all_figures, saved.language).shape,
        "settings": lambda record: Arranger(saved.declared.figures(record.name), saved.language).shape(record.options),
        "references": [_reference(saved, each) for each in saved.header.references],
        "SEVERITY": wording.SEVERITY,
        "FINDING_SUPPORT": wording.FINDING_SUPPORT,
        "NOT_SUPPLIED": "not supplied",
        "PLAN_FINGERPRINT": say("Plan fingerprint"),
        "sentence": lambda view: sentence(view, saved.language),
    }


def _reference(saved: SavedReport, reference: Mapping[str, object]) -> tuple[str, Node]:
    """What the run was prepared with: its role, and what is known of it."""
    figures = saved.declared.all_figures
    role = figures.words.get("role", {}).get(str(reference.get("role")), say("Reference"))
    rest = {key: value for key, value in reference.items() if key != "role"}
    return saved.language.says(role), Arranger(figures, saved.language).shape(rest)


def _rows(saved: SavedReport, detailed: int) -> Iterator[Row]:
    folders, names = text.ShownNames(120), text.ShownNames(120)
    for number, file in enumerate(saved.by_priority(), 1):
        name = file.info.name or file.info.path
        folder = file.info.path.removesuffix(name).removeprefix(saved.common_folder)
        reason = saved.language.says(wording.reason(file))
        yield Row(
            number=number,
            anchor=f"file-{number}" if number <= detailed else None,
            folder=folders(folder),
            name=names(name),
            status=wording.file_badge(file),
            status_rank=list(FileStatus).index(file.status),
            priority=wording.PRIORITY[file.priority],
            priority_rank=file.priority.rank,
            reason=text.shorten(text.visible(reason), 200),
            sensitive=file.sensitive,
        )


def sentence(view: QuestionView, language: Language) -> str:
    """The sentence of an answer; a reason that stands alone begins as a sentence does."""
    said = language.says(view.statement)
    return said[:1].upper() + said[1:] if view.support is Support.NOT_CHECKED else said


@cache
def asset(name: str) -> str:
    """A style or script of ours that pages carry, by its file name."""
    return (package_files("nsfwforensics.report.page") / "templates" / name).read_text(encoding="utf-8")


def policy_hash(content: str) -> str:
    """The source expression of Content Security Policy Level 3 for an inline element with this content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
