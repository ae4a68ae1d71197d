"""What every analysing command does: prepare, examine with a progress bar, write, show, choose the exit code."""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, ParamSpec, Protocol

import typer
from rich.console import Console

from nsfwforensics.api import Request, Run
from nsfwforensics.cli.alone import alone, usual_place
from nsfwforensics.cli.commands import command_line
from nsfwforensics.cli.failures import ended, note
from nsfwforensics.cli.interrupts import interrupts_held
from nsfwforensics.cli.progress import FirstFindings, progress
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import AnalyzerStatus, FileReport, FileStatus, Priority
from nsfwforensics.custody.operator_file import load_operator
from nsfwforensics.errors import ExitCode, ForensicsError, UsageError
from nsfwforensics.language import Language, language
from nsfwforensics.report.saved.earlier import refuse_another
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.words.text import count
from nsfwforensics.report.writer import ReportWriter
from nsfwforensics.settings import Settings, load_settings

P = ParamSpec("P")

_BETWEEN_COLLECTIONS = 20_000
"""So many objects more than went before Python looks for cycles while files are examined; usually 700 to 2,000."""


class Show(Protocol):
    """Prints a result for people."""

    def __call__(self, saved: SavedReport, console: Console, *, verbose: bool = False) -> None:
        """Prints it, all of it where ``verbose`` asks for that."""


def reporting_errors(call: Callable[P, None]) -> Callable[P, None]:
    """Has a command end as :func:`nsfwforensics.cli.failures.ended` says where typer would end it in its own way."""

    @functools.wraps(call)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            call(*args, **kwargs)
        except (ForensicsError, KeyboardInterrupt, OSError) as error:
            raise typer.Exit(int(ended(error))) from error

    return guarded


@reporting_errors
def analyse(
    preset: Sequence[str] | None,
    values: dict[str, Any],
    options: dict[str, dict[str, Any]],
    show: Show,
    *,
    is_data: bool = False,
) -> None:
    """Runs an analysing command from its options to its exit code.

    Args:
        preset: The analyzers of the command; None where ``--only`` and ``--skip`` choose.
        values: Values of the common options, as :data:`nsfwforensics.cli.options.COMMON` names them.
        options: Options that were set, by analyzer.
        show: Prints the result for people, when it is not wanted as JSON.
        is_data: Whether what it prints is data for programs, which ``--quiet`` does not keep back.
    """
    given = {name: values[name] for name in Settings.model_fields if values.get(name) is not None}
    if "operator" in given:
        given["operator"] = load_operator(given["operator"]).name or None
    settings = usual_settings(values["config"], given)
    if not settings.uses_ray:
        alone.refuse_connections()
    folder: Path | None = values["output"]
    request = Request(
        paths=read_paths(values["paths"]),
        only=preset or values.get("only") or None,
        skip=values.get("skip") or (),
        options=options,
        settings=settings,
        allow_plugins=values["allow_plugins"],
        exclude=folder,
        case=values.get("case"),
        quick=values.get("quick") or False,
        command=command_line(),
    )
    if settings.sensitive and settings.thumbnails:
        note("--thumbnails is not followed: with --sensitive no pictures of the files are made")
    spoken = language(settings.language)
    if values["pdf"]:
        check_pdf(folder, spoken)
    run = Run(request)
    how = {"folds": not values["unfolded"], "csv_mark": values["csv_mark"], "force": values["force"]}
    with examined(run, folder, spoken, quiet=values["quiet"], **how) as (saved, tally):
        if not values["quiet"]:
            _say_of_case(run)
        if values["as_json"]:
            saved.write_json(sys.stdout)
        elif is_data or not values["quiet"]:
            show(saved, Console(), verbose=values["verbose"])
        if folder and (values["as_json"] or values["quiet"]):
            Console(stderr=True).print("report:", str(folder), soft_wrap=True, markup=False)
        if values["pdf"]:
            write_pdf(saved, settings.paper)
    raise typer.Exit(int(tally.exit_code(values["fail_on"], interrupted=saved.header.interrupted)))


@contextmanager
def examined(
    run: Run,
    folder: Path | None = None,
    spoken: Language | None = None,
    *,
    quiet: bool,
    folds: bool = True,
    csv_mark: bool = False,
    force: bool = False,
) -> Iterator[tuple[SavedReport, ExitTally]]:
    """Examines everything, with a progress bar, and writes the report; after Ctrl-C, of what was done.

    Args:
        run: Ready to go.
        folder: Where the report goes; None keeps it until the context ends.
        spoken: What its views are written in.
        quiet: Whether to show no progress.
        folds: Whether copies are shown as one row.
        csv_mark: Whether the table begins with a byte order mark.
        force: Whether the report of another run in the folder may be written over.

    Yields:
        The report, and what the exit code depends on.
    """
    reader = run.request.settings.reader
    with ReportWriter(folder, spoken, reader=reader, folds=folds, csv_mark=csv_mark) as writer:
        head = run.header()
        if folder is not None and not force:
            refuse_another(folder, head)
        writer.begin(head)
        tally = ExitTally(_extras_nobody_named(run))
        interrupted = _examine(run, writer, tally, quiet=quiet)
        yield writer.finish(run.header(finished=True, interrupted=interrupted)), tally


