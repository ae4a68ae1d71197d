"""``case``: files, results and decisions of an investigation in one database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.cli.case import show as case_views
from nsfwforensics.cli.case.show import Case, FileOrDigest, find
from nsfwforensics.cli.commands import COMMANDS, command_line
from nsfwforensics.cli.failures import complain, note
from nsfwforensics.cli.options import Quiet
from nsfwforensics.cli.recorded import record
from nsfwforensics.cli.run import read_paths, reporting_errors
from nsfwforensics.core.discover import discover
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.places import keep_apart
from nsfwforensics.custody.operator_file import load_operator
from nsfwforensics.errors import ExitCode, NothingFoundError, UsageError
from nsfwforensics.report.console.parts import named, plain
from nsfwforensics.report.words.text import count
from nsfwforensics.store import custody_log, marks
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.custody_log import DECISIONS, RESULTS, Happening
from nsfwforensics.store.deciding import decide
from nsfwforensics.store.originals import OriginalState, check
from nsfwforensics.store.reviewing import DECIDED
from nsfwforensics.store.rows import Decision, NewMark, Stat
from nsfwforensics.store.scanning import belongs_to_case

_MOST_SHOWN = 100
_CODE = re.compile(r"[A-Z][A-Z0-9]{1,9}-[0-9]{3}")


@reporting_errors
def init(
    case: Case,
    name: Annotated[
        str | None, typer.Option("--name", help="What the case is called; its file name if omitted.")
    ] = None,
    operator: Annotated[
        str | None, typer.Option("--operator", help="Who does it: a name, or a TOML file (.toml).")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Makes an empty case; nothing is ever written over."""
    with CaseDatabase.create(case, name=name, operator=load_operator(operator).name or None) as made:
        record(made, "case made", subject=made.info().name, changed=(RESULTS, DECISIONS))
        told = Text("Case ") + plain(made.info().name, "bold") + Text(" made: ") + plain(case)
        Console(quiet=quiet).print(told, soft_wrap=True)


@reporting_errors
def add(
    case: Case,
    paths: Annotated[list[Path], typer.Argument(help="Files and folders; - reads paths from standard input.")],
    follow_symlinks: Annotated[bool, typer.Option("--follow-symlinks", help="Follow symbolic links.")] = False,
    quiet: Quiet = False,
) -> None:
    """Registers files with their SHA-256 and does not examine them."""
    new = known = unread = 0
    places = read_paths(paths)
    keep_apart([case], places)
    with CaseDatabase.open(case) as opened:
        for target in discover(places, follow_symlinks=follow_symlinks):
            if belongs_to_case(target.path, case):
                continue
            reason = target.skip
            stat = Stat.of(target.path) if reason is None else None
            try:
                sha256 = file_sha256(target.path, follow=target.follow) if reason is None else None
            except OSError as error:
                sha256, reason = None, f"cannot be read: {error.strerror}"
            if sha256 is None or stat is None:
                note(f"{target.path}: not registered: {reason or 'cannot be reached'}")
                unread += 1
            elif opened.register(target.path, sha256, stat):
                new += 1
            else:
                known += 1
        if not new and not known and not unread:
            raise NothingFoundError("no file was found")
        counts = {"registered": new, "in the case already": known, "not registered": unread}
        record(opened, "files registered", subject=" ".join(map(str, paths)), counts=counts, changed=(RESULTS,))
    said = f"{count(new, 'file')} registered, {known:,} in the case already, {unread:,} not registered."
    Console(quiet=quiet).print(Text(said))
    if unread:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


