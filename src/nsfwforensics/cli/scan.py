"""``scan``: every analyzer, one report, into a case if asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nsfwforensics.cli.app import COMMANDS
from nsfwforensics.cli.options import RUNNING, command, option
from nsfwforensics.cli.run import analyse, reporting_errors
from nsfwforensics.errors import UsageError
from nsfwforensics.report.console.file import render

_PATHS_HELP = "Files and folders; - reads paths from standard input. With --case, all files of the case if omitted."

_EXTRA = {
    "paths": (Annotated[list[Path] | None, typer.Argument(help=_PATHS_HELP, show_default=False)], None),
    "case": option(
        Path | None,
        None,
        "--case",
        text="Keep results in this case database, made if missing; what it has already is not examined again.",
        panel=RUNNING,
    ),
}


@reporting_errors
def _scan(values: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
    values["paths"] = values["paths"] or []
    if not values["paths"] and values["case"] is None:
        raise UsageError("no files or folders were named")
    if values["case"] is None and options.get("phash", {}).get("signatures"):
        raise UsageError("--signatures are kept in a case: name one with --case")
    analyse(None, values, options, render)


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("scan", help=COMMANDS["scan"])(command(_scan, None, _EXTRA))
