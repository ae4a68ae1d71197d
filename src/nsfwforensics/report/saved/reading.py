"""Reading what was saved: the whole document, or the stream that a stopped run left behind.

Both are read line by line, so a report of 50,000 files needs no more memory than its index. What does not fit together
is collected: digests and files, findings and answers, files and counts, pictures and what the report says of them.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from nsfwforensics.core import written
from nsfwforensics.core.assess import contradiction
from nsfwforensics.core.documents import DocumentError, read_json
from nsfwforensics.core.messages import say
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.sensitive import handled
from nsfwforensics.core.types import READ_VERSIONS, FileReport, Header, Summary
from nsfwforensics.core.worded import read_model
from nsfwforensics.errors import ReportError
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved.folder import FIRST_NAME, REPORT_NAME, RUN_NAME, STREAM_NAME, SUMS_NAME
from nsfwforensics.report.saved.sharing import compact, expanded, read_common
from nsfwforensics.report.saved.tally import Tally

UNFINISHED = say("The run was not finished: this report holds only the files that were done before it stopped.")
ONLY_FIRST = say("Of files that it had not reached, the report holds what the first look found, and no more.")
TORN = say("The last entry was cut off when the run stopped and is not in this report.")
NO_HEADER = say("The record of the run is missing: when, how and with which versions it ran is not known.")

MOST_DIFFERENCES = 100
_NAMED = 3

_STATUS = re.compile(rb'"status":\s*"(\w+)"\s*\}\Z')  # the last of a file's fields, and worked out from its results
_FILES_LINE = b'"files": [\n'


Source = Path | bytes | tuple[Path, Path]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A saved report found and indexed.

    Attributes:
        header: The run.
        tally: Counts and the places of the files' lines.
        source: Where the lines are: a file, bytes in memory, or two files, the second counted on from the first's end.
        unfinished: Whether it comes from a run that never finished.
        differences: What in it is not as it was written, in a few words each, at most :data:`MOST_DIFFERENCES`.
        shown_less: Whether a line holds a picture that must not be shown and that :func:`parse_file` leaves out.
        digests: SHA-256 of the report's files by name, as they were compared.
        common: The values that the lines refer to, as JSON; None where every line stands in full.
    """

    header: Header
    tally: Tally
    source: Source
    unfinished: bool = False
    differences: tuple[str, ...] = ()
    shown_less: bool = False
    digests: Mapping[str, str] = field(default_factory=dict)
    common: Sequence[bytes] | None = None


def load(folder: Path, *, changed: bool = False) -> Loaded:
    """Finds and indexes the report in a folder; a run that was stopped is preferred to an older finished one.

    The digests of a finished report are checked before anything is read.

    Args:
        folder: Where it is.
        changed: Whether a report that is not as it was written is read all the same.

    Raises:
        ReportError: There is none, or it is broken, of an unknown schema version, or not as it was written.
    """
    try:
        document, stream = (folder / REPORT_NAME).exists(), (folder / STREAM_NAME).exists()
        unfinished = (folder / RUN_NAME).is_file() and (stream or not document)
        stream_alone = not document and not (folder / SUMS_NAME).exists()
        if unfinished or stream_alone:
            found = _load_stream(folder)
        else:
            differences = tuple(islice(digests.differences(folder), MOST_DIFFERENCES))
            if not changed:
                _refuse(folder, differences)
            found = _load_document(folder)
            found = replace(found, differences=(*differences, *found.differences), digests=digests.listed(folder))
    except OSError as error:
        raise ReportError(f"the report in {folder} cannot be read: {error.strerror}") from error
    if not found.differences:
        return found
    if not changed:
        _refuse(folder, found.differences)
    note = say("This report was changed after it was written: {what:semicolon}.", what=list(found.differences))
    notes = (*found.header.notes, note)
    return replace(found, header=Header.model_validate({**dict(found.header), "notes": notes}))


def _refuse(folder: Path, differences: Sequence[str]) -> None:
    """Raises an error that names the first differences; there is none where there are none."""
    if differences:
        more = f" and more ({len(differences)} in all)" if len(differences) > _NAMED else ""
        named = "; ".join(differences[:_NAMED])
        raise ReportError(f"the report in {folder} was changed after it was written, and is not used: {named}{more}")


