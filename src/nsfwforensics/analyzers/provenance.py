"""Where the file says it came from: marks of AI generators and editors, published labels, Content Credentials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers import _provenance_standards as standards
from nsfwforensics.analyzers._metadata_codes import cut, quote
from nsfwforensics.analyzers._provenance_c2pa import credentials, enrol_anchors
from nsfwforensics.analyzers._provenance_c2pa_codes import CAPTURED, Claim
from nsfwforensics.analyzers._provenance_codes import (
    AI_SYSTEM,
    CHINA_LABEL,
    CODES,
    EDITED,
    FACE_SET,
    FACE_SWAP,
    GENERATED,
    HIDDEN,
    PERSONAL,
    SOURCE_AI,
    SOURCE_EDIT,
    SOURCE_OTHER,
    SOURCE_UNCLEAR,
    UNREAD,
    WEAK,
)
from nsfwforensics.analyzers._provenance_match import Match, Table, matches, place_of, recover
from nsfwforensics.analyzers._provenance_model import Certainty, Meaning, Rule
from nsfwforensics.analyzers._provenance_views import Looked
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Enrolment, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.types import Finding, Question, Severity, Support
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats import stealth
from nsfwforensics.formats.fields import Field as Entry
from nsfwforensics.formats.fields import Metadata
from nsfwforensics.formats.read import read_metadata

_CODE_OF = {
    Meaning.GENERATED: GENERATED, Meaning.EDITED: EDITED, Meaning.FACE_SWAP: FACE_SWAP, Meaning.FACE_SET: FACE_SET
}  # fmt: skip
_SOURCE_CODE = {
    standards.AI: SOURCE_AI, standards.AI_EDIT: SOURCE_EDIT, standards.UNCLEAR: SOURCE_UNCLEAR,
    standards.NOT_AI: SOURCE_OTHER,
}  # fmt: skip


class ProvenanceOptions(AnalyzerOptions):
    """Options of :class:`ProvenanceAnalyzer`."""

    trust_anchors: tuple[Path, ...] = Field(
        default=(),
        description="PEM file with certificates to trust beside the official C2PA list; may be repeated.",
        json_schema_extra={"flag": "--trust-anchors"},
    )


class ProvenanceAnalyzer(Analyzer):
    """Reads what a file states about its origin, by rules that are data, and by its signed Content Credentials.

    A mark counts only in its structural home. Only pictures that can hold text in their alpha channel are decoded.
    """

    name = "provenance"
    version = "1.0"
    title = "Marks of AI generators and editors, IPTC and other labels, Content Credentials"
    question = Question.ORIGIN
    codes = CODES
    Options: ClassVar[type[AnalyzerOptions]] = ProvenanceOptions

    @classmethod
    def enrol(cls, options: Any, resources: Resources) -> Enrolment:
        """Checks the trust anchors.

        Raises:
            UsageError: A file of ``trust_anchors`` cannot be read or holds no certificates.
        """
        del resources
        return enrol_anchors(options.trust_anchors)

    def examine(self, evidence: Evidence) -> Outcome:
        """Examines one file. Never raises for damaged metadata or for a picture that cannot be decoded."""
        table = evidence.derive("metadata.table", lambda: read_metadata(evidence.data, evidence.media_type))
        signed = credentials(evidence, table, self.options.trust_anchors)
        unchecked: list[str] = []
        hidden, unread = _hidden(evidence, unchecked)
        places = Table(table)
        found = matches(places)
        facts = recover(found, hidden, places)
        findings = [
            *(self._claim(claim) for claim in signed.findings),
            *self._marks(found),
            *self._standards(table, places),
            *self._hidden(hidden),
            *self._personal(facts, table),
        ]  # fmt: skip
        if places.allowance.refused:
            unchecked.append("some of the JSON in the file: there is more of it than is read")
        if unread:
            findings.append(self.finding(UNREAD, f"{unread}.", support=Support.INCONCLUSIVE))
        measurements: dict[str, Any] = {
            "rules": [match.rule.id for match in found],
            "recovered": facts,
            "not_checked": unchecked,
        }
        return Outcome.of(findings, {**measurements, **signed.measurements})

    def _claim(self, claim: Claim) -> Finding:
        severity = claim.severity
        if severity is None and claim.code == CAPTURED and claim.support is Support.SUPPORTS:
            severity = Severity.LOW  # a camera's confirmed signature must not stand behind its unsigned name
        return self.finding(
            claim.code,
            claim.explanation,
            support=claim.support,
            severity=severity,
            caveat=claim.caveat,
            data=claim.data,
        )

    def _marks(self, found: list[Match]) -> Iterator[Finding]:
        """One finding for each generator and kind of mark."""
        maker = {
            id(match.looked.field): match.rule for match in found if match.rule.meaning is Meaning.GENERATED
        }  # the same field often says both what made it and that it is an edit
        groups: dict[tuple[str, str, str], list[tuple[Rule, Match]]] = {}
        for match in found:
            named = maker.get(id(match.looked.field), match.rule) if match.rule.family else match.rule
            code = WEAK if match.rule.certainty is Certainty.REPORTED else _CODE_OF[match.rule.meaning]
            groups.setdefault((code, named.generator, match.rule.detail), []).append((named, match))
        for (code, generator, detail), members in groups.items():
            named, first = members[0]
            words = f"{named.name} ({detail})" if detail else named.name
            yield self.finding(
                code,
                _sentence(first.rule, words, weak=code == WEAK),
                support=Support.INCONCLUSIVE if code == WEAK else Support.SUPPORTS,
                severity=first.rule.severity,
                caveat=first.rule.caveat or None,
                data={
                    "generator": generator,
                    "meaning": first.rule.meaning.value,
                    "marks": [
                        {"rule": match.rule.id, "place": place_of(each.field), "text": cut(each.text, 200)}
                        for _, match in members
                        for each in {id(one.field): one for one in match.fields}.values()
                    ],
                },
            )

    def _standards(self, metadata: Metadata, table: Table) -> Iterator[Finding]:
        for source in standards.source_types(table):
            unclear = source.kind == standards.UNCLEAR
            yield self.finding(
                _SOURCE_CODE[source.kind],
                f"The file claims, in IPTC's terms, to be {source.words}; the claim is unsigned.",
                support=Support.INCONCLUSIVE if unclear else Support.SUPPORTS,
                data={"digital_source_type": source.code, "kind": source.kind, "place": source.place},
            )
        properties = standards.ai_properties(metadata)
        if properties:
            system = properties.get("AISystemUsed")
            name = f"the AI system {quote(system)}" if system else "an AI system that it does not name"
            yield self.finding(
                AI_SYSTEM,
                f"The file claims that {name} was used for it; the claim is unsigned.",
                data={key: cut(value, 1000) for key, value in properties.items()},
            )
        label = standards.china_label(table, metadata)
        if label is not None:
            producer = label.fields.get("ContentProducer", "")
            by = f" by the service {quote(producer, 60)}" if producer else ""
            what = label.words or "marked as AI content"
            sure = label.verified and label.fields.get("Label") == "1"
            yield self.finding(
                CHINA_LABEL,
                f"The file claims to be {what}, by China's mandatory label for AI content{by}; the claim is unsigned.",
                support=Support.SUPPORTS if sure else Support.INCONCLUSIVE,
                severity=None if label.verified else Severity.LOW,
                caveat=None
                if label.verified
                else "Unsigned: anyone can write or strip it. That the label is written in this place is known from "
                "reports only.",
                data={"place": label.place, **label.fields},
            )

    def _hidden(self, hidden: Looked | None) -> Iterator[Finding]:
        if hidden is not None:
            yield self.finding(
                HIDDEN,
                "The file claims to be made by NovelAI: settings are hidden in the pixels' alpha channel, as that "
                "service writes them; the claim is unsigned.",
                data={"generator": "NovelAI", "characters": len(hidden.text)},
            )

    def _personal(self, facts: list[dict[str, Any]], metadata: Metadata) -> Iterator[Finding]:
        held = list(dict.fromkeys(name for fact in facts for name in fact.get("personal_data", ())))
        properties = standards.ai_properties(metadata)
        if "AIPromptWriterName" in properties:
            held.append("prompt writer's name")
        if "AIPromptInformation" in properties and "prompt" not in held:
            held.append("prompt")
        if held:
            words = ", ".join(name.replace("_", " ") for name in held)
            yield self.finding(
                PERSONAL,
                f"The file stores what was entered to make the picture ({words}). This is personal data. The "
                "text can be upsetting, so it is not repeated here; it stands among the values read from the file.",
                data={"kinds": held},
            )


def _sentence(rule: Rule, words: str, *, weak: bool) -> str:
    if weak:
        return f"The file may claim to be made by {words}: such a mark has been reported, but is not verified."
    if rule.consistent:
        return f"The file carries marks that are consistent with {words}; it names no maker, and the claim is unsigned."
    if rule.meaning is Meaning.FACE_SET:
        return f"The file claims to be prepared by {words}, a program for swapping faces; the claim is unsigned."
    if rule.meaning is Meaning.GENERATED or rule.family:
        return f"The file claims to be made by {words}; the claim is unsigned."
    return f"The file claims to be changed by {words}; the claim is unsigned."


def _hidden(evidence: Evidence, unchecked: list[str]) -> tuple[Looked | None, str]:
    """The text hidden in the alpha channel, if any, and what is wrong with it."""
    if not stealth.may_hold_payload(evidence.data, evidence.media_type):
        return None, ""
    try:
        original = evidence.original
        if "A" not in original.getbands():
            return None, ""
        import numpy as np

        text = stealth.hidden_text(np.asarray(original.getchannel("A"), dtype=np.uint8))
    except EvidenceError as error:
        unchecked.append(f"text hidden in the alpha channel: {error}")
        return None, ""
    except stealth.StealthError as error:
        return None, f"A generator's signature stands in the alpha channel, but {error}"
    if text is None:
        return None, ""
    return Looked(Entry("pixels", "alpha channel", "stealth_pngcomp", "hidden text", text), text), ""
