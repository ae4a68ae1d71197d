"""``faces --group``: the faces of a folder or a case joined into people, by number only."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.cli.alone import alone
from nsfwforensics.cli.commands import command_line
from nsfwforensics.cli.progress import counting
from nsfwforensics.cli.run import read_paths, usual_settings
from nsfwforensics.core.places import keep_apart
from nsfwforensics.core.registry import select
from nsfwforensics.custody.operator_file import load_operator
from nsfwforensics.errors import ExitCode, UsageError
from nsfwforensics.report.console.parts import plain
from nsfwforensics.report.saved.json import block, for_stream
from nsfwforensics.settings import Settings
from nsfwforensics.store.connection import is_case

if TYPE_CHECKING:
    from nsfwforensics.clustering.people_model import People, Person
    from nsfwforensics.models.faces.template import FaceTemplate

FACES = "faces"

SHOWN_PEOPLE, SHOWN_FACES, SHOWN_PROBLEMS = 40, 8, 20
"""How many people, faces of each, and files that could not be looked at are listed."""

_OF_REPORTS = {"pdf": "--pdf", "fail_on": "--fail-on", "unfolded": "--no-group", "csv_mark": "--csv-bom"}


def run(values: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
    """Joins faces into people and prints them.

    Args:
        values: Values of the common options.
        options: Options that were set, by analyzer.

    Raises:
        UsageError: An option has no meaning here, or a reference photo cannot be used.
        CaseError: The case cannot be read or written.
    """
    from nsfwforensics.clustering.people import people_in, people_in_case
    from nsfwforensics.clustering.workers import Looking
    from nsfwforensics.report.documents import people as documents
    from nsfwforensics.report.saved.folder import locked

    for name, flag in _OF_REPORTS.items():
        if values.get(name):
            raise UsageError(f"{flag} is about reports, and --group makes none")
    own = options.get(FACES, {})
    if str(own.get("face_model") or "resnet29") != "resnet29":
        raise UsageError("--group joins faces by the model it was measured for: leave --face-model out")
    given = {name: values[name] for name in Settings.model_fields if values.get(name) is not None}
    if "operator" in given:
        given["operator"] = load_operator(given["operator"]).name or None
    settings = usual_settings(values["config"], given)
    alone.refuse_connections()
    places = read_paths(values["paths"])
    case = places[0] if len(places) == 1 and places[0].is_file() and is_case(places[0]) else None
    output: Path | None = values["output"]
    keep_apart([output], places)
    isolated = settings.isolate and settings.engine != "inline"
    how: dict[str, Any] = {
        "command": command_line(),
        "weights": settings.weights,
        "references": _references(own, settings),
    }
    with locked(output), counting(quiet=values["quiet"]) as progress:
        looking = Looking(settings.limits, settings.jobs, isolated, progress)
        if case is not None:
            found = people_in_case(case, looking, operator=settings.operator or "", **how)
        else:
            found = people_in(places, looking, follow_symlinks=settings.follow_symlinks, exclude=output, **how)
        if output is not None:
            documents.write(found, output)
    if values["as_json"]:
        print(for_stream(block(found), sys.stdout))
    elif not values["quiet"]:
        _show(found, Console(), output, verbose=values["verbose"])
    if found.failed:
        raise typer.Exit(int(ExitCode.SOME_FAILED))
    raise typer.Exit(int(ExitCode.DONE if found.pictures else ExitCode.NO_PICTURES))


def _references(own: Mapping[str, Any], settings: Settings) -> dict[str, FaceTemplate]:
    """A face of each reference photo, enrolled as for a search."""
    if not own.get("reference"):
        return {}
    from nsfwforensics.request import Request, prepared

    request = Request([], only=(FACES,), options={FACES: own}, settings=settings)
    enrolment = prepared(request, select((FACES,))).spec.enrolments[FACES]
    return {reference.name: reference.template for reference in enrolment.state}


def _show(found: People, console: Console, output: Path | None, *, verbose: bool) -> None:
    from nsfwforensics.report.documents.people import CAVEAT, PERSONAL, about_reference, rates
    from nsfwforensics.report.words.text import ShownNames, count, shorten

    width = max(40, min(console.width, 100))
    name = ShownNames(width - 6)
    unfit = sum(bool(face.unfit) for face in found.others)
    console.print(
        plain(
            f"{count(found.faces, 'face')} in {count(found.pictures, 'picture')}: "
            f"{count(len(found.people), 'person', 'people')} seen in more than one, "
            f"{count(len(found.others) - unfit, 'face')} alone, {unfit:,} not fit to be compared"
        )
    )
    if text := about_reference(found):
        console.print(plain(text, "bold"), width=width)
    people = sorted(found.people, key=lambda person: (not person.reference, -len(person.faces), person.number))
    for person in people[:SHOWN_PEOPLE]:
        _show_person(person, console, name)
    if len(people) > SHOWN_PEOPLE:
        console.print(plain(f"\nand {len(people) - SHOWN_PEOPLE} more people (see -o or --json)"))
    failed = [problem for problem in found.problems if problem.failed]
    if failed:
        console.print(plain(f"\n{count(len(failed), 'file')} could not be looked at:", "bold"))
        for problem in failed[:SHOWN_PROBLEMS]:
            console.print(Text(f"  {name(problem.path)}"), soft_wrap=True)
            console.print(plain(f"    {shorten(problem.reason, width - 4)}"), soft_wrap=True)
        if len(failed) > SHOWN_PROBLEMS:
            console.print(plain(f"  and {len(failed) - SHOWN_PROBLEMS} more"))
    if found.left_out:
        console.print(plain(f"{count(found.left_out, 'face')} more in crowded pictures were not looked at"))
    console.print()
    measured = list(rates(found))
    for text in (CAVEAT, PERSONAL, f"Measured on {found.measured_on}:", *(measured if verbose else measured[:2])):
        console.print(plain(text, "dim"), width=width)
    if found.case:
        console.print(
            plain(
                "The case keeps who seems to be shown, and a vector of each face; `review` can show one person's files."
            )
        )
    if output is not None:
        console.print(plain(f"written: {output}"), soft_wrap=True)


def _show_person(person: Person, console: Console, name: Any) -> None:
    from nsfwforensics.report.documents.people import extent, title

    console.print()
    console.print(plain(f"{title(person)}: {extent(person)}", "bold"))
    for face in person.faces[:SHOWN_FACES]:
        note = "" if face.compared else " (not fit to be compared itself)"
        copies = f" and {len(face.paths) - 1} more of the same bytes" if len(face.paths) > 1 else ""
        console.print(Text(f"    {name(face.paths[0])}{copies}{note}"), soft_wrap=True)
    if len(person.faces) > SHOWN_FACES:
        console.print(plain(f"    and {len(person.faces) - SHOWN_FACES} more"))
