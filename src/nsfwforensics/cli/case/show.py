"""``case list``, ``case show`` and ``case export``: what a case holds, for people and for programs."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple, TextIO

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nsfwforensics.cli.commands import command_line
from nsfwforensics.cli.options import Lang, Quiet
from nsfwforensics.cli.recorded import record
from nsfwforensics.cli.run import language_of, reporting_errors
from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.core.hashes import QUALITY
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.private import make_folder
from nsfwforensics.core.types import Capability, FileStatus, Priority
from nsfwforensics.errors import ReportError, UsageError
from nsfwforensics.report.console.file import plain, render_file
from nsfwforensics.report.console.folder import NARROW
from nsfwforensics.report.console.parts import named
from nsfwforensics.report.documents import case as case_report
from nsfwforensics.report.saved.earlier import refuse_any
from nsfwforensics.report.saved.folder import replace_file
from nsfwforensics.report.saved.groups import Likeness, groups, looks_of
from nsfwforensics.report.saved.json import dumps, for_stream
from nsfwforensics.report.words.text import ShownNames, count
from nsfwforensics.report.words.wording import PRIORITY, file_badge, reason
from nsfwforensics.report.writer import ReportWriter
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.custody_log import LogCheck
from nsfwforensics.store.rows import STATUSES, CaseFile, Decision

Case = Annotated[Path, typer.Argument(help="The case database.", show_default=False)]
FileOrDigest = Annotated[
    str, typer.Argument(help="A path, the end of one, or a SHA-256 or its start.", show_default=False)
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON array, one object for each file.")]

Status = StrEnum("Status", {status: status for status in STATUSES})  # type: ignore[misc]


class ExportFormat(StrEnum):
    """What ``case export`` writes."""

    REPORT = "report"
    CSV = "csv"
    JSONL = "jsonl"


def find(case: CaseDatabase, wanted: str) -> list[CaseFile]:
    """The files that a person means; one that was moved is found by its bytes.

    Raises:
        UsageError: The case holds none.
    """
    found = case.find(wanted)
    if not found and os.path.isfile(wanted):  # noqa: PTH113 - Path("") would be the current folder
        try:
            found = case.find(file_sha256(Path(wanted)))
        except OSError:
            found = []
    if not found:
        raise UsageError(f"the case holds no file {wanted}")
    return found


@reporting_errors
def show_list(
    case: Case,
    as_json: _AsJson = False,
    priority: Annotated[list[Priority] | None, typer.Option("--priority", help="Only these; may be repeated.")] = None,
    status: Annotated[list[Status] | None, typer.Option("--status", help="Only these; may be repeated.")] = None,
    decision: Annotated[list[Decision] | None, typer.Option("--decision", help="Only these; may be repeated.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="Most rows of the table; 0 for all.", min=0)] = 200,
    unfolded: Annotated[bool, typer.Option("--no-group", help="Show every copy in a row of its own.")] = False,
) -> None:
    """Lists the files."""
    with CaseDatabase.open(case) as opened:
        files = opened.files(
            statuses=[one.value for one in status or ()], priorities=priority or (), decisions=decision or ()
        )
        if as_json:
            for piece in case_report.json_array(case_report.entry(file) for file in files):
                sys.stdout.write(for_stream(piece, sys.stdout))
            return
        console = Console()
        info = opened.info()
        about = f": {count(info.files, 'file')}, {count(info.contents, 'content')}, {count(info.runs, 'scan')}"
        console.print(Text("Case ") + plain(info.name, "bold") + Text(about))
        rows = _rows(opened, list(files), fold=not unfolded)
        shown = rows[: limit or None]
        if shown:
            _print_rows(shown, opened, console)
        elif info.files:
            console.print(Text("No file is of these kinds."))
        if len(rows) > len(shown):
            console.print(Text(f"Only the first {limit:,} are shown; --limit 0 shows all, --json prints all.", "dim"))


class _Row(NamedTuple):
    """A file, and how many copies of it are folded into its row."""

    file: CaseFile
    copies: int


def _rows(case: CaseDatabase, files: list[CaseFile], *, fold: bool) -> list[_Row]:
    """The rows of the list: copies, and pictures that look the same and in which the same was found, are one."""
    if not fold:
        return [_Row(file, 0) for file in files]
    looks = {each.sha256: looks_of({**each.values, QUALITY: each.pdq_quality}) for each in case.hashes()}
    leads = groups(
        [
            Likeness(
                bytes.fromhex(file.sha256 or ""),
                looks.get(file.sha256 or "", b"") if file.status == "ok" else b"",
                (file.priority, file.mark.decision if file.mark else None, file.findings),
            )
            for file in files
        ]
    )
    copies = Counter(leads)
    return [_Row(file, copies[place] - 1) for place, file in enumerate(files) if leads[place] == place]


_PENDING = "Not examined yet"


def _print_rows(rows: list[_Row], case: CaseDatabase, console: Console) -> None:
    folder = ""
    with suppress(ValueError):  # files on several drives have no folder in common
        folder = os.path.commonpath([row.file.place.parent for row in rows])
    originals = _originals(case)
    narrow = console.width < NARROW
    path_width = max(16, console.width - 2 if narrow else (console.width - 28) // 2)
    name = ShownNames(path_width)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("File", width=path_width, overflow="fold")
    for heading in ("Priority", "Decision", "Why"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        file = row.file
        copies = f" + {count(row.copies, 'copy', 'copies')}" if row.copies else ""
        shown = name(file.path.removeprefix(f"{folder}{os.sep}")) + copies
        decision = file.mark.decision.value.replace("-", " ").capitalize() if file.mark else ""
        priority = PRIORITY[file.priority].word if file.examined else ""
        why = plain(_why(case, file, originals), limit=3 * console.width)
        if narrow:
            console.print(Text(shown, "bold"))
            said = [Text(each) for each in (priority, decision) if each] + [why]
            console.print(Text("  ") + Text(", ").join(said))
        else:
            table.add_row(Text(shown), Text(priority), Text(decision), why)
    if not narrow:
        console.print(table)


def _originals(case: CaseDatabase) -> frozenset[str]:
    """The names of the analyzers that compare with originals."""
    return frozenset(name for head in case.headers() for name in head.providing(Capability.ORIGINALS))


def _why(case: CaseDatabase, file: CaseFile, originals: frozenset[str]) -> str:
    """Why a file stands where it stands, in words."""
    if not file.examined:
        return _PENDING
    report = case_report.report_of(case, file)
    badge = file_badge(report)
    found = reason(report, originals)
    return found if report.status in (FileStatus.OK, FileStatus.SKIPPED) else f"{badge.word}: {found}"


def show_alike(
    console: Console, files: Iterable[CaseFile], alike: Mapping[str, float], alike_from: float, limit: int
) -> None:
    """Lists files by how alike they look to what was looked for.

    Args:
        console: Where to.
        files: Each with a SHA-256 that was compared.
        alike: Similarity by SHA-256.
        alike_from: Least that is called the same scene.
        limit: Most files.
    """
    ranked = sorted(files, key=lambda file: -alike[file.sha256 or ""])
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for heading in ("Similarity", "Same scene (likely)", "File"):
        table.add_column(heading, overflow="fold")
    for file in ranked[:limit]:
        similarity = alike[file.sha256 or ""]
        table.add_row(Text(f"{similarity:.2f}"), Text("yes" if similarity >= alike_from else ""), named(file.path))
    console.print(table)
    if len(ranked) > limit:
        console.print(Text(f"Only the first {limit:,} of {len(ranked):,} are shown.", "dim"))
    console.print(Text("A lead for people to compare: no proof, and not about who is shown.", "dim"))


@reporting_errors
def show_file(
    case: Case,
    file: FileOrDigest,
    as_json: _AsJson = False,
    lang: Lang = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Print all of it: error rates, every finding, what could not be checked."),
    ] = False,
) -> None:
    """Shows a file, or all files with that content."""
    with CaseDatabase.open(case) as opened:
        found = find(opened, file)
        if as_json:
            for piece in case_report.json_array(case_report.full_entry(opened, one) for one in found):
                sys.stdout.write(for_stream(piece, sys.stdout))
            return
        console, spoken = Console(), language_of(lang)
        for one in found:
            report = case_report.report_of(opened, one)
            render_file(report, console, spoken, originals=_originals(opened), verbose=verbose)
            console.print()
            console.print(Text(f"In the case since {one.added}; status {one.status}, priority {one.priority.value}."))
            for past in opened.examinations(one):
                changed = ", before the file changed" if past.superseded else ""
                console.print(Text(f"Examined {past.finished} by scan {past.run}: {past.status}{changed}."))
            for entry in opened.history(one.sha256) if one.sha256 else ():
                line = Text(f"Marked {entry.at} as ") + Text(entry.decision.value, "bold") + Text(" by ")
                console.print(line + plain(entry.by) + Text(": " if entry.note else "") + plain(entry.note))
            if one.dismissed:
                console.print(Text(f"Set aside for this content: {', '.join(one.dismissed)}"))


def show_checked(console: Console, log: LogCheck, files: int, *, sound: bool, files_too: bool) -> None:
    """Says what ``case verify`` looked at, and what nobody can see in a case alone.

    Args:
        console: Where to.
        log: What the check of the custody log found.
        files: How many files are in the case.
        sound: Whether nothing at all was found wrong.
        files_too: Whether the original files are hashed again.
    """
    if sound:
        console.print(Text("The case is sound.", "bold"))
    for remark in log.remarks:
        console.print(Text("Remark: ") + plain(remark), soft_wrap=True)
    console.print(
        Text(
            "Checked: the structure of the database and the references in it; that it holds no table, index, trigger "
            f"or view but this tool's; what lists show of {count(files, 'file')} against the documents of their "
            "results; the custody log in the database and beside it "
            f"({count(len(log.chain.entries), 'entry', 'entries')}), and whether results and decisions are those that "
            "its last entries name."
        )
    )
    console.print(
        Text(
            "Not covered: whoever can write to the case and to the log beside it can write all of both anew. The "
            "digest of the log's last entry shows that later, where it was written down in another place:"
        )
    )
    console.print(Text(f"  {log.chain.digests.get(log.chain.last, 'the log is empty')}"), soft_wrap=True)
    if not files_too:
        console.print(Text("The original files were not looked at; --files hashes them again."))


@reporting_errors
def export(
    case: Case,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write into.", show_default=False)],
    kind: Annotated[ExportFormat, typer.Option("--format", "-f", help="What to write.")] = ExportFormat.REPORT,
    thumbnails: Annotated[
        bool,
        typer.Option(
            "--thumbnails",
            help="With the pictures that --thumbnails, --maps or --score-map kept, and what was attached.",
        ),
    ] = False,
    lang: Lang = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over what an earlier export or scan wrote into that folder.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Writes the case with its decisions, and what is said of results from outside."""
    from nsfwforensics.custody import attached

    with CaseDatabase.open(case) as opened:
        files, reviewed = opened.info().files, case_report.review(opened)
        if kind is ExportFormat.REPORT:
            refuse_any(output, force=force)
            now = utc_iso(time.time())
            head = case_report.header(
                opened.info(), opened.headers(), command=command_line(), now=now, review_found=reviewed
            )
            with ReportWriter(output, language_of(lang)) as writer:
                writer.begin(head)
                for file in opened.files():
                    writer.add(case_report.report_of(opened, file, thumbnails=thumbnails))
                writer.finish(head)
            written = output / "report.html"
        else:
            written = output / f"case-files.{kind.value}"
            if kind is ExportFormat.CSV:
                _write(written, lambda stream: case_report.write_csv(opened, stream), over=force)
            else:
                _write(
                    written, lambda stream: case_report.write_jsonl(opened, stream, thumbnails=thumbnails), over=force
                )
            if reviewed["reviewers"]:
                review = output / f"case-review-{kind.value}.json"
                _write(review, lambda stream: stream.write(dumps(reviewed) + "\n"), over=force)
        try:
            results = attached.copy(case, output, pixels=thumbnails)
        except OSError as error:
            raise ReportError(f"results from outside cannot be written to {output}: {error}") from error
        made = output / "report.json" if kind is ExportFormat.REPORT else written
        digests = {made.name: file_sha256(made)}
        counts = {"files": files} | ({"results from outside": results} if results else {})
        record(opened, f"export as {kind.value}", subject=str(output), counts=counts, digests=digests)
    console = Console(quiet=quiet)
    console.print(Text("Written: ") + plain(written, "bold"), soft_wrap=True)
    if results:
        what = "with their contents" if thumbnails else "what is said of them; --thumbnails adds their contents"
        console.print(Text(f"{count(results, 'result')} from outside: {what}, in ") + plain(output / "attached"))


def _write(path: Path, write_to: Callable[[TextIO], object], *, over: bool) -> None:
    try:
        make_folder(path.parent)
        replace_file(path, write_to, over=over)
    except FileExistsError:
        raise ReportError(f"{path} is there already; choose another folder, or add --force") from None
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
