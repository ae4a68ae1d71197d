"""``evidence attach``: a result from outside goes into a case and its custody log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.cli.evidence import show as evidence_views
from nsfwforensics.cli.failures import note
from nsfwforensics.cli.options import Quiet
from nsfwforensics.cli.recorded import record
from nsfwforensics.cli.run import reporting_errors
from nsfwforensics.core.places import keep_apart
from nsfwforensics.errors import ExitCode, UsageError
from nsfwforensics.report.console.file import plain
from nsfwforensics.report.saved.json import dumps, for_stream
from nsfwforensics.store.casedb import CaseDatabase

if TYPE_CHECKING:
    from nsfwforensics.custody.wacz import WebArchive

STAMPED = "evidence stamped"


@reporting_errors
def attach(
    case: Annotated[Path, typer.Argument(help="The case database.", show_default=False)],
    file: Annotated[
        Path,
        typer.Argument(help="What was found outside: a screenshot, JSON, a web archive (WACZ).", show_default=False),
    ],
    source: Annotated[
        str | None, typer.Option("--source", help="The web address that it comes from.", show_default=False)
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="When it was taken there, with the time zone: 2026-11-29T14:05+01:00."),
    ] = None,
    remark: Annotated[str, typer.Option("--note", help="What it is, in your words.", show_default=False)] = "",
    operator: Annotated[
        str, typer.Option("--operator", help="Who does it: a name, or a TOML file (.toml).", show_default=False)
    ] = "",
    request: Annotated[
        Path | None, typer.Option("--request", help="Write a timestamp request (.tsq), to be sent by other means.")
    ] = None,
    timestamp: Annotated[
        Path | None,
        typer.Option("--timestamp", help="Attach this RFC 3161 token to what was attached before.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was kept as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Attaches a result from outside; the file is only read, and nothing is looked up."""
    from nsfwforensics.custody import attached, timestamps
    from nsfwforensics.custody.operator_file import load_operator

    operator = load_operator(operator or None).name

    if timestamp is not None and (request is not None or source is not None or at is not None):
        raise UsageError("--timestamp is for what is attached already: name the case and the file, and nothing else")
    if timestamp is None and (source is None or at is None):
        raise UsageError("say where it comes from and when it was taken there: --source URL --at TIME")
    keep_apart([request], [file, case])
    console = Console(stderr=as_json, quiet=quiet)
    with CaseDatabase.open(case) as opened:
        if timestamp is not None:
            one = attached.find(case, file)
            stamp = attached.stamp(one, evidence_views.read_file(timestamp, timestamps.MOST_BYTES))
            record(opened, STAMPED, operator=operator, subject=one.folder.name, digests={"about": one.sha256["about"]})
            console.print(Text(f"Timestamp attached: {stamp.time}"))
            return
        where, when = attached.address(str(source)), attached.moment(str(at))
        who = operator or opened.info().operator
        one = attached.attach(case, file, source=where, at=when, operator=who, note=remark)
        record(
            opened,
            attached.KIND,
            operator=operator,
            digests=one.sha256,
            subject=f"{file.name} from {where}",
            counts={"bytes": int(one.about["size"])},
        )
    if as_json:
        value = one.about | {"place": str(one.folder), "about_sha256": one.sha256["about"]}
        sys.stdout.write(for_stream(dumps(value, indent=2), sys.stdout) + "\n")
    console.print(Text("Attached: ") + plain(one.content, "bold"), soft_wrap=True)
    console.print(Text(f"SHA-256   {one.sha256['content']}"), soft_wrap=True)
    if one.archive is not None:
        _show_archive(console, one.archive)
    if request is not None:
        evidence_views.show_request(console, (one.folder / attached.ABOUT).read_bytes(), request)
    if one.archive is not None and one.archive.problems:
        note("the web archive is kept as it is, and does not hold what it says")
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def _show_archive(console: Console, archive: WebArchive) -> None:
    console.print(Text(f"Web archive: {archive.parts:,} parts are as its list says"))
    for problem in archive.problems:
        console.print(Text("  wrong: ", "bold") + plain(problem), soft_wrap=True)
    if archive.signed_by:
        at = f", stamped {archive.stamped}" if archive.stamped else ""
        console.print(Text("  signed by ") + plain(archive.signed_by) + plain(at), soft_wrap=True)
    for remark in archive.remarks:
        console.print(Text("  ") + plain(remark), soft_wrap=True)
    for url, taken in archive.pages:
        console.print(Text("  page ") + plain(url) + plain(f"  {taken}"), soft_wrap=True)
