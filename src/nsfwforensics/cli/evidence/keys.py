"""Keys and passphrases on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nsfwforensics.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="Read the key's passphrase from the first line of this file."),
]

MOST_BYTES = 4096


def read_passphrase(path: Path | None, *, new: bool = False) -> bytes:
    """A passphrase from a file, or asked for on the terminal.

    Args:
        path: The file, or None to ask.
        new: Whether it is for a new key: then it is asked for twice.

    Raises:
        UsageError: The file cannot be read or begins with an empty line, or there is no terminal to ask on.
    """
    if path is None:
        if not sys.stdin.isatty():
            choice = " or --no-passphrase" if new else ""
            raise UsageError(f"there is no terminal to ask for a passphrase on: give --passphrase-file{choice}")
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)).encode()
    try:
        with path.open("rb") as stream:
            line = stream.readline(MOST_BYTES).rstrip(b"\r\n")
    except OSError as error:
        raise UsageError(f"the passphrase file {path} cannot be read: {error.strerror}") from error
    if not line:
        raise UsageError(f"the passphrase file {path} begins with an empty line")
    return line


def opened_key(path: Path, passphrase_file: Path | None) -> Ed25519PrivateKey:
    """A private key, with its passphrase where it has one.

    Raises:
        CustodyError: It cannot be read or is none.
        UsageError: The passphrase is missing or wrong.
    """
    from nsfwforensics.custody import keys

    if passphrase_file is not None:
        return keys.load_private(path, read_passphrase(passphrase_file))
    try:
        return keys.load_private(path, None)
    except keys.NeedsPassphraseError:
        return keys.load_private(path, read_passphrase(None))
