"""``helplines``: whom to turn to, by country, with the month in which each entry was checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.care.helplines import HelpLine
from nsfwforensics.care.helplines import helplines as find
from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.run import reporting_errors
from nsfwforensics.report.console.file import plain


@reporting_errors
def helplines(
    country: Annotated[
        str | None, typer.Option("--country", help="Two letters such as jp, us or gb; all countries if omitted.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of the descriptions: en or ja.")] = "en",
    own: Annotated[
        Path | None, typer.Option("--helplines", help="A file of help lines to lay over the shipped ones.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """Lists help lines."""
    lines = find(country, own=own)
    if as_json:
        sys.stdout.write(json.dumps([line.model_dump(mode="json") for line in lines], indent=2) + "\n")
        return
    console = Console()
    for line in lines:
        for text in _lines(line, lang):
            console.print(text, soft_wrap=True)
        console.print()
    console.print(Text("Nothing was looked up just now: each entry says when it was checked.", "dim"))


def _lines(line: HelpLine, language: str) -> list[Text]:
    places = "anywhere" if line.everywhere else ", ".join(line.countries).upper()
    reach = [plain(where, "underline") for where in (line.url, line.phone) if where]
    return [
        plain(line.title(language), "bold") + Text(f"  ({', '.join(line.audience)}; {places})"),
        plain(line.what(language)),
        Text("  ").join(reach) + Text(f"  checked on {line.checked_on}", "dim"),
    ]


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("helplines", help=COMMANDS["helplines"])(helplines)
