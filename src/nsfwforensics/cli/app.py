"""The console script. Only the module of the command that was asked for is imported, so that help is instant."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import typer

from nsfwforensics.errors import ExitCode, ForensicsError
from nsfwforensics.threads import one_thread_each

if TYPE_CHECKING:
    from types import FrameType

COMMANDS: dict[str, str] = {
    "scan": "Examine pictures or folders with every analyzer and write one report.",
    "metadata": "Show what files say about themselves: EXIF, XMP, IPTC, comments.",
    "provenance": "Show where files say they came from: marks of AI tools, labels, signed credentials.",
    "compare": "Show whether pictures were made from an original photo, and what was changed.",
    "hash": "Print cryptographic and perceptual hashes.",
    "hashlist": "Import, export and describe lists of known hashes, and index them for searching.",
    "search": "Look pictures up in lists of known images.",
    "cluster": "Group near-duplicates in folders: copies, crops, borders, tilts, screenshots.",
    "faces": "Look for one person's face, given reference photos.",
    "detect": "Ask the classifier whether pixels look generated or face-swapped.",
    "case": "Keep a case: files, results and decisions in one database that scans resume from.",
    "evidence": "Pack evidence into bags that others can check, sign them, keep a custody log.",
    "notice": "Draft a request to remove a picture under a law, for a person to finish and send.",
    "helplines": "List help lines and hotlines by country, with the month they were checked.",
    "report": "Make every view of a saved report again, without the evidence.",
    "analyzers": "List the analyzers, what they can find and where they come from.",
    "model": "Measure a detector on your own folders, show a model's card, train the built-in one again.",
    "weights": "List or verify the model weights.",
    "doctor": "Show Python, libraries, devices, weights and extras in one screen.",
}
"""Every command with its one line of help; ``cli/<name>.py`` holds it."""

_MODULES = {"hash": "hashes", "case": "case.commands", "evidence": "evidence.commands", "model": "model.commands"}

EPILOG = (
    "Nothing leaves this machine, and evidence is only ever read. Exit codes: 0 done, 1 error, 2 usage, "
    "3 a model or extra is missing, 4 some files failed, 5 --fail-on reached, 130 interrupted."
)


def build(wanted: str | None) -> typer.Typer:
    """Makes the application with one command fully loaded, or all of them.

    Args:
        wanted: The command to load; the others are only listed. With ``"*"`` all are loaded, as shell completion needs.
    """
    app = typer.Typer(
        name="nsfwforensics",
        help="Local-first image forensics: one command, one honest report.",
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.callback()(_root)
    for name, text in COMMANDS.items():
        if wanted in (name, "*"):
            import_module(f"nsfwforensics.cli.{_MODULES.get(name, name)}").register(app)
        else:
            app.command(name, help=text)(_unloaded)
    return app


def _unloaded() -> None:
    """Stands for a command that is listed but was not asked for; never runs."""


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"nsfwforensics {version('nsfwforensics')}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def main() -> None:
    """Runs the command line."""
    one_thread_each()
    os.umask(0o077)  # what we write is closed to others anyway; this is for what libraries write on the way
    _end_like_ctrl_c()
    completing = "_NSFWFORENSICS_COMPLETE" in os.environ
    wanted = "*" if completing else next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    try:
        app = build(wanted)
        app()
    except ForensicsError as error:  # an analyzer that cannot be loaded has no options to offer
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # before a command had begun
        sys.exit(ExitCode.INTERRUPTED)


def _end_like_ctrl_c() -> None:
    """Has a closed terminal and a polite kill end a run as Ctrl-C does: what was done is kept, nothing else stays."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored, and means it
            signal.signal(number, interrupt)
