"""An index of known hashes on disk: exact search by PDQ within a distance, and by MD5, SHA-1 and SHA-256.

An index is a folder of segments (see :mod:`.segment`) and ``index.json``, which names them with their SHA-256 and says
which lists went in. Adding writes new segments and then replaces ``index.json`` in one step, so a reader sees the old
state or the new one; small segments are merged as they come, so that their number grows with the logarithm of the size.
Searching needs no more memory than the pages that it touches.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.documents import read_json
from nsfwforensics.core.hashes import MATCH_DISTANCE
from nsfwforensics.core.opening import file_sha256, open_evidence
from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index.arrays import damaged
from nsfwforensics.hashing.index.hamming import Hits
from nsfwforensics.hashing.index.segment import IndexSegment
from nsfwforensics.hashing.index.signatures import SignatureFile
from nsfwforensics.hashing.lists.items import HashKind, KnownItem

MANIFEST = "index.json"
FORMAT = "nsfwforensics index of known hashes"
VERSION = 1
_LARGEST_MANIFEST = 1 << 24
_FOLLOWED = 10_000
"""So many of a segment's nearest matches are compared with those of other segments; more are only counted."""

_SEGMENT = re.compile(r"[0-9a-f]{16}\.segment")
_SIGNATURES = re.compile(r"[0-9a-f]{16}\.signatures")


@dataclass(frozen=True, slots=True)
class IndexedList:
    """A list that went into an index.

    Attributes:
        name: The file's name.
        sha256: Of the list.
        format: Its format.
        items: How many of its entries went in.
    """

    name: str
    sha256: str
    format: str
    items: int


@dataclass(frozen=True, slots=True)
class HashMatch:
    """A hash that was found.

    Attributes:
        kind: Which hash matched.
        value: The hash on the list.
        distance: Hamming distance in bits; 0 for digests.
        query: Which of the hashes searched for came nearest.
        items: The entries that have it, with the list that each came from.
    """

    kind: HashKind
    value: bytes
    distance: int
    query: int
    items: tuple[tuple[KnownItem, IndexedList], ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """The nearest matches, and how many there are in all."""

    nearest: tuple[HashMatch, ...]
    total: int


class HashIndex:
    """An index, open for searching.

    Attributes:
        path: Its folder.
        digest: SHA-256 over ``index.json``, which holds those of all segments: the same content has the same digest.
        sources: The lists that went in.
        segments: The segments.
        signature_files: Signatures of pictures among the entries.
    """

    def __init__(
        self,
        path: Path,
        digest: str,
        sources: Sequence[IndexedList],
        segments: Sequence[IndexSegment],
        signature_files: Sequence[SignatureFile] = (),
    ) -> None:
        self.path = path
        self.digest = digest
        self.sources = tuple(sources)
        self.segments = tuple(segments)
        self.signature_files = tuple(signature_files)

    @classmethod
    def open(cls, path: Path, *, verify: bool = False) -> HashIndex:
        """Opens an index.

        Args:
            path: Its folder.
            verify: Whether to read everything, compare it with the checksums, and see to it that what is in it can be
                found; otherwise only headers and sizes.

        Raises:
            HashListError: There is no index, or it is damaged or of another version.
        """
        manifest, digest = read_manifest(path)
        for record in (*manifest["segments"], *manifest["signatures"]) if verify else ():
            file = path / str(record["file"])
            if _file_digest(file) != record["sha256"]:
                raise HashListError(f"{file}: damaged: the content does not match its checksum")
        try:
            segments = [IndexSegment.open(path / record["file"]) for record in manifest["segments"]]
            for segment in segments if verify else ():
                segment.check()
            return cls(
                path,
                digest,
                [IndexedList(**source) for source in manifest["sources"]],
                segments,
                [SignatureFile.open(path / record["file"], record["method"]) for record in manifest["signatures"]],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise damaged(path / MANIFEST, "contents of an unknown shape") from error

    def size(self, kind: HashKind) -> int:
        """How many hashes of a kind it holds; one that stands in several segments counts in each."""
        return sum(segment.size(kind) for segment in self.segments)

    def signatures(self, method: str) -> Iterator[tuple[bytes, bytes]]:
        """What a method computed from pictures: SHA-256 of the file and signature, each picture once.

        A picture whose entries were all taken out of the index is passed over.
        """
        seen: set[bytes] = set()
        for file in self.signature_files:
            for digest, signature in file if file.method == method else ():
                if digest not in seen and self.lookup(HashKind.SHA256, digest) is not None:
                    seen.add(digest)
                    yield digest, signature

    def search(self, hashes: Sequence[bytes], distance: int = MATCH_DISTANCE, limit: int = 100) -> Matches:
        """Finds every PDQ hash within a distance of any of the given ones, such as those of a picture's eight turns.

        Args:
            hashes: PDQ hashes, 32 bytes each.
            distance: In bits, inclusive, at most :data:`nsfwforensics.hashing.index.hamming.LARGEST_DISTANCE`.
            limit: How many matches to return, nearest first; all are counted.

        Raises:
            ValueError: The distance or the length of a hash is out of range.
        """
        queries = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), HashKind.PDQ.size).view(np.uint64)
        parts = [np.empty((0, 4), np.int64)]
        beyond = 0
        for number, segment in enumerate(self.segments):
            rows, left_out = _nearest_rows(segment.near(queries, distance), max(limit, _FOLLOWED))
            parts.append(np.insert(rows, 0, number, axis=1))
            beyond += left_out
        hits = np.concatenate(parts)
        values = [self.segments[number].value(HashKind.PDQ, row) for number, row in hits[:, :2].tolist()]
        best: dict[bytes, tuple[int, int]] = {}
        places: dict[bytes, dict[tuple[int, int], None]] = {}
        for value, (number, row, bits, query) in zip(values, hits.tolist(), strict=True):
            best[value] = min(best.get(value, (bits, query)), (bits, query))
            places.setdefault(value, {})[number, row] = None
        order = heapq.nsmallest(limit, best, key=lambda value: (*best[value], value))
        nearest = (self._match(HashKind.PDQ, value, *best[value], list(places[value])) for value in order)
        return Matches(tuple(nearest), len(best) + beyond)

    def lookup(self, kind: HashKind, value: bytes) -> HashMatch | None:
        """Finds one hash as it is."""
        rows = ((number, segment.row_of(kind, value)) for number, segment in enumerate(self.segments))
        places = [(number, row) for number, row in rows if row is not None]
        return self._match(kind, value, 0, 0, places) if places else None

    def __iter__(self) -> Iterator[tuple[KnownItem, IndexedList]]:
        """All entries with the list that each came from: the same content in the same order."""
        for segment in self.segments:
            for kind, value, entry in segment.pairs():
                details = segment.details(entry)
                named = details.get("hashes")
                if not isinstance(named, dict) or next(iter(named), None) == kind.value:
                    yield self._item(kind, value, details)

    def _match(
        self, kind: HashKind, value: bytes, distance: int, query: int, places: Sequence[tuple[int, int]]
    ) -> HashMatch:
        items: dict[str, tuple[KnownItem, IndexedList]] = {}
        for number, row in places:
            segment = self.segments[number]
            for entry in segment.owners(kind, row):
                details = segment.details(entry)
                items.setdefault(json.dumps(details, sort_keys=True), self._item(kind, value, details))
        return HashMatch(kind, value, distance, query, tuple(items.values()))

    def _item(self, kind: HashKind, value: bytes, details: dict[str, Any]) -> tuple[KnownItem, IndexedList]:
        try:
            source = self.sources[details.pop("source")]
            named = details.pop("hashes", None) or {kind.value: value.hex()}
            hashes = {HashKind(name): bytes.fromhex(text) for name, text in named.items()}
            return KnownItem.of(hashes, details), source
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise damaged(self.path, "an entry of an unknown shape") from error


