"""Pictures themselves as a list of known images: each is read once, hashed and let go."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nsfwforensics.core.discover import discover
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.failure import reason_of
from nsfwforensics.core.hashes import QUALITY_USABLE
from nsfwforensics.core.media import DECODED, IMAGE_EXTENSIONS, SNIFF_BYTES, sniff
from nsfwforensics.core.opening import open_evidence
from nsfwforensics.core.report_files import without_reports
from nsfwforensics.core.storable import storable_text
from nsfwforensics.errors import HashListError
from nsfwforensics.hashing.index.index import is_index
from nsfwforensics.hashing.lists.items import KnownItem, Opinion
from nsfwforensics.hashing.picture.pdq import pdq

_log = logging.getLogger(__name__)

PICTURES = "pictures"
"""What stands for the format of such a list."""

SHOWN_BAD_FILES = 20

Sign = Callable[[Evidence], bytes]
"""Computes a signature of a picture."""

Keep = Callable[[bytes, str, bytes], None]
"""Takes the SHA-256 of a file, a method's name and a signature."""

Tasks = Iterable[tuple[Path, Sign | None]]


@dataclass(frozen=True, slots=True)
class PictureRead:
    """What was taken from one file; picklable.

    Attributes:
        item: Its hashes; None where it is no picture or could not be read.
        quality: Of the PDQ hash.
        signature: What was computed to be kept, if anything.
        problem: Why there is nothing; None where the file is merely no picture.
    """

    item: KnownItem | None = None
    quality: int = 0
    signature: bytes | None = None
    problem: str | None = None


ReadEach = Callable[[Callable[[Path, Sign | None], PictureRead], Tasks], Iterator[PictureRead]]
"""Calls the function for every task, in order: in this process or in others."""


def read_here(read: Callable[[Path, Sign | None], PictureRead], tasks: Tasks) -> Iterator[PictureRead]:
    """Reads in this process."""
    return (read(*task) for task in tasks)


def read_picture(path: Path, sign: Sign | None) -> PictureRead:
    """Reads and hashes one file.

    Args:
        path: The file.
        sign: Computes a signature; None for none.
    """
    try:
        evidence = Evidence.open(path)
        if evidence.media_type not in DECODED:
            return PictureRead()
        hashed = pdq(evidence.rgb)
        signature = None if sign is None else sign(evidence)
    except Exception as error:  # noqa: BLE001 - one file never costs another
        _log.debug("reading %s failed", path, exc_info=True)
        return PictureRead(problem=reason_of(error))
    item = KnownItem(
        pdq=hashed.bits,
        md5=bytes.fromhex(evidence.digests["md5"]),
        sha1=bytes.fromhex(evidence.digests["sha1"]),
        sha256=bytes.fromhex(evidence.sha256),
        quality=hashed.quality,
        name=path.name,
        size=evidence.size,
    )
    return PictureRead(item, hashed.quality, signature)


@dataclass(slots=True)
class PictureReading:
    """What became of the files, counted while they are read.

    Attributes:
        items: Pictures that were taken.
        low_quality: PDQ hashes left out because the picture has too little structure; its digests were taken.
        other: Files in a folder that are no pictures and do not claim to be.
        bad: Files that could not be used.
        reasons: The first of these: name and reason.
        signatures: Signatures that were made.
    """

    items: int = 0
    low_quality: int = 0
    other: int = 0
    bad: int = 0
    reasons: list[tuple[str, str]] = field(default_factory=list)
    signatures: int = 0


class PictureList:
    """A picture, or a folder of pictures.

    Args:
        path: The file or the folder.
        opinion: Of all entries.
        quality: PDQ hashes of a lower quality are left out.
        strict: Whether a file that cannot be used ends the reading.
        sign: Computes a signature, to be kept under ``method``; none is made if None.
        method: Name and version of what ``sign`` computes.
        read_each: Where the files are read.

    Attributes:
        reading: What became of the files.
    """

    def __init__(
        self,
        path: Path,
        *,
        opinion: Opinion | None = None,
        quality: int = QUALITY_USABLE,
        strict: bool = False,
        sign: Sign | None = None,
        method: str = "",
        read_each: ReadEach = read_here,
    ) -> None:
        self.path = path
        self.reading = PictureReading()
        self._opinion = opinion
        self._quality = quality
        self._strict = strict
        self._sign = sign
        self._method = method
        self._read_each = read_each

    def items(self, keep: Keep) -> Iterator[KnownItem]:
        """Reads the pictures one by one.

        Args:
            keep: Is given the signatures.

        Raises:
            HashListError: No picture can be used, or with ``strict`` one of them.
        """
        folder = self.path.is_dir()
        opened: deque[tuple[Path, str]] = deque()
        for read in self._read_each(read_picture, self._tasks(folder, opened)):
            path, name = opened.popleft()
            if read.item is None:
                claims = not folder or path.suffix.lower() in IMAGE_EXTENSIONS
                if read.problem is None and not claims:
                    self.reading.other += 1
                else:
                    self._refused(name, read.problem or "the content is no image format known here")
                continue
            if read.signature is not None and read.item.sha256 is not None:
                keep(read.item.sha256, self._method, read.signature)
                self.reading.signatures += 1
            self.reading.items += 1
            usable = read.quality >= self._quality
            self.reading.low_quality += not usable
            yield read.item._replace(pdq=read.item.pdq if usable else None, name=name, opinion=self._opinion)
        if not self.reading.items:
            why = "".join(f"; {name}: {reason}" for name, reason in self.reading.reasons[:1])
            raise HashListError(f"{self.path}: no picture that can be used{why}")

    def _tasks(self, folder: bool, opened: deque[tuple[Path, str]]) -> Iterator[tuple[Path, Sign | None]]:
        """The files to read, each noted in ``opened`` when it is handed out."""
        for target in without_reports(discover([self.path])):
            name = str(storable_text(str(target.path.relative_to(self.path)) if folder else target.path.name))
            if target.skip is not None:
                self._refused(name, target.skip)
                continue
            opened.append((target.path, name))
            yield target.path, self._sign

    def _refused(self, name: str, reason: str) -> None:
        if self._strict:
            raise HashListError(f"{self.path}: {name}: {reason}")
        self.reading.bad += 1
        if len(self.reading.reasons) < SHOWN_BAD_FILES:
            self.reading.reasons.append((name, reason))


def holds_pictures(path: Path) -> bool:
    """Whether a path is a picture, or a folder that is no index, rather than a list of hashes."""
    if path.is_dir():
        return not is_index(path)
    try:
        with open_evidence(path, follow=True) as stream:
            return sniff(stream.read(SNIFF_BYTES)) in DECODED
    except OSError:
        return False
