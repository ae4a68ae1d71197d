"""``faces``: the faces analyzer alone."""

from __future__ import annotations

import typer

from nsfwforensics.cli.app import COMMANDS
from nsfwforensics.cli.options import command
from nsfwforensics.cli.run import analyse
from nsfwforensics.report.console.file import render


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    preset = ("faces",)
    run = command(lambda values, options: analyse(preset, values, options, render), preset)
    app.command("faces", help=COMMANDS["faces"])(run)
