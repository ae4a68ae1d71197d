"""``review``: a page over a case, on this machine alone, where people decide."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nsfwforensics.cli.alone import alone
from nsfwforensics.cli.case.show import Case
from nsfwforensics.cli.commands import COMMANDS, command_line
from nsfwforensics.cli.failures import note
from nsfwforensics.cli.options import Lang
from nsfwforensics.cli.run import language_of, reporting_errors
from nsfwforensics.core.private import create
from nsfwforensics.custody.operator_file import load_operator
from nsfwforensics.errors import MissingDependencyError, UsageError
from nsfwforensics.seclusion import scratch, users_environment
from nsfwforensics.store.casedb import CaseDatabase

if TYPE_CHECKING:
    from nsfwforensics.review.desk import Desk

_NEEDED = ("starlette", "uvicorn")


@reporting_errors
def review(
    case: Case,
    operator: Annotated[
        str | None,
        typer.Option("--operator", help="Who does it: a name, or a TOML file (.toml); the case's operator if omitted."),
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Hide what others decided: for a second, independent opinion.")
    ] = False,
    sensitive: Annotated[
        bool, typer.Option("--sensitive", help="Show no picture at all, whatever was found in a file.")
    ] = False,
    break_every: Annotated[
        int, typer.Option("--break-every", min=0, help="Propose a break after so many minutes; 0 for never.")
    ] = 30,
    beside: Annotated[
        list[Path] | None,
        typer.Option("--beside", help="A reference photo, an original, or a folder of them, to compare with."),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
    socket: Annotated[
        Path | None, typer.Option("--socket", help="Listen at this path instead of a port, for a forwarded connection.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Opens a page over a case: files one by one, decisions by keyboard, pictures only on request."""
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise MissingDependencyError(
            f"the review page needs {' and '.join(missing)}; install them with: pip install 'nsfwforensics[review]'"
        )
    from nsfwforensics.core.evidence import Limits
    from nsfwforensics.execution.server import warm_up
    from nsfwforensics.review.app import Reviewing
    from nsfwforensics.review.desk import Desk, Rules
    from nsfwforensics.review.guard import Guard
    from nsfwforensics.review.serving import listening, serve

    spoken, reviewer = language_of(lang), _reviewer(case, None if operator is None else load_operator(operator).name)
    given = tuple(path.absolute() for path in beside or ())
    for path in given:
        if not path.exists():
            raise UsageError(f"no such file or folder: {path}")
    rules = Rules(reviewer, command_line(), blind, sensitive, break_every, given)
    if open_browser and socket is not None:
        raise UsageError("--open opens a port of this machine; with --socket there is none")

    def desk() -> Desk:
        return Desk(case, rules)

    with listening(socket) as (at, host):
        guard = Guard(host)
        if open_browser:
            _open(f"http://{host}{guard.path}")
        # The socket that listens is there; no other can be made from here on, by this process or what it starts.
        alone.refuse_connections()
        warm_up(["nsfwforensics.review.pictures", "PIL.Image", "PIL.ImageFilter", "PIL.JpegImagePlugin"])
        reviewing = Reviewing(desk, guard, spoken, Limits())
        try:
            _say(f"http://{host or 'localhost:PORT'}{guard.path}", reviewer)  # what comes now waits at the socket
            serve(reviewing, at)
        finally:
            reviewing.close()


def _reviewer(case: Path, named: str | None) -> str:
    """The name that will stand beside the decisions.

    Raises:
        UsageError: Nobody is named, neither here nor by the case.
    """
    if named is None:
        with CaseDatabase.open(case) as opened:
            named = opened.info().operator
    if named.strip() in ("", "not supplied"):
        raise UsageError("say who reviews: --operator NAME stands beside every decision")
    return named.strip()


def _say(address: str, reviewer: str) -> None:
    note(f"{reviewer} reviews; Ctrl-C ends it. This address is good for one browser, once:")
    print(address, flush=True)


def _open(address: str) -> None:
    """Opens the browser by a file of the user's own: on a command line anybody on this machine could read the token."""
    page = scratch() / "review.html"
    with os.fdopen(create(page), "w", encoding="utf-8") as stream:
        stream.write(
            f'<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
            f'<meta http-equiv="refresh" content="0; url={address}"><title>review</title>\n'
        )
    try:
        # In a process of its own: it must have the user's home, and may open connections as this one will not.
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "webbrowser", page.as_uri()],
            env=users_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",
        )
    except OSError as error:
        note(f"no browser could be opened: {error.strerror}")


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("review", help=COMMANDS["review"])(review)