def check_pdf(folder: Path | None, spoken: Language) -> None:
    """Sees to it, before any work is done, that a PDF can be made.

    Raises:
        UsageError: There is no folder to put it into.
        MissingDependencyError: What it needs is not there.
    """
    from nsfwforensics.report.pdf import making as pdf

    if folder is None:
        raise UsageError("--pdf writes report.pdf into the folder of the report: name it with -o")
    pdf.check(spoken)


def write_pdf(saved: SavedReport, paper: str) -> None:
    """Makes ``report.pdf`` and passes on what there is to say of it.

    Raises:
        ForensicsError: It could not be made; everything else of the report is there.
    """
    from nsfwforensics.report.pdf import making as pdf

    for remark in pdf.write(saved, pdf.Paper(paper)):
        note(remark)


def _say_of_case(run: Run) -> None:
    if done := run.sink.already_done:
        note(f"already done: {count(done, 'file')} stood in the case under this plan, read back from there")
    if run.sink.gone:
        note(f"{count(run.sink.gone, 'file')} of the case not found at the old place; see `case verify --files`")


def _extras_nobody_named(run: Run) -> frozenset[str]:
    """Analyzers that come with an extra and run only because everything does: that one is missing is no error."""
    optional = {name for name, analyzer in run.plan.analyzers.items() if analyzer.optional}
    return frozenset(optional - set(run.request.only or ()))


class ExitTally:
    """What the exit code depends on.

    Args:
        forgiven: Analyzers that may be unavailable.
    """

    def __init__(self, forgiven: frozenset[str] = frozenset()) -> None:
        self._forgiven = forgiven
        self.failed = False
        self.pictures = False
        self.unavailable = False
        self.worst = Priority.NONE

    def add(self, file: FileReport) -> None:
        """Counts one file in."""
        self.failed |= file.status is FileStatus.FAILED
        self.pictures |= file.status is not FileStatus.SKIPPED
        self.unavailable |= any(
            r.status is AnalyzerStatus.NOT_AVAILABLE and r.analyzer not in self._forgiven for r in file.results
        )
        self.worst = min(self.worst, file.priority, key=lambda priority: priority.rank)

    def exit_code(self, fail_on: str | None, *, interrupted: bool) -> ExitCode:
        """The most urgent thing there is to say: interrupted, ``--fail-on``, failed files, no picture, no model."""
        if interrupted:
            return ExitCode.INTERRUPTED
        if fail_on and self.worst.rank <= Priority(fail_on).rank:
            return ExitCode.FAIL_ON
        if self.failed:
            return ExitCode.SOME_FAILED
        if not self.pictures:
            return ExitCode.NO_PICTURES
        return ExitCode.MISSING if self.unavailable else ExitCode.DONE


def _examine(run: Run, writer: ReportWriter, tally: ExitTally, *, quiet: bool) -> bool:
    """Examines everything and returns whether it was interrupted; what was done is kept.

    What a library prints meanwhile goes to standard error: standard output is the report's.
    """
    shown = FirstFindings()
    try:
        with redirect_stdout(sys.stderr), rare_collections():
            with progress(run, say("first look"), quiet=quiet) as advance:
                for file in run.first():
                    with interrupts_held():
                        writer.add_first(file)
                    shown.add(file)
                    advance(failed=file.status is FileStatus.FAILED)
            if shown.looked:  # the others look in another order than that in which files are found
                writer.expect(str(target.path) for target in run.targets())
                shown.show(quiet=quiet)
            with progress(run, say("examining"), quiet=quiet) as advance:
                for file in run:
                    with interrupts_held():  # an entry that is written is counted too
                        file = writer.add(file)
                        tally.add(file)
                    advance(failed=file.status is FileStatus.FAILED)
    except KeyboardInterrupt:
        return True
    return False


@contextmanager
def rare_collections() -> Iterator[None]:
    """Has Python look for cycles seldom, and not among what is loaded: reports hold none, and each is many objects."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_BETWEEN_COLLECTIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def read_paths(paths: Sequence[Path]) -> list[Path]:
    """Replaces ``-`` by the paths on standard input, one a line, or NUL-separated where it holds a NUL.

    Raises:
        UsageError: Standard input was asked for and names nothing.
    """
    found: list[Path] = []
    for path in paths:
        if str(path) != "-":
            found.append(path)
            continue
        raw = sys.stdin.buffer.read()
        separator = b"\0" if b"\0" in raw else b"\n"
        names = [os.fsdecode(line.rstrip(b"\r")) for line in raw.split(separator) if line.strip()]
        if not names:
            raise UsageError("no paths on standard input")
        found.extend(Path(name) for name in names)
    return found


def language_of(lang: str | None) -> Language:
    """The language that ``--lang`` names, or the one of the settings.

    Raises:
        UsageError: There is no catalogue for it, or the settings cannot be read.
    """
    return language(lang or usual_settings().language)


def usual_settings(path: Path | None = None, given: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a command: those of its file, of the environment over them, and what it was given.

    Args:
        path: The file that ``--config`` names; None for the usual one, if there is one.
        given: Settings by name, as the command line has them.

    Raises:
        UsageError: They cannot be read, or there is no such setting.
    """
    usual = usual_place()
    return load_settings(path or (usual if usual.is_file() else None), given=given)
