"""The originals: read, hashed and copied without being touched, and proved to be what they were before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.core.media import EXTENSIONS, SNIFF_BYTES, sniff
from nsfwforensics.core.opening import open_evidence
from nsfwforensics.core.private import create
from nsfwforensics.core.storable import storable_text
from nsfwforensics.errors import CustodyError

CHANGED = "changed while it was read: not packed"
BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BaggedFile:
    """One file that was pointed at, and what became of it.

    Attributes:
        number: From 1, in the order in which they were found.
        path: Where it is.
        size: In bytes, or None where it could not be read.
        mtime_ns: Its time of modification, nanoseconds since the epoch.
        md5: Of its bytes.
        sha256: Of its bytes.
        media_type: What the bytes are, where they are a picture of a known kind.
        stored: Name of the copy in the bag's payload, or None.
        left_out: Why there is no copy although the file is described: hashes only, or careful handling.
        problem: Why the file is not covered.
        in_report: Whether the bag's report is about these bytes.
    """

    number: int
    path: Path
    size: int | None = None
    mtime_ns: int | None = None
    md5: str | None = None
    sha256: str | None = None
    media_type: str | None = None
    stored: str | None = None
    left_out: str | None = None
    problem: str | None = None
    in_report: bool = False

    @property
    def place(self) -> str:
        """Its absolute path as text that can be stored anywhere (undecodable bytes escaped)."""
        return str(storable_text(os.path.abspath(self.path)))  # noqa: PTH100 - keeps links as they are

    @property
    def modified(self) -> str | None:
        """Its time of modification in UTC."""
        return None if self.mtime_ns is None else utc_iso(self.mtime_ns / 1e9)

    def with_problem(self, problem: str) -> BaggedFile:
        """The same file, not stored in the bag, with the reason why."""
        return replace(self, stored=None, problem=problem)


def measure(number: int, path: Path) -> BaggedFile:
    """Reads a file once and describes it; a link, pipe or device under its name is refused, not opened or waited for.

    Returns:
        The description, with ``problem`` set where it could not be read or changed meanwhile.
    """
    try:
        with open_evidence(path) as stream:
            before = os.fstat(stream.fileno())
            md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
            head = b""
            size = 0
            while block := stream.read(BLOCK):
                head = head or block[:SNIFF_BYTES]
                size += len(block)
                md5.update(block)
                sha256.update(block)
            after = os.fstat(stream.fileno())
    except OSError as error:
        return BaggedFile(number, path, problem=f"cannot be read: {error.strerror}")
    found = BaggedFile(
        number, path, size, before.st_mtime_ns, md5.hexdigest(), sha256.hexdigest(), sniff(head) if head else None
    )
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) == (size, found.mtime_ns)
    return found if unchanged else found.with_problem(CHANGED)


def stored_name(found: BaggedFile) -> str:
    """A name of our own for the copy: never the evidence's, which may be anything."""
    suffix = EXTENSIONS.get(found.media_type or "", (".bin",))[0]
    return f"evidence/{found.number:06d}-{(found.sha256 or '')[:16]}{suffix}"


def copy(found: BaggedFile, payload: Path) -> BaggedFile:
    """Copies a measured file into the payload, then hashes the copy and the original again.

    Args:
        found: As :func:`measure` described it.
        payload: Folder of the bag's payload; ``evidence`` is in it.

    Returns:
        The description with ``stored`` set; with ``problem`` where the file is no longer what it was.

    Raises:
        CustodyError: The copy cannot be written, or does not read back as it was written.
    """
    name = stored_name(found)
    target = payload / name
    try:
        with open_evidence(found.path) as stream:
            read = _write(stream, target)
    except _ReadFailed as error:
        target.unlink(missing_ok=True)
        return found.with_problem(f"cannot be read: {error}")
    except OSError as error:
        if not target.exists():
            return found.with_problem(f"cannot be read: {error.strerror}")
        raise CustodyError(f"the copy of {found.place} cannot be written: {error.strerror}") from error
    again = measure(found.number, found.path)
    if read != found.sha256 or (again.sha256, again.size, again.mtime_ns) != (found.sha256, found.size, found.mtime_ns):
        target.unlink()
        return found.with_problem(CHANGED)
    if measure(found.number, target).sha256 != found.sha256:
        raise CustodyError(f"the copy of {found.place} does not read back as it was written: is the disk sound?")
    return replace(found, stored=name)


class _ReadFailed(Exception):  # noqa: N818 - not an error of ours to show
    """Reading the original broke off."""


def _write(stream: BinaryIO, target: Path) -> str:
    sha256 = hashlib.sha256()
    with os.fdopen(create(target), "wb") as out:
        for block in _blocks(stream.read):
            sha256.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return sha256.hexdigest()


def _blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while True:
        try:
            block = read(BLOCK)
        except OSError as error:
            raise _ReadFailed(error.strerror) from error
        if not block:
            return
        yield block
