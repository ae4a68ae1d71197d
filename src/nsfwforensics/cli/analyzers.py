"""``analyzers``: what is installed, what it can find, where it comes from."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.run import reporting_errors
from nsfwforensics.core.registry import listed
from nsfwforensics.report.console.parts import plain


@reporting_errors
def analyzers(
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Lists the analyzers. A third party's are named, and not loaded: that would run their code."""
    rows = [_describe(registration) for registration in listed()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    console = Console()
    for row in rows:
        console.print(plain(f"{row['name']} {row.get('version', '')}", "bold"), plain(f"({row['origin']})"))
        if "question" in row:
            console.print(Text(f"  {row['title']}\n  answers: {row['question']}"))
        else:
            console.print(Text("  not loaded; runs only with --allow-plugins"))
        for code, entry in row.get("codes", {}).items():
            console.print(Text(f"  {code}  {entry['severity']:<6}  {entry['title']}"))
        console.print()


def _describe(registration: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"name": registration.name, "origin": registration.origin}
    if registration.built_in:
        loaded = registration.load()
        row |= {
            "version": loaded.version,
            "title": loaded.title,
            "question": loaded.question.value,
            "codes": {
                code: {"title": entry.title, "severity": entry.severity.value, "caveat": entry.caveat}
                for code, entry in loaded.codes.items()
            },
        }
    return row


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("analyzers", help=COMMANDS["analyzers"])(analyzers)
