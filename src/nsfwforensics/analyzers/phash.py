"""Digests of the file and perceptual hashes of the picture: what lists of known images are searched with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Code, Outcome
from nsfwforensics.core.figures import Figures
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import AnalyzerStatus, Artifact, Capability, Question
from nsfwforensics.core.vocabulary import EVERY_PICTURE
from nsfwforensics.errors import EvidenceError, NotAnImageError

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Evidence

REDUCED_EDGE = 384
"""Large JPEGs are hashed from a reduced decode that keeps this shortest edge, in pixels: PDQ takes 64 by 64 samples."""

SURE_QUALITY = 60
"""Below this PDQ quality a picture is hashed in full: near the limit of use the reduced decode may tip the scales."""

_NO_PICTURE = say("only its digests were taken: the content is no image format known here")
_NOT_COMPARED = say("hashes computed, not compared")


class PerceptualHashOptions(AnalyzerOptions):
    """Which hashes are computed, and what beside them."""

    hashes: Literal["usual", "all"] = Field(
        default="usual",
        description="Which perceptual hashes: `usual` are PDQ, pHash and dHash; `all` adds aHash, wHash, the colour "
        "and the crop-resistant hash as the ImageHash library gives them, for exchange: nothing is found by them here",
        json_schema_extra={"flag": "--hashes"},
    )

    signatures: bool = Field(
        default=False,
        description="With --case: keep a signature of each picture (at most 21 kB), by which crops, borders, tilts and "
        "screenshots of it are found when the case is searched with --known",
        json_schema_extra={"flag": "--signatures", "case": True},
    )


class PerceptualHashAnalyzer(Analyzer):
    """Computes the file's digests and the picture's perceptual hashes.

    A digest (MD5, SHA-1, SHA-256) finds the same file again and nothing else; a perceptual hash finds copies that were
    re-saved or resized. Nothing is compared here (the ``known`` analyzer does that), so the question stays open. Hashes
    of a picture of a person may be personal data: passing them on is for the user to decide.
    """

    name = "phash"
    version = "3"
    title = "File digests and perceptual hashes (PDQ, pHash, dHash)"
    question = Question.KNOWN
    method = say("Computes digests of the bytes, and perceptual hashes of what the picture looks like.")
    source = "FIPS 180-4 (SHA-256); PDQ (Meta, 2019); Zauner, Perceptual Image Hash Functions (2010)"
    codes: ClassVar[Mapping[str, Code]] = {}
    figures: ClassVar[Figures] = {
        "signatures": say("signatures"),
        "md5": say("MD5"),
        "sha1": say("SHA-1"),
        "sha256": say("SHA-256"),
        "hashed_size": say("size that was hashed"),
        "pdq": say("PDQ"),
        "pdq_quality": say("PDQ quality"),
        "pdq_usable": say("PDQ usable"),
        "phash": say("pHash"),
        "dhash": say("difference hash (dHash)"),
        "whash": say("wavelet hash (wHash)"),
        "ahash": say("average hash (aHash)"),
        "colorhash": say("colour hash"),
        "crop_resistant": say("crop-resistant hash"),
    }
    place = 90
    quick = True
    needs_pixels = False
    looks_at = EVERY_PICTURE
    provides = frozenset({Capability.HASHES})
    help = "digests and perceptual hashes"
    any_file = True
    Options: ClassVar[type[AnalyzerOptions]] = PerceptualHashOptions

    def examine(self, evidence: Evidence) -> Outcome:
        """Hashes one file.

        Measurements are ``md5``, ``sha1``, ``sha256`` of the bytes; ``pdq`` with ``pdq_quality`` (0–100) and
        ``pdq_usable``; ``phash`` and ``dhash``, in hexadecimal as ImageHash prints them; with the option ``hashes`` at
        ``all`` also ``ahash``, ``whash``, ``colorhash`` and ``crop_resistant``, of the whole decode. A picture
        that cannot be decoded has only the first three and ends as failed; so has a file that is no picture, to which
        the rest does not apply. With ``signatures`` the signature goes along as an artifact that reports leave out and
        a case keeps.
        """
        measurements: dict[str, Any] = dict(evidence.digests)
        if evidence.media_type is None:
            return Outcome.not_applicable(_NO_PICTURE, measurements)
        try:
            measurements |= _picture_hashes(evidence)
            measurements |= _further_hashes(evidence) if self.options.hashes == "all" else {}
            signature = (_signature(evidence),) if self.options.signatures else ()
        except NotAnImageError as error:
            return Outcome.not_applicable(error.message, measurements)
        except EvidenceError as error:
            reason = say("perceptual hashes could not be computed: {reason}", reason=error.message)
            return Outcome(AnalyzerStatus.FAILED, (), measurements, (), reason)
        return Outcome.measured(_NOT_COMPARED, measurements, signature)


def _signature(evidence: Evidence) -> Artifact:
    from nsfwforensics.signals.matching.parts import METHOD, picture_signature
    from nsfwforensics.store.signatures import as_artifact

    return as_artifact(METHOD, picture_signature(evidence))


def _picture_hashes(evidence: Evidence) -> dict[str, Any]:
    from nsfwforensics.hashing.picture.perceptual import perceptual_hashes

    image = evidence.reduced(REDUCED_EDGE)
    hashes = None if image is None else perceptual_hashes(image, full_size=_full_size(evidence))
    if image is None or hashes is None or hashes.pdq.quality < SURE_QUALITY:
        image = evidence.image
        hashes = perceptual_hashes(image)
    return {
        "hashed_size": list(image.size),
        "pdq": str(hashes.pdq),
        "pdq_quality": hashes.pdq.quality,
        "pdq_usable": hashes.pdq.usable,
        "phash": hashes.perceptual,
        "dhash": hashes.difference,
    }


def _further_hashes(evidence: Evidence) -> dict[str, Any]:
    from nsfwforensics.hashing.picture.perceptual import further_hashes

    hashes = further_hashes(evidence.image)
    return {
        "whash": hashes.wavelet,
        "ahash": hashes.average,
        "colorhash": hashes.color,
        "crop_resistant": hashes.crop_resistant,
    }


def _full_size(evidence: Evidence) -> tuple[int, int]:
    """Height and width as shown, from the header."""
    info = evidence.info()
    return info.height or 0, info.width or 0
