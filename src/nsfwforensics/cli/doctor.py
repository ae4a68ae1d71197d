"""``doctor``: everything one would ask first when something does not work, on one screen."""

from __future__ import annotations

import os
import platform

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nsfwforensics.cli.alone import alone
from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.run import reporting_errors
from nsfwforensics.core import installation
from nsfwforensics.core.registry import listed
from nsfwforensics.errors import ExitCode, WeightsError
from nsfwforensics.libraries import EXTRAS, lacking, library_versions
from nsfwforensics.models.device import available_devices
from nsfwforensics.models.weights import manifest, read, weights_folder
from nsfwforensics.report.console.parts import plain


@reporting_errors
def doctor() -> None:
    """Prints the state of the installation; exits with 3 where a required part is missing or altered."""
    table = Table.grid(padding=(0, 2))
    healthy = True
    rows: list[tuple[str, str]] = [
        ("nsfwforensics", installation.version()),
        ("Python", f"{platform.python_version()} on {platform.platform(terse=True)}"),
        ("cores", str(os.cpu_count())),
    ]
    missing = lacking()
    healthy &= not missing
    rows.append(("libraries", ", ".join(f"{name} {found}" for name, found in library_versions().items())))
    if missing:
        rows.append(("MISSING", ", ".join(missing)))
    rows.append(("devices", ", ".join(available_devices())))
    rows.append(("connections", "refused by the kernel" if alone.refuses else "not refused on this system"))
    for entry in manifest().values():
        state, fine = _weights_state(entry.name, shipped=entry.shipped)
        healthy &= fine
        rows.append((f"weights: {entry.name}", state))
    rows.append(("weights folder", str(weights_folder())))
    for extra in EXTRAS:
        how = f"not installed (pip install 'nsfwforensics[{extra}]')"
        rows.append((f"extra: {extra}", how if lacking(extra) else "installed"))
    rows.append(("analyzers", ", ".join(f"{r.name} ({r.origin})" for r in listed())))
    for name, value in rows:
        table.add_row(Text(name, "bold"), plain(value, limit=4000))
    console = Console()
    console.print(table)
    console.print("Everything needed is here." if healthy else "Something needed is missing; see above.")
    if not healthy:
        raise typer.Exit(int(ExitCode.MISSING))


def _weights_state(name: str, *, shipped: bool) -> tuple[str, bool]:
    try:
        read(name)
    except WeightsError as error:
        absent = "is missing" in str(error)
        return ("not here (optional)" if absent and not shipped else str(error), absent and not shipped)
    return "here, SHA-256 as the manifest says", True


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("doctor", help=COMMANDS["doctor"])(doctor)
