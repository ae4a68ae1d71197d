"""``search``: pictures looked up in lists of known images, every match a line."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from nsfwforensics.cli.app import COMMANDS
from nsfwforensics.cli.options import command
from nsfwforensics.cli.run import analyse, reporting_errors
from nsfwforensics.core.types import AnalyzerResult, FileReport, Question
from nsfwforensics.errors import UsageError
from nsfwforensics.report.console.file import plain
from nsfwforensics.report.saved.report import SavedReport

_ANALYZER = "known"
_PART = "part"  # the kind of match where local features agree


@reporting_errors
def _run(values: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
    if not options.get(_ANALYZER, {}).get("known"):
        raise UsageError("name a list of known images or an index to search in: --known LIST")
    analyse((_ANALYZER,), values, options, _show)


def _show(saved: SavedReport, console: Console) -> None:
    for file in saved.files():
        console.print(plain(file.info.path, "bold"), soft_wrap=True)
        answer = next((one for one in file.answers if one.question is Question.KNOWN), None)
        console.print(plain(answer.statement if answer else file.error or "not examined"), soft_wrap=True)
        table = _matches(file)
        if table.row_count:
            console.print(table)


def _matches(file: FileReport) -> Table:
    table = Table("match", "distance", "picture", "opinion", "list", "name", "cases", box=None, padding=(0, 2, 0, 0))
    for result in file.results:
        for entry in _entries(result):
            kind = str(entry.get("hash_kind", ""))
            cells = (
                kind if kind == _PART else kind.upper(),
                f"{entry.get('matching_points')} points" if kind == _PART else entry.get("distance", ""),
                _shown(entry) if kind == _PART else entry.get("transform", ""),
                entry.get("opinion") or "none",
                entry.get("list", ""),
                entry.get("name", ""),
                ", ".join(entry.get("cases", {})),
            )
            table.add_row(*(plain(str(cell)) for cell in cells))
    return table


def _shown(entry: dict[str, Any]) -> str:
    """How much of the known picture is seen, and how."""
    share = entry.get("share_of_known_shown")
    shown = f"{share:.0%} of it" if isinstance(share, float | int) else ""
    return f"{shown}, mirrored" if entry.get("mirrored") else shown


def _entries(result: AnalyzerResult) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for finding in result.findings:
        matches: Any = finding.data.get("matches")
        found += [entry for entry in matches or () if isinstance(entry, dict)]
    return found


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("search", help=COMMANDS["search"])(command(_run, (_ANALYZER,)))
