"""Where the file says it came from: marks of AI generators and editors, published labels, Content Credentials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers.metadata import software
from nsfwforensics.analyzers.provenance import standards, words
from nsfwforensics.analyzers.provenance.c2pa.codes import CAPTURED, Claim
from nsfwforensics.analyzers.provenance.c2pa.credentials import credentials, enrol_anchors
from nsfwforensics.analyzers.provenance.codes import (
    AI_SYSTEM,
    CHINA_LABEL,
    CODES,
    EDITED,
    FACE_GIVEN,
    FACE_SET,
    FACE_SWAP,
    GENERATED,
    HIDDEN,
    PERSONAL,
    PROGRAM,
    SOURCE_AI,
    SOURCE_EDIT,
    SOURCE_OTHER,
    SOURCE_UNCLEAR,
    UNREAD,
    WEAK,
)
from nsfwforensics.analyzers.provenance.figures import CHARTS, FIGURES
from nsfwforensics.analyzers.provenance.match import RuleMatch, Table, matches, recover
from nsfwforensics.analyzers.provenance.model import Certainty, Meaning, Rule
from nsfwforensics.analyzers.provenance.readings import Looked
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Enrolment, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import say
from nsfwforensics.core.pictures import placed
from nsfwforensics.core.quoting import cut
from nsfwforensics.core.types import Finding, Question, Severity, Support
from nsfwforensics.errors import EvidenceError
from nsfwforensics.formats import stealth
from nsfwforensics.formats.fields import Field as MetadataField
from nsfwforensics.formats.fields import Metadata
from nsfwforensics.formats.pictures import inner_pictures
from nsfwforensics.formats.read import read_metadata

_CODE_OF = {
    Meaning.GENERATED: GENERATED, Meaning.EDITED: EDITED, Meaning.FACE_SWAP: FACE_SWAP, Meaning.FACE_SET: FACE_SET,
    Meaning.FACE_GIVEN: FACE_GIVEN,
}  # fmt: skip
_SOURCE_CODE = {
    standards.AI: SOURCE_AI, standards.AI_EDIT: SOURCE_EDIT, standards.UNCLEAR: SOURCE_UNCLEAR,
    standards.NOT_AI: SOURCE_OTHER,
}  # fmt: skip


MAX_REASONS = 20
"""Most reasons that the finding about what was missed lists of each kind."""


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
    version = "1.1"
    title = "Marks of AI generators and editors, IPTC and other labels, Content Credentials"
    question = Question.ORIGIN
    method = say(
        "Looks at the places where AI tools, editing programs and services leave marks and labels, and checks the "
        "signatures of Content Credentials."
    )
    source = "docs/provenance.md; C2PA Technical Specification; IPTC Digital Source Type"
    codes = CODES
    figures = FIGURES
    charts = CHARTS
    place = 10
    quick = True
    needs_pixels = False
    help = "marks, labels and credentials"
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
        """Examines one file. Never raises for damaged metadata or for a picture that cannot be decoded.

        Pictures in it that stand there with bytes of their own are asked the same; measurements are the main one's.
        """
        findings, measurements = self._look(evidence)
        said = {(finding.code, finding.explanation) for finding in findings}
        for place, part in inner_pictures(evidence):
            for finding in self._look(part)[0]:
                if (finding.code, finding.explanation) not in said:
                    said.add((finding.code, finding.explanation))
                    findings.append(placed(finding, place))
        return Outcome.of(findings, measurements)

    def _look(self, evidence: Evidence) -> tuple[list[Finding], dict[str, Any]]:
        table = evidence.derive("metadata.table", lambda: read_metadata(evidence.data, evidence.media_type))
        signed = credentials(evidence, table, self.options.trust_anchors)
        hidden, unchecked, unread = _hidden(evidence)
        places = Table(table)
        found = matches(places)
        facts = recover(found, hidden, places)
        findings = [
            *(self._claim(claim) for claim in signed.findings),
            *self._marks(found),
            *self._programs(table, found),
            *self._standards(table, places),
            *self._hidden(hidden),
            *self._personal(facts, table),
        ]  # fmt: skip
        limits = list(table.limits)
        if places.allowance.refused:
            unchecked.append("some of the JSON in the file: there is more of it than is read")
            limits.append("The file holds more JSON or settings than are read.")
        if unread:
            findings.append(self.finding(UNREAD, unread, support=Support.INCONCLUSIVE))
        findings += self._not_looked_at(limits, table.unread)
        measurements: dict[str, Any] = {
            "rules": [match.rule.id for match in found],
            "recovered": facts,
            "not_checked": unchecked,
            "not_looked_for": list(words.NOT_LOOKED_FOR),
        }
        return findings, {**measurements, **signed.measurements}

    def _claim(self, claim: Claim) -> Finding:
        severity = claim.severity
        captured = claim.code == CAPTURED and claim.support is Support.SUPPORTS
        if severity is None and captured:
            severity = Severity.LOW  # a camera's confirmed signature must not stand behind its unsigned name
        return self.finding(
            claim.code,
            claim.explanation,
            support=claim.support,
            severity=severity,
            caveat=claim.caveat,
            data=claim.data,
            headline=claim.explanation if captured else claim.headline,
        )

    def _marks(self, found: list[RuleMatch]) -> Iterator[Finding]:
        """One finding for each generator and kind of mark."""
        maker = {
            match.looked.field: match.rule for match in found if match.rule.meaning is Meaning.GENERATED
        }  # the same field often says both what made it and that it is an edit
        groups: dict[tuple[str, str, str], list[tuple[Rule, RuleMatch]]] = {}
        for match in found:
            named = maker.get(match.looked.field, match.rule) if match.rule.family else match.rule
            code = WEAK if match.rule.certainty is not Certainty.VERIFIED else _CODE_OF[match.rule.meaning]
            groups.setdefault((code, named.generator, match.rule.detail), []).append((named, match))
        for (code, generator, _), members in groups.items():
            named, first = members[0]
            yield self.finding(
                code,
                words.mark(first.rule, named, first.looked.text),
                support=Support.INCONCLUSIVE if code == WEAK else Support.SUPPORTS,
                severity=first.rule.severity,
                caveat=first.rule.caveat or None,
                data={
                    "generator": generator,
                    "meaning": first.rule.meaning.value,
                    "marks": [
                        {"rule": match.rule.id, "place": each.field.place, "text": cut(each.text, 200)}
                        for _, match in members
                        for each in {one.field: one for one in match.fields}.values()
                    ],
                },
            )

    def _programs(self, metadata: Metadata, found: list[RuleMatch]) -> Iterator[Finding]:
        """A name that no rule speaks of is quoted, so that nobody is told that the file names nothing."""
        spoken = {each.field for match in found for each in match.fields}
        named = [each for each in software.programs(metadata) if each.field not in spoken]
        if named:
            yield self.finding(
                PROGRAM, words.program(named), data={"programs": [each.stored for each in named[:MAX_REASONS]]}
            )

    def _standards(self, metadata: Metadata, table: Table) -> Iterator[Finding]:
        for source in standards.source_types(table):
            unclear = source.kind == standards.UNCLEAR
            yield self.finding(
                _SOURCE_CODE[source.kind],
                words.source_type(source.words),
                support=Support.INCONCLUSIVE if unclear else Support.SUPPORTS,
                data={"digital_source_type": source.code, "kind": source.kind, "place": source.place},
            )
        properties = standards.ai_properties(metadata)
        if properties:
            yield self.finding(
                AI_SYSTEM,
                words.ai_system(properties.get("AISystemUsed")),
                data={key: cut(value, 1000) for key, value in properties.items()},
            )
        label = standards.china_label(table, metadata)
        if label is not None:
            sure = label.verified and label.fields.get("Label") == "1"
            yield self.finding(
                CHINA_LABEL,
                words.china_label(label.words, label.fields.get("ContentProducer", "")),
                support=Support.SUPPORTS if sure else Support.INCONCLUSIVE,
                severity=None if label.verified else Severity.LOW,
                caveat=None if label.verified else words.REPORTED_PLACE,
                data={"place": label.place, **label.fields},
            )

    def _hidden(self, hidden: Looked | None) -> Iterator[Finding]:
        if hidden is not None:
            yield self.finding(
                HIDDEN,
                words.HIDDEN_SETTINGS,
                data={"generator": "NovelAI", "characters": len(hidden.text)},
            )

    def _not_looked_at(self, limits: Sequence[str], unread: Sequence[str]) -> Iterator[Finding]:
        """What may have been missed: a limit that was reached is not that there is nothing."""
        if limits or unread:
            yield self.finding(
                UNREAD,
                words.not_looked_at(len(unread), len(limits)),
                support=Support.INCONCLUSIVE,
                severity=Severity.LOW if limits else None,
                data={"limits": list(limits[:MAX_REASONS]), "unread": list(unread[:MAX_REASONS])},
            )

    def _personal(self, facts: list[dict[str, Any]], metadata: Metadata) -> Iterator[Finding]:
        held = list(dict.fromkeys(name for fact in facts for name in fact.get("personal_data", ())))
        properties = standards.ai_properties(metadata)
        if "AIPromptWriterName" in properties:
            held.append(words.PROMPT_WRITER)
        if "AIPromptInformation" in properties and "prompt" not in held:
            held.append("prompt")
        if held:
            yield self.finding(
                PERSONAL,
                words.entered(held),
                data={"kinds": held},
            )


def _hidden(evidence: Evidence) -> tuple[Looked | None, list[str], str]:
    """The text hidden in the alpha channel, if any, why it could not be looked for, and what is wrong with it."""
    if not stealth.may_hold_payload(evidence.data, evidence.media_type):
        return None, [], ""
    try:
        original = evidence.original
        if "A" not in original.getbands():
            return None, [], ""
        import numpy as np

        text = stealth.hidden_text(np.asarray(original.getchannel("A"), dtype=np.uint8))
    except EvidenceError as error:
        return None, [f"text hidden in the alpha channel: {error}"], ""
    except stealth.StealthError as error:
        return None, [], words.unread(error.args[0])
    if text is None:
        return None, [], ""
    return Looked(MetadataField("pixels", "alpha channel", "stealth_pngcomp", "hidden text", text), text), [], ""
