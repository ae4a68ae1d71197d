"""Is it, or is it derived from, an image we already know? Lists of hashes, searched exactly.

Two stages: the file's digests, which find the very same file, and the PDQ hashes of the picture in its eight turns and
mirrorings, which find copies that were re-saved, resized or turned. The lists are indexed once per run and mapped into
every worker. A picture that matches nothing is not thereby unknown: a crop, a border or a screenshot hides a match.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers._known_words import CODES, file_words, looks_words, weight
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Code, Enrolment, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import AnalyzerStatus, Finding, Question, Support
from nsfwforensics.errors import CaseError, EvidenceError, HashListError, UsageError

if TYPE_CHECKING:
    from nsfwforensics.hashing.index import HashIndex, Match
    from nsfwforensics.hashing.items import KnownItem
    from nsfwforensics.hashing.known import KnownPlace
    from nsfwforensics.hashing.pdq import PdqHash

SHOWN = 20
"""So many entries stand in a finding's data, nearest first; all are counted."""

WEIGHED = 500
"""So many of the nearest entries are looked at for their opinions."""

NO_LIST = "no list of known images was given (--known)"


class KnownOptions(AnalyzerOptions):
    """Where the known images are, and how near a picture must come."""

    known: tuple[Path, ...] = Field(
        default=(),
        description="A list of known hashes, an index made by 'hashlist import', or a case; may be repeated",
        json_schema_extra={"flag": "--known"},
    )
    distance: int = Field(
        default=31,
        ge=0,
        le=31,
        description="Largest PDQ distance that counts as a match, in bits of 256",
        json_schema_extra={"flag": "--max-distance"},
    )


class KnownAnalyzer(Analyzer):
    """Looks each file up in lists of known images, by its bytes and by its looks."""

    name: ClassVar[str] = "known"
    version: ClassVar[str] = "1.0"
    title: ClassVar[str] = "Files and pictures looked up in lists of known images"
    question: ClassVar[Question] = Question.KNOWN
    codes: ClassVar[Mapping[str, Code]] = CODES
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
        from nsfwforensics.analyzers._known_case import enrol_places

        try:
            places = enrol_places(options.known)
        except (HashListError, CaseError) as error:
            raise UsageError(f"--known {error}") from error
        digest = hashlib.sha256("\n".join(place.digest for place in places).encode()).hexdigest()
        return Enrolment(places, tuple(place.record for place in places), digest)

    def examine(self, evidence: Evidence) -> Outcome:
        """Looks one file up.

        Measurements are the numbers of hashes searched, ``pdq_quality`` and the distance that counts as a match.

        Raises:
            EvidenceError: The file's digests match nothing and the picture cannot be decoded.
            HashListError: An index is gone or was damaged since the run began.
        """
        places: Sequence[KnownPlace] = self.enrolment.state or ()
        if not places:
            return Outcome.not_applicable(NO_LIST)
        from nsfwforensics.hashing.items import HashKind
        from nsfwforensics.hashing.known import open_known

        indexes = [(place.name, open_known(place)) for place in places]
        searched = {kind.value: sum(index.size(kind) for _, index in indexes) for kind in HashKind}
        measurements: dict[str, Any] = {"searched": searched, "max_distance": self.options.distance}
        findings = self._by_bytes(evidence, indexes)
        if not searched["pdq"]:
            return Outcome.of([*findings, self._no_looks("the lists hold no PDQ hashes")], measurements)
        try:
            hashes = evidence.derive("known.dihedral", lambda: _dihedral(evidence))
        except EvidenceError as error:
            if not findings:
                reason = f"the file's digests match nothing, and its looks could not be compared: {error}"
                return Outcome(AnalyzerStatus.FAILED, (), measurements, (), reason)
            return Outcome.of([*findings, self._no_looks(f"it could not be decoded ({error})")], measurements)
        measurements["pdq_quality"] = hashes[0].quality
        if not hashes[0].usable:
            reason = f"it has too little structure (PDQ quality {hashes[0].quality} of 100, 50 are needed)"
            return Outcome.of([*findings, self._no_looks(reason)], measurements)
        return Outcome.of([*findings, *self._by_looks(hashes, indexes)], measurements)

    def _by_bytes(self, evidence: Evidence, indexes: Sequence[tuple[str, HashIndex]]) -> list[Finding]:
        from nsfwforensics.hashing.known import digests_of

        entries: list[_Entry] = []
        for kind, value in digests_of(evidence.data, evidence.sha256).items():
            for place, index in indexes:
                match = index.lookup(kind, value)
                entries += _entries(place, match) if match else ()
        findings = []
        for opinion, same in _by_opinion(entries):
            kinds = ", ".join(dict.fromkeys(entry.match.kind.value.upper() for entry in same))
            text = file_words(kinds, opinion, _places(same))
            findings.append(self._found("KNOWN-001", text, opinion, same, len(same)))
        return findings

    def _by_looks(self, hashes: Sequence[PdqHash], indexes: Sequence[tuple[str, HashIndex]]) -> list[Finding]:
        from nsfwforensics.hashing.pdq import DIHEDRAL_NAMES

        entries: list[_Entry] = []
        total = 0
        for place, index in indexes:
            matches = index.search([one.bits for one in hashes], self.options.distance, WEIGHED)
            total += matches.total
            for match in matches.nearest:
                entries += _entries(place, match, DIHEDRAL_NAMES[match.query])
        entries.sort(key=lambda entry: entry.match.distance)
        if total <= WEIGHED:  # the same hash on two lists is one
            total = len({entry.match.value for entry in entries})
        findings = []
        for opinion, same in _by_opinion(entries):
            nearest = same[0]
            text = looks_words(nearest.match.distance, nearest.turn, opinion, total, _places(same))
            findings.append(self._found("KNOWN-002", text, opinion, same, total))
        return findings

    def _found(self, code: str, text: str, opinion: str | None, entries: Sequence[_Entry], total: int) -> Finding:
        support, severity = weight(opinion)
        data = {"opinion": opinion, "matches": [entry.data() for entry in entries[:SHOWN]], "total": total}
        return self.finding(code, text, support=support, severity=severity, data=data)

    def _no_looks(self, reason: str) -> Finding:
        text = (
            f"The picture was not compared by its looks, because {reason}. A re-saved copy would not have been found."
        )
        return self.finding("KNOWN-004", text, support=Support.INCONCLUSIVE, data={"reason": reason})


