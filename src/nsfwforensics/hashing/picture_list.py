"""Pictures themselves as a list of known images: each is read once, hashed and let go."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nsfwforensics.core.discover import discover
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.media import IMAGE_EXTENSIONS, SNIFF_BYTES, sniff
from nsfwforensics.core.storable import storable_text
from nsfwforensics.errors import EvidenceError, HashListError
from nsfwforensics.hashing.index import is_index
from nsfwforensics.hashing.items import KnownItem, Opinion
from nsfwforensics.hashing.pdq import QUALITY_USABLE, pdq

PICTURES = "pictures"
"""What stands for the format of such a list."""

SHOWN_BAD_FILES = 20

Sign = Callable[[Evidence], bytes]
"""Computes a signature of a picture."""

Keep = Callable[[bytes, str, bytes], None]
"""Takes the SHA-256 of a file, a method's name and a signature."""


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
    ) -> None:
        self.path = path
        self.reading = PictureReading()
        self._opinion = opinion
        self._quality = quality
        self._strict = strict
        self._sign = sign
        self._method = method

    def items(self, keep: Keep) -> Iterator[KnownItem]:
        """Reads the pictures one by one.

        Args:
            keep: Is given the signatures.

        Raises:
            HashListError: No picture can be used, or with ``strict`` one of them.
        """
        folder = self.path.is_dir()
        for target in discover([self.path]):
            name = str(storable_text(str(target.path.relative_to(self.path)) if folder else target.path.name))
            try:
                if target.skip is not None:
                    raise EvidenceError(target.skip)
                evidence = Evidence.open(target.path)
                if evidence.media_type is None:
                    if folder and target.path.suffix.lower() not in IMAGE_EXTENSIONS:
                        self.reading.other += 1
                        continue
                    raise EvidenceError("the content is no image format known here")
                item = self._item(evidence, name)
                signature = None if self._sign is None else self._sign(evidence)
            except EvidenceError as error:
                self._refused(name, str(error))
                continue
            if signature is not None:
                keep(bytes.fromhex(evidence.sha256), self._method, signature)
                self.reading.signatures += 1
            self.reading.items += 1
            yield item
        if not self.reading.items:
            why = "".join(f"; {name}: {reason}" for name, reason in self.reading.reasons[:1])
            raise HashListError(f"{self.path}: no picture that can be used{why}")

    def _item(self, evidence: Evidence, name: str) -> KnownItem:
        hashed = pdq(evidence.rgb)
        usable = hashed.quality >= self._quality
        self.reading.low_quality += not usable
        return KnownItem(
            pdq=hashed.bits if usable else None,
            md5=hashlib.md5(evidence.data, usedforsecurity=False).digest(),
            sha1=hashlib.sha1(evidence.data, usedforsecurity=False).digest(),
            sha256=bytes.fromhex(evidence.sha256),
            quality=hashed.quality,
            name=name,
            size=evidence.size,
            opinion=self._opinion,
        )

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
        with path.open("rb") as stream:
            return sniff(stream.read(SNIFF_BYTES)) is not None
    except OSError:
        return False
