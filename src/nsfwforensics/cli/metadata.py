"""``metadata``: what files say about themselves, as a table of fields and as findings."""

from __future__ import annotations

import typer
from rich.console import Console

from nsfwforensics.cli.app import COMMANDS
from nsfwforensics.cli.options import command
from nsfwforensics.cli.run import analyse
from nsfwforensics.report.console.file import render, render_fields
from nsfwforensics.report.saved.report import SavedReport


def _show(saved: SavedReport, console: Console) -> None:
    render_fields(saved, console)
    render(saved, console)


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    preset = ("metadata",)
    run = command(lambda values, options: analyse(preset, values, options, _show), preset)
    app.command("metadata", help=COMMANDS["metadata"])(run)
