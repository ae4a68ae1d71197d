"""Building an index of known hashes, and adding to one."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from nsfwforensics.core.locks import LOCK_NAME, FolderLock
from nsfwforensics.core.private import clear_parts, close_to_others, make_folder, replacing
from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index.index import (
    FORMAT,
    MANIFEST,
    VERSION,
    HashIndex,
    IndexedList,
    is_index,
    manifest_digest,
    read_manifest,
    source_record,
)
from nsfwforensics.hashing.index.segment import Columns, IndexSegment, write_segment
from nsfwforensics.hashing.index.signatures import SUFFIX, SignatureFile, write_signatures
from nsfwforensics.hashing.lists.items import HashKind, KnownItem

BATCH = 1 << 20
"""So many hashes are gathered in memory before a segment is written."""

LARGEST_SEGMENT = 1 << 22
"""Segments are not merged beyond so many hashes."""

SIGNATURE_BATCH = 1 << 26
"""So many bytes of signatures are gathered in memory before a file is written; files are merged up to four times it."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


class IndexWriter:
    """Adds to an index, or begins one. Nothing changes for readers before :meth:`commit`. A context manager.

    Args:
        path: The folder; made if it is missing, and kept from other writers until the end of the context.

    Raises:
        BusyError: Another process is writing to it.
        HashListError: The path holds something else, or a damaged index.
    """

    def __init__(self, path: Path, *, batch: int = BATCH) -> None:
        self.path = path
        self._limit = batch
        self._sources: list[IndexedList] = []
        self._segments: list[dict[str, Any]] = []
        self._signature_files: list[dict[str, Any]] = []
        self._signatures: dict[str, dict[bytes, bytes]] = {}
        self._signature_bytes = 0
        try:
            if not is_index(path):
                if path.is_dir() and any(entry.name != LOCK_NAME for entry in path.iterdir()):
                    raise HashListError(f"{path}: a folder that is not empty and no index of known hashes")
                make_folder(path)
            self._held = FolderLock(path)
            clear_parts(path)
            if is_index(path):  # as the one before left it
                manifest, _ = read_manifest(path)
                self._sources = [IndexedList(**source) for source in manifest["sources"]]
                self._segments = manifest["segments"]
                self._signature_files = manifest["signatures"]
        except OSError as error:
            raise HashListError(f"{path}: cannot be written: {error.strerror}") from error
        self._batch = _Batch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.release()

    def add(self, items: Iterable[KnownItem], name: str, sha256: str, form: str) -> int:
        """Adds the entries of one list and returns their number.

        Args:
            items: Entries with at least one hash each.
            name: The list's file name.
            sha256: Of the list.
            form: Its format.

        Raises:
            HashListError: The index cannot be written.
        """
        number = len(self._sources)
        self._sources.append(IndexedList(name, sha256, form, 0))
        count = 0
        for item in items:
            self._batch.add(item, number)
            count += 1
            if len(self._batch) >= self._limit:
                self._flush()
        self._sources[number] = IndexedList(name, sha256, form, count)
        return count

    def add_signature(self, sha256: bytes, method: str, signature: bytes) -> None:
        """Adds what a method computed from a picture that has an entry with this SHA-256.

        Raises:
            HashListError: It is too long, or the index cannot be written.
        """
        self._signatures.setdefault(method, {})[sha256] = signature
        self._signature_bytes += len(signature)
        if self._signature_bytes >= SIGNATURE_BATCH:
            self._flush_signatures()

    def withdraw(self, hashes: Iterable[tuple[HashKind, bytes]]) -> int:
        """Takes out entries that were withdrawn by the exchange they came from, and returns how many.

        Only entries of lists of the format ``stopncii`` are taken out: the same hash on another list stays.

        Raises:
            HashListError: The index is damaged or cannot be written.
        """
        gone = set(hashes)
        self._flush()
        taken = 0
        kept = []
        for record in self._segments:
            segment = IndexSegment.open(self.path / record["file"])
            segment.check()
            found = [(kind, value) for kind, value in gone if segment.row_of(kind, value) is not None]
            batch, removed = self._without(segment, set(found)) if found else (None, 0)
            taken += removed
            if batch is None or not removed:
                kept.append(record)
            elif len(batch):
                kept.append(self._write(batch.columns()))
        self._segments = kept
        return taken

    def commit(self) -> HashIndex:
        """Makes what was added visible, removes files that are no longer needed, and opens the index.

        Others may write to it from then on, and this one may not.

        Raises:
            HashListError: The index cannot be written.
        """
        self._flush()
        self._flush_signatures()
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "sources": [source_record(source) for source in self._sources],
            "segments": self._segments,
        } | ({"signatures": self._signature_files} if self._signature_files else {})
        text = json.dumps(manifest | {"digest": manifest_digest(manifest)}, indent=1, sort_keys=True)
        try:
            with (
                replacing(self.path / MANIFEST) as descriptor,
                os.fdopen(descriptor, "w", encoding="utf-8") as stream,
            ):
                stream.write(text + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            named = {record["file"] for record in (*self._segments, *self._signature_files)}
            for file in (*self.path.glob("*.segment"), *self.path.glob(f"*{SUFFIX}")):
                if file.name not in named:
                    file.unlink()
                else:
                    close_to_others(file)  # an earlier version left them open to everybody
        except OSError as error:
            raise HashListError(f"{self.path}: cannot be written: {error.strerror}") from error
        self._held.release()
        return HashIndex.open(self.path)

    def _flush(self) -> None:
        """Writes what was gathered, together with segments before it that are no larger."""
        if not len(self._batch):
            return
        parts = [self._batch.columns()]
        size = len(self._batch)
        while self._segments and self._segments[-1]["hashes"] <= size:
            size += self._segments[-1]["hashes"]
            if size > LARGEST_SEGMENT:
                break
            before = IndexSegment.open(self.path / self._segments.pop()["file"])
            before.check()
            parts.insert(0, before.columns())
        self._segments.append(self._write(Columns.joined(parts)))
        self._batch = _Batch()

    def _write(self, columns: Columns) -> dict[str, Any]:
        temporary = self.path / "new.segment"
        try:
            digest = write_segment(columns, temporary)
            name = f"{digest[:16]}.segment"
            temporary.replace(self.path / name)
        except OSError as error:
            raise HashListError(f"{self.path}: cannot be written: {error.strerror}") from error
        return {"file": name, "sha256": digest, "hashes": sum(map(len, columns.owners.values()))}

    def _flush_signatures(self) -> None:
        """Writes the signatures that were gathered, together with files of the same method that are no larger."""
        for method, gathered in self._signatures.items():
            size, signatures, kept = sum(map(len, gathered.values())), gathered, []
            for record in reversed(self._signature_files):
                if record["method"] == method and record["bytes"] <= size and size < 2 * SIGNATURE_BATCH:
                    size += record["bytes"]
                    signatures = dict(SignatureFile.open(self.path / record["file"], method)) | signatures
                else:
                    kept.append(record)
            temporary = self.path / f"new{SUFFIX}"
            try:
                digest = write_signatures(signatures, temporary)
                name = f"{digest[:16]}{SUFFIX}"
                temporary.replace(self.path / name)
            except OSError as error:
                raise HashListError(f"{self.path}: cannot be written: {error.strerror}") from error
            written = {"file": name, "sha256": digest, "method": method, "pictures": len(signatures), "bytes": size}
            self._signature_files = [*reversed(kept), written]
        self._signatures, self._signature_bytes = {}, 0

    def _without(self, segment: IndexSegment, gone: set[tuple[HashKind, bytes]]) -> tuple[_Batch, int]:
        batch = _Batch()
        removed = 0
        for kind, value, entry in segment.pairs():
            details = segment.details(entry)
            if (kind, value) in gone and self._sources[details["source"]].format == "stopncii":
                removed += 1
            else:
                batch.put({kind: value}, _encode(details))
        return batch, removed


class _Batch:
    """Entries on their way into a segment; its length is the number of hashes.

    Entries that differ in nothing but the hash share their details.
    """

    def __init__(self) -> None:
        self._values = {kind: bytearray() for kind in HashKind}
        self._owners = {kind: array("I") for kind in HashKind}
        self._details: dict[str, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, item: KnownItem, source: int) -> None:
        hashes = item.hashes()
        details = item.details()
        if not details and len(hashes) == 1:  # most lists hold nothing but hashes
            self.put(hashes, f'{{"source":{source}}}')
            return
        details["source"] = source
        if len(hashes) > 1:
            details["hashes"] = {kind.value: value.hex() for kind, value in hashes.items()}
        self.put(hashes, _encode(details))

    def put(self, hashes: Mapping[HashKind, bytes], details: str) -> None:
        number = self._details.setdefault(details, len(self._details))
        for kind, value in hashes.items():
            self._values[kind] += value
            self._owners[kind].append(number)
        self._count += len(hashes)

    def columns(self) -> Columns:
        texts = [text.encode() for text in self._details]
        return Columns(
            {kind: np.frombuffer(bytes(self._values[kind]), np.uint8).reshape(-1, kind.size) for kind in HashKind},
            {kind: np.array(self._owners[kind], np.uint32) for kind in HashKind},
            np.cumsum([len(text) for text in texts], dtype=np.uint64),
            np.frombuffer(b"".join(texts), np.uint8),
        )
