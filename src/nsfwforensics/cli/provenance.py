"""``provenance``: what files say about where they came from, with the settings that could be recovered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Console

from nsfwforensics.cli.app import COMMANDS
from nsfwforensics.cli.options import command
from nsfwforensics.cli.run import analyse
from nsfwforensics.core.types import FileReport
from nsfwforensics.report.console.file import plain, render
from nsfwforensics.report.saved.report import SavedReport

_SHOWN = ("model", "seed", "job_id")


def _show(saved: SavedReport, console: Console) -> None:
    render(saved, console)
    for file in saved.files():
        lines = list(_recovered(file))
        if lines:
            console.print(plain(f"Recovered from {file.info.name} (in full with --json):", "bold"))
            for line in lines:
                console.print(plain(f"  {line}", limit=400))


def _recovered(file: FileReport) -> Iterator[str]:
    """One line for each recovered value; of prompts and names only the length, as they can be upsetting or private."""
    for result in file.results:
        facts: Any = result.measurements.get("recovered", [])
        for fact in facts if isinstance(facts, list) else ():
            yield f"{fact['place']}:"
            for key, value in fact.items():
                if key in fact.get("personal_data", ()):
                    yield f"    {key.replace('_', ' ')}: {_length(value)}, not shown here"
                elif key in _SHOWN:
                    words = ", ".join(map(str, value)) if isinstance(value, list) else value
                    yield f"    {key.replace('_', ' ')}: {words}"
                elif key in ("settings", "workflow", "nodes"):
                    yield f"    {key}: {len(value)} entries"


def _length(value: Any) -> str:
    return f"{sum(map(len, value)) if isinstance(value, list) else len(str(value))} characters"


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    preset = ("provenance",)
    run = command(lambda values, options: analyse(preset, values, options, _show), preset)
    app.command("provenance", help=COMMANDS["provenance"])(run)
