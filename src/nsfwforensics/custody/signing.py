"""Signatures on a bag: a statement that names its manifests, signed with Ed25519 (RFC 8032), inside the bag.

A signer's files lie in ``signatures/<start of the key's fingerprint>/``: ``statement.json``, ``statement.sig`` (64
bytes over it) and ``public.pem``; with a timestamp also ``timestamp.tsr`` and ``timestamp.json``, which holds the
token's digest, with ``timestamp.sig`` over it. The tag manifests hold the manifests and those the payload, so that the
statement covers every file.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.core.private import make_folder, write_new
from nsfwforensics.custody import keys, timestamps
from nsfwforensics.custody.listing import MANIFESTS, SIGNATURES, TAG_MANIFESTS, content, digests
from nsfwforensics.errors import CustodyError

STATEMENT = "statement.json"
STATEMENT_SIGNATURE = "statement.sig"
PUBLIC = "public.pem"
STAMP = "timestamp.tsr"
STAMP_STATEMENT = "timestamp.json"
STAMP_SIGNATURE = "timestamp.sig"
NAMES = (STATEMENT, STATEMENT_SIGNATURE, PUBLIC, STAMP, STAMP_STATEMENT, STAMP_SIGNATURE)

COVERED = ("bagit.txt", "bag-info.txt", *MANIFESTS, *TAG_MANIFESTS)
"""The files that a statement names; through them it covers all others."""

FOLDER_DIGITS = 16
KIND = "nsfwforensics bag signature"
STAMP_KIND = "nsfwforensics timestamp attachment"
MEANING = (
    "Whoever holds the key signed a bag with these manifests. That adds a name and a time to the bag, "
    "and says nothing about whether what the pictures show is true."
)


def canonical(value: Mapping[str, Any]) -> bytes:
    """JSON that is always the same bytes: ASCII, sorted keys, two spaces, one line break at the end."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=True) + "\n").encode("ascii")


def folder_of(fingerprint: str) -> str:
    """The folder of a signer in a bag."""
    return f"{SIGNATURES}/{fingerprint[:FOLDER_DIGITS]}"


def covered(bag: Path) -> dict[str, str]:
    """SHA-256 of the files that a statement names.

    Raises:
        CustodyError: One cannot be read.
    """
    try:
        return {name: digests(bag, name)["sha256"] for name in COVERED}
    except OSError as error:
        raise CustodyError(f"the bag {bag} cannot be read: {error.strerror}") from error


def sign(bag: Path, key: Ed25519PrivateKey, operator: Mapping[str, str]) -> tuple[str, bytes]:
    """Signs a bag that was found intact.

    Args:
        bag: Its folder.
        key: The signer's key.
        operator: Who signs, as they say.

    Returns:
        The key's fingerprint and the signature.

    Raises:
        CustodyError: The bag has a signature by this key already, or cannot be written.
    """
    public = key.public_key()
    print_ = keys.fingerprint(public)
    statement = canonical(
        {
            "kind": KIND,
            "meaning": MEANING,
            "signed_at": utc_iso(time.time()),
            "signer": {"key_sha256": print_, **operator},
            "sha256": covered(bag),
        }
    )
    signature = key.sign(statement)
    shelf = bag / folder_of(print_)
    if os.path.lexists(shelf):
        raise CustodyError(f"the bag holds a signature by this key already, in {folder_of(print_)}")
    _fill(shelf, {STATEMENT: statement, STATEMENT_SIGNATURE: signature, PUBLIC: keys.public_pem(public)})
    return print_, signature


def attach(bag: Path, key: Ed25519PrivateKey, token: bytes) -> timestamps.Stamp:
    """Attaches a timestamp token to the signature that this key made before.

    The token lies outside what it stamps, so that its own digest is signed too.

    Raises:
        CustodyError: There is no signature by this key, it has a token already, or the token is about something else.
    """
    print_ = keys.fingerprint(key.public_key())
    shelf = folder_of(print_)
    try:
        signature = content(bag, f"{shelf}/{STATEMENT_SIGNATURE}", 64)
    except OSError as error:
        raise CustodyError(
            "the bag holds no signature by this key: sign it, have that signature stamped, then attach the token"
        ) from error
    stamp = timestamps.read(token, signature)
    statement = canonical(
        {
            "kind": STAMP_KIND,
            "signer": {"key_sha256": print_},
            "sha256": {STAMP: hashlib.sha256(token).hexdigest()},
            "time_in_token": stamp.time,
        }
    )
    if os.path.lexists(bag / shelf / STAMP):
        raise CustodyError("the signature has a timestamp already")
    _fill(bag / shelf, {STAMP: token, STAMP_STATEMENT: statement, STAMP_SIGNATURE: key.sign(statement)})
    return stamp


def _fill(shelf: Path, files: Mapping[str, bytes]) -> None:
    """Writes new files, all or none of them."""
    made: list[Path] = []
    try:
        for folder in (shelf.parent, shelf):
            if folder.is_symlink():
                raise CustodyError(f"{folder} is a symbolic link")
            if not folder.exists():
                make_folder(folder)
                made.append(folder)
        for name, data in files.items():
            write_new(shelf / name, data)
            made.append(shelf / name)
    except BaseException as error:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            raise CustodyError(f"the signature cannot be written: {error.strerror}") from error
        raise
