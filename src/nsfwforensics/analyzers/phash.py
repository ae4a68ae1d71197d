"""Digests of the file and perceptual hashes of the picture: what lists of known images are searched with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from nsfwforensics.core.analyzer import Analyzer, Code, Outcome
from nsfwforensics.core.types import AnalyzerStatus, Question
from nsfwforensics.errors import EvidenceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.evidence import Evidence

_NO_LIST = "hashes computed; no list of known images was given"


class PerceptualHashAnalyzer(Analyzer):
    """Computes the file's digests and the picture's perceptual hashes.

    A digest (MD5, SHA-1, SHA-256) finds the same file again and nothing else; a perceptual hash finds copies that were
    re-saved or resized. There is nothing to compare them with yet, so the question stays open. Hashes of a picture of a
    person may be personal data: passing them on is for the user to decide.
    """

    name = "phash"
    version = "1"
    title = "File digests and perceptual hashes (PDQ, pHash, dHash, wHash, aHash, colour, crop-resistant)"
    question = Question.KNOWN
    codes: ClassVar[Mapping[str, Code]] = {}

    def examine(self, evidence: Evidence) -> Outcome:
        """Hashes one file.

        Measurements are ``md5``, ``sha1``, ``sha256`` of the bytes; ``pdq`` with ``pdq_quality`` (0–100) and
        ``pdq_usable``; ``phash``, ``dhash``, ``whash``, ``ahash``, ``colorhash`` and ``crop_resistant``, in hexadecimal
        as ImageHash prints them. A picture that cannot be decoded has only the first three and ends as failed.
        """
        measurements = _digests(evidence)
        try:
            measurements |= _picture_hashes(evidence)
        except EvidenceError as error:
            reason = f"perceptual hashes could not be computed: {error}"
            return Outcome(AnalyzerStatus.FAILED, (), measurements, (), reason)
        return Outcome.not_applicable(_NO_LIST, measurements)


def _digests(evidence: Evidence) -> dict[str, Any]:
    """MD5 and SHA-1 are what existing lists hold; they identify and protect nothing here."""
    return {
        "md5": hashlib.md5(evidence.data, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(evidence.data, usedforsecurity=False).hexdigest(),
        "sha256": evidence.sha256,
    }


def _picture_hashes(evidence: Evidence) -> dict[str, Any]:
    from nsfwforensics.hashing.perceptual import perceptual_hashes

    image = evidence.image
    color = evidence.rgb if image.mode == "RGB" else None
    hashes = perceptual_hashes(image, evidence.derive("gray", lambda: _gray(evidence)), color)
    return {
        "pdq": str(hashes.pdq),
        "pdq_quality": hashes.pdq.quality,
        "pdq_usable": hashes.pdq.usable,
        "phash": hashes.perceptual,
        "dhash": hashes.difference,
        "whash": hashes.wavelet,
        "ahash": hashes.average,
        "colorhash": hashes.color,
        "crop_resistant": hashes.crop_resistant,
    }


def _gray(evidence: Evidence) -> NDArray[np.uint8]:
    """The picture in 8-bit grey as Pillow weighs it, read-only uint8 (height, width)."""
    import numpy as np

    gray = np.asarray(evidence.image.convert("L"))
    gray.flags.writeable = False
    return gray
