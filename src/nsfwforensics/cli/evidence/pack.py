"""``evidence pack``: what goes into a bag, from files, folders or a case."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from nsfwforensics.cli.commands import command_line
from nsfwforensics.cli.evidence import show as evidence_views
from nsfwforensics.cli.evidence.keys import PassphraseFile, opened_key
from nsfwforensics.cli.failures import note
from nsfwforensics.cli.options import Quiet
from nsfwforensics.cli.progress import counting
from nsfwforensics.cli.recorded import record
from nsfwforensics.cli.run import examined, read_paths, reporting_errors, usual_settings
from nsfwforensics.core.discover import Target, discover
from nsfwforensics.core.report_files import REPORT_NAME, is_ours
from nsfwforensics.errors import ExitCode, UsageError
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.connection import is_case

if TYPE_CHECKING:
    from nsfwforensics.custody.bag import Order, Packed
    from nsfwforensics.custody.report_copy import Source

GONE = "no longer at the place where it was examined"


@reporting_errors
def pack(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Files and folders, or one case, or one saved report; - reads paths from standard input."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The bag, a folder to be made.", show_default=False)],
    hash_only: Annotated[
        bool, typer.Option("--hash-only", help="No pixels leave their place: no copies, no pictures in the report.")
    ] = False,
    sensitive: Annotated[
        bool, typer.Option("--sensitive", help="Handle all files with care; implies --hash-only.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="The report to put in: a folder that -o wrote.", show_default=False),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Put no report in, and examine nothing.")] = False,
    operator: Annotated[
        str | None,
        typer.Option("--operator", help="Who does it: a name, or a TOML file (.toml) that says more."),
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Sign the bag with this private key.")] = None,
    passphrase_file: PassphraseFile = None,
    quiet: Quiet = False,
) -> None:
    """Packs evidence; the originals are only read."""
    from nsfwforensics.custody import bag, operator_file, report_copy

    if report is not None and no_report:
        raise UsageError("--report and --no-report exclude each other")
    places = read_paths(paths)
    bag.check_place(output, [*places, *([report] if report else [])])
    who = operator_file.load_operator(operator)
    private = opened_key(key, passphrase_file) if key is not None else None
    with ExitStack() as stack:
        order: dict[str, Any] = {
            "bag": output,
            "command": command_line(),
            "operator": who,
            "hash_only": hash_only or sensitive,
            "key": private,
        }
        case = _case(places, stack)
        if case is None and report is None and (of_report := _from_report(places)):
            order |= of_report
            report = places[0]
        elif case is None:
            order["targets"] = list(discover(places))
        else:
            order |= _from_case(case)
        if report is not None:
            order["source"] = report_copy.from_folder(report)
        elif case is not None and not no_report:
            order["source"] = report_copy.from_case(case, command=command_line(), now=time.time())
        elif not no_report:
            order["source"] = stack.enter_context(_scanned(places, who.name, sensitive=sensitive, quiet=quiet))
        packed = _run(bag.Order(**order), quiet=quiet)
        if case is not None:
            counts = evidence_views.counts(packed)
            record(
                case, "evidence packed", operator=who.name, subject=str(output), counts=counts, digests=packed.digests
            )
    if not quiet:
        evidence_views.show_packed(Console(), output, packed, reported=not no_report)
    if not packed.complete:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def _case(places: list[Path], stack: ExitStack) -> CaseDatabase | None:
    """The case, where one was named instead of files.

    Raises:
        UsageError: A case was named together with other things.
        CaseError: It cannot be read.
    """
    if not any(is_case(place) for place in places if place.is_file()):
        return None
    if len(places) > 1:
        raise UsageError("a case was named together with other files: to pack a case, name it alone")
    return stack.enter_context(CaseDatabase.open(places[0]))


def _from_case(case: CaseDatabase) -> dict[str, Any]:
    from nsfwforensics.custody.describe import CaseCopy
    from nsfwforensics.store import custody_log

    info = case.info()
    if not info.files:
        raise UsageError(f"the case {case.path} holds no files")
    targets: list[Target] = []
    known: dict[Path, str] = {}
    for file in sorted(case.files(), key=lambda one: one.raw_path):
        place = file.place
        targets += discover([place]) if os.path.lexists(place) else [Target(place, named=False, skip=GONE)]
        if file.sha256 is not None:
            known[place] = file.sha256
    log = custody_log.check(case)
    for problem in log.problems:
        note(f"custody log: {problem}")
    return {
        "targets": targets,
        "known": known,
        "case": CaseCopy(info.name, info.uuid, case.path, custody_log.lines(case)),
    }


def _from_report(places: list[Path]) -> dict[str, Any]:
    """What a saved report was made of, where its folder was named instead of files; empty otherwise.

    Raises:
        ReportError: It cannot be read, or was changed since it was written.
    """
    if len(places) != 1 or not places[0].is_dir() or not is_ours(places[0] / REPORT_NAME):
        return {}
    targets: list[Target] = []
    known: dict[Path, str] = {}
    for file in SavedReport.open(places[0]).files():
        if file.skipped:
            continue
        place = Path(file.info.path)
        targets += discover([place]) if os.path.lexists(place) else [Target(place, named=False, skip=GONE)]
        if file.info.sha256 is not None:
            known[place] = file.info.sha256
    return {"targets": targets, "known": known}


@contextmanager
def _scanned(places: list[Path], operator: str, *, sensitive: bool, quiet: bool) -> Iterator[Source]:
    """The report of a scan with the default settings, kept until the bag is made."""
    from nsfwforensics.api import Request, Run
    from nsfwforensics.custody.report_copy import from_spool

    here: dict[str, Any] = {"engine": "auto", "ray_address": None}  # a bag is made on this machine
    if operator:
        here["operator"] = operator
    if sensitive:
        here["sensitive"] = True
    run = Run(Request(paths=places, settings=usual_settings(given=here), command=command_line()))
    with examined(run, quiet=quiet) as (saved, _):
        if saved.header.interrupted:
            raise KeyboardInterrupt
        yield from_spool(saved)


def _run(order: Order, *, quiet: bool) -> Packed:
    """Packs, with a progress bar on a terminal."""
    from nsfwforensics.custody import bag

    total = len(list(order.targets))
    with counting(quiet=quiet) as told:
        done = itertools.count(1)
        return bag.pack(order, lambda found: told("packing", next(done), total))
