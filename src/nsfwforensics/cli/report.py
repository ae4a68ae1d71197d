"""``report``: every view again from the saved report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.options import For, Lang, Paper
from nsfwforensics.cli.run import check_pdf, language_of, reporting_errors, usual_settings, write_pdf
from nsfwforensics.errors import ReportError
from nsfwforensics.report.console.file import render
from nsfwforensics.report.saved.folder import locked
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import write_views


@reporting_errors
def report(
    folder: Annotated[Path, typer.Argument(help="The folder that -o wrote.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    lang: Lang = None,
    reader: For = None,
    as_pdf: Annotated[bool, typer.Option("--pdf", help="Make report.pdf too (extra: pdf).")] = False,
    paper: Paper = None,
    show_changed: Annotated[
        bool, typer.Option("--show-changed", help="Show a report too that was changed; write no file, and end with 1.")
    ] = False,
    unfolded: Annotated[bool, typer.Option("--no-group", help="Show every copy in a row of its own.")] = False,
    csv_mark: Annotated[
        bool, typer.Option("--csv-bom", help="Begin summary.csv with a byte order mark, as Excel asks for.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Print all of it: error rates, every finding, what could not be checked."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only make the files again.")] = False,
) -> None:
    """Makes the views again; a report that is not as it was written is refused."""
    with locked(folder if folder.is_dir() else None):
        reads = reader or usual_settings().reader
        saved = SavedReport.open(folder, language_of(lang), changed=show_changed, reader=reads)
        saved.folds, saved.csv_mark = not unfolded, csv_mark
        if saved.differences:
            if as_json:
                saved.write_json(sys.stdout)
            else:
                render(saved, Console(), verbose=verbose)
            raise ReportError(f"the report in {folder} was changed after it was written: nothing was made of it")
        if as_pdf:
            check_pdf(folder, saved.language)
        write_views(saved)
        if as_json:
            saved.write_json(sys.stdout)
        elif not quiet:
            render(saved, Console(), verbose=verbose)
        if as_pdf:
            write_pdf(saved, paper or usual_settings().paper)


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("report", help=COMMANDS["report"])(report)
