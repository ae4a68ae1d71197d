"""``weights list`` and ``weights verify``: which models are known, and whether the files are the right ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.options import setting
from nsfwforensics.cli.run import reporting_errors
from nsfwforensics.errors import ExitCode, WeightsError
from nsfwforensics.models.weights import locate, manifest, read

_Folder = Annotated[Path | None, setting("weights")]


@reporting_errors
def show(weights: _Folder = None) -> None:
    """Lists every model in the manifest and whether its file is there."""
    table = Table("model", "version", "licence", "file", "here", box=None, pad_edge=False)
    for entry in manifest().values():
        try:
            size = f"{locate(entry.name, weights)[1].stat().st_size / 1e6:.1f} MB"
        except WeightsError:
            size = "no"
        table.add_row(*map(Text, (entry.name, entry.version, entry.license, entry.file, size)))
    console = Console()
    console.print(table)
    for entry in manifest().values():
        if not entry.shipped and entry.note:
            console.print(Text(f"{entry.name}: {entry.note}"))


@reporting_errors
def verify(weights: _Folder = None) -> None:
    """Checks the SHA-256 of every file that is there; exits with 3 if one is wrong or a shipped one is missing."""
    console = Console()
    wrong = False
    for entry in manifest().values():
        try:
            read(entry.name, weights)
        except WeightsError as error:
            wrong |= entry.shipped or "is missing" not in str(error)
            console.print(Text(f"{entry.name}: {error}"))
        else:
            console.print(Text(f"{entry.name}: as the manifest says"))
    if wrong:
        raise typer.Exit(int(ExitCode.MISSING))


def register(app: typer.Typer) -> None:
    """Adds the command group to the application."""
    group = typer.Typer(help=COMMANDS["weights"], no_args_is_help=True)
    group.command("list", help="List the models and whether their files are here.")(show)
    group.command("verify", help="Check every file against the manifest's SHA-256.")(verify)
    app.add_typer(group, name="weights")
