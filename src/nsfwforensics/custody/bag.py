"""Making a bag (BagIt, RFC 8493): everything in a folder beside the target first, which then gets its name at once."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from nsfwforensics.core.discover import Target
from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.core.places import keep_apart
from nsfwforensics.core.private import close_all_to_others, close_to_others, make_folder
from nsfwforensics.core.sensitive import header_without_pictures
from nsfwforensics.custody import attached, describe, originals, report_copy, signing
from nsfwforensics.custody.describe import CaseCopy, Contents
from nsfwforensics.custody.listing import ALGORITHMS, TAG_MANIFESTS, digests
from nsfwforensics.custody.operator_file import Operator
from nsfwforensics.custody.originals import BaggedFile
from nsfwforensics.custody.report_copy import Covered, Source
from nsfwforensics.errors import CustodyError
from nsfwforensics.report.words.text import visible

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HASH_ONLY = "hashes only were asked for"
SENSITIVE = "to be handled with care: no copy is made"
LINK = "a symbolic link: links are not followed into a bag"
NOT_THE_SAME = "not the bytes that were examined: it was changed since"

Progress = Callable[[BaggedFile], None]
"""Called after each file."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to pack and how.

    Attributes:
        targets: The files, and what else was pointed at.
        bag: Where the bag goes; nothing is there.
        command: The command line.
        operator: Who packs.
        hash_only: Whether no copies, and no pixels in the report, go into the bag.
        source: The report, or None for a bag without one.
        case: The case that it is packed from, or None.
        known: SHA-256 that a path had when it was examined; files that differ are not packed.
        key: Signs the bag, if given.
    """

    targets: Iterable[Target]
    bag: Path
    command: str
    operator: Operator = field(default_factory=Operator)
    hash_only: bool = False
    source: Source | None = None
    case: CaseCopy | None = None
    known: Mapping[Path, str] | None = None
    key: Ed25519PrivateKey | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """What was packed into a finished bag.

    Attributes:
        files: What became of each file.
        digests: SHA-256 of its tag manifests, by name: two lines that stand for all of it.
        signed_by: Fingerprint of the key, or None.
    """

    files: tuple[BaggedFile, ...]
    digests: Mapping[str, str]
    signed_by: str | None

    @property
    def complete(self) -> bool:
        """Whether everything that was pointed at is covered."""
        return not any(found.problem for found in self.files)


def check_place(bag: Path, evidence: Iterable[Path]) -> None:
    """Makes sure, before anything is read, that a bag may be made there.

    Raises:
        CustodyError: Something is there already, or its folder is missing.
        UsageError: It would lie inside the evidence.
    """
    if os.path.lexists(bag):
        raise CustodyError(f"{bag} is there already; nothing is ever written over it")
    if not bag.name or not bag.parent.is_dir():
        raise CustodyError(f"there is no folder {bag.parent} to make the bag in")
    keep_apart([bag], evidence)


def pack(order: Order, progress: Progress = lambda found: None) -> Packed:
    """Makes a bag, whole or not at all.

    Raises:
        CustodyError: It cannot be written.
        ReportError: The report cannot be read.
    """
    started = time.time()
    check_place(order.bag, ())
    with _being_made(order.bag) as folder:
        payload = folder  # the BagIt library moves what is in the folder into data/
        covered, source = Covered(), order.source
        if source is not None:
            if order.hash_only:
                source = replace(source, header=header_without_pictures(source.header))
            covered = report_copy.write(source, payload / "report", pixels=not order.hash_only)
        files = tuple(_files(order, payload, covered, progress))
        if order.case is not None:
            attached.copy(order.case.path, payload, pixels=not order.hash_only)
        contents = Contents(files, order.operator, order.command, order.hash_only, started, source, covered, order.case)
        describe.write(payload, contents)
        _make(folder, order, contents)
        signed_by = None
        if order.key is not None:
            signed_by, _ = signing.sign(folder, order.key, order.operator.said())
        sums = {name: digests(folder, name)["sha256"] for name in TAG_MANIFESTS}
        check_place(order.bag, ())
        try:
            folder.rename(order.bag)
        except OSError as error:
            raise CustodyError(f"the bag cannot be given its name {order.bag}: {error.strerror}") from error
    return Packed(files, sums, signed_by)


@contextlib.contextmanager
def _being_made(bag: Path) -> Iterator[Path]:
    """A private folder beside the target, gone at the end unless it was given the target's name."""
    try:
        folder = Path(tempfile.mkdtemp(dir=bag.parent, prefix=f".{bag.name[:80]}.", suffix=".part"))
    except OSError as error:
        raise CustodyError(f"cannot make a bag in {bag.parent}: {error.strerror}") from error
    try:
        close_to_others(folder)
        yield folder
    except OSError as error:
        raise CustodyError(f"the bag cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _files(order: Order, payload: Path, covered: Covered, progress: Progress) -> Iterator[BaggedFile]:
    make_folder(payload / "evidence")
    for number, target in enumerate(order.targets, 1):
        found = _file(order, payload, covered, number, target)
        progress(found)
        yield found
    with contextlib.suppress(OSError):
        (payload / "evidence").rmdir()  # where no copy was made


def _file(order: Order, payload: Path, covered: Covered, number: int, target: Target) -> BaggedFile:
    if target.skip is not None:
        return BaggedFile(number, target.path, problem=LINK if target.path.is_symlink() else target.skip)
    found = originals.measure(number, target.path)
    if found.problem is not None:
        return found
    expected = order.known.get(target.path) if order.known is not None else None
    if expected is not None and expected != found.sha256:
        return found.with_problem(NOT_THE_SAME)
    found = replace(found, in_report=found.sha256 in covered.contents)
    if covered.sensitive(found.sha256):
        return replace(found, left_out=SENSITIVE)
    if order.hash_only:
        return replace(found, left_out=HASH_ONLY)
    return originals.copy(found, payload)


def _make(folder: Path, order: Order, contents: Contents) -> None:
    import bagit  # type: ignore[import-untyped]

    logging.getLogger("bagit").addHandler(logging.NullHandler())  # what goes wrong is said below, once
    said = order.operator
    info = {
        "Bag-Software-Agent": f"nsfwforensics {version('nsfwforensics')}, bagit.py {version('bagit')}",
        "Bagging-Date": utc_iso(contents.started)[:10],
        "External-Description": "Picture files, what was found in them and how; see data/about.txt",
        "Source-Organization": said.organisation,
        "Contact-Name": said.name,
        "External-Identifier": said.case_number,
        "Internal-Sender-Identifier": order.case.uuid if order.case else "",
    }
    try:
        bagit.make_bag(str(folder), {name: visible(text) for name, text in info.items() if text}, checksums=ALGORITHMS)
        # The library declares the last draft before the standard; what it writes meets RFC 8493 too.
        (folder / "bagit.txt").write_bytes(b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
        bagit.Bag(str(folder)).save()
        close_all_to_others(folder)
    except (bagit.BagError, RuntimeError) as error:
        raise CustodyError(f"the bag cannot be made: {error}") from error
