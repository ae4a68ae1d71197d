"""The console script. Only the module of the command that was asked for is imported, so that help is instant."""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
import typer.main

from nsfwforensics.cli import debug, streams
from nsfwforensics.cli.alone import alone
from nsfwforensics.cli.commands import ALLOW_PLUGINS, COMMANDS
from nsfwforensics.cli.early import warm_up_for_one
from nsfwforensics.cli.failures import ended
from nsfwforensics.cli.help import dress
from nsfwforensics.core.registry import commands, help_of
from nsfwforensics.threads import one_thread_each

if TYPE_CHECKING:
    from types import FrameType

NAME = "nsfwforensics"

_MODULES = {"hash": "hashes", "case": "case.commands", "evidence": "evidence.commands", "model": "model.commands"}

EPILOG = (
    "Nothing leaves this machine, and evidence is only ever read. Exit codes: 0 done, 1 error, 2 usage, "
    "3 a model or extra is missing, 4 some files failed, 5 --fail-on reached, 6 no picture was found, 130 interrupted."
)


def build(wanted: str | None, *, allow_plugins: bool = False) -> typer.Typer:
    """Makes the application with one command fully loaded, or all of them.

    Args:
        wanted: The command to load; the others are only listed. With ``"*"`` all are loaded, as shell completion needs.
        allow_plugins: Whether third parties' analyzers bring their commands too.
    """
    app = typer.Typer(
        name=NAME,
        help="Local-first image forensics: one command, one honest report.",
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
    )
    app.callback()(_root)
    brought = {
        name: help_of(shares) for name, shares in commands(allow_plugins=allow_plugins).items() if name not in COMMANDS
    }
    first, *others = COMMANDS
    for name in (first, *brought, *others):
        if wanted not in (name, "*"):
            app.command(name, help=COMMANDS.get(name) or brought[name])(_unloaded)
        elif name in brought:
            import_module("nsfwforensics.cli.brought").register(app, name, allow_plugins=allow_plugins)
        else:
            import_module(f"nsfwforensics.cli.{_MODULES.get(name, name)}").register(app)
    return app


def _unloaded() -> None:
    """Stands for a command that is listed but was not asked for; never runs."""


def _version(value: bool) -> None:
    if value:
        from nsfwforensics.core import installation

        typer.echo(f"nsfwforensics {installation.version()}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
    allow_plugins: bool = typer.Option(False, ALLOW_PLUGINS, help="Let third parties' analyzers bring their commands."),
    debug: bool = typer.Option(False, debug.FLAG, expose_value=False, help=debug.HELP),
) -> None:
    pass


def main() -> None:
    """Runs the command line, and ends with a documented exit code whatever happens."""
    streams.ready()
    debug.set_up(debug.wanted(sys.argv[1:]))
    one_thread_each()
    os.umask(0o077)  # what we write is closed to others anyway; this is for what libraries write on the way
    _end_like_ctrl_c()
    sys.exit(_run())


def _run() -> str | int | None:
    """Runs the command that was asked for and returns what to end with."""
    completing = "_NSFWFORENSICS_COMPLETE" in os.environ
    wanted = "*" if completing else next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    code: str | int | None = None
    try:
        gc.disable()  # a tenth of the loading, in which nothing is thrown away
        if wanted not in (None, "*"):
            alone.begin(wanted)
            warm_up_for_one(sys.argv[1:])
        command = _command(wanted)
        gc.freeze()
        gc.enable()
        command(prog_name=NAME)
    except SystemExit as asked:
        code = asked.code
    except BaseException as error:  # noqa: BLE001 - the last handler
        code = ended(error)
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        code = code or ended(error)
    return code


def _command(wanted: str | None) -> Any:
    """The application with ``--debug`` as an option of every command, so that it may stand anywhere in the line."""
    root: Any = typer.main.get_command(build(wanted, allow_plugins=ALLOW_PLUGINS in sys.argv))
    (option,) = (parameter for parameter in root.params if debug.FLAG in parameter.opts)
    waiting = list(root.commands.values())
    while waiting:
        command = waiting.pop()
        command.params.append(option)
        waiting.extend(getattr(command, "commands", {}).values())
    dress(root, NAME, allow_plugins=ALLOW_PLUGINS in sys.argv)
    return root


def _end_like_ctrl_c() -> None:
    """Has a closed terminal and a polite kill end a run as Ctrl-C does: what was done is kept, nothing else stays."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored, and means it
            signal.signal(number, interrupt)
