"""Is it, or is it derived from, an image we already know? Lists of hashes, searched exactly; then parts of pictures.

First the file's digests, which find the very same file, and the PDQ hashes of the picture in its eight turns and
mirrorings, which find copies that were re-saved, resized or turned. Where none of those found an entry that says
something, signatures of local features are searched, if the lists have any: they find crops, borders, tilts and
screenshots, and cost several times as much. The lists are indexed once per run and mapped into every worker. A picture
that matches nothing is not thereby unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from nsfwforensics.analyzers.known.entries import WEIGHED, Listed, ListedHash, by_opinion, entries, places
from nsfwforensics.analyzers.known.figures import CHARTS, FIGURES
from nsfwforensics.analyzers.known.words import CODES, file_words, looks_words, part_words, weight
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Code, Enrolment, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import AnalyzerStatus, Finding, Question, Region, Support
from nsfwforensics.core.vocabulary import EVERY_PICTURE
from nsfwforensics.errors import CaseError, EvidenceError, HashListError, NotAnImageError, UsageError

if TYPE_CHECKING:
    from nsfwforensics.analyzers.known.parts import PartSignatures
    from nsfwforensics.hashing.index.index import HashIndex
    from nsfwforensics.hashing.index.known import KnownPlace
    from nsfwforensics.hashing.picture.pdq import PdqHash

SHOWN = 20
"""So many entries stand in a finding's data, nearest first; all are counted."""

NO_LIST = say("no list of known images was given (--known)")

NO_PICTURE = say("its digests are on none of the lists, and it is no picture that could be compared by its looks")


class KnownOptions(AnalyzerOptions):
    """Where the known images are, and how near a picture must come."""

    known: tuple[Path, ...] = Field(
        default=(),
        description="A list of known hashes, an index made by 'hashlist import', or a case; may be repeated",
        json_schema_extra={"flag": "--known"},
    )
    long_hash: Literal["pdq", "sha256"] | None = Field(
        default=None,
        description="What hashes of 64 digits without a name are; told by their bits if omitted",
        json_schema_extra={"flag": "--long-hash"},
    )
    distance: int = Field(
        default=31,
        ge=0,
        le=31,
        description="Largest PDQ distance that counts as a match, in bits of 256",
        json_schema_extra={"flag": "--max-distance"},
    )


