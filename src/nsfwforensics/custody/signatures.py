"""What the signatures in a bag are worth: whose they are, whether they hold, and which file is to blame if not."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from nsfwforensics.core.documents import DocumentError, read_json
from nsfwforensics.custody import keys, signing, timestamps
from nsfwforensics.custody.listing import SIGNATURES, BagListing, content
from nsfwforensics.custody.signing import (
    FOLDER_DIGITS,
    NAMES,
    PUBLIC,
    STAMP,
    STAMP_SIGNATURE,
    STAMP_STATEMENT,
    STATEMENT,
    STATEMENT_SIGNATURE,
)
from nsfwforensics.errors import CustodyError

MOST_BYTES = 1024 * 1024

Blame = Callable[[str, str, str], None]
"""Takes what became of a file, its path in the bag, and why that is thought."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature on a bag.

    Attributes:
        folder: Where its files lie in the bag.
        fingerprint: Of the key; empty where that could not be read.
        valid: Whether it holds and the bag is the one that was signed.
        trusted: Whether the key is the one that was given; None where none was.
        signed_at: When, as the signer's own clock had it.
        signer: Who, as they say.
        stamped_at: Time in the attached token, or None.
        stamped_by: The authority that the token names.
        stamp_checked: Whether the token leads to a trusted certificate; None where none was given.
    """

    folder: str
    fingerprint: str = ""
    valid: bool = False
    trusted: bool | None = None
    signed_at: str = ""
    signer: Mapping[str, str] | None = None
    stamped_at: str | None = None
    stamped_by: str = ""
    stamp_checked: bool | None = None


def check(
    bag: Path, listing: BagListing, trusted: Ed25519PublicKey | None, root: bytes | None, blame: Blame
) -> list[Signature]:
    """Checks every signature in a bag.

    Args:
        bag: Its folder.
        listing: What lies in it.
        trusted: The key that signatures should be by, if one was given.
        root: Certificate (PEM) that timestamps should lead to, if one was given.
        blame: Told of every file that is altered, missing or added.
    """
    folders: dict[str, set[str]] = {}
    for path in sorted(name for name in listing.files if name.startswith(f"{SIGNATURES}/")):
        folder, _, name = path.rpartition("/")
        if name in NAMES and folder.count("/") == 1:
            folders.setdefault(folder, set()).add(name)
        else:
            blame("added", path, "no file of a signature")
    there = functools.cache(lambda: _covered(bag))
    return [_Check(bag, folder, names, blame, there).run(trusted, root) for folder, names in folders.items()]


def _covered(bag: Path) -> dict[str, str] | None:
    try:
        return signing.covered(bag)
    except CustodyError:
        return None  # the file that cannot be read was blamed already


class _Check:
    """The check of one signer's folder."""

    def __init__(
        self, bag: Path, folder: str, names: set[str], blame: Blame, covered: Callable[[], dict[str, str] | None]
    ) -> None:
        self._bag = bag
        self._folder = folder
        self._names = names
        self._blame = blame
        self._covered = covered

    def run(self, trusted: Ed25519PublicKey | None, root: bytes | None) -> Signature:
        needed = {STATEMENT, STATEMENT_SIGNATURE, PUBLIC}
        if self._names & {STAMP, STAMP_STATEMENT, STAMP_SIGNATURE}:
            needed = set(NAMES)
        for name in sorted(needed - self._names):
            self._fault("missing", name, "the signature is not complete without it")
        key = self._key()
        if key is None:
            return Signature(self._folder)
        print_ = keys.fingerprint(key)
        statement = self._signed(key, STATEMENT, STATEMENT_SIGNATURE, print_)
        found = Signature(
            self._folder,
            print_,
            valid=statement is not None and self._fits(statement),
            trusted=None if trusted is None else keys.fingerprint(trusted) == print_,
            signed_at=str((statement or {}).get("signed_at", "")),
            signer=_signer(statement),
        )
        return self._with_stamp(found, key, root) if STAMP in self._names else found

    def _key(self) -> Ed25519PublicKey | None:
        data = self._content(PUBLIC)
        if data is None:
            return None
        try:
            key = keys.parse_public(data, PUBLIC)
        except CustodyError:
            self._fault("altered", PUBLIC, "no Ed25519 key (any more)")
            return None
        if keys.public_pem(key) != data:
            self._fault("altered", PUBLIC, "not written as this tool writes a key")
        if keys.fingerprint(key)[:FOLDER_DIGITS] != self._folder.rpartition("/")[2]:
            self._fault("altered", PUBLIC, "not the key that its folder is named after")
            return None
        return key

    def _signed(self, key: Ed25519PublicKey, name: str, signature_name: str, print_: str) -> dict[str, Any] | None:
        """A statement whose signature holds, or None."""
        data, signature = self._content(name), self._content(signature_name)
        if data is None or signature is None:
            return None
        try:
            key.verify(signature, data)
        except InvalidSignature:
            reason = f"{name} and {signature_name} do not belong together: one of them was altered, or both"
            self._fault("altered", name, reason)
            self._fault("altered", signature_name, reason)
            return None
        try:
            value: Any = read_json(data)  # signed by the key, which may still be anybody's
        except DocumentError:
            value = None
        found: dict[str, Any] = value if isinstance(value, dict) else {}
        signer = found.get("signer")
        if not isinstance(signer, dict) or signer.get("key_sha256") != print_:
            self._fault("altered", name, "signed by this key, and no statement of this tool")
            return None
        return found

    def _fits(self, statement: Mapping[str, Any]) -> bool:
        """Whether the bag is the one that was signed; files that differ are blamed."""
        said, there = statement.get("sha256"), self._covered()
        if there is None:
            return False
        if not isinstance(said, dict) or set(said) != set(there):
            self._fault("altered", STATEMENT, "it does not name the files that a signature has to name")
            return False
        differing = [name for name in there if said[name] != there[name]]
        for name in differing:
            self._blame("altered", name, f"not the file that was signed ({self._folder})")
        return not differing

    def _with_stamp(self, found: Signature, key: Ed25519PublicKey, root: bytes | None) -> Signature:
        statement = self._signed(key, STAMP_STATEMENT, STAMP_SIGNATURE, found.fingerprint)
        token, signature = self._content(STAMP), self._content(STATEMENT_SIGNATURE)
        if statement is None or token is None or signature is None:
            return found
        said = statement.get("sha256")
        if not isinstance(said, dict) or said.get(STAMP) != hashlib.sha256(token).hexdigest():
            self._fault("altered", STAMP, "not the token that was attached")
            return found
        try:
            stamp = timestamps.read(token, signature)
        except CustodyError as error:
            self._fault("altered", STAMP, str(error))
            return found
        checked: bool | None = None
        if root is not None:
            try:
                timestamps.check(token, signature, root)
                checked = True
            except CustodyError:
                checked = False
        return replace(found, stamped_at=stamp.time, stamped_by=stamp.authority, stamp_checked=checked)

    def _content(self, name: str) -> bytes | None:
        if name not in self._names:
            return None
        try:
            return content(self._bag, f"{self._folder}/{name}", MOST_BYTES)
        except OSError as error:
            self._fault("altered", name, f"cannot be read: {error.strerror}")
            return None

    def _fault(self, what: str, name: str, why: str) -> None:
        self._blame(what, f"{self._folder}/{name}", why)


def _signer(statement: Mapping[str, Any] | None) -> dict[str, str]:
    said = (statement or {}).get("signer")
    fields = said.items() if isinstance(said, dict) else ()
    return {str(name): str(value) for name, value in fields if name != "key_sha256"}
