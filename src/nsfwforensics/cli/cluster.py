"""``cluster``: groups of near-duplicates in a folder, with a representative each and why every file is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.cli.commands import COMMANDS, command_line
from nsfwforensics.cli.options import setting
from nsfwforensics.cli.progress import counting
from nsfwforensics.cli.run import read_paths, reporting_errors
from nsfwforensics.core.places import keep_apart
from nsfwforensics.errors import ExitCode, NothingFoundError
from nsfwforensics.report.console.file import plain
from nsfwforensics.report.saved.json import block, for_stream

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
    semantic: Annotated[
        bool,
        typer.Option(
            "--semantic",
            help="Then put together what looks like the same scene to a network (half a second of a core for each).",
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every cluster and every file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no list.")] = False,
    jobs: Annotated[int, setting("jobs")] = 0,
    follow_symlinks: Annotated[bool, setting("follow_symlinks")] = False,
    max_pixels: Annotated[int | None, setting("max_pixels")] = None,
    max_bytes: Annotated[int | None, setting("max_bytes")] = None,
    max_seconds: Annotated[float | None, setting("max_seconds")] = None,
    max_memory: Annotated[int | None, setting("max_memory")] = None,
    isolate: Annotated[bool, setting("isolate")] = True,
    weights: Annotated[Path | None, setting("weights")] = None,
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
    with locked(output), counting(quiet=quiet) as progress:
        found = clustered(
            places,
            limits=Limits(**{name: value for name, value in given.items() if value is not None}),
            jobs=jobs,
            follow_symlinks=follow_symlinks,
            exclude=output,
            command=command_line(),
            progress=progress,
            isolate=isolate,
            semantic=semantic,
            weights=weights,
        )
        if not found.pictures and not found.failed:
            raise NothingFoundError("no picture was found")
        if output is not None:
            clusters.write(found, output)
    if as_json:
        print(for_stream(block(found), sys.stdout))
    elif not quiet:
        _show(found, Console(), output, verbose=verbose)
    raise typer.Exit(int(ExitCode.SOME_FAILED if found.failed else ExitCode.DONE))


def _show(found: Clustering, console: Console, output: Path | None, *, verbose: bool) -> None:
    from nsfwforensics.report.documents.clusters import caveat, describe
    from nsfwforensics.report.words.text import ShownNames, count, shorten

    width = max(40, min(console.width, 100))

    name = ShownNames(width - 6)
    shown_clusters, shown_members, shown_problems = (
        (len(found.clusters), found.pictures, len(found.problems))
        if verbose
        else (SHOWN_CLUSTERS, SHOWN_MEMBERS, SHOWN_PROBLEMS)
    )
    inside = sum(len(group.members) + 1 for group in found.clusters)
    console.print(
        plain(
            f"{count(found.pictures, 'picture')} compared: {count(len(found.clusters), 'cluster')} with "
            f"{count(inside, 'file')}, {count(len(found.alone), 'file')} alone"
        )
    )
    for group in found.clusters[:shown_clusters]:
        console.print()
        console.print(plain(f"Cluster {group.number}: {count(len(group.members) + 1, 'file')}", "bold"))
        console.print(Text(f"  * {name(group.representative.path)}"), soft_wrap=True)
        for member in group.members[:shown_members]:
            console.print(Text(f"    {name(member.path)}"), soft_wrap=True)
            if member.link is not None:
                console.print(plain(f"      {shorten(describe(member.link), width - 6)}", "dim"), soft_wrap=True)
        if len(group.members) > shown_members:
            console.print(plain(f"    and {len(group.members) - shown_members} more"))
    if len(found.clusters) > shown_clusters:
        console.print(
            plain(f"\nand {count(len(found.clusters) - shown_clusters, 'cluster')} more (see -v, -o or --json)")
        )
    failed = [problem for problem in found.problems if problem.failed]
    if failed:
        console.print()
        console.print(plain(f"{count(len(failed), 'file')} could not be compared:", "bold"))
        for problem in failed[:shown_problems]:
            console.print(Text(f"  {name(problem.path)}"), soft_wrap=True)
            console.print(plain(f"    {shorten(problem.reason, width - 4)}"), soft_wrap=True)
        if len(failed) > shown_problems:
            console.print(plain(f"  and {len(failed) - shown_problems} more"))
    console.print()
    console.print(plain(caveat(found), "dim"), width=width)
    if output is not None:
        console.print(plain(f"written: {output}"), soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("cluster", help=COMMANDS["cluster"])(cluster)
