"""A folder's report on a terminal: how all files ended, which of them to look at first, what failed."""

from __future__ import annotations

from itertools import islice

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nsfwforensics.core.messages import say, say_count
from nsfwforensics.core.types import FileReport, FileStatus, Priority
from nsfwforensics.report.console.parts import bullet, look, named, plain
from nsfwforensics.report.saved.report import Row, SavedReport
from nsfwforensics.report.words.text import ShownNames, size
from nsfwforensics.report.words.wording import FILE_STATUS, PRIORITY, SUPPLIED, failures, file_badge, reason

ROWS, ALL_ROWS = 8, 200
"""How many rows the table of a folder shows before it refers to the report; and under ``-v``."""
FAILURES, ALL_FAILURES = 5, 50
"""How many reasons are named why files failed; and under ``-v``."""
NARROW = 60
"""Below so many columns there is no table: each file has a line, and its reasons stand under it."""


def render_folder(saved: SavedReport, console: Console, *, verbose: bool = False) -> None:
    """Prints what there is to say of all files of a report together.

    Args:
        saved: The report.
        console: Where to.
        verbose: Whether files of no priority are listed too, and more of each kind.
    """
    if not saved.summary.files:
        return
    says = saved.language.says
    console.print(Text(says(_counts(saved))))
    most = ALL_ROWS if verbose else ROWS
    shown, left = _first_rows(saved, most, verbose=verbose)
    if shown:
        _render_rows(shown, saved, console)
    if left:
        console.print(Text(says(say("… and {count:,} more.", count=left)), "dim"))
    _render_failures(saved, console, [row.file.info.path for row in shown], ALL_FAILURES if verbose else FAILURES)
    if saved.supplied:
        _render_supplied(saved, console)


def _counts(saved: SavedReport) -> str:
    summary, says = saved.summary, saved.language.says
    statuses = [
        say("{count:,} {outcome}", count=summary.by_status[status], outcome=says(FILE_STATUS[status].word).lower())
        for status in FileStatus
        if summary.by_status.get(status)
    ]
    priorities = [
        say("{count:,} {outcome}", count=summary.by_priority[priority], outcome=says(PRIORITY[priority].word).lower())
        for priority in Priority
        if summary.by_priority.get(priority) and priority is not Priority.NONE
    ]
    files = say_count("{count:,} file", "{count:,} files", summary.files)
    told = says(say("{files}, {size}: {statuses:comma}.", files=files, size=size(summary.bytes), statuses=statuses))
    if priorities:
        told += " " + says(say("Priority (an order of work, no verdict): {priorities:comma}.", priorities=priorities))
    return told


def _first_rows(saved: SavedReport, most: int, *, verbose: bool) -> tuple[list[Row], int]:
    """The rows to look at first, and how many are left out; files of no priority only where all is to be said."""
    wanted = [group for group in saved.groups if verbose or (group.leader.rank < Priority.NONE.rank)]
    left = sum(1 + len(group.copies) for group in wanted[most:])
    return list(islice(saved.rows(), min(len(wanted), most))), left


def _render_rows(rows: list[Row], saved: SavedReport, console: Console) -> None:
    says = saved.language.says
    if saved.common_folder:
        console.print(plain(says(say("Files in {folder}", folder=saved.common_folder)), "dim"))
    if console.width < NARROW:
        name = ShownNames(max(16, console.width - 2))
        for row in rows:
            console.print(Text(_name(row, saved, name), "bold"))
            why = _cut(says(_why(row.file, saved)), 2 * console.width)
            priority = PRIORITY[row.file.priority]
            console.print(Text.assemble("  ", (says(priority.word), look(priority)), ": ", why))
        return
    path_width = max(16, (console.width - 14) // 3)
    name = ShownNames(path_width)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column(says(say("File")), width=path_width, overflow="fold")
    for heading in (say("Priority"), say("Why")):
        table.add_column(says(heading), overflow="fold")
    room = 2 * (console.width - path_width - 14) - 12  # two lines, however the words break
    for row in rows:
        priority = PRIORITY[row.file.priority]
        table.add_row(
            Text(_name(row, saved, name)),
            Text(says(priority.word), look(priority)),
            _cut(says(_why(row.file, saved)), room),
        )
    console.print(table)


def _name(row: Row, saved: SavedReport, name: ShownNames) -> str:
    shown = name(row.file.info.path.removeprefix(saved.common_folder))
    if not row.copies:
        return shown
    copies = say_count("+ {count:,} copy", "+ {count:,} copies", len(row.copies))
    return f"{shown} {saved.language.says(copies)}"


def _cut(why: str, room: int) -> Text:
    """Reasons as far as there is room, whole ones where more than the first fits."""
    whole = why[:room].rpartition("; ")[0] if len(why) > room else ""
    return plain(f"{whole}; …" if whole else why, limit=room)


def _why(file: FileReport, saved: SavedReport) -> str:
    why = reason(file, saved.originals)
    if file.supplied_as or file.status in (FileStatus.OK, FileStatus.SKIPPED):
        return why
    return say("{status}: {reason}", status=file_badge(file).word, reason=why)


def _render_failures(saved: SavedReport, console: Console, shown: list[str], most: int) -> None:
    """Why files failed, each reason once; nothing where the rows above say it all."""
    says = saved.language.says
    if not saved.summary.by_status.get(FileStatus.FAILED, 0):
        return
    by_reason: dict[str, list[str]] = {}
    for file in saved.by_priority():
        if file.status is FileStatus.FAILED:
            for line in failures(file):
                by_reason.setdefault(says(line), []).append(file.info.path)
    if all(path in shown for paths in by_reason.values() for path in paths):
        return
    console.print(Text(says(say("Failed, or with a failed check:")), "bold"))
    for line, paths in islice(by_reason.items(), most):
        first = named(paths[0].removeprefix(saved.common_folder))
        others = say_count("and {count:,} more file", "and {count:,} more files", len(paths) - 1)
        head = first + Text(f" {says(others)}" if len(paths) > 1 else "") + Text(": ")
        bullet(head + plain(line, limit=2 * console.width), console)
    if len(by_reason) > most:
        console.print(Text(says(say("… and {count:,} more.", count=len(by_reason) - most)), "dim"))


def _render_supplied(saved: SavedReport, console: Console) -> None:
    for file in islice((each for each in saved.by_priority() if each.supplied_as), ROWS):
        words = saved.language.says(SUPPLIED.get(file.supplied_as, say("Supplied to compare with")))
        console.print(Text(f"{words}: ", "dim") + named(file.info.path.removeprefix(saved.common_folder), "dim"))
