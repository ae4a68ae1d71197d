"""``compare``: pictures against the original photograph that they may have been made from."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from nsfwforensics.cli.app import COMMANDS
from nsfwforensics.cli.options import command
from nsfwforensics.cli.run import analyse
from nsfwforensics.report.console.file import render

_HELP = "The original photo, or a folder of originals."


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    original = Annotated[Path, typer.Argument(help=_HELP, metavar="ORIGINAL", show_default=False)]
    run = command(
        _compare,
        ("compare",),
        leading={"original": (original, inspect.Parameter.empty)},
        fixed=("compare__original",),
    )
    app.command("compare", help=COMMANDS["compare"])(run)


def _compare(values: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
    chosen = options.setdefault("compare", {})
    chosen["original"] = (values.pop("original"),)
    analyse(("compare",), values, options, render)
