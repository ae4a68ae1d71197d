"""``cluster``: groups of near-duplicates in a folder, with a representative each and why every file is there."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.run import read_paths, reporting_errors
from nsfwforensics.core.places import keep_apart
from nsfwforensics.errors import ExitCode
from nsfwforensics.report.console.file import plain

if TYPE_CHECKING:
    from nsfwforensics.clustering.model import Clustering

SHOWN_CLUSTERS = 40
"""How many clusters the console lists before it refers to the written files."""

SHOWN_MEMBERS = 8
"""How many files of a cluster it lists."""

SHOWN_PROBLEMS = 20


@reporting_errors
def cluster(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders; - reads paths from standard input.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write clusters.html, clusters.csv and clusters.json into this folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the clusters as JSON on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no list.")] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Worker processes; 0 chooses by files and cores.")
    ] = 0,
    follow_symlinks: Annotated[bool, typer.Option("--follow-symlinks", help="Follow symbolic links.")] = False,
    max_pixels: Annotated[
        int | None, typer.Option("--max-pixels", min=1, help="Largest picture to decode, in pixels (220 million).")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option("--max-bytes", min=1, help="Largest file to read, in bytes (512 MiB).")
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", min=0, help="Longest time for one file (300; 0 for no limit).")
    ] = None,
    max_memory: Annotated[
        int | None,
        typer.Option("--max-memory", min=0, help="Most memory for one worker process, in bytes (6 GiB; 0: no limit)."),
    ] = None,
    isolate: Annotated[
        bool, typer.Option("--isolate/--no-isolate", help="Read files in confined worker processes, or in this one.")
    ] = True,
) -> None:
    """Groups near-duplicates: same bytes, same looks (PDQ, eight turns), same local features so arranged."""
    from nsfwforensics.clustering.run import cluster as clustered
    from nsfwforensics.core.evidence import Limits
    from nsfwforensics.report.documents import clusters
    from nsfwforensics.report.saved.folder import locked

    given: dict[str, Any] = {
        "max_pixels": max_pixels,
        "max_bytes": max_bytes,
        "max_seconds": max_seconds,
        "max_memory": max_memory,
    }
    places = read_paths(paths)
    keep_apart([output], places)
    with locked(output), _progress(quiet=quiet) as progress:
        found = clustered(
            places,
            limits=Limits(**{name: value for name, value in given.items() if value is not None}),
            jobs=jobs,
            follow_symlinks=follow_symlinks,
            exclude=output,
            command=shlex.join(["nsfwforensics", *sys.argv[1:]]),
            progress=progress,
            isolate=isolate,
        )
        if output is not None:
            clusters.write(found, output)
    if as_json:
        clusters.write_json(found, sys.stdout)
    elif not quiet:
        _show(found, Console(), output)
    raise typer.Exit(int(ExitCode.SOME_FAILED if found.failed else ExitCode.DONE))


def _show(found: Clustering, console: Console, output: Path | None) -> None:
    from nsfwforensics.report.documents.clusters import CAVEAT, describe
    from nsfwforensics.report.words.text import ShownNames, count, shorten

    width = max(40, min(console.width, 100))

    name = ShownNames(width - 6)
    inside = sum(len(group.members) + 1 for group in found.clusters)
    console.print(
        plain(
            f"{count(found.pictures, 'picture')} compared: {count(len(found.clusters), 'cluster')} with "
            f"{count(inside, 'file')}, {count(len(found.alone), 'file')} alone"
        )
    )
    for group in found.clusters[:SHOWN_CLUSTERS]:
        console.print()
        console.print(plain(f"Cluster {group.number}: {count(len(group.members) + 1, 'file')}", "bold"))
        console.print(Text(f"  * {name(group.representative.path)}"), soft_wrap=True)
        for member in group.members[:SHOWN_MEMBERS]:
            console.print(Text(f"    {name(member.path)}"), soft_wrap=True)
            if member.link is not None:
                console.print(plain(f"      {shorten(describe(member.link), width - 6)}", "dim"), soft_wrap=True)
        if len(group.members) > SHOWN_MEMBERS:
            console.print(plain(f"    and {len(group.members) - SHOWN_MEMBERS} more"))
    if len(found.clusters) > SHOWN_CLUSTERS:
        console.print(plain(f"\nand {count(len(found.clusters) - SHOWN_CLUSTERS, 'cluster')} more (see -o or --json)"))
    failed = [problem for problem in found.problems if problem.failed]
    if failed:
        console.print()
        console.print(plain(f"{count(len(failed), 'file')} could not be compared:", "bold"))
        for problem in failed[:SHOWN_PROBLEMS]:
            console.print(Text(f"  {name(problem.path)}"), soft_wrap=True)
            console.print(plain(f"    {shorten(problem.reason, width - 4)}"), soft_wrap=True)
        if len(failed) > SHOWN_PROBLEMS:
            console.print(plain(f"  and {len(failed) - SHOWN_PROBLEMS} more"))
    console.print()
    console.print(plain(CAVEAT, "dim"), width=width)
    if output is not None:
        console.print(plain(f"written: {output}"), soft_wrap=True)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda what, done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, int] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)  # type: ignore[arg-type]

        yield tell


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("cluster", help=COMMANDS["cluster"])(cluster)
