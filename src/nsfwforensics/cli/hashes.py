"""``hash``: digests and perceptual hashes, in the formats that other tools read."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Any

import typer
from rich.console import Console

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.failures import note
from nsfwforensics.cli.options import command, option
from nsfwforensics.cli.run import analyse
from nsfwforensics.core.registry import providing
from nsfwforensics.core.vocabulary import Capability
from nsfwforensics.report.console.values import render_hashes
from nsfwforensics.report.documents.hashes import HashFormat, write_hashes
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.settings import REPORT


class PrintFormat(StrEnum):
    """How ``hash`` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    THREATEXCHANGE = "threatexchange"
    HASHDEEP = "hashdeep"


_FORMAT = {
    "format": option(PrintFormat, PrintFormat.TABLE, "--format", "-f", text="How to print the hashes.", panel=REPORT),
}


def _run(values: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
    chosen: PrintFormat = values.pop("format")

    def show(saved: SavedReport, console: Console, *, verbose: bool = False) -> None:
        del verbose  # a hash is all there is to say
        if chosen is PrintFormat.TABLE:
            render_hashes(saved, console)
            return
        head = [f"nsfwforensics {saved.header.version}", f"$ {saved.header.command}"]
        providers = saved.declared.providing(Capability.HASHES)
        left_out = write_hashes(saved.files(), providers, HashFormat(chosen.value), sys.stdout, head)
        if left_out:
            note(f"{left_out} file(s) have no such hash and are not in this list; see the table or --json")

    analyse(providing(Capability.HASHES), values, options, show, is_data=chosen is not PrintFormat.TABLE)


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("hash", help=COMMANDS["hash"])(command(_run, providing(Capability.HASHES), _FORMAT))
