"""Indexing the originals of the compare analyzer, once per run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.analyzer import Enrolment
from nsfwforensics.core.enrol_files import pictures
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import say
from nsfwforensics.errors import EnrolmentError, EvidenceError

if TYPE_CHECKING:
    from nsfwforensics.signals.changes.original_index import OriginalIndex

FEW_POINTS = 16
"""With fewer keypoints than this an original cannot be recognised again."""


@dataclass(frozen=True, slots=True)
class Original:
    """One original; picklable, without its pixels.

    Attributes:
        path: Where it lies; opened again, and checked against ``sha256``, when a picture was made from it.
        sha256: The file's SHA-256.
        width: In pixels, as shown.
        height: In pixels, as shown.
    """

    path: Path
    sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Originals:
    """All originals of a run, in the order of the index, and the index over their keypoints."""

    files: tuple[Original, ...]
    index: OriginalIndex

    def with_digest(self, sha256: str) -> Original | None:
        """The original with these bytes, if there is one."""
        return next((original for original in self.files if original.sha256 == sha256), None)


def enrol_originals(paths: Sequence[Path]) -> Enrolment:
    """Reads every original and indexes its keypoints.

    Args:
        paths: Photos, and folders of photos.

    Raises:
        EnrolmentError: A named photo cannot be read or holds too little detail, or no usable photo is there.
    """
    from nsfwforensics.signals.changes.original_index import OriginalIndex
    from nsfwforensics.signals.matching.keypoints import keypoints

    files: dict[str, Original] = {}
    points, records = [], []
    named = {path.absolute() for path in paths}
    for evidence in pictures(paths, "original"):
        record: dict[str, Any] = {"role": "original", "path": str(evidence.path), "sha256": evidence.sha256}
        try:
            found = keypoints(evidence.rgb)
            problem = (
                None if len(found) >= FEW_POINTS else f"too little detail ({len(found)} keypoints) to be recognised"
            )
        except EvidenceError as error:
            problem = str(error)
        if problem and evidence.path.absolute() in named:
            raise EnrolmentError(f"original {evidence.path}: {problem}")
        if problem:
            records.append(record | {"left_out": problem})
        elif evidence.sha256 not in files:
            files[evidence.sha256] = Original(evidence.path.absolute(), evidence.sha256, *_size(evidence))
            points.append(found)
            records.append(record | {"keypoints": len(found)})
    if not files:
        raise EnrolmentError("none of the originals holds enough detail to be recognised")
    digest = hashlib.sha256("".join(sorted(files)).encode()).hexdigest()
    return Enrolment(Originals(tuple(files.values()), OriginalIndex(points)), tuple(records), digest)


def _size(evidence: Evidence) -> tuple[int, int]:
    height, width = evidence.rgb.shape[:2]
    return width, height


def reopened(original: Original) -> Evidence:
    """Opens an original again for its pixels.

    Raises:
        EvidenceError: It cannot be read, or its bytes are no longer those that were indexed.
    """
    evidence = Evidence.open(original.path, follow=True)
    if evidence.sha256 != original.sha256:
        raise EvidenceError(say("the original {name} changed during the run", name=original.path.name))
    return evidence
