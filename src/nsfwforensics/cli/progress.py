"""How far a batch has come: files done, rate, time left, failures so far; on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console

from nsfwforensics.api import Run
from nsfwforensics.cli.failures import note
from nsfwforensics.cli.progress_lines import lines
from nsfwforensics.core.types import FileReport, Priority, Support
from nsfwforensics.execution.answers import listening
from nsfwforensics.report.console.parts import named, plain
from nsfwforensics.report.words.text import count

_MOST_SHOWN = 5


class Advance(Protocol):
    """To be called after each file."""

    def __call__(self, *, failed: bool) -> None:
        """Counts one file in."""


@contextmanager
def progress(run: Run, what: str, *, quiet: bool) -> Iterator[Advance]:
    """Shows a progress bar for more than one file; without a terminal, a plain line every half a minute.

    Args:
        run: The run; its files are counted first, which opens none of them.
        what: What is being done.
        quiet: Whether to show nothing.

    Yields:
        To be called after each file.
    """
    console = Console(stderr=True)
    hidden = quiet or (console.is_terminal and listening())  # a log and a bar would write over each other
    total = 0 if hidden else sum(1 for _ in run.targets())
    if total < 2:
        yield _silent
        return
    if not console.is_terminal:
        with lines(total) as counted:
            yield counted
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(what),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("left{task.fields[failures]}"),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task("", total=total, rate="", failures="")
        failures = 0

        def advance(*, failed: bool) -> None:
            nonlocal failures
            failures += failed
            speed = bar.tasks[0].speed
            bar.update(
                task,
                advance=1,
                rate=f"{speed:.1f} files/s" if speed else "",
                failures=f", {failures:,} failed" if failures else "",
            )

        yield advance


class FirstFindings:
    """What a first look found, told on a terminal before the rest of the work begins.

    Attributes:
        looked: At how many files it looked.
    """

    def __init__(self) -> None:
        self._files: list[FileReport] = []
        self.looked = self._more = 0

    def add(self, file: FileReport) -> None:
        """Counts one file in."""
        self.looked += 1
        if file.priority is not Priority.NONE:
            self._files.append(file)
            if len(self._files) > _MOST_SHOWN:
                ranks = [each.priority.rank for each in self._files]
                del self._files[ranks.index(max(ranks))]
                self._more += 1

    def show(self, *, quiet: bool) -> None:
        """Prints it, where standard error is a terminal."""
        console = Console(stderr=True)
        if quiet or not console.is_terminal:
            return
        signs = len(self._files) + self._more
        note(f"first look at {count(self.looked, 'file')}: {signs:,} with signs; the rest follows")
        for file in sorted(self._files, key=lambda each: each.priority.rank):
            console.print(named(file.info.path, "bold"), soft_wrap=True)
            for answer in file.answers:
                if answer.support is Support.SUPPORTS:
                    console.print(plain(f"  {answer.statement}"), soft_wrap=True)


@contextmanager
def counting(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Shows how much of something is done, where standard error is a terminal.

    Args:
        quiet: Whether to show nothing.

    Yields:
        To be told what is being done, how much of it, and of how much.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda what, done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell


def _silent(*, failed: bool) -> None:
    del failed
