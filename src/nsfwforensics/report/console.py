"""The report on a terminal, readable at 80 columns and without colour.

Everything that may come out of a file goes through :func:`plain`: never markup, never a control character.
"""

from __future__ import annotations

from itertools import islice

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from nsfwforensics.core.types import AnalyzerStatus, FileReport, FileStatus, Priority, Support
from nsfwforensics.report.folder import HTML_NAME
from nsfwforensics.report.saved import SavedReport
from nsfwforensics.report.text import count, duration, shorten, shorten_middle, size, visible
from nsfwforensics.report.view import (
    Check,
    NumberedFinding,
    QuestionView,
    box_text,
    hashes,
    metadata_fields,
    questions,
    regions,
)
from nsfwforensics.report.wording import (
    FILE_STATUS,
    FINDING_SUPPORT,
    PRIORITY,
    SEVERITY,
    failures,
    file_badge,
    reason,
    run_notes,
)

ROWS = 40
"""How many files the table of a folder shows before it refers to the report."""
FAILURES = 20
"""How many failed files are listed with their reasons."""
DETAILED = 1
"""Up to how many files are shown in full unless asked otherwise."""

_KINDS = {
    "supports": "bold magenta",
    "inconclusive": "bold yellow",
    "nothing": "green",
    "failed": "bold red",
    "partial": "yellow",
    "not-available": "cyan",
    "not-applicable": "dim",
    "not-checked": "dim",
}
_RAN = (AnalyzerStatus.OK, AnalyzerStatus.NOTHING_FOUND)


def plain(text: object, style: str = "", limit: int = 1000) -> Text:
    """Evidence text for the terminal: control characters shown as escapes, never markup, cut to ``limit``."""
    return Text(shorten(visible(shorten(str(text), limit)), limit), style=style)


def render(saved: SavedReport, console: Console, *, details: bool | None = None) -> None:
    """Prints a report.

    Args:
        saved: The report.
        console: Where to.
        details: Whether every file is shown in full; by default only the one file of a report of one.
    """
    if details is None:
        details = saved.summary.files <= DETAILED
    for note in run_notes(saved.header):
        console.print(Text("Note: ", "bold") + plain(note))
    if saved.summary.files == 0:
        console.print(Text("No files were examined."))
    if details:
        for file in saved.by_priority():
            render_file(file, console)
    if not details or saved.summary.files > 1:
        _render_folder(saved, console)
    _render_place(saved, console)


def render_file(file: FileReport, console: Console) -> None:
    """Prints one file: what it is, then the questions in their order, each with what carries the answer."""
    console.print(Rule(Text("")))
    console.print(plain(file.info.path, "bold"))
    for line in _identity(file):
        console.print(line)
    if file.error:
        word = "Skipped" if file.skipped else "Failed"
        console.print(Text(f"{word}: ", "bold") + plain(file.error))
        if not file.results:
            return
    previous: QuestionView | None = None
    for view in questions(file):
        if view.checks or previous is None or previous.checks:
            console.print()  # questions that nobody asked stand close together
        _render_question(view, console)
        previous = view
    if regions(file):
        console.print(Text("\nRegions are x, y, width, height in pixels from the top left corner.", "dim"))


def _identity(file: FileReport) -> list[Text]:
    info = file.info
    facts = [info.media_type or "unknown type", size(info.size)]
    if info.width and info.height:
        facts.append(f"{info.width} × {info.height} pixels")
    if info.frames and info.frames > 1:
        facts.append(f"{info.frames} frames, the first examined")
    lines = [plain(", ".join(facts))]
    if info.sha256:
        lines.append(Text(f"SHA-256 {info.sha256}"))
    if file.status is FileStatus.PARTIAL and info.decoded_share is not None:
        share = f"{info.decoded_share:.0%}"
        lines.append(Text(f"Only about {share} of the picture could be decoded; the rest is missing.", "bold"))
    return lines


def _render_question(view: QuestionView, console: Console) -> None:
    console.print(Text(view.question.wording, "bold underline" if view.checks else "dim"))
    between = ": " if view.support is Support.NOT_CHECKED else ". "
    console.print(Text.assemble((view.badge.word, _KINDS.get(view.badge.kind, "bold")), between, plain(view.statement)))
    for numbered in view.findings:
        _render_finding(numbered, console, told=view.statement)
    for check in view.checks:
        if check.result.status not in _RAN and view.support is not Support.NOT_CHECKED:
            _indent(_check_line(check), console)
    for item in view.missing:
        _indent(Text("Could not be checked: ", "bold") + plain(item), console)


def _check_line(check: Check) -> Text:
    line = Text.assemble((check.badge.word, _KINDS.get(check.badge.kind, "")), ": ", plain(check.result.analyzer))
    return line + plain(f" ({check.result.error})") if check.result.error else line


