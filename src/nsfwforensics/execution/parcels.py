"""Files of evidence that travel with their bytes, to machines that do not see the folder they lie in.

A parcel is packed where the file lies and holds it with what lies beside it and belongs to it. It is unpacked into a
private folder under the same names, examined there, and reported under the path that it has where it lies.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nsfwforensics.core.discover import Target
from nsfwforensics.core.draft import Draft
from nsfwforensics.core.evidence import describe_path
from nsfwforensics.core.opening import open_evidence
from nsfwforensics.core.private import create
from nsfwforensics.core.types import FileInfo, FileReport
from nsfwforensics.seclusion import scratch

MOST_BESIDE = 1024 * 1024
"""Bytes above which a file beside a picture does not travel with it."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file of a parcel.

    Attributes:
        name: Without a folder.
        data: Its bytes.
        modified: Its modification time, nanoseconds since the epoch.
    """

    name: str
    data: bytes
    modified: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file to examine, with its bytes.

    Attributes:
        target: The file, by the path that it has where it lies.
        files: The file itself, then what lies beside it.
    """

    target: Target
    files: tuple[PackedFile, ...]


def packed(target: Target, beside: Iterable[Path], most: int) -> Parcel | None:
    """Packs a file.

    Args:
        target: The file.
        beside: What belongs to it, as far as it is there.
        most: Bytes above which it is not packed.

    Returns:
        None for a file that is not to be opened, is too large or cannot be read: it is for whoever sees it to say so.
    """
    if target.skip is not None or (own := _read(target.path, most, follow=target.follow)) is None:
        return None
    others = (_read(path, MOST_BESIDE, follow=False) for path in dict.fromkeys(beside))
    return Parcel(target, (own, *filter(None, others)))


def _read(path: Path, most: int, *, follow: bool) -> PackedFile | None:
    try:
        with open_evidence(path, follow=follow) as stream:
            before = os.fstat(stream.fileno())
            data = stream.read(most + 1) if before.st_size <= most else b""
            after = os.fstat(stream.fileno())
    except OSError:
        return None
    whole = (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, len(data))
    return PackedFile(path.name, data, before.st_mtime_ns) if data and whole else None


@contextmanager
def unpacked(parcel: Parcel) -> Iterator[Target]:
    """The files of a parcel in a private folder, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        for file in parcel.files:
            place = Path(folder) / file.name
            with os.fdopen(create(place), "wb") as stream:
                stream.write(file.data)
            os.utime(place, ns=(file.modified, file.modified))
        yield replace(parcel.target, path=Path(folder) / parcel.files[0].name)


def readdressed(half: Draft | FileReport, target: Target) -> Draft | FileReport:
    """What was found in an unpacked file, under the path that it has where it lies."""
    if isinstance(half, FileReport):
        return half.model_copy(update={"info": _info(half.info, target)})
    half.info = _info(half.info, target)
    for further in half.further:
        further.info = _info(further.info, target)
    return half


def _info(info: FileInfo, target: Target) -> FileInfo:
    place = describe_path(target.path)
    return info.model_copy(update={"path": place.path, "name": place.name})
