"""The report on its way into a bag: made again from what was saved, without pixels where none may leave their place."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nsfwforensics.core.evidence import utc_iso
from nsfwforensics.core.opening import file_sha256
from nsfwforensics.core.sensitive import handled, without_pixels
from nsfwforensics.core.types import FileReport, Header
from nsfwforensics.errors import ReportError
from nsfwforensics.report.documents import case as case_report
from nsfwforensics.report.saved import digests
from nsfwforensics.report.saved.artifacts import data_address
from nsfwforensics.report.saved.folder import REPORT_NAME, STREAM_NAME
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.report.writer import ReportWriter
from nsfwforensics.store.casedb import CaseDatabase


@dataclass(frozen=True, slots=True)
class Source:
    """A report to put into a bag.

    Attributes:
        header: Who ran what.
        files: What was found, one file at a time, pictures made with it as bytes.
        origin: Where it comes from, in a few words.
        sha256: Of the ``report.json`` that it was read from, or None.
    """

    header: Header
    files: Iterable[FileReport]
    origin: str
    sha256: str | None = None


@dataclass(slots=True)
class Covered:
    """What the report in the bag is about.

    Attributes:
        contents: SHA-256 of the files it describes; True for those to be handled with care.
        sizes: Width and height in pixels by SHA-256.
        all_sensitive: Whether the run was asked to handle all of its files so.
    """

    contents: dict[str, bool] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    all_sensitive: bool = False

    def sensitive(self, sha256: str | None) -> bool:
        """Whether a file is to be handled with care."""
        return self.all_sensitive or self.contents.get(sha256 or "", False)

    def add(self, file: FileReport) -> None:
        """Takes note of a file that the report describes."""
        info = file.info
        if info.sha256 is None:
            return
        self.contents[info.sha256] = file.sensitive or self.contents.get(info.sha256, False)
        if info.width and info.height:
            self.sizes[info.sha256] = (info.width, info.height)


def from_folder(folder: Path) -> Source:
    """A report that ``-o`` wrote, as it was written.

    Raises:
        ReportError: None is there, or it is broken, or was changed since.
    """
    saved = SavedReport.open(folder)
    return Source(
        saved.header, _with_artifacts(saved, folder), f"the report in {folder}", saved.digests.get(REPORT_NAME)
    )


def from_case(case: CaseDatabase, *, command: str, now: float) -> Source:
    """What a case knows of its files, with the decisions about them, without pictures."""
    head = case_report.header(case.info(), case.headers(), command=command, now=utc_iso(now))
    files = (case_report.report_of(case, file) for file in case.files())
    return Source(head, files, "the case")


def from_spool(saved: SavedReport) -> Source:
    """A report that was made just now and is not kept otherwise; it has no pictures beside it."""
    return Source(saved.header, saved.files(), "a scan made for this bag")


def write(source: Source, folder: Path, *, pixels: bool) -> Covered:
    """Writes the report with all of its views.

    Args:
        source: The report.
        folder: Where to; made.
        pixels: Whether pictures of the evidence may be in it. Those of files to be handled with care never are.

    Raises:
        ReportError: It cannot be read or written.
    """
    covered = Covered(all_sensitive=source.header.sensitive)
    with ReportWriter(folder, moved=True) as writer:
        writer.begin(source.header)
        for found in source.files:
            file = handled(found, asked=source.header.sensitive)
            covered.add(file)
            writer.add(file if pixels and not file.sensitive else without_pixels(file))
        writer.finish(source.header)
    (folder / STREAM_NAME).unlink(missing_ok=True)  # report.json holds the same
    digests.write(folder)
    return covered


def _with_artifacts(saved: SavedReport, folder: Path) -> Iterator[FileReport]:
    """The files of a saved report, pictures made with them as bytes; at the end it must be the report it was.

    Raises:
        ReportError: It cannot be read, or was changed meanwhile.
    """
    for file in saved.files():
        if not any(result.artifacts for result in file.results):
            yield file
            continue
        results = tuple(
            result.model_copy(
                update={
                    "artifacts": tuple(
                        artifact.model_copy(update={"data": base64.b64decode(address.partition(",")[2])})
                        for artifact in result.artifacts
                        if (address := data_address(folder, artifact)) is not None
                    )
                }
            )
            for result in file.results
        )
        yield file.model_copy(update={"results": results})
    try:
        if saved.digests and file_sha256(folder / REPORT_NAME) != saved.digests[REPORT_NAME]:
            raise ReportError(f"the report in {folder} was changed while it was read, and is not used")
    except OSError as error:
        raise ReportError(f"the report in {folder} cannot be read: {error.strerror}") from error
