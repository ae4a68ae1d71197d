"""Whether a bag is still what was packed: which files were altered, are missing or were added, and who signed.

Needs no model and no picture library, reads a bag from anybody, and follows no link in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from nsfwforensics.custody import signatures
from nsfwforensics.custody.keys import fingerprint
from nsfwforensics.custody.listing import (
    ALGORITHMS,
    EMPTY_FOLDER,
    MANIFESTS,
    MOST_TAG_BYTES,
    PAYLOAD,
    SIGNATURES,
    TAG_MANIFESTS,
    BagListing,
    BagManifest,
    content,
    digests,
    read_manifest,
    walk,
)
from nsfwforensics.custody.signatures import Signature
from nsfwforensics.errors import CustodyError
from nsfwforensics.store import chain

LOG = f"{PAYLOAD}/custody.jsonl"
INFO = f"{PAYLOAD}/info.json"
MOST_LOG_BYTES = 64 * 1024 * 1024

_DECLARATION = re.compile(rb"BagIt-Version: [0-9]{1,3}\.[0-9]{1,3}\r?\nTag-File-Character-Encoding: UTF-8\r?\n?")


@dataclass(frozen=True, slots=True)
class BagProblem:
    """One file that is not as it was packed.

    Attributes:
        kind: ``altered``, ``missing``, ``added``, ``unreadable``; ``broken`` for a custody log that does not hold.
        path: In the bag, with ``/`` between its parts.
        reason: How that is known.
    """

    kind: str
    path: str
    reason: str


@dataclass(slots=True)
class Verification:
    """What a check of a bag found.

    Attributes:
        bag: Its folder.
        files: How many files were hashed.
        problems: What is not as it was packed, by name.
        signatures: Each signature on it.
        log_entries: How many entries the custody log in it has, or None where there is none.
        trusted_key: Fingerprint of the key that was given, or None.
        stamp_wanted: Whether the certificate of a timestamping authority was given.
        seal: SHA-256 of ``tagmanifest-sha256.txt``, which stands for the whole bag, or None where there is none.
    """

    bag: Path
    files: int = 0
    problems: list[BagProblem] = field(default_factory=list)
    signatures: list[Signature] = field(default_factory=list)
    log_entries: int | None = None
    trusted_key: str | None = None
    stamp_wanted: bool = False
    seal: str | None = None

    @property
    def intact(self) -> bool:
        """Whether nothing was altered, lost or added."""
        return not self.problems

    @property
    def accepted(self) -> bool:
        """Whether it is intact, every signature holds, and the key and the authority that were given vouch for it."""
        relevant = self.relevant
        sound = all(signature.valid and signature.stamp_checked is not False for signature in relevant)
        signed = self.trusted_key is None or bool(relevant)
        stamped = not self.stamp_wanted or any(signature.stamp_checked for signature in relevant)
        return self.intact and sound and signed and stamped

    @property
    def relevant(self) -> list[Signature]:
        """The signatures that decide: those by the given key, all where none was given."""
        if self.trusted_key is None:
            return self.signatures
        return [signature for signature in self.signatures if signature.trusted]


def verify(bag: Path, *, trusted: Ed25519PublicKey | None = None, root: bytes | None = None) -> Verification:
    """Checks every file of a bag against its manifests, and every signature.

    Args:
        bag: Its folder.
        trusted: The key that it should be signed with.
        root: Certificate of a timestamping authority, PEM.

    Raises:
        CustodyError: There is no bag, or it cannot be listed.
    """
    if not bag.is_dir():
        raise CustodyError(f"there is no bag at {bag}: a bag is a folder")
    try:
        listing = walk(bag)
    except OSError as error:
        raise CustodyError(f"the bag {bag} cannot be listed: {error.strerror}") from error
    if not listing.files.keys() & {"bagit.txt", *MANIFESTS, *TAG_MANIFESTS}:
        raise CustodyError(f"{bag} is no bag: neither bagit.txt nor a manifest is in it")
    return _Verifier(bag, listing).run(trusted, root)


class _Verifier:
    def __init__(self, bag: Path, listing: BagListing) -> None:
        self._bag = bag
        self._listing = listing
        self._found = Verification(bag)
        self._blamed: set[tuple[str, str]] = set()

    def run(self, trusted: Ed25519PublicKey | None, root: bytes | None) -> Verification:
        for path, kind in self._listing.others.items():
            opened = "" if kind == EMPTY_FOLDER else ", and it was not opened"
            self._blame("added", path, f"{kind}: a bag of this tool holds none{opened}")
        ours = INFO in self._listing.files
        self._declaration()
        self._compare(self._manifests(TAG_MANIFESTS, ours=ours), self._tag_files())
        self._compare(self._manifests(MANIFESTS, ours=ours), self._under(PAYLOAD))
        self._found.signatures = signatures.check(self._bag, self._listing, trusted, root, self._blame)
        if trusted is not None:
            self._found.trusted_key = fingerprint(trusted)
        self._found.stamp_wanted = root is not None
        self._log()
        if TAG_MANIFESTS[0] in self._listing.files:
            with suppress(OSError):  # it was blamed already
                self._found.seal = hashlib.sha256(content(self._bag, TAG_MANIFESTS[0], MOST_TAG_BYTES)).hexdigest()
        self._found.problems.sort(key=lambda problem: (problem.path, problem.kind))
        return self._found

    def _under(self, folder: str) -> set[str]:
        return {path for path in self._listing.files if path.startswith(f"{folder}/")}

    def _tag_files(self) -> set[str]:
        return set(self._listing.files) - self._under(PAYLOAD) - self._under(SIGNATURES) - set(TAG_MANIFESTS)

    def _declaration(self) -> None:
        try:
            data = content(self._bag, "bagit.txt", 1024)
        except OSError as error:
            kind = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
            self._blame(kind, "bagit.txt", f"a bag begins with it: {error.strerror}")
            return
        if not _DECLARATION.fullmatch(data):
            self._blame("altered", "bagit.txt", "it does not declare a bag (RFC 8493, section 2.1.1)")

    def _manifests(self, names: tuple[str, ...], *, ours: bool) -> dict[str, BagManifest]:
        found: dict[str, BagManifest] = {}
        for name in names:
            try:
                found[name] = read_manifest(self._bag, name)
            except FileNotFoundError:
                self._blame("missing", name, "every bag of this tool has it")
                continue
            except OSError as error:
                self._blame("unreadable", name, f"cannot be read: {error.strerror}")
                continue
            for fault in found[name].faults:
                self._blame("altered", name, fault)
            if ours and not found[name].canonical:
                self._blame("altered", name, "it is not written as this tool writes it")
        return found

    def _compare(self, manifests: Mapping[str, BagManifest], there: set[str]) -> None:
        """Compares files with the manifests that list them; where manifests disagree, one of those is to blame."""
        for path in sorted(there.union(*(manifest.entries for manifest in manifests.values()))):
            listing = {name for name, manifest in manifests.items() if path in manifest.entries}
            if path not in there:
                if path not in self._listing.others:
                    self._absent(path, listing, manifests)
                continue
            if not listing:
                self._blame("added", path, f"no {'manifest' if path.startswith(PAYLOAD) else 'tag manifest'} lists it")
                continue
            for name in manifests.keys() - listing:
                self._blame("altered", name, f"it does not list {path}")
            self._hash(path, {name: manifests[name].entries[path] for name in listing})

    def _absent(self, path: str, listing: set[str], manifests: Mapping[str, BagManifest]) -> None:
        if listing == set(manifests):
            self._blame("missing", path, "the manifests list it")
            return
        for name in listing:
            self._blame("altered", name, f"it lists {path}, which is not in the bag and in no other manifest")

    def _hash(self, path: str, expected: Mapping[str, str]) -> None:
        if not path.startswith(f"{PAYLOAD}/") and self._listing.files[path] > MOST_TAG_BYTES:
            self._blame("altered", path, f"longer than {MOST_TAG_BYTES:,} bytes, and was not read")
            return
        try:
            there = digests(self._bag, path)
        except OSError as error:
            self._blame("unreadable", path, f"cannot be read: {error.strerror}")
            return
        self._found.files += 1
        wrong = {name for name, digest in expected.items() if digest != there[_algorithm(name)]}
        if wrong == set(expected):
            self._blame("altered", path, f"its digest is not that in {' and '.join(sorted(wrong))}")
            return
        for name in wrong:
            self._blame("altered", name, f"its digest of {path} is wrong: another manifest has the right one")

    def _log(self) -> None:
        if LOG not in self._listing.files:
            return
        try:
            data = content(self._bag, LOG, MOST_LOG_BYTES)
        except OSError as error:
            self._blame("unreadable", LOG, f"cannot be read: {error.strerror}")
            return
        lines = data.decode("utf-8", "backslashreplace").split("\n")
        found = chain.check(lines if lines[-1] else lines[:-1])
        self._found.log_entries = len(found.entries)
        for problem in found.problems:
            self._blame("broken", LOG, problem)

    def _blame(self, kind: str, path: str, reason: str) -> None:
        if (path, reason) not in self._blamed:
            self._blamed.add((path, reason))
            self._found.problems.append(BagProblem(kind, path, reason))


def _algorithm(manifest: str) -> str:
    return next(name for name in ALGORITHMS if manifest.endswith(f"-{name}.txt"))
