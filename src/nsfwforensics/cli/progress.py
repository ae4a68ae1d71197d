"""How far a batch has come: files done, rate, time left, failures so far; on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console

from nsfwforensics.api import Run
from nsfwforensics.cli.progress_lines import lines
from nsfwforensics.execution.answers import listening


class Advance(Protocol):
    """To be called after each file."""

    def __call__(self, *, failed: bool) -> None:
        """Counts one file in."""


@contextmanager
def progress(run: Run, *, quiet: bool) -> Iterator[Advance]:
    """Shows a progress bar for more than one file; without a terminal, a plain line every half a minute.

    Args:
        run: The run; its files are counted first, which opens none of them.
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
        with lines(total) as plain:
            yield plain
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("examining"),
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


def _silent(*, failed: bool) -> None:
    del failed
