"""Reading what was saved: the whole document, or the stream that a stopped run left behind.

Both are read line by line, so a report of 50,000 files needs no more memory than its index.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from nsfwforensics.core.documents import DocumentError, read_json
from nsfwforensics.core.messages import say
from nsfwforensics.core.sensitive import handled
from nsfwforensics.core.types import READ_VERSIONS, FileReport, Header
from nsfwforensics.errors import ReportError
from nsfwforensics.report.saved.folder import REPORT_NAME, RUN_NAME, STREAM_NAME
from nsfwforensics.report.saved.json import file_line
from nsfwforensics.report.saved.tally import Tally

UNFINISHED = say("The run was not finished: this report holds only the files that were done before it stopped.")
TORN = say("The last entry was cut off when the run stopped and is not in this report.")
NO_HEADER = say("The record of the run is missing: when, how and with which versions it ran is not known.")

_FILES_LINE = b'"files": [\n'


@dataclass(frozen=True, slots=True)
class Loaded:
    """A saved report found and indexed.

    Attributes:
        header: The run.
        tally: Counts and the places of the files' lines.
        source: Where the lines are: a file, or bytes in memory.
        unfinished: Whether it comes from a run that never finished.
    """

    header: Header
    tally: Tally
    source: Path | bytes
    unfinished: bool = False


def load(folder: Path) -> Loaded:
    """Finds and indexes the report in a folder; a run that was stopped is preferred to an older finished one.

    Raises:
        ReportError: There is none, or it is broken or of an unknown schema version.
    """
    try:
        if (folder / RUN_NAME).is_file() or not (folder / REPORT_NAME).is_file():
            return _load_stream(folder)
        return _load_document(folder / REPORT_NAME)
    except OSError as error:
        raise ReportError(f"the report in {folder} cannot be read: {error.strerror}") from error


def lines(source: Path | bytes, places: Iterator[tuple[int, int]]) -> Iterator[bytes]:
    """Yields the JSON of files at the given (offset, length) places, in bytes."""
    stream: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with stream:
        for offset, length in places:
            stream.seek(offset)
            yield stream.read(length)


def parse_file(raw: bytes, where: str) -> FileReport:
    """Reads one file's report.

    Raises:
        ReportError: The text is no JSON or no file report; ``where`` says which one.
    """
    try:
        return handled(FileReport.model_validate_json(raw))
    except ValidationError as error:
        raise ReportError(f"{where} is not a file report: {_first(error)}") from error


def _load_stream(folder: Path) -> Loaded:
    stream_path = folder / STREAM_NAME
    if not stream_path.is_file():
        raise ReportError(f"no report in {folder}: neither {REPORT_NAME} nor {STREAM_NAME} is there")
    notes: list[str] = [UNFINISHED]
    if (folder / RUN_NAME).is_file():
        run = _parse((folder / RUN_NAME).read_bytes(), RUN_NAME)
        _check_version(run, RUN_NAME)
        header = _header(run.get("header"), RUN_NAME)
    else:
        header = _unknown_header()
        notes = [NO_HEADER]
    tally = Tally()
    offset = 0
    with stream_path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                notes.append(TORN)
                break
            raw = line.rstrip(b"\n")
            tally.add(parse_file(raw, f"line {number} of {STREAM_NAME}"), offset, len(raw))
            offset += len(line)
    header = header.model_copy(update={"interrupted": True, "notes": (*header.notes, *notes)})
    return Loaded(header, tally, stream_path, unfinished=True)


def _load_document(path: Path) -> Loaded:
    with path.open("rb") as stream:
        head = stream.read(64)
        if head.startswith(b'{\n"schema_version": '):
            stream.seek(0)
            return _load_own_layout(stream, path)
    return _load_any_layout(path.read_bytes())


def _load_own_layout(stream: BinaryIO, path: Path) -> Loaded:
    """Reads the layout of :func:`nsfwforensics.report.saved.json.document`: one line for each file."""
    head = b""
    for line in stream:
        if line == _FILES_LINE:
            break
        head += line
    opening = _parse(head.rstrip().rstrip(b",") + b"}", REPORT_NAME)
    _check_version(opening, REPORT_NAME)
    header = _header(opening.get("header"), REPORT_NAME)
    tally = Tally()
    offset = stream.tell()
    for number, line in enumerate(stream, 1):
        if line.startswith(b"]"):
            break
        raw = line.rstrip(b"\n").removesuffix(b",")
        tally.add(parse_file(raw, f"file {number} of {REPORT_NAME}"), offset, len(raw))
        offset += len(line)
    else:
        raise ReportError(f"{REPORT_NAME} is cut off before its end")
    return Loaded(header, tally, path)


def _load_any_layout(data: bytes) -> Loaded:
    """Reads a document that another program has formatted anew; it is held in memory."""
    value = _parse(data, REPORT_NAME)
    _check_version(value, REPORT_NAME)
    header = _header(value.get("header"), REPORT_NAME)
    entries = value.get("files")
    if not isinstance(entries, list):
        raise ReportError(f"{REPORT_NAME} holds no list of files")
    tally = Tally()
    buffer = io.BytesIO()
    for number, entry in enumerate(entries, 1):
        file = parse_file(json.dumps(entry).encode(), f"file {number} of {REPORT_NAME}")
        raw = file_line(file).encode()
        tally.add(file, buffer.tell(), len(raw))
        buffer.write(raw + b"\n")
    return Loaded(header, tally, buffer.getvalue())


def _parse(data: bytes, name: str) -> dict[str, Any]:
    try:
        value = read_json(data)
    except DocumentError as error:
        raise ReportError(f"{name} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ReportError(f"{name} is not a report")
    return value


def _check_version(value: dict[str, Any], name: str) -> None:
    version = value.get("schema_version")
    if version is None:
        raise ReportError(f"{name} is not a report of this tool: it names no schema version")
    if version not in READ_VERSIONS:
        readable = ", ".join(READ_VERSIONS)
        raise ReportError(f"{name} has schema version {version!r}; this version of the tool reads {readable}")


def _header(value: object, name: str) -> Header:
    try:
        return Header.model_validate(value)
    except ValidationError as error:
        raise ReportError(f"the header of {name} is not understood: {_first(error)}") from error


def _unknown_header() -> Header:
    unknown = say("not known")
    return Header(
        version=unknown,
        command=unknown,
        started=unknown,
        python=unknown,
        platform=unknown,
        device=unknown,
        engine=unknown,
        fingerprint=unknown,
    )


def _first(error: ValidationError) -> str:
    """The first fault of a validation error in one line, without the hostile input itself."""
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else fault["msg"]