@reporting_errors
def mark(
    case: Case,
    file: FileOrDigest,
    decision: Annotated[
        Decision | None, typer.Option("--decision", help="What you decided.", show_default=False)
    ] = None,
    text: Annotated[str, typer.Option("--note", help="Why.")] = "",
    by: Annotated[
        str | None,
        typer.Option(
            "--operator", "--by", help="Who does it: a name, or a TOML file (.toml); the case's operator if omitted."
        ),
    ] = None,
    dismiss: Annotated[
        list[str] | None, typer.Option("--dismiss", help="Set this finding aside for this content; may be repeated.")
    ] = None,
    restore: Annotated[
        list[str] | None, typer.Option("--restore", help="Let a finding count again that was set aside.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Records a decision about a file, kept with its SHA-256 for later scans and other places."""
    by = load_operator(by).name or None
    codes = [code.strip().upper() for code in dismiss or ()]
    again = [code.strip().upper() for code in restore or ()]
    for code in (*codes, *again):
        if not _CODE.fullmatch(code) or code == marks.MARKED:
            raise UsageError(f"{code!r} is no code of a finding that can be set aside; a report names them")
    if decision is None and not codes and not again:
        raise UsageError("say what is decided: --decision, --dismiss or --restore")
    with CaseDatabase.open(case) as opened:
        found = find(opened, file)
        digests = {one.sha256 for one in found}
        sha256 = next(iter(digests))
        if len(digests) > 1:
            raise UsageError(f"{file} fits {len(found)} files of different contents; give the SHA-256 or a longer path")
        if sha256 is None:
            raise UsageError(
                f"{file} could not be read when it was examined: there is no SHA-256 to keep a decision with"
            )
        if decision is Decision.FALSE_POSITIVE and not codes:
            reports = [opened.report(one) for one in found]
            codes = list(dict.fromkeys(code for report in reports for code in marks.alarms(report)))
        given = NewMark(sha256, decision, text, by or opened.info().operator, tuple(codes), tuple(again))
        said = [decision.value] if decision else []
        said += [f"{code} set aside" for code in codes] + [f"{code} counts again" for code in again]
        subject = f"{sha256}: {', '.join(said)}"
        decide(opened, [given], Happening(DECIDED, command_line(), by or "", subject=subject))
        console = Console(quiet=quiet)
        for one in find(opened, sha256):
            words = f": {decision.value}" if decision else ""
            console.print(named(one.path, "bold") + Text(f"{words}; priority now {one.priority.value}"), soft_wrap=True)
        if codes:
            console.print(Text(f"Set aside for this content, now and in later scans: {', '.join(codes)}"))


@reporting_errors
def verify(
    case: Case,
    files: Annotated[bool, typer.Option("--files", help="Also hash the original files again.")] = False,
    quiet: Quiet = False,
) -> None:
    """Checks the database, what it says and its custody log; with --files also whether the originals are unchanged."""
    from nsfwforensics.custody import attached

    console = Console(quiet=quiet)
    with CaseDatabase.open(case) as opened:
        damage = opened.problems()
        log = None if damage else attached.checked(custody_log.check(opened), case)  # what is damaged tells nothing
        problems = [*damage, *(() if log is None else (*opened.disagreements(), *log.problems))]
        for problem in problems[:_MOST_SHOWN]:
            complain(problem)
        if len(problems) > _MOST_SHOWN:
            complain(f"and {len(problems) - _MOST_SHOWN:,} more")
        if log is not None:
            case_views.show_checked(console, log, opened.info().files, sound=not problems, files_too=files)
        tally = dict.fromkeys(OriginalState, 0)
        for file in opened.files() if files else ():
            result = check(file)
            tally[result] += 1
            if result in (OriginalState.CHANGED, OriginalState.MISSING, OriginalState.UNREADABLE):
                console.print(Text(f"{result.value}: ", "bold") + named(file.path), soft_wrap=True)
        counts = {f"originals {kind.value}": number for kind, number in tally.items()} if files else {}
        if not damage:  # nothing is written to a damaged database
            record(opened, "case verified", counts={"problems": len(problems), **counts})
    if files:
        console.print(
            Text("Originals: " + ", ".join(f"{number:,} {kind.value}" for kind, number in tally.items()) + ".")
        )
    if problems:
        raise typer.Exit(int(ExitCode.ERROR))
    if tally[OriginalState.CHANGED] + tally[OriginalState.MISSING] + tally[OriginalState.UNREADABLE]:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


@reporting_errors
def like(
    case: Case,
    picture: Annotated[Path, typer.Argument(help="The picture whose scene to look for.", show_default=False)],
    limit: Annotated[int, typer.Option("--limit", help="Most files listed.", min=1)] = 50,
) -> None:
    """Ranks the files by how much they look like a picture, without opening any of them."""
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.scene import METHOD, embeddings, scene_figures, similar, view

    with CaseDatabase.open(case) as opened:
        seen = view(Evidence.open(picture, follow=True))
        if isinstance(seen, str):
            raise UsageError(f"{picture} cannot be looked for: {seen}")
        found = dict(similar(embeddings([seen])[0], opened.signatures(METHOD)))
        if not found:
            raise UsageError(f"{case} keeps no embeddings; scan with --case and --embeddings")
        files = [file for file in opened.files() if file.sha256 in found]
    case_views.show_alike(Console(), files, found, scene_figures().alike_from, limit)


def register(app: typer.Typer) -> None:
    """Adds the command group to the application."""
    group = typer.Typer(help=COMMANDS["case"], no_args_is_help=True)
    for name, text, call in (
        ("like", "Rank the files by how much they look like a picture, by what scans kept with --embeddings.", like),
        ("init", "Make an empty case.", init),
        ("add", "Register files with their SHA-256, without examining them.", add),
        ("list", "List the files, most pressing ones first.", case_views.show_list),
        ("show", "Show all that the case knows of a file.", case_views.show_file),
        ("mark", "Record a decision about a file, or set a finding aside.", mark),
        ("export", "Write the case as a report, a table or lines of JSON.", case_views.export),
        ("verify", "Check the database, its custody log, and the original files.", verify),
    ):
        group.command(name, help=text)(call)
    app.add_typer(group, name="case")
