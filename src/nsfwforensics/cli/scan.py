"""``scan``: every analyzer, one report, into a case if asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nsfwforensics.cli.commands import ALLOW_PLUGINS, COMMANDS
from nsfwforensics.cli.options import command, option
from nsfwforensics.cli.run import analyse, reporting_errors
from nsfwforensics.core.analyzer import flag, kept_in_case
from nsfwforensics.core.registry import installed
from nsfwforensics.errors import UsageError
from nsfwforensics.report.console.file import render
from nsfwforensics.settings import RUNNING

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
    if values["case"] is None:
        _refuse_what_needs_a_case(options)
    analyse(None, values, options, render)


def _refuse_what_needs_a_case(options: dict[str, dict[str, Any]]) -> None:
    for analyzer in (registration.load() for registration in installed() if registration.name in options):
        for name, value in options[analyzer.name].items():
            if value and kept_in_case(analyzer, name):
                raise UsageError(f"{flag(analyzer, name)}: its results are kept in a case: name one with --case")


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("scan", help=COMMANDS["scan"])(command(_scan, None, _EXTRA, allow_plugins=ALLOW_PLUGINS in sys.argv))
