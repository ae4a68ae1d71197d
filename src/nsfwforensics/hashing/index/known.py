"""Known images from wherever they are kept: a list of hashes, an index, opened the same way.

A place that holds known images is a file or a folder that the user names. :func:`enrol_known` turns each into an index;
:func:`open_known` opens it in whichever process searches it. Another kind of place, such as a case, hands its entries
to :func:`enrol_items`.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index.index import HashIndex, is_index
from nsfwforensics.hashing.index.indexing import IndexWriter
from nsfwforensics.hashing.lists.items import HashKind, KnownItem
from nsfwforensics.hashing.lists.lists import HashList, LineCounts
from nsfwforensics.hashing.lists.picture_list import PICTURES, PictureList

Signature = tuple[bytes, str, bytes]
"""SHA-256 of a picture's file, the method, and what it computed from the picture."""


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """One place with known images, ready to be searched; picklable, so that workers map the same files.

    Attributes:
        name: The name of the file or folder that the user gave.
        index: The folder of the index.
        index_digest: What :attr:`HashIndex.digest` was.
        digest: SHA-256 that stands for the content and the name.
        record: What a report's header says of it.
    """

    name: str
    index: Path
    index_digest: str
    digest: str
    record: dict[str, Any]


def enrol_known(paths: Sequence[Path], long_hash: HashKind | None = None) -> tuple[KnownPlace, ...]:
    """Opens, checks and where needed indexes everything that holds known images.

    An index is read once in full and compared with its checksums. A list is indexed in a temporary folder, which goes
    when this process ends.

    Args:
        paths: Lists of hashes and indexes.
        long_hash: What 64 digits without a name are; told by their bits if None.

    Raises:
        HashListError: One cannot be read, is damaged, or holds no hash.
    """
    return tuple(_enrolled_index(path) if path.is_dir() else _enrolled_list(path, long_hash) for path in paths)


def enrol_items(path: Path, items: Iterable[KnownItem], form: str, signatures: Iterable[Signature] = ()) -> KnownPlace:
    """Indexes entries that come from elsewhere than a list, in a temporary folder that goes when this process ends.

    Args:
        path: Where they are kept, for its name.
        items: Entries with at least one hash each.
        form: What kind of place it is.
        signatures: Of entries with a SHA-256.

    Raises:
        HashListError: There is no hash among them.
    """
    with IndexWriter(_temporary_index()) as writer:
        writer.add(items, path.name, "", form)
        for signature in signatures:
            writer.add_signature(*signature)
        index = writer.commit()
    record = {"known": path.name, "sha256": index.digest, "format": form, "hashes": _sizes(index)}
    return _place(path, index, index.digest, record)


def open_known(place: KnownPlace) -> HashIndex:
    """The index of a place, mapped into this process once.

    Raises:
        HashListError: It is gone or damaged, or was changed since it was enrolled.
    """
    return open_index(place.index, place.index_digest)


@lru_cache(maxsize=64)
def open_index(path: Path, digest: str) -> HashIndex:
    """An index by its folder and by what its digest was, mapped into this process once.

    Raises:
        HashListError: It is gone or damaged, or was changed since.
    """
    index = HashIndex.open(path)
    if index.digest != digest:
        raise HashListError(f"{path}: changed since the run began")
    return index


def index_lists(lists: Sequence[HashList | PictureList], index: Path) -> HashIndex:
    """Adds lists to an index, which is made where it is missing, and takes out what they withdraw: all or nothing.

    Of pictures the signatures are added too, where they are made.

    Raises:
        HashListError: A list cannot be read or the index not be written.
    """
    with IndexWriter(index) as writer:
        for listed in lists:
            if isinstance(listed, PictureList):
                writer.add(listed.items(writer.add_signature), listed.path.name, "", PICTURES)
                continue
            writer.add(listed, listed.path.name, listed.sha256, listed.form.value)
            if listed.reading.purged:
                writer.withdraw(listed.reading.purged)
        return writer.commit()


def reading_record(reading: LineCounts) -> dict[str, int]:
    """The counts of a reading, for a report's header."""
    return {
        "entries": reading.items,
        "low_quality_left_out": reading.low_quality,
        "withdrawn_left_out": reading.withdrawn,
        "other_signals": reading.other,
        "photodna_passed_over": reading.photodna,
        "bad_lines": reading.bad,
    }


def _enrolled_index(path: Path) -> KnownPlace:
    if not is_index(path):
        raise HashListError(f"{path}: a folder that holds no index of known hashes (make one with: hashlist import)")
    index = HashIndex.open(path, verify=True)
    sources = [{"name": source.name, "sha256": source.sha256, "format": source.format} for source in index.sources]
    record = {"known": path.name, "sha256": index.digest, "format": "index", "hashes": _sizes(index), "lists": sources}
    return _place(path, index, index.digest, record)


def _enrolled_list(path: Path, long_hash: HashKind | None) -> KnownPlace:
    listed = HashList(path, long_hash=long_hash)
    index = index_lists([listed], _temporary_index())
    record: dict[str, Any] = {
        "known": path.name,
        "sha256": listed.sha256,
        "format": listed.form.value,
        "hashes": _sizes(index),
        **reading_record(listed.reading),
    }
    if listed.long_hash is not None:
        record["hashes_of_64_digits_taken_for"] = listed.long_hash.value
    return _place(path, index, listed.sha256, record, what_else(listed.reading))


def _temporary_index() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="nsfwforensics-known-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / "index"


def what_else(reading: LineCounts) -> str:
    """What a list is of which no hash could be taken."""
    if reading.photodna and reading.photodna >= reading.bad:
        return f"a PhotoDNA set of {reading.photodna:,}; PhotoDNA cannot be computed here"
    reasons = f" ({reading.reasons[0][1]})" if reading.reasons else ""
    return f"no usable hash in it{reasons}"


def _place(
    path: Path, index: HashIndex, digest: str, record: dict[str, Any], empty: str = "no usable hash in it"
) -> KnownPlace:
    if not any(index.size(kind) for kind in HashKind):
        raise HashListError(f"{path}: {empty}")
    named = hashlib.sha256(os.fsencode(path.name) + b"\0" + digest.encode()).hexdigest()
    return KnownPlace(path.name, index.path, index.digest, named, record)


def _sizes(index: HashIndex) -> dict[str, int]:
    sizes = {kind.value: size for kind in HashKind if (size := index.size(kind))}
    signatures = sum(map(len, index.signature_files))
    return sizes | ({"signatures": signatures} if signatures else {})
