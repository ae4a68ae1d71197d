"""The commands that analyzers bring, such as ``faces``: one analyzer, or a few that share a command, run alone."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from nsfwforensics.cli.options import SELECTION, Parameter, command, option
from nsfwforensics.cli.run import Show, analyse, reporting_errors
from nsfwforensics.core.analyzer import BaseAnalyzer
from nsfwforensics.core.command import Command
from nsfwforensics.core.registry import commands, help_of, select
from nsfwforensics.errors import UsageError
from nsfwforensics.report.console.file import render
from nsfwforensics.report.console.values import render_listing
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.settings import RUNNING


def register(app: typer.Typer, name: str, *, allow_plugins: bool) -> None:
    """Adds a command that an analyzer brings to the application.

    Args:
        app: The application.
        name: Of the command.
        allow_plugins: Whether third parties' analyzers run.
    """
    shares = commands(allow_plugins=allow_plugins)[name]
    names, brought = tuple(shares), next(iter(shares.values()))

    @reporting_errors
    def run(values: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
        for switch in brought.instead:
            if values.pop(switch):
                import_module(f"nsfwforensics.cli.{name}_{switch}").run(values, options)
                return
        argument = values.pop("argument", None)
        if brought.argument:
            for analyzer in names:
                options.setdefault(analyzer, {})[brought.argument] = (argument,)
        missing = {
            analyzer: [ask for option, ask in share.needs.items() if not options.get(analyzer, {}).get(option)]
            for analyzer, share in shares.items()
        }
        taking_part = [analyzer for analyzer in names if not missing[analyzer]]
        if not taking_part:
            raise UsageError("; or ".join(ask for asks in missing.values() for ask in asks))
        analyse(taking_part, values, options, _show([shares[analyzer] for analyzer in taking_part]))

    chosen = select(names, allow_plugins=allow_plugins)
    leading = {"argument": _argument(brought, chosen[0].load())} if brought.argument else {}
    extra = {} if all(each.built_in for each in chosen) else {"allow_plugins": SELECTION["allow_plugins"]}
    extra |= {
        switch: option(bool, False, f"--{switch}", text=text, panel=RUNNING) for switch, text in brought.instead.items()
    }
    fixed = [f"{analyzer}__{brought.argument}" for analyzer in names]
    made = command(run, names, extra, leading=leading, fixed=fixed, allow_plugins=allow_plugins)
    app.command(name, help=help_of(shares))(made)


def _argument(brought: Command, analyzer: type[BaseAnalyzer]) -> Parameter:
    """An option of the analyzer as the first argument."""
    text = analyzer.Options.model_fields[brought.argument].description
    argument = typer.Argument(help=text, metavar=brought.metavar or None, show_default=False)
    return Annotated[Path, argument], inspect.Parameter.empty


def _show(shares: Sequence[Command]) -> Show:
    place = shares[0].place
    listings = [share.listing for share in shares if share.listing is not None]

    def show(saved: SavedReport, console: Console, *, verbose: bool = False) -> None:
        if place == "after":
            render(saved, console, verbose=verbose)
        for file in saved.files() if listings else ():
            for listing in chain.from_iterable(share(file) for share in listings):
                render_listing(listing, console, saved.language)
        for share in shares:
            for listing in share.table(saved.files()) if share.table is not None else ():
                render_listing(listing, console, saved.language)
        if place == "before":
            render(saved, console, verbose=verbose)

    return show