@dataclass(frozen=True, slots=True)
class _Entry:
    place: str
    match: Match
    item: KnownItem
    listed: str
    turn: str

    def data(self) -> dict[str, Any]:
        known: dict[str, Any] = {
            "known": self.place,
            "list": self.listed,
            "hash_kind": self.match.kind.value,
            "hash": self.match.value.hex(),
            "distance": self.match.distance,
            "opinion": self.item.opinion.value if self.item.opinion else None,
        }
        if self.match.kind.value == "pdq":
            known["transform"] = self.turn
        if self.item.cases:
            known["cases"] = dict(self.item.cases)
        details = {"name": self.item.name, "status": self.item.status}
        return known | {name: value for name, value in details.items() if value}


def _entries(place: str, match: Match, turn: str = "original") -> Iterator[_Entry]:
    for item, source in match.items[:WEIGHED]:
        yield _Entry(place, match, item, source.name, turn)


def _by_opinion(entries: Sequence[_Entry]) -> Iterator[tuple[str | None, list[_Entry]]]:
    """Entries of one opinion each, in their order: a confirmed entry must not lend its weight to a disputed one."""
    groups: dict[str | None, list[_Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.item.opinion.value if entry.item.opinion else None, []).append(entry)
    yield from groups.items()


def _places(entries: Sequence[_Entry]) -> str:
    names = list(dict.fromkeys(entry.place for entry in entries))
    cases = list(dict.fromkeys(case for entry in entries for case, _ in entry.item.cases))
    text = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return text + (f"; case {', '.join(cases[:3])}" + (" and others" if len(cases) > 3 else "") if cases else "")


def _dihedral(evidence: Evidence) -> tuple[PdqHash, ...]:
    from nsfwforensics.hashing.dihedral import dihedral_hashes

    return dihedral_hashes(evidence.rgb)
