"""``provenance``: what files say about where they came from."""

from __future__ import annotations

import typer

from nsfwforensics.cli.app import COMMANDS
from nsfwforensics.cli.options import command
from nsfwforensics.cli.run import analyse
from nsfwforensics.report.console import render


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    preset = ("provenance",)
    run = command(lambda values, options: analyse(preset, values, options, render), preset)
    app.command("provenance", help=COMMANDS["provenance"])(run)
