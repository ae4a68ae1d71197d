"""What is taken from one file: digest, size, PDQ hashes of its eight turns, and on a second look its signature.

Both looks decode a JPEG without its colours, a large one at a fraction of its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nsfwforensics.core.evidence import Evidence, Limits, utc_iso
from nsfwforensics.core.media import IMAGE_EXTENSIONS
from nsfwforensics.errors import EvidenceError, NotAnImageError

if TYPE_CHECKING:
    from PIL import Image

REDUCED = 256
"""Shortest edge, in pixels, to which a large JPEG may be reduced when it is decoded."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the first look at a file took from it; picklable and small.

    Attributes:
        path: The file.
        sha256: Of its bytes.
        size: In bytes.
        modified: When it was last changed, ISO 8601 in UTC; None where not known.
        width: As shown, in pixels.
        height: As shown, in pixels.
        hashes: The eight PDQ hashes, 32 bytes each, in the order of ``DIHEDRAL_NAMES``; empty where the picture has
            too little structure to be compared by its looks.
    """

    path: Path
    sha256: str
    size: int
    modified: str | None
    width: int
    height: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be looked at.

    Attributes:
        path: The file.
        reason: Why.
        failed: False where it is merely no image, met in a folder.
    """

    path: Path
    reason: str
    failed: bool


def fingerprint(path: Path, named: bool, follow: bool, limits: Limits) -> Fingerprint | Unread:
    """Reads, hashes and decodes a file.

    Args:
        path: The file.
        named: Whether the user named this very file: one that is no image is then a failure.
        follow: Whether it may be a symbolic link.
        limits: What it may ask for.
    """
    expected = named or path.suffix.lower() in IMAGE_EXTENSIONS
    try:
        evidence = Evidence.open(path, limits, follow=follow)
    except EvidenceError as error:
        return Unread(path, str(error), failed=expected)
    try:
        picture = _picture(evidence)
    except NotAnImageError as error:
        return Unread(path, str(error), failed=expected)
    except EvidenceError as error:
        return Unread(path, str(error), failed=True)
    info = evidence.info()
    return Fingerprint(
        path=path,
        sha256=evidence.sha256,
        size=evidence.size,
        modified=utc_iso(evidence.mtime_ns / 1e9) if evidence.mtime_ns else None,
        width=info.width or picture.width,
        height=info.height or picture.height,
        hashes=_hashes(picture),
    )


def features(path: Path, sha256: str, follow: bool, limits: Limits) -> bytes | Unread:
    """The signature of a file's local features.

    Args:
        path: The file.
        sha256: What its bytes were at the first look.
        follow: Whether it may be a symbolic link.
        limits: What it may ask for.
    """
    import cv2
    import numpy as np

    from nsfwforensics.signals.matching.quick_keypoints import quick_keypoints
    from nsfwforensics.signals.matching.signature import encode

    cv2.setNumThreads(1)
    try:
        picture = _picture(_again(path, sha256, follow, limits))
    except EvidenceError as error:
        return Unread(path, str(error), failed=True)
    return encode(quick_keypoints(np.asarray(picture), POINTS, EDGE))


def embedding(path: Path, sha256: str, follow: bool, folder: Path | None, limits: Limits) -> bytes | Unread:
    """What a network makes of a file's picture, as :func:`nsfwforensics.models.scene.encode` keeps it.

    Args:
        path: The file.
        sha256: What its bytes were at the first look.
        follow: Whether it may be a symbolic link.
        folder: A folder to look for weights in before the installed ones.
        limits: What it may ask for.

    Returns:
        Nothing where the network was not measured on such pictures.
    """
    from nsfwforensics.models.scene import embeddings, encode, view

    try:
        seen = view(_again(path, sha256, follow, limits), folder)
    except EvidenceError as error:
        return Unread(path, str(error), failed=True)
    return b"" if isinstance(seen, str) else encode(embeddings([seen], "cpu", folder)[0])


def _again(path: Path, sha256: str, follow: bool, limits: Limits) -> Evidence:
    evidence = Evidence.open(path, limits, follow=follow)
    if evidence.sha256 != sha256:
        raise EvidenceError("changed while it was being compared")
    return evidence


POINTS = 150
"""Keypoints taken of each picture."""

EDGE = 384
"""Longest edge at which they are looked for, in pixels: less than a third of that of comparing two pictures."""


def _picture(evidence: Evidence) -> Image.Image:
    reduced = evidence.reduced(REDUCED, grey=True)
    return reduced if reduced is not None else evidence.image


def _hashes(picture: Image.Image) -> bytes:
    import numpy as np

    from nsfwforensics.hashing.picture.orientations import turned_hashes

    hashes = turned_hashes(np.asarray(picture))
    return b"".join(one.bits for one in hashes) if hashes[0].usable else b""