class KnownAnalyzer(Analyzer):
    """Looks each file up in lists of known images, by its bytes, by its looks and by its parts."""

    name: ClassVar[str] = "known"
    version: ClassVar[str] = "1.3"
    title: ClassVar[str] = "Files and pictures looked up in lists of known images"
    question: ClassVar[Question] = Question.KNOWN
    method = say(
        "Looks for the digests and the perceptual hashes of the picture in lists of known images and, where those "
        "say nothing, for its details."
    )
    source = "docs/known.md; PDQ (Meta, 2019)"
    codes: ClassVar[Mapping[str, Code]] = CODES
    figures = FIGURES
    charts = CHARTS
    place = 100
    quick = True
    needs_pixels = False
    looks_at = EVERY_PICTURE
    help = "search in lists of known images"
    any_file = True
    Options: ClassVar[type[AnalyzerOptions]] = KnownOptions

    @classmethod
    def enrol(cls, options: Any, resources: Resources) -> Enrolment:
        """Indexes the lists and checks the indexes.

        Raises:
            UsageError: One cannot be read, is damaged, or holds no hash.
        """
        del resources
        if not options.known:
            return Enrolment()
        from nsfwforensics.analyzers.known.case import enrol_places
        from nsfwforensics.hashing.lists.items import HashKind

        try:
            known = enrol_places(options.known, HashKind(options.long_hash) if options.long_hash else None)
        except (HashListError, CaseError) as error:
            raise UsageError(f"--known {error}") from error
        digest = hashlib.sha256("\n".join(place.digest for place in known).encode()).hexdigest()
        return Enrolment(known, tuple({"role": "known", **place.record} for place in known), digest)

    def examine(self, evidence: Evidence) -> Outcome:
        """Looks one file up.

        Measurements are the numbers of hashes and signatures searched, ``pdq_quality``, and the distance that counts
        as a match.

        Raises:
            EvidenceError: The file's digests match nothing and the picture cannot be decoded.
            HashListError: An index is gone or was damaged since the run began.
        """
        known: Sequence[KnownPlace] = self.enrolment.state or ()
        if not known:
            return Outcome.not_applicable(NO_LIST)
        from nsfwforensics.analyzers.known.parts import open_parts
        from nsfwforensics.hashing.index.known import open_known
        from nsfwforensics.hashing.lists.items import HashKind

        indexes = [(place.name, open_known(place)) for place in known]
        searched = {kind.value: sum(index.size(kind) for _, index in indexes) for kind in HashKind}
        measurements: dict[str, Any] = {"searched": searched, "max_distance": self.options.distance}
        findings = self._by_bytes(evidence, indexes)
        if evidence.media_type is None:
            return Outcome.of(findings, measurements) if findings else Outcome.not_applicable(NO_PICTURE, measurements)
        try:
            hashes = evidence.derive("known.dihedral", lambda: _dihedral(evidence)) if searched["pdq"] else ()
            if hashes:
                measurements["pdq_quality"] = hashes[0].quality
            findings += self._by_looks(hashes, indexes)
            if any(index.signature_files for _, index in indexes) and not _settled(findings):
                parts = open_parts(known)
                searched["signatures"] = len(parts.pictures)
                findings += self._by_parts(evidence, known, parts)
        except NotAnImageError as error:
            findings.append(self._no_looks(error.message))
        except EvidenceError as error:
            if not findings:
                reason = say(
                    "the file's digests match nothing, and its looks could not be compared: {error}",
                    error=error.message,
                )
                return Outcome(AnalyzerStatus.FAILED, (), measurements, (), reason)
            if not any(finding.code == "KNOWN-004" for finding in findings):
                findings.append(self._no_looks(say("it could not be decoded ({error})", error=error.message)))
        return Outcome.of(findings, measurements)

    def _by_bytes(self, evidence: Evidence, indexes: Sequence[tuple[str, HashIndex]]) -> list[Finding]:
        from nsfwforensics.hashing.lists.items import HashKind

        found: list[ListedHash] = []
        for name, value in evidence.digests.items():
            for place, index in indexes:
                match = index.lookup(HashKind(name), bytes.fromhex(value))
                found += entries(place, match) if match else ()
        findings = []
        for opinion, same in by_opinion(found):
            kinds = list(dict.fromkeys(entry.match.kind.value.upper() for entry in same))
            text = file_words(kinds, opinion, places(same))
            findings.append(self._found("KNOWN-001", text, opinion, same, len(same)))
        return findings

    def _by_looks(self, hashes: Sequence[PdqHash], indexes: Sequence[tuple[str, HashIndex]]) -> list[Finding]:
        if not hashes:
            return [self._no_looks(say("the lists hold no PDQ hashes"))]
        if not hashes[0].usable:
            reason = say(
                "it has too little structure (PDQ quality {quality} of 100, 50 are needed)", quality=hashes[0].quality
            )
            return [self._no_looks(reason)]
        return self._by_hashes(hashes, indexes)

    def _by_hashes(self, hashes: Sequence[PdqHash], indexes: Sequence[tuple[str, HashIndex]]) -> list[Finding]:
        from nsfwforensics.hashing.picture.pdq import DIHEDRAL_NAMES

        found: list[ListedHash] = []
        total = 0
        for place, index in indexes:
            matches = index.search([one.bits for one in hashes], self.options.distance, WEIGHED)
            total += matches.total
            for match in matches.nearest:
                found += entries(place, match, DIHEDRAL_NAMES[match.query])
        found.sort(key=lambda entry: entry.match.distance)
        if total <= WEIGHED:  # the same hash on two lists is one
            total = len({entry.match.value for entry in found})
        findings = []
        for opinion, same in by_opinion(found):
            nearest = same[0]
            text = looks_words(nearest.match.distance, nearest.turn, opinion, total, places(same))
            findings.append(self._found("KNOWN-002", text, opinion, same, total))
        return findings

    def _by_parts(self, evidence: Evidence, known: Sequence[KnownPlace], parts: PartSignatures) -> list[Finding]:
        from nsfwforensics.analyzers.known.parts import find_parts, part_region

        findings = []
        for opinion, same in by_opinion(find_parts(evidence, known, parts)):
            best = same[0].alignment
            how = (best.shown, best.filled, best.mirrored, best.rotation)
            text = part_words(best.inliers, how, opinion, places(same))
            total = len({entry.sha256 for entry in same})
            findings.append(self._found("KNOWN-003", text, opinion, same, total, part_region(best)))
        return findings

    def _found(
        self,
        code: str,
        text: str,
        opinion: str | None,
        found: Sequence[Listed],
        total: int,
        region: Region | None = None,
    ) -> Finding:
        support, severity = weight(opinion)
        data = {"opinion": opinion, "matches": [entry.data() for entry in found[:SHOWN]], "total": total}
        return self.finding(code, text, support=support, severity=severity, data=data, region=region)

    def _no_looks(self, reason: str) -> Finding:
        text = say(
            "The picture was not compared by its looks, because {reason}. A re-saved copy would not have been found.",
            reason=reason,
        )
        return self.finding("KNOWN-004", text, support=Support.INCONCLUSIVE, data={"reason": reason})


def _settled(findings: Sequence[Finding]) -> bool:
    """Whether a match was found that says something: an entry of another kind must not keep one from being found."""
    return any(finding.support is Support.SUPPORTS for finding in findings)


def _dihedral(evidence: Evidence) -> tuple[PdqHash, ...]:
    from nsfwforensics.hashing.picture.dihedral import dihedral_hashes

    return dihedral_hashes(evidence.rgb)
