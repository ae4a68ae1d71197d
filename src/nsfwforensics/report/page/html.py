"""``report.html``: one self-contained page, written as a stream so that a large folder needs no large memory.

Everything is escaped by the template engine, and every character that acts instead of being seen is shown as an
escape. The page's Content Security Policy allows its own style and script by their SHA-256 and nothing else, so even
text that slipped through could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any, TextIO

from markupsafe import Markup

from nsfwforensics.core.messages import as_utc, say
from nsfwforensics.core.report_files import page_name
from nsfwforensics.core.types import FileStatus, Priority, Question, Support
from nsfwforensics.report import charts
from nsfwforensics.report.page import next_steps
from nsfwforensics.report.page.arrangement import Arranger, Node
from nsfwforensics.report.page.glossary import Glossary
from nsfwforensics.report.page.sections import MOST_COPIES, Bare, rows, sections
from nsfwforensics.report.page.templating import environment
from nsfwforensics.report.words import advice, wording

if TYPE_CHECKING:
    from nsfwforensics.language import Language
    from nsfwforensics.report.saved.report import SavedReport
    from nsfwforensics.report.words.answers import QuestionView

DETAILED_FILES = 1000
"""Most files that are shown in full; all files are listed."""
DETAILED_BYTES = 24_000_000
"""Most bytes of saved JSON that are shown in full, so that a phone can open the page."""
A_PAGE = 1000
"""Most files that one page lists; of more files, further pages stand beside the first."""
IN_FULL = 100
"""Most files that one page shows in full, so that it opens at once; the next ones have pages that the list leads to."""
OUR_FOLDERS = ("docs/", "weights/")
"""Sources that begin so lie in this project's repository, where a reader of a report is not."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a report one page shows.

    Attributes:
        files: Most files that are shown in full.
        bytes: Most bytes of saved JSON that are shown in full.
        rows: Most files that are listed; None for all, on several pages where they are many.
        paper: Whether it is made for paper, on which figures and measurements are left out.
    """

    files: int
    bytes: int
    rows: int | None = None
    paper: bool = False


FOREMOST = 5
"""So many files of a folder stand at the top of its page, before what to do next."""


DECISIONS = ("needs_review", "relevant", "not_relevant", "false_positive", "undecided")
"""What a person may have decided of a file in a case, as the case names it."""
_OF_REFERENCES = frozenset({"path", "file", "sha256", "files"})
"""What a page says of what the run was prepared with; the rest is for programs."""


def pages(saved: SavedReport) -> int:
    """On how many pages a report is shown on a screen: lists of files, then those that show further files in full."""
    detailed = _how_many_in_full(saved.lengths(), Extent(DETAILED_FILES, DETAILED_BYTES))
    return _lists(saved) + len(_further(detailed))


def _lists(saved: SavedReport) -> int:
    return max(1, -(-len(saved.groups) // A_PAGE))


def _further(detailed: int) -> range:
    """Where the pages begin that show further files in full."""
    return range(IN_FULL, detailed, IN_FULL)


def write(saved: SavedReport, stream: TextIO, extent: Extent | None = None, *, page: int = 1) -> None:
    """Writes one page.

    Args:
        saved: The report; its language is the page's.
        stream: A text stream in UTF-8.
        extent: How much of the report it shows; what a browser can open if omitted.
        page: Which page of several, from 1.
    """
    extent = extent or Extent(DETAILED_FILES, DETAILED_BYTES)
    context = _context(saved, _how_many_in_full(saved.lengths(), extent), extent, page)
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


def _context(saved: SavedReport, detailed: int, extent: Extent, page: int) -> dict[str, Any]:
    sheets = ("report.css", "charts.css", "print.css", *(("pdf.css",) if extent.paper else ()))
    style, script = "".join(map(asset, sheets)), asset("report.js")
    files, lists = len(saved.groups), _lists(saved)
    further = range(0) if extent.paper else _further(detailed)
    if extent.paper:
        start, stop = 0, min(files, files if extent.rows is None else extent.rows)
        full = min(detailed, stop)
    elif page <= lists:
        start, stop = (page - 1) * A_PAGE, min(files, page * A_PAGE)
        full = min(detailed, stop, IN_FULL) if page == 1 else start
    else:
        start = further[page - lists - 1]
        stop = full = min(detailed, start + IN_FULL)
    found = sections(saved, start, full)
    alone = next(found, None) if saved.summary.files == 1 else None
    return {
        "style": Markup(style),  # noqa: S704 - our own file, never evidence
        "script": Markup(script),  # noqa: S704
        "style_hash": policy_hash(style),
        "script_hash": policy_hash(script),
        "header": saved.header,
        "summary": saved.summary,
        "headline": saved.headline if files else (say("No files were examined."),),
        "notes": wording.run_notes(saved.header),
        "statuses": [(wording.FILE_STATUS[status], saved.summary.by_status.get(status, 0)) for status in FileStatus],
        "priorities": [(r.value, wording.PRIORITY[r], saved.summary.by_priority.get(r, 0)) for r in Priority],
        "questions": [
            (question.value, wording.QUESTIONS[question], sum(saved.signs.get(question, {}).values()))
            for question in Question
        ],
        "decisions": DECISIONS if any(record.origin == "case" for record in saved.header.analyzers) else (),
        "alone": alone,
        "foremost": [] if alone or page > 1 else _foremost(saved, full),
        "overview": charts.overview(saved.summary, saved.signs, saved.language),
        "sensitive": saved.sensitive,
        "advice": advice,
        "next": next_steps.advise(saved) if page == 1 else None,
        "help": advice.help_lines(saved.language, minors_first=saved.sensitive),
        "sections": found,
        "rows": rows(saved, full, stop, _links(lists, further, detailed)),
        "rows_left_out": files - stop if extent.rows is not None else 0,
        "paper": extent.paper,
        "page": page,
        "pages": 1 if extent.paper else lists,
        "further": bool(further),
        "page_name": page_name,
        "listed": files,
        "first": start + 1,
        "last": stop,
        "detailed": full,
        "all_detailed": detailed,
        "common_folder": saved.common_folder,
        "glossary": Glossary(saved.language),
        "shape": Arranger(saved.declared.all_figures, saved.language).shape,
        "limits": Arranger(saved.declared.all_figures, saved.language).shape(_grouped(saved)),
        "took": _took(saved),
        "settings": lambda record: Arranger(saved.declared.figures(record.name), saved.language).shape(record.options),
        "references": [_reference(saved, each) for each in saved.header.references],
        **of_findings(saved.language),
        "MOST_COPIES": MOST_COPIES,
        "translated": saved.language.code != "en",
        "SUPPLIED": say("supplied by you"),
        "NOT_CHECKED": wording.NOT_CHECKED,
        "NOT_SUPPLIED": "not supplied",
        "PLAN_FINGERPRINT": say("Plan fingerprint"),
        "brief": lambda view: _brief(view, saved.language, alone.file.error if alone else None),
    }


def _grouped(saved: SavedReport) -> dict[str, object]:
    """The limits of the run; large numbers so that they can be read."""
    limits = saved.header.limits.items()
    return {name: saved.language.number(each, ",") if isinstance(each, int) else each for name, each in limits}


def _took(saved: SavedReport) -> float | None:
    """How long the run took by the clock, in seconds."""
    started, finished = as_utc(saved.header.started), as_utc(saved.header.finished)
    return (finished - started).total_seconds() if started and finished else None


def _foremost(saved: SavedReport, full: int) -> list[Bare]:
    """The first files of a folder that there is a reason to look at, each with an address further down the page."""
    most = min(FOREMOST, len(saved.groups))
    first = rows(saved, 0, most, lambda number: f"#file-{number + 1}" if number < full else "#files")
    return [row for row in first if row.priority is not Priority.NONE]


def _links(lists: int, further: range, detailed: int) -> Callable[[int], str]:
    """Where a file is shown in full that a list shows without: an address, or nothing; by its number from 0."""

    def link(number: int) -> str:
        if not further or not IN_FULL <= number < detailed:
            return ""
        return f"{page_name(lists + number // IN_FULL)}#file-{number + 1}"

    return link


def _reference(saved: SavedReport, reference: Mapping[str, object]) -> tuple[str, Node]:
    """What the run was prepared with: its role, and what is known of it."""
    figures = saved.declared.all_figures
    role = figures.words.get("role", {}).get(str(reference.get("role")), say("Reference"))
    rest = {key: value for key, value in reference.items() if key in _OF_REFERENCES}
    return saved.language.says(role), Arranger(figures, saved.language).shape(rest)


def of_findings(language: Language) -> dict[str, Any]:
    """What the templates of questions and findings are filled with, whichever page they stand in."""
    return {
        "SEVERITY": wording.SEVERITY,
        "FINDING_SUPPORT": wording.FINDING_SUPPORT,
        "OUR_FOLDERS": OUR_FOLDERS,
        "sentence": lambda view: _sentence(view, language),
    }


def _sentence(view: QuestionView, language: Language) -> str:
    """The sentence of an answer; a reason that stands alone begins as a sentence does."""
    said = language.says(view.statement)
    return said[:1].upper() + said[1:] if view.support is Support.NOT_CHECKED else said


def _brief(view: QuestionView, language: Language, known: str | None) -> str:
    """The answer in one short sentence, where what carries it says one; the rest stands with the finding.

    Nothing where the headline, why the file could not be examined, says it already.
    """
    if known and view.support is Support.NOT_CHECKED and known in str(view.statement):
        return ""
    for numbered in view.findings:
        if numbered.finding.support is view.support:
            if numbered.finding.headline:
                return language.says(wording.told(numbered.finding, "headline"))
            break
    return _sentence(view, language)


@cache
def asset(name: str) -> str:
    """A style or script of ours that pages carry, by its file name."""
    return (package_files("nsfwforensics.report.page") / "templates" / name).read_text(encoding="utf-8")


def policy_hash(content: str) -> str:
    """The source expression of Content Security Policy Level 3 for an inline element with this content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
