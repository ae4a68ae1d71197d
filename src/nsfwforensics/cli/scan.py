"""``scan``: every analyzer, one report."""

from __future__ import annotations

import typer

from nsfwforensics.cli.app import COMMANDS
from nsfwforensics.cli.options import command
from nsfwforensics.cli.run import analyse
from nsfwforensics.report.console import render


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    run = command(lambda values, options: analyse(None, values, options, render), None)
    app.command("scan", help=COMMANDS["scan"])(run)
