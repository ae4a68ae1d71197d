"""``model``: measure a detector on pictures of one's own, show a model's card."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from nsfwforensics.cli.commands import COMMANDS, command_line
from nsfwforensics.cli.options import setting
from nsfwforensics.cli.progress import counting
from nsfwforensics.cli.run import reporting_errors
from nsfwforensics.core.places import keep_apart
from nsfwforensics.errors import ExitCode
from nsfwforensics.report.console.file import plain
from nsfwforensics.report.saved.json import for_stream

if TYPE_CHECKING:
    from nsfwforensics.evaluation.figures import StateFigures
    from nsfwforensics.models.own.files import DetectorFiles
    from nsfwforensics.report.documents.evaluation import Evaluation

_Detector = Annotated[
    Path | None,
    typer.Option("--detector", help="A model of your own: its card (TOML) or its folder. Omitted: the built-in one."),
]
_Weights = Annotated[Path | None, setting("weights")]


@reporting_errors
def evaluate(
    real: Annotated[Path, typer.Option("--real", help="Folder of photographs; sub-folders are sources.")],
    fake: Annotated[Path, typer.Option("--fake", help="Folder of generated pictures; sub-folders are sources.")],
    detector: _Detector = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write evaluation.html, .json and .csv into this folder.")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Look at no more than so many pictures of each folder.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Worker processes.")] = 1,
    weights: _Weights = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no summary.")] = False,
) -> None:
    """Measures a detector on two folders: as the files are, and after two common ways of sharing them."""
    from nsfwforensics.cli.model.run import evaluated, save_rates
    from nsfwforensics.report.documents import evaluation
    from nsfwforensics.report.saved.folder import locked

    keep_apart([output], [real, fake])
    with locked(output), counting(quiet=quiet) as progress:
        found, files = evaluated(
            real,
            fake,
            detector,
            weights,
            most=most,
            jobs=jobs,
            command=command_line(),
            progress=partial(progress, "judging"),
        )
        if output is not None:
            evaluation.write(found, output)
            if files is not None:
                save_rates(found, files, output)
    if as_json:
        sys.stdout.write(for_stream(evaluation.as_json(found), sys.stdout))
    elif not quiet:
        _show(found, Console(), output, files)
    failed = bool(found.figures.problems)
    raise typer.Exit(int(ExitCode.SOME_FAILED if failed else ExitCode.DONE))


def _show(found: Evaluation, console: Console, out: Path | None, files: DetectorFiles | None) -> None:
    from nsfwforensics.evaluation.states import TIERS
    from nsfwforensics.report.documents.evaluation import STANDING, error_words, estimate, rate, warnings

    states = found.figures.states
    console.print(plain(f"{found.detector['name']}, version {found.detector['version']}", "bold"))
    for warning in warnings(found):
        console.print(plain(warning, "bold"))
    table = Table("", *TIERS.values(), box=None, pad_edge=False)
    rows: dict[str, Callable[[StateFigures], str]] = {
        "AUC": lambda state: estimate(state.auc),
        "found at 1 % false positives": lambda state: estimate(state.tpr_at_1),
        "found at 5 % false positives": lambda state: estimate(state.tpr_at_5),
        "photographs called generated": lambda state: rate(state.real_called),
        "generated called generated": lambda state: rate(state.generated_called),
        "photographs inconclusive": lambda state: rate(state.real_inconclusive),
        "generated inconclusive": lambda state: rate(state.generated_inconclusive),
        "calibration error": lambda state: error_words(state.calibration_error),
    }
    for name, cell in rows.items():
        table.add_row(name, *(plain(cell(states[tier])) for tier in TIERS))
    console.print(table)
    sources = Table("source", "class", "pictures", "AUC as the files are", "called generated", box=None, pad_edge=False)
    for kind, part in (("real", states["as_is"].real_sources), ("generated", states["as_is"].generated_sources)):
        for source, row in part.items():
            sources.add_row(plain(source), kind, str(row.pictures), estimate(row.auc), plain(rate(row.called)))
    console.print(sources)
    console.print(plain(STANDING, "dim"))
    for path, reason in found.figures.problems[:20]:
        console.print(plain(f"not judged: {path}: {reason}"), soft_wrap=True)
    if files is not None and found.threshold is None:
        console.print(plain("Its card states no threshold (generated_from), so reports only show its score."))
    if out is not None:
        console.print(plain(f"written: {out}"), soft_wrap=True)


@reporting_errors
def card(detector: _Detector = None, weights: _Weights = None) -> None:
    """Prints a model's card: data and licences, splits, figures with intervals, known failures."""
    if detector is None:
        from nsfwforensics.models.weights import locate, weights_folder

        entry, found = locate("synthesis", weights)
        folder = found.parent if (found.parent / entry.card).is_file() else weights_folder()
        text = (folder / entry.card).read_text("utf-8")
    else:
        from nsfwforensics.cli.model.run import card_text
        from nsfwforensics.models.own.files import find_detector

        text = card_text(find_detector(detector))
    console = Console()
    for line in text.splitlines():
        console.print(plain(line), soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Adds the command group to the application."""
    group = typer.Typer(help=COMMANDS["model"], no_args_is_help=True)
    group.command("evaluate", help="Measure a detector on two folders of your own.")(evaluate)
    group.command("card", help="Print a model's card.")(card)
    app.add_typer(group, name="model")
