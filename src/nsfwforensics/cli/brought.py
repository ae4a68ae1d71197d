"""The commands that analyzers bring, such as ``faces``: one analyzer, or a few that share a command, run alone."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from nsfwforensics.cli.options import SELECTION, Parameter, command
from nsfwforensics.cli.run import Show, analyse, reporting_errors
from nsfwforensics.core.analyzer import BaseAnalyzer
from nsfwforensics.core.command import Command
from nsfwforensics.core.registry import commands, select
from nsfwforensics.errors import UsageError
from nsfwforensics.report.console.file import render
from nsfwforensics.report.console.values import render_listing
from nsfwforensics.report.saved.report import SavedReport


def register(app: typer.Typer, name: str, *, allow_plugins: bool) -> None:
    """Adds a command that an analyzer brings to the application.

    Args:
        app: The application.
        name: Of the command.
        allow_plugins: Whether third parties' analyzers run.
    """
    brought, names = commands(allow_plugins=allow_plugins)[name]

    @reporting_errors
    def run(values: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
        argument = values.pop("argument", None)
        for analyzer in names:
            if brought.argument:
                options.setdefault(analyzer, {})[brought.argument] = (argument,)
            for option, complaint in brought.needs.items():
                if not options.get(analyzer, {}).get(option):
                    raise UsageError(complaint)
        analyse(names, values, options, _show(brought))

    chosen = select(names, allow_plugins=allow_plugins)
    leading = {"argument": _argument(brought, chosen[0].load())} if brought.argument else {}
    extra = {} if all(each.built_in for each in chosen) else {"allow_plugins": SELECTION["allow_plugins"]}
    fixed = [f"{analyzer}__{brought.argument}" for analyzer in names]
    made = command(run, names, extra, leading=leading, fixed=fixed, allow_plugins=allow_plugins)
    app.command(name, help=brought.help)(made)


def _argument(brought: Command, analyzer: type[BaseAnalyzer]) -> Parameter:
    """An option of the analyzer as the first argument."""
    text = analyzer.Options.model_fields[brought.argument].description
    argument = typer.Argument(help=text, metavar=brought.metavar or None, show_default=False)
    return Annotated[Path, argument], inspect.Parameter.empty


def _show(brought: Command) -> Show:
    def show(saved: SavedReport, console: Console, *, verbose: bool = False) -> None:
        if brought.place == "after":
            render(saved, console, verbose=verbose)
        if brought.listing is not None:
            for file in saved.files():
                for listing in brought.listing(file):
                    render_listing(listing, console, saved.language)
        if brought.place == "before":
            render(saved, console, verbose=verbose)

    return show