def lines(source: Source, places: Iterator[tuple[int, int]], common: Sequence[bytes] | None = None) -> Iterator[bytes]:
    """Yields the JSON of files at the given (offset, length) places, in bytes; with ``common``, put together again.

    Raises:
        ReportError: A file refers to what is not there.
    """
    stored = _lines(source, places)
    return stored if common is None else (expanded(raw, common) for raw in stored)


def _lines(source: Source, places: Iterator[tuple[int, int]]) -> Iterator[bytes]:
    if isinstance(source, tuple):
        with source[0].open("rb") as stream, source[1].open("rb") as further:
            end = stream.seek(0, io.SEEK_END)
            for offset, length in places:
                part, at = (stream, offset) if offset < end else (further, offset - end)
                part.seek(at)
                yield part.read(length)
        return
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        for offset, length in places:
            stream.seek(offset)
            yield stream.read(length)


def parse_file(raw: bytes, where: str) -> FileReport:
    """Reads one file's report.

    Raises:
        ReportError: The text is no JSON or no file report; ``where`` says which one.
    """
    return handled(_file_report(raw, where))


def _file_report(raw: bytes, where: str) -> FileReport:
    try:
        return read_model(FileReport, raw)
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
    index = _Index(folder, {}, header)
    with stream_path.open("rb") as stream:
        for line in stream:
            if not line.endswith(b"\n"):
                notes.append(TORN)
                break
            index.add(line.rstrip(b"\n"), STREAM_NAME, len(line))
    source: Source = stream_path
    if (folder / FIRST_NAME).is_file():
        index.add_first(folder / FIRST_NAME, stream_path.stat().st_size)
        source = (stream_path, folder / FIRST_NAME)
        notes.append(ONLY_FIRST)
    header = header.model_copy(update={"interrupted": True, "notes": (*header.notes, *notes)})
    return index.loaded(header, source, unfinished=True)


def _load_document(folder: Path) -> Loaded:
    path = folder / REPORT_NAME
    if not path.is_file():
        raise ReportError(f"no report in {folder}: {REPORT_NAME} is not there")
    with path.open("rb") as stream:
        if stream.read(64).startswith(b'{\n"schema_version": '):
            stream.seek(0)
            return _load_own_layout(stream, path)
    return _load_any_layout(path)


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
    index = _Index(path.parent, digests.listed(path.parent), header, stream.tell(), _common(opening))
    with _stream_beside(path) as beside:
        for line in stream:
            if line.startswith(b"]"):
                break
            raw = line.rstrip(b"\n").removesuffix(b",")
            if next(beside, raw) != raw:
                index.differs(f"{STREAM_NAME} says something else of file {len(index.tally.entries) + 1}")
            index.add(raw, REPORT_NAME, len(line))
        else:
            raise ReportError(f"{REPORT_NAME} is cut off before its end")
        if next(beside, None) is not None:
            index.differs(f"{STREAM_NAME} holds more files")
    closing = _parse(b"{" + line.lstrip(b"],\r\n") + stream.read(), REPORT_NAME)
    index.compare({**opening, "files": None, **closing})
    return index.loaded(header, path)


@contextmanager
def _stream_beside(path: Path) -> Iterator[Iterator[bytes]]:
    """The lines of ``files.jsonl`` beside a finished document, which are those of its files; none where it is gone."""
    beside = path.with_name(STREAM_NAME)
    if beside.is_symlink() or not beside.is_file():
        yield iter(())
        return
    with beside.open("rb") as stream:
        yield (line.rstrip(b"\n") for line in stream)


def _load_any_layout(path: Path) -> Loaded:
    """Reads a document that another program has formatted anew; it is held in memory."""
    value = _parse(path.read_bytes(), REPORT_NAME)
    _check_version(value, REPORT_NAME)
    header = _header(value.get("header"), REPORT_NAME)
    entries = value.get("files")
    if not isinstance(entries, list):
        raise ReportError(f"{REPORT_NAME} holds no list of files")
    index = _Index(path.parent, digests.listed(path.parent), header)
    common = _common(value)
    buffer = io.BytesIO()
    for number, entry in enumerate(entries, 1):
        where = f"file {number} of {REPORT_NAME}"
        file = _file_report(compact(entry) if common is None else expanded(compact(entry), common), where)
        raw = written.line(file)
        if entry.get("status", file.status) != file.status:
            index.differs(f"{where}: the status is not what its results say")
        index.add(raw, REPORT_NAME, len(raw) + 1)
        buffer.write(raw + b"\n")
    index.compare(value)
    return index.loaded(header, buffer.getvalue())


