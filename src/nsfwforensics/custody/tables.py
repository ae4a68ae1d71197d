"""Tables of what is in a bag: which copy is which original, and a list for hashdeep."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from nsfwforensics.custody.originals import BaggedFile
from nsfwforensics.hashing.lists.formats import ListFormat
from nsfwforensics.hashing.lists.items import KnownItem
from nsfwforensics.hashing.lists.write import write_list
from nsfwforensics.report.documents.csv import neutral
from nsfwforensics.report.saved.json import dumps
from nsfwforensics.report.words.text import inert, shown_name

COLUMNS = (
    "number",
    "original_path",
    "size_bytes",
    "modified",
    "md5",
    "sha256",
    "media_type",
    "copy",
    "no_copy_because",
    "problem",
    "in_report",
)


def entry(found: BaggedFile) -> dict[str, Any]:
    """One file as a JSON object; a path that is no valid UTF-8 is there byte for byte too."""
    value: dict[str, Any] = dict(zip(COLUMNS, _cells(found), strict=True))
    raw = os.fsencode(os.path.abspath(found.path))  # noqa: PTH100 - keeps links as they are
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        value["original_path_bytes"] = raw.hex()
    return value


def write_json(files: Iterable[BaggedFile], stream: TextIO, head: Mapping[str, Any]) -> None:
    """Writes the table as one JSON object, with one file to a line."""
    stream.write("{\n" + "".join(f"{dumps(name)}: {dumps(value)},\n" for name, value in head.items()))
    stream.write('"files": [')
    between = "\n"
    for found in files:
        stream.write(between + dumps(entry(found)))
        between = ",\n"
    stream.write("\n]\n}\n")


def write_csv(files: Iterable[BaggedFile], stream: TextIO) -> None:
    """Writes the table so that it is harmless in a spreadsheet (``newline=""``)."""
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for found in files:
        number, place, *others = _cells(found)
        writer.writerow([neutral(cell) for cell in (number, shown_name(place), *others)])


def write_hashdeep(files: Iterable[BaggedFile], stream: TextIO, comments: list[str]) -> None:
    """Writes the list that ``hashdeep -a -k`` audits the originals against, under their own paths."""
    items = (
        KnownItem(md5=bytes.fromhex(found.md5), sha256=bytes.fromhex(found.sha256), size=found.size, name=found.place)
        for found in files
        if found.md5 is not None and found.sha256 is not None and found.problem is None
    )
    write_list(items, ListFormat.HASHDEEP, stream, inert, comments)


def _cells(found: BaggedFile) -> tuple[object, ...]:
    return (
        found.number,
        found.place,
        found.size,
        found.modified,
        found.md5,
        found.sha256,
        found.media_type,
        found.stored,
        found.left_out,
        found.problem,
        found.in_report,
    )
