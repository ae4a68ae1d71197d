"""What all views on a terminal are made of: evidence as plain text, indented lines, items of a list."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nsfwforensics.report.words.text import shorten, shown_name, visible
from nsfwforensics.report.words.wording import Badge

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


def plain(text: object, style: str = "", limit: int = 1000) -> Text:
    """Evidence text for the terminal: control characters shown as escapes, never markup, cut to ``limit``."""
    text = text if isinstance(text, str) else str(text)
    return Text(shorten(visible(shorten(text, limit)), limit), style=style)


def named(path: object, style: str = "") -> Text:
    """A file's path for the terminal, such that no two different ones look alike."""
    return Text(shown_name(path), style=style)


def look(badge: Badge, other: str = "") -> str:
    """The style of an outcome on a terminal."""
    return _KINDS.get(badge.kind, other)


def indent(text: Text, console: Console, left: int = 2) -> None:
    """Prints a paragraph set in from the left."""
    console.print(Padding(text, (0, 0, 0, left), expand=False))


def bullet(text: Text, console: Console) -> None:
    """Prints an item of a list, its further lines set under the first."""
    grid = Table.grid()
    grid.add_column()
    grid.add_column(overflow="fold")
    grid.add_row(Text("  - "), text)
    console.print(grid)