class _Index:
    """Counts the files of a report as they are read, and collects what does not fit together."""

    def __init__(
        self,
        folder: Path,
        listed: Mapping[str, str],
        header: Header,
        offset: int = 0,
        common: Sequence[bytes] | None = None,
    ) -> None:
        self.tally = Tally(header)
        self._supplied = {(each.get("role"), each.get("sha256")) for each in header.references if each.get("sha256")}
        self._folder = folder
        self._listed = listed
        self._offset = offset
        self._common = common
        self._differences: list[str] = []
        self._shown_less = False

    def add(self, raw: bytes, name: str, length: int) -> None:
        """Takes one file's line; ``length`` is how far the next one is."""
        where = f"{'line' if name == STREAM_NAME else 'file'} {len(self.tally.entries) + 1} of {name}"
        packed = len(raw)
        raw = raw if self._common is None else expanded(raw, self._common)
        stored = _file_report(raw, where)
        claimed = _STATUS.search(raw)
        if claimed and claimed[1].decode() != stored.status:
            self.differs(f"{where}: the status is not what its results say")
        if stored.supplied_as and (stored.supplied_as, stored.info.sha256) not in self._supplied:
            self.differs(f"{where}: the run was not given it as {stored.supplied_as!r}")
        if wrong := contradiction(stored):
            self.differs(f"{where}: {wrong} is not what its findings say")
        for wrong in self._artifacts(stored):
            self.differs(f"{where}: {wrong}")
        file = handled(stored)
        self._shown_less |= file is not stored
        self.tally.add(file, self._offset, packed, len(raw))
        self._offset += length

    def add_first(self, path: Path, offset: int) -> None:
        """Takes what a first look found in files of which nothing more is known; ``offset`` is where they begin."""
        known = {entry.path for entry in self.tally.entries}
        self._offset = offset
        with path.open("rb") as stream:
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                if _file_report(line, FIRST_NAME).info.path in known:
                    self._offset += len(line)
                else:
                    self.add(line.rstrip(b"\n"), FIRST_NAME, len(line))

    def compare(self, document: Mapping[str, Any]) -> None:
        """Compares the counts of a document with its files."""
        if document.keys() - {"common"} != {"schema_version", "header", "files", "summary"}:
            self.differs(f"{REPORT_NAME} has other parts than a report")
        try:
            stored = Summary.model_validate(document.get("summary"))
        except ValidationError:
            self.differs(f"the summary of {REPORT_NAME} is not understood")
            return
        made = self.tally.summary()
        seconds = math.isclose(stored.seconds, made.seconds, abs_tol=0.01)
        if not seconds or stored.model_copy(update={"seconds": made.seconds}) != made:
            self.differs(f"the summary of {REPORT_NAME} is not what its files say")

    def differs(self, what: str) -> None:
        """Notes what is not as it was written."""
        if len(self._differences) < MOST_DIFFERENCES:
            self._differences.append(what)

    def loaded(self, header: Header, source: Source, *, unfinished: bool = False) -> Loaded:
        """What was read."""
        return Loaded(
            header,
            self.tally,
            source,
            unfinished,
            tuple(self._differences),
            self._shown_less,
            common=self._common,
        )

    def _artifacts(self, file: FileReport) -> Iterator[str]:
        for artifact in (artifact for result in file.results for artifact in result.artifacts):
            path = self._folder / artifact.path
            if not digests.is_artifact(artifact.path):
                yield "it names a picture that is no part of a report"
            elif not path.is_file():
                yield f"{artifact.path} is missing"
            elif self._listed and artifact.path not in self._listed:
                yield f"{artifact.path} is not in {SUMS_NAME}"
            elif artifact.sha256 not in (None, self._listed.get(artifact.path) or file_sha256(path)):
                yield f"{artifact.path} is not the picture that was made"


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


def _common(document: Mapping[str, Any]) -> Sequence[bytes] | None:
    """The values that a document's files refer to; None where they refer to none."""
    values = document.get("common", [])
    return read_common(values) if values != [] else None


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