def _render_finding(numbered: NumberedFinding, console: Console, *, told: str) -> None:
    finding = numbered.finding
    facts = [SEVERITY[finding.severity]]
    if finding.support is not Support.SUPPORTS:
        facts.append(FINDING_SUPPORT[finding.support])
    if finding.likelihood is not None:
        facts.append(f"estimated probability {finding.likelihood:.0%}")
    if finding.region is not None:
        facts.append(f"region {box_text(finding.region)}")
    head = Text.assemble(plain(finding.title, "bold"), f"  {finding.code}, {', '.join(facts)}")
    _bullet(head, console)
    if finding.explanation != told:
        _indent(plain(finding.explanation), console, 4)
    _indent(Text("But: ", "italic") + plain(finding.caveat), console, 4)


def _indent(text: Text, console: Console, left: int = 2) -> None:
    console.print(Padding(text, (0, 0, 0, left), expand=False))


def _bullet(text: Text, console: Console) -> None:
    """An item of a list, its further lines set under the first."""
    grid = Table.grid()
    grid.add_column()
    grid.add_column(overflow="fold")
    grid.add_row(Text("  - "), text)
    console.print(grid)


def _render_folder(saved: SavedReport, console: Console) -> None:
    summary = saved.summary
    if summary.files:
        if saved.common_folder:
            console.print(Text("Files in ") + plain(saved.common_folder))
        console.print(_triage_table(saved, console.width))
    if summary.files > ROWS:
        console.print(Text(f"… and {summary.files - ROWS:,} more.", "dim"))
    statuses = ", ".join(
        f"{summary.by_status[status]:,} {FILE_STATUS[status].word.lower()}"
        for status in FileStatus
        if summary.by_status.get(status)
    )
    priorities = ", ".join(
        f"{summary.by_priority[priority]:,} {PRIORITY[priority].word.lower()}"
        for priority in Priority
        if summary.by_priority.get(priority)
    )
    console.print(Text.assemble((count(summary.files, "file"), "bold"), f", {size(summary.bytes)}: {statuses}."))
    if priorities:
        console.print(Text(f"Priority: {priorities}. Priority is an order of work, not a verdict."))
    console.print(Text("Nothing found does not mean that a picture is authentic."))
    _render_failures(saved, console)


def _triage_table(saved: SavedReport, width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    path_width = max(16, (width - 28) // 2)
    table.add_column("File", width=path_width, no_wrap=True)
    for heading in ("Status", "Priority", "Why"):
        table.add_column(heading, overflow="fold", max_width=14 if heading == "Status" else None)
    for file in islice(saved.by_priority(), ROWS):
        status, priority = file_badge(file), PRIORITY[file.priority]
        table.add_row(
            Text(shorten_middle(visible(file.info.path.removeprefix(saved.common_folder)), path_width)),
            Text(status.word, _KINDS.get(status.kind, "")),
            Text(priority.word, _KINDS.get(priority.kind, "")),
            plain(reason(file), limit=90),
        )
    return table


def _render_failures(saved: SavedReport, console: Console) -> None:
    total = saved.summary.by_status.get(FileStatus.FAILED, 0)
    if not total:
        return
    console.print(Text(f"\nFailed, or with a failed check ({total:,}):", "bold"))
    failed = (file for file in saved.by_priority() if file.status is FileStatus.FAILED)
    for file in islice(failed, FAILURES):
        _bullet(plain(file.info.path), console)
        for line in failures(file):
            _indent(plain(line, limit=300), console, 4)
    if total > FAILURES:
        _indent(Text(f"… and {total - FAILURES:,} more."), console)


def _render_place(saved: SavedReport, console: Console) -> None:
    console.print()
    if saved.header.finished and saved.summary.files:
        console.print(Text(f"The checks took {duration(saved.summary.seconds)} of computing time.", "dim"))
    if saved.folder is not None:
        # soft_wrap keeps the path in one piece, so that it can be copied
        console.print(Text("Report: ") + plain(saved.folder / HTML_NAME, "bold"), soft_wrap=True)


def render_fields(saved: SavedReport, console: Console) -> None:
    """Prints, for every file, the values that stand in it with the place each was read from."""
    for file in saved.files():
        console.print(plain(file.info.path, "bold"))
        rows = metadata_fields(file)
        if not rows:
            _indent(plain(file.error or "No values were read from this file.") + Text("\n"), console)
            continue
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for heading, ratio in (("Name", 3), ("Value", 5), ("Read from", 3)):
            table.add_column(heading, overflow="fold", ratio=ratio)
        for row in rows:
            table.add_row(plain(row.name, limit=120), plain(row.value, limit=200), plain(row.source, "dim", 120))
        console.print(table)


def render_hashes(saved: SavedReport, console: Console) -> None:
    """Prints, for every file, its digests and perceptual hashes, each in one piece so that it can be copied."""
    for file in saved.files():
        console.print(plain(file.info.path, "bold"), soft_wrap=True)
        rows = hashes(file)
        if not rows:
            _indent(plain("; ".join(failures(file)) or file.error or "No hashes were computed."), console)
        for name, value in rows:
            console.print(Text(f"  {name:<15}", "dim") + plain(value, limit=4000), soft_wrap=True)
        for result in file.results:
            if result.status is AnalyzerStatus.FAILED and rows:
                _indent(plain(f"{result.analyzer} failed: {result.error}"), console)
        console.print()
