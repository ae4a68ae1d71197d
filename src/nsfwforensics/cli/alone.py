"""The process of a command: nothing that a library does there of its own accord stays, or leaves the machine.

This is for the installed command, whose process is nobody else's. A program that calls the functions behind it keeps
its home and its connections.
"""

from __future__ import annotations

import os
from pathlib import Path

import typer

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.errors import ForensicsError
from nsfwforensics.execution.confine import refuse_connections
from nsfwforensics.seclusion import seclude

EXAMINING = frozenset({"scan", "hash"})
"""Commands of the package that may be told to use Ray, whose processes speak with each other; so may analyzers' own."""

LISTENING = frozenset({"review"})
"""Commands that open one socket for this machine's own browser, and have connections refused after that."""


_CONFIG = "NSFWFORENSICS_CONFIG"


def usual_place() -> Path:
    """Where the settings file lies unless ``--config`` names another: where the environment says, or in the home."""
    return Path(os.environ.get(_CONFIG) or Path(typer.get_app_dir("nsfwforensics")) / "config.toml")


class Alone:
    """What holds in this process.

    Attributes:
        refuses: Whether the kernel refuses its connections.
    """

    refuses = False
    _ours = False

    def begin(self, command: str) -> None:
        """Before any library is loaded: a home that goes and, unless Ray may be wanted, no connections.

        Args:
            command: The first word of the command line that is no option.

        Raises:
            ForensicsError: There is no room for temporary files.
        """
        os.environ[_CONFIG] = str(usual_place())  # in the user's own home, which this process is about to leave
        try:
            seclude()
        except OSError as error:
            raise ForensicsError(f"no folder for temporary files can be made: {error.strerror}") from error
        self._ours = True
        if (
            command in COMMANDS.keys() - EXAMINING - LISTENING
        ):  # the others know only once they have read what they are told
            self.refuse_connections()

    def refuse_connections(self) -> None:
        """Refuses connections from here on, where the system can and the process is a command's."""
        self.refuses = self._ours and (self.refuses or refuse_connections())


alone = Alone()
"""The one of this process."""
