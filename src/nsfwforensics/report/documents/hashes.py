"""Hashes out of a report in the formats that other tools read.

Each format is one line per file, so every character of a file name that would break a line or act on a terminal is
shown as an escape. The picture's hashes may be personal data; nothing here sends them anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, TextIO

from nsfwforensics.core.hashes import QUALITY, measured_hashes
from nsfwforensics.core.types import FileReport
from nsfwforensics.hashing.lists.formats import ListFormat
from nsfwforensics.hashing.lists.items import HashKind, KnownItem
from nsfwforensics.hashing.lists.write import write_list
from nsfwforensics.report.documents.csv import neutral
from nsfwforensics.report.words.text import visible


class HashFormat(StrEnum):
    """A format of :func:`write_hashes`.

    ``json`` is an array with one object per file; ``csv`` has the columns hash, quality and filename of PDQ's own
    tools; ``threatexchange`` one ``pdq <hash>`` per line; ``hashdeep`` a list for ``hashdeep -a``.
    """

    JSON = "json"
    CSV = "csv"
    THREATEXCHANGE = "threatexchange"
    HASHDEEP = "hashdeep"


def write_hashes(
    files: Iterable[FileReport],
    providers: Container[str],
    chosen: HashFormat,
    stream: TextIO,
    comments: Sequence[str] = (),
) -> int:
    """Writes the hashes of files in one format, one file after the other.

    A file without the hash in question is left out and counted: one that cannot be decoded has no PDQ hash, one that
    cannot be read has no digest. ThreatExchange lines carry no quality, so pictures whose PDQ quality is too low to be
    matched are left out there too.

    Args:
        files: Reports of files.
        providers: The names of the analyzers that provide hashes.
        chosen: The format.
        stream: Where to write text; UTF-8 is assumed.
        comments: Lines for the head of a hashdeep list, without their ``##``.

    Returns:
        How many files were left out.
    """
    return _WRITERS[chosen](((file, measured_hashes(file, providers)) for file in files), stream, comments)


Hashed = tuple[FileReport, Mapping[str, object]]
"""A file with its hashes by name."""


def _write_json(files: Iterable[Hashed], stream: TextIO, comments: Sequence[str]) -> int:
    del comments
    left_out = 0
    separator = "[\n"
    for file, hashes in files:
        if not hashes:
            left_out += 1
            continue
        record = {"path": file.info.path, "size": file.info.size, **hashes}
        # ASCII only: JSON's own escapes keep control and bidirectional characters off the terminal.
        stream.write(separator + json.dumps(record, ensure_ascii=True))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")
    return left_out


def _write_list(
    form: ListFormat, files: Iterable[Hashed], stream: TextIO, comments: Sequence[str], clean: Callable[[str], str]
) -> int:
    return write_list(map(_known_item, files), form, stream, clean, comments)


def _known_item(hashed: Hashed) -> KnownItem:
    """What a list says of a file: its hashes, as far as they could be computed, its path and its size."""
    file, hashes = hashed
    values: dict[str, Any] = {
        kind.value: bytes.fromhex(str(hashes[kind.value])) for kind in HashKind if hashes.get(kind.value) is not None
    }
    quality: Any = hashes.get(QUALITY)
    return KnownItem(**values, quality=quality, name=file.info.path, size=file.info.size)


_WRITERS: Mapping[HashFormat, Callable[[Iterable[Hashed], TextIO, Sequence[str]], int]] = {
    HashFormat.JSON: _write_json,
    HashFormat.CSV: partial(_write_list, ListFormat.PDQ_CSV, clean=neutral),
    HashFormat.THREATEXCHANGE: partial(_write_list, ListFormat.THREATEXCHANGE, clean=visible),
    HashFormat.HASHDEEP: partial(_write_list, ListFormat.HASHDEEP, clean=visible),
}