def _nearest_rows(hits: Hits, most: int) -> tuple[NDArray[np.int64], int]:
    """Every row once with its nearest query, int64 (n, 3) of row, distance and query, and how many are left out."""
    order = np.lexsort((hits.queries, hits.distances, hits.rows))
    rows = np.stack([hits.rows, hits.distances, hits.queries], axis=1).astype(np.int64)[order]
    rows = rows[np.diff(rows[:, 0], prepend=-1) != 0]
    nearest = rows[np.argsort(rows[:, 1], kind="stable")[:most]]
    return nearest, len(rows) - len(nearest)


def is_index(path: Path) -> bool:
    """Whether a path looks like an index, whatever its state."""
    return (path / MANIFEST).is_file()


def read_manifest(path: Path) -> tuple[dict[str, Any], str]:
    """Reads ``index.json`` and returns it with its digest.

    Raises:
        HashListError: It is missing, damaged or of another version.
    """
    file = path / MANIFEST
    try:
        if file.stat().st_size > _LARGEST_MANIFEST:
            raise HashListError(f"{file}: not the contents page of an index of known hashes")
        with open_evidence(file, follow=True) as stream:  # a pipe under its name is not waited for
            manifest = read_json(stream.read(_LARGEST_MANIFEST))
    except OSError as error:
        raise HashListError(f"{path}: no index of known hashes: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise HashListError(f"{file}: damaged: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise HashListError(f"{file}: not the contents page of an index of known hashes")
    if manifest.get("version") != VERSION:
        raise HashListError(f"{file}: version {manifest.get('version')!r}, and only {VERSION} is understood here")
    digest = manifest.pop("digest", None)
    if digest != manifest_digest(manifest):
        raise HashListError(f"{file}: damaged: the content does not match its checksum")
    manifest.setdefault("signatures", [])
    if not all(_fits(manifest.get(name), fields) for name, fields in _RECORDS.items()):
        raise HashListError(f"{file}: damaged: records of an unknown shape")
    if not all(_SEGMENT.fullmatch(record["file"]) for record in manifest["segments"]):
        raise HashListError(f"{file}: names files that are no segments")
    if not all(_SIGNATURES.fullmatch(record["file"]) for record in manifest["signatures"]):
        raise HashListError(f"{file}: names files that hold no signatures")
    return manifest, str(digest)


_RECORDS: Mapping[str, Mapping[str, type]] = {
    "sources": {"name": str, "sha256": str, "format": str, "items": int},
    "segments": {"file": str, "sha256": str, "hashes": int},
    "signatures": {"file": str, "sha256": str, "method": str, "pictures": int, "bytes": int},
}


def _fits(records: object, fields: Mapping[str, type]) -> bool:
    return isinstance(records, list) and all(
        isinstance(record, dict)
        and set(record) == set(fields)
        and all(type(record[name]) is kind for name, kind in fields.items())
        for record in records
    )


def manifest_digest(manifest: dict[str, Any]) -> str:
    """SHA-256 over a manifest without its own digest."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def source_record(source: IndexedList) -> dict[str, Any]:
    """A source as plain values."""
    return asdict(source)


def _file_digest(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise HashListError(f"{path}: cannot be read: {error.strerror}") from error
