"""The pictures a request is about, as hashes: out of a case, a saved report, or files that nobody examined."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nsfwforensics.api import scan
from nsfwforensics.core.hashes import QUALITY, measured_hashes
from nsfwforensics.core.opening import file_sha256, open_evidence
from nsfwforensics.core.registry import providing
from nsfwforensics.core.types import Capability, FileReport
from nsfwforensics.errors import CaseError, UsageError
from nsfwforensics.report.saved.folder import REPORT_NAME, RUN_NAME, STREAM_NAME
from nsfwforensics.report.saved.report import SavedReport
from nsfwforensics.store.casedb import CaseDatabase
from nsfwforensics.store.rows import Decision

MOST = 50
"""Most pictures of one request."""

LEAST_QUALITY = 50
"""PDQ hashes below this quality are not fit for matching, and are left out."""

_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, without a pixel of it.

    Attributes:
        name: The file's name here; it stands on the cover only.
        sha256: Of its bytes, or None where it could not be read.
        pdq: Its perceptual hash, or None.
    """

    name: str
    sha256: str | None
    pdq: str | None = None


def pictures(places: Sequence[Path], wanted: Sequence[str] = (), *, pdq: bool = False) -> list[Picture]:
    """Collects the pictures.

    Args:
        places: Cases, report folders, and files, which are hashed at once and not examined.
        wanted: Names, ends of paths or SHA-256 (or their first digits) to choose by; all if empty.
        pdq: Whether perceptual hashes are wanted too.

    Raises:
        UsageError: Something does not exist or fits nothing, or these are too many.
        ReportError: A folder holds no report, or a broken one.
        CaseError: A case cannot be read.
    """
    found: list[Picture] = []
    loose: list[Path] = []
    for place in places:
        if place.is_dir():
            found += _of_report(place, wanted)
        elif is_case(place):
            found += _of_case(place, wanted)
        else:
            loose.append(place)
    found += _of_files(loose, pdq=pdq)
    unique = list({picture.sha256 or picture.name: picture for picture in found}.values())
    if wanted and not unique:
        raise UsageError(f"no picture fits {', '.join(wanted)}")
    if len(unique) > MOST:
        raise UsageError(f"{len(unique):,} pictures are too many for one request: choose with --file (at most {MOST})")
    return unique if pdq else [replace(picture, pdq=None) for picture in unique]


def is_case(place: Path) -> bool:
    """Whether a place is a case database, told by its first bytes.

    Raises:
        UsageError: There is nothing, or it cannot be read.
    """
    if place.exists() and not place.is_file():
        return False  # a pipe is not waited for; hashing it is refused
    try:
        with open_evidence(place, follow=True) as stream:
            return stream.read(len(_SQLITE)) == _SQLITE
    except FileNotFoundError:
        raise UsageError(f"no such file or folder: {place}") from None
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {error.strerror}") from error


def _of_report(folder: Path, wanted: Sequence[str]) -> Iterator[Picture]:
    if not any((folder / name).is_file() for name in (REPORT_NAME, STREAM_NAME, RUN_NAME)):
        raise UsageError(f"{folder} holds no saved report; name the pictures themselves")
    saved = SavedReport.open(folder)
    hashing = saved.declared.providing(Capability.HASHES)
    for file in saved.files():
        if not file.skipped and (not wanted or _fits(file.info.path, file.info.sha256, wanted)):
            yield Picture(file.info.name or file.info.path, file.info.sha256, _pdq(file, hashing))


def _fits(path: str, sha256: str | None, wanted: Iterable[str]) -> bool:
    for word in wanted:
        if path == word or path.replace("\\", "/").endswith("/" + word):
            return True
        if len(word) >= 8 and sha256 is not None and sha256.startswith(word.lower()):
            return True
    return False


def _of_case(place: Path, wanted: Sequence[str]) -> Iterator[Picture]:
    """The chosen files; without a choice those marked as relevant, or all where none is."""
    with CaseDatabase.open(place) as case:
        if wanted:
            files = [file for word in wanted for file in case.find(word)]
        else:
            files = list(case.files(decisions=[Decision.RELEVANT])) or list(case.files())
        if len(files) > MOST:
            raise CaseError(f"the case holds {len(files):,} pictures: choose at most {MOST} with --file")
        for file in files:
            yield Picture(file.place.name, file.sha256, case.hashes_of(file).get("pdq"))


def _of_files(paths: Sequence[Path], *, pdq: bool) -> Iterator[Picture]:
    if paths and pdq:  # the picture has to be decoded: that is left to the workers that are made for it
        hashing = providing(Capability.HASHES)
        for file in scan(paths, only=hashing):
            yield Picture(file.info.name, file.info.sha256, _pdq(file, hashing))
        return
    for path in paths:
        try:
            yield Picture(path.name, file_sha256(path))
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _pdq(file: FileReport, hashing: Container[str]) -> str | None:
    measured = measured_hashes(file, hashing)
    value, quality = measured.get("pdq"), measured.get(QUALITY)
    return value if isinstance(value, str) and isinstance(quality, int) and quality >= LEAST_QUALITY else None
