"""A folder's report on a terminal: which files to look at first, how all of them ended, what failed."""

from __future__ import annotations

from itertools import islice

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nsfwforensics.core.messages import say, say_count
from nsfwforensics.core.types import FileStatus, Priority
from nsfwforensics.report.console.parts import bullet, indent, look, named, plain
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words.text import ShownNames, size
from nsfwforensics.report.words.wording import FILE_STATUS, PRIORITY, failures, file_badge, reason

ROWS = 40
"""How many files the table of a folder shows before it refers to the report."""
FAILURES = 20
"""How many failed files are listed with their reasons."""


def render_folder(saved: SavedReport, console: Console) -> None:
    """Prints what there is to say of all files of a report together."""
    says = saved.language.says
    summary = saved.summary
    if summary.files:
        if saved.common_folder:
            console.print(plain(says(say("Files in {folder}", folder=saved.common_folder))))
        console.print(_triage_table(saved, console.width))
    if summary.files > ROWS:
        console.print(Text(says(say("… and {count:,} more.", count=summary.files - ROWS)), "dim"))
    statuses = [
        say("{count:,} {outcome}", count=summary.by_status[status], outcome=says(FILE_STATUS[status].word).lower())
        for status in FileStatus
        if summary.by_status.get(status)
    ]
    priorities = [
        say("{count:,} {outcome}", count=summary.by_priority[priority], outcome=says(PRIORITY[priority].word).lower())
        for priority in Priority
        if summary.by_priority.get(priority)
    ]
    files = say_count("{count:,} file", "{count:,} files", summary.files)
    told = say("{files}, {size}: {statuses:comma}.", files=files, size=size(summary.bytes), statuses=statuses)
    console.print(Text(says(told), "bold"))
    if priorities:
        order = say("Priority: {priorities:comma}. Priority is an order of work, not a verdict.", priorities=priorities)
        console.print(Text(says(order)))
    console.print(Text(says(say("Nothing found does not mean that a picture is authentic."))))
    _render_failures(saved, console)


def _triage_table(saved: SavedReport, width: int) -> Table:
    says = saved.language.says
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    path_width = max(16, (width - 28) // 2)
    name = ShownNames(path_width)
    table.add_column(says(say("File")), width=path_width, overflow="fold")
    table.add_column(says(say("Status")), overflow="fold", max_width=14)
    for heading in (say("Priority"), say("Why")):
        table.add_column(says(heading), overflow="fold")
    for file in islice(saved.by_priority(), ROWS):
        status, priority = file_badge(file), PRIORITY[file.priority]
        table.add_row(
            Text(name(file.info.path.removeprefix(saved.common_folder))),
            Text(says(status.word), look(status)),
            Text(says(priority.word), look(priority)),
            plain(says(reason(file)), limit=90),
        )
    return table


def _render_failures(saved: SavedReport, console: Console) -> None:
    says = saved.language.says
    total = saved.summary.by_status.get(FileStatus.FAILED, 0)
    if not total:
        return
    console.print(Text("\n" + says(say("Failed, or with a failed check ({count:,}):", count=total)), "bold"))
    failed = (file for file in saved.by_priority() if file.status is FileStatus.FAILED)
    for file in islice(failed, FAILURES):
        bullet(named(file.info.path), console)
        for line in failures(file):
            indent(plain(says(line), limit=300), console, 4)
    if total > FAILURES:
        indent(Text(says(say("… and {count:,} more.", count=total - FAILURES))), console)
