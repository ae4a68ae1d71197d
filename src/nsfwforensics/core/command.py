"""A command of its own for an analyzer, beside ``scan``: ``command.py`` next to its module holds it as ``COMMAND``.

The list of commands is made of these, so such a module loads nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nsfwforensics.core.types import FileReport


@dataclass(frozen=True, slots=True)
class Listing:
    """Values of one file, or of several, on a terminal.

    Attributes:
        title: Stands above.
        text: A sentence below it.
        head: Headings of the columns, or none.
        rows: Cells of text.
    """

    title: str
    text: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """How an analyzer is run by a command of its own.

    Attributes:
        name: Of the command. Analyzers that name the same command are run by it together, each where what it needs is
            given.
        help: What it does, in one line.
        argument: An option of the analyzer that is given as the first argument, before the files.
        metavar: How the help calls that argument.
        examples: Lines that can be typed, without the name of the program.
        needs: Options without which it has nothing to do, by name, each with what to ask for where no analyzer of the
            command has anything to do.
        instead: Switches that have another thing done with the files, by name, each with its help; which thing, the
            command line knows.
        listing: What is printed of each file besides the report.
        table: What is printed of all files together, after that.
        place: Where that stands: before the report, after it, or in its stead.
    """

    name: str
    help: str
    argument: str = ""
    metavar: str = ""
    examples: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    listing: Callable[[FileReport], Iterable[Listing]] | None = None
    table: Callable[[Iterable[FileReport]], Iterable[Listing]] | None = None
    place: Literal["before", "after", "instead"] = "before"
