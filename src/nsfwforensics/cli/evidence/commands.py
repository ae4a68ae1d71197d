"""``evidence``: bags that can be handed over and checked by others, signatures, and the custody log of a case."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from nsfwforensics.cli.commands import COMMANDS
from nsfwforensics.cli.evidence import attach as evidence_attach
from nsfwforensics.cli.evidence import pack as evidence_pack
from nsfwforensics.cli.evidence import show as evidence_views
from nsfwforensics.cli.evidence.keys import PassphraseFile, opened_key, read_passphrase
from nsfwforensics.cli.failures import complain
from nsfwforensics.cli.options import Quiet
from nsfwforensics.cli.run import reporting_errors
from nsfwforensics.core.places import keep_apart
from nsfwforensics.errors import CustodyError, ExitCode, UsageError
from nsfwforensics.report.console.file import plain
from nsfwforensics.report.saved.json import for_stream

Bag = Annotated[Path, typer.Argument(help="The bag's folder.", show_default=False)]
OperatorFile = Annotated[
    str | None,
    typer.Option("--operator", help="Who does it: a name, or a TOML file (.toml) that says more."),
]


@reporting_errors
def keygen(
    key: Annotated[Path, typer.Argument(help="The key's file; KEYFILE.pub is made beside it.", show_default=False)],
    passphrase_file: PassphraseFile = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the key readable to whoever gets the file.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Makes a signing key."""
    from nsfwforensics.custody import keys

    if no_passphrase and passphrase_file is not None:
        raise UsageError("--no-passphrase and --passphrase-file exclude each other")
    public_path, public = keys.make(key, None if no_passphrase else read_passphrase(passphrase_file, new=True))
    console = Console(quiet=quiet)
    console.print(Text("Private key: ") + plain(key, "bold"), soft_wrap=True)
    console.print(Text("Public key:  ") + plain(public_path, "bold"), soft_wrap=True)
    evidence_views.show_fingerprint(console, "Fingerprint", keys.fingerprint(public))
    console.print(
        Text(
            "Give the public key and its fingerprint to those who will check your bags, by a way that they trust. "
            "Keep the private key to yourself: whoever has it can sign in your name.",
            "dim",
        )
    )


@reporting_errors
def sign(
    bag: Bag,
    key: Annotated[Path, typer.Option("--key", help="Private key that `evidence keygen` made.", show_default=False)],
    passphrase_file: PassphraseFile = None,
    operator: OperatorFile = None,
    timestamp: Annotated[
        Path | None,
        typer.Option(
            "--timestamp", help="Attach this RFC 3161 token to the signature made before.", show_default=False
        ),
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option("--request", help="Write a timestamp request (.tsq), to be sent by other means."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Signs a bag that is intact, or has the time of a signature confirmed."""
    from nsfwforensics.custody import signing, timestamps
    from nsfwforensics.custody.listing import content
    from nsfwforensics.custody.operator_file import load_operator
    from nsfwforensics.custody.verify import verify as check

    if timestamp is not None and request is not None:
        raise UsageError("--request comes first, --timestamp with the answer later")
    keep_apart([request], [bag])
    who = load_operator(operator)
    found = check(bag)
    if not found.accepted:
        evidence_views.show_problems(Console(stderr=True), found)
        raise CustodyError("the bag is not as it was packed, and was not signed")
    private = opened_key(key, passphrase_file)
    console = Console(quiet=quiet)
    if timestamp is not None:
        stamp = signing.attach(bag, private, evidence_views.read_file(timestamp, timestamps.MOST_BYTES))
        console.print(Text(f"Timestamp attached: {stamp.time}"))
        return
    shelf = signing.folder_of(evidence_views.fingerprint_of(private))
    if request is not None and (bag / shelf / signing.STATEMENT_SIGNATURE).is_file():
        signature = content(bag, f"{shelf}/{signing.STATEMENT_SIGNATURE}", 64)
    else:
        fingerprint, signature = signing.sign(bag, private, who.said())
        console.print(Text("Signed: ") + plain(bag, "bold"), soft_wrap=True)
        evidence_views.show_fingerprint(console, "Key", fingerprint)
    evidence_views.show_request(console, signature, request)


@reporting_errors
def verify(
    bag: Bag,
    public_key: Annotated[
        Path | None,
        typer.Option("--public-key", help="The key that the bag should be signed with.", show_default=False),
    ] = None,
    timestamp_root: Annotated[
        Path | None,
        typer.Option("--timestamp-root", help="Certificate (PEM) of the timestamping authority that you trust."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Says what was altered, lost or added, and who signed."""
    from nsfwforensics.custody.keys import load_public
    from nsfwforensics.custody.verify import verify as check

    trusted = load_public(public_key) if public_key is not None else None
    root = evidence_views.read_file(timestamp_root, 1024 * 1024) if timestamp_root is not None else None
    found = check(bag, trusted=trusted, root=root)
    if as_json:
        sys.stdout.write(for_stream(evidence_views.verification_json(found), sys.stdout) + "\n")
    else:
        evidence_views.show_verification(Console(quiet=quiet), found)
    if not found.accepted:
        raise typer.Exit(int(ExitCode.ERROR))


@reporting_errors
def log(
    case: Annotated[Path, typer.Argument(help="The case database.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries and the check as JSON.")] = False,
) -> None:
    """Shows the custody log of a case and checks that no entry was changed, removed or added."""
    from nsfwforensics.custody import attached
    from nsfwforensics.store import custody_log
    from nsfwforensics.store.casedb import CaseDatabase

    with CaseDatabase.open(case) as opened:
        found = attached.checked(custody_log.check(opened), case)
    if as_json:
        sys.stdout.write(for_stream(evidence_views.log_json(found), sys.stdout) + "\n")
    else:
        evidence_views.show_log(Console(), found)
        for problem in found.problems:
            complain(problem)
    if found.problems:
        raise typer.Exit(int(ExitCode.ERROR))


def register(app: typer.Typer) -> None:
    """Adds the command group to the application."""
    group = typer.Typer(help=COMMANDS["evidence"], no_args_is_help=True)
    for name, text, call in (
        ("pack", "Put files, a folder or a case into a bag that others can check.", evidence_pack.pack),
        ("verify", "Say what in a bag was altered, lost or added, and who signed it.", verify),
        ("keygen", "Make a key to sign bags with.", keygen),
        ("sign", "Sign a bag, or attach a timestamp to its signature.", sign),
        ("attach", "Put a result from outside into a case: a screenshot, JSON, a web archive.", evidence_attach.attach),
        ("log", "Show and check the custody log of a case.", log),
    ):
        group.command(name, help=text)(call)
    app.add_typer(group, name="evidence")
