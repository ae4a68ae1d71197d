"""What manifests state about how a picture came to be: rules over actions, source types and assertion labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nsfwforensics.analyzers.provenance.c2pa.store import Action, Manifest, Trouble

GENERATED_TYPES = frozenset({"trainedAlgorithmicMedia", "trainedAlgorithmicData", "compositeSynthetic"})
EDITED_TYPES = frozenset({"compositeWithTrainedAlgorithmicMedia"})
CAPTURE_TYPES = frozenset({"digitalCapture", "computationalCapture", "compositeCapture"})
"""Digital source types (IPTC vocabulary; ``trainedAlgorithmicData`` is C2PA's own)."""

AI_LABELS = ("c2pa.ai_generated_content", "com.adobe.generative-ai")
"""Assertions that say that the content was generated."""

# Steps that do not alter what is seen; an AI source type on one of them describes the picture it was done to.
NEUTRAL = frozenset(
    f"c2pa.{name}"
    for name in (
        "opened", "placed", "converted", "transcoded", "repackaged", "published", "edited.metadata", "unknown",
        "watermarked", "watermarked.bound", "watermarked.unbound", "created", "redacted", "ai_generated_content",
    )
)  # fmt: skip

_EDIT_OPERATION = re.compile(r"(?i)generative[ _-]?(fill|expand|remove|edit)|in-?paint|out-?paint|image_to_image")
_EDIT_AGENT = re.compile(r"(?i)\b(photo ?assist|generative (fill|expand|remove))\b")
_MAKER = re.compile(
    r"(?i)DALL[·.\-\s]?E|image creator|\bgpt-(image|4o)|microsoft_responsible_ai|adobe[_ ]firefly|^black forest labs"
    r"|^(chatgpt|sora)\b|google generative ai|\bflux[.\d]"
)
UNNAMED = "not named"
_WATERMARK = re.compile(r"(?i)watermark|synthid")

CHANGED = (Trouble.CONTENT_CHANGED, Trouble.NOT_COVERED, Trouble.STATEMENT_CHANGED, Trouble.SIGNATURE_BROKEN)


class StatementKind(StrEnum):
    """What a signed statement says of how the picture came to be."""

    GENERATED = "generated"
    GENERATIVE_EDIT = "generative_edit"
    CAPTURED = "captured"


@dataclass(frozen=True, slots=True)
class MakingStatement:
    """One signed statement about the making of a picture.

    Attributes:
        kind: What it says.
        manifest: Who says so.
        basis: The value it rests on, such as a digital source type.
        agent: The software that did it, as stated; may be empty.
        named: False where only the name of a generator was recognised.
    """

    kind: StatementKind
    manifest: Manifest
    basis: str
    agent: str = ""
    named: bool = True


def sound(manifest: Manifest) -> bool:
    """Whether nothing that this manifest's signature covers has changed since."""
    return not manifest.has(*CHANGED)


def statements(manifests: Iterable[Manifest]) -> list[MakingStatement]:
    """Everything that the manifests state about generation, generative editing and capture."""
    return [statement for manifest in manifests for statement in _of(manifest)]


def begins_generated(manifests: tuple[Manifest, ...]) -> bool:
    """Whether the earliest known state of this picture was itself generated, so that edits touch no earlier photo."""
    chain = [each for each in manifests if each.role in ("active", "parent")]
    return bool(chain) and any(
        statement.kind is StatementKind.GENERATED and statement.named for statement in _of(chain[-1])
    )


def watermarks(manifests: Sequence[Manifest]) -> list[str]:
    """Names of the invisible watermarks that the manifests mention."""
    found = [name for each in manifests for name in each.watermarks]
    found += [
        "SynthID" if "synthid" in action.description.lower() else UNNAMED
        for each in manifests
        for action in each.actions
        if action.name.startswith("c2pa.watermarked") or _WATERMARK.search(action.description)
    ]
    return sorted(set(found) - {UNNAMED}) or sorted(set(found))


def edits(manifest: Manifest) -> list[str]:
    """The editing steps of one manifest that alter what is seen, as its actions name them."""
    return [
        action.name
        for action in manifest.actions
        if action.name and action.name not in NEUTRAL and not _WATERMARK.search(action.description)
    ]


def _of(manifest: Manifest) -> Iterator[MakingStatement]:
    born = any(a.name == "c2pa.created" and a.source_type in GENERATED_TYPES for a in manifest.actions)
    from_picture = any(i.relationship == "inputTo" and i.format.startswith("image/") for i in manifest.ingredients)
    found = False
    for action in manifest.actions:
        kind, basis = _classify(action, born, from_picture)
        if kind is not None:
            found = True
            yield MakingStatement(kind, manifest, basis, action.agent)
    for source in manifest.source_types:
        kind = _source_kind(source)
        if kind is not None:
            found = True
            yield MakingStatement(kind, manifest, source)
    for label in manifest.assertions:
        if label.startswith(AI_LABELS):
            found = True
            yield MakingStatement(StatementKind.GENERATED, manifest, label)
    if not found and any(action.name == "c2pa.created" for action in manifest.actions):
        names = [manifest.generator]
        for action in manifest.actions:
            if action.name == "c2pa.created":
                names += [action.agent, action.description]
        name = next((name for name in names if _MAKER.search(name)), None)
        if name is not None:
            yield MakingStatement(StatementKind.GENERATED, manifest, name, name, named=False)


def _classify(action: Action, born: bool, from_picture: bool) -> tuple[StatementKind | None, str]:
    source = action.source_type
    if source in EDITED_TYPES:
        return StatementKind.GENERATIVE_EDIT, source
    if _EDIT_OPERATION.search(action.operation) or _EDIT_AGENT.search(action.agent):
        return StatementKind.GENERATIVE_EDIT, action.operation or action.agent
    if source in GENERATED_TYPES:
        if action.name == "c2pa.created":
            return (StatementKind.GENERATIVE_EDIT if from_picture else StatementKind.GENERATED), source
        # A step after generation in the same manifest (a watermark, a conversion) edits nobody's earlier picture.
        return (StatementKind.GENERATED if born or action.name in NEUTRAL else StatementKind.GENERATIVE_EDIT), source
    if action.operation == "text_to_image" or action.name == "c2pa.ai_generated_content":
        return StatementKind.GENERATED, action.operation or action.name
    if source in CAPTURE_TYPES and action.name == "c2pa.created":
        return StatementKind.CAPTURED, source
    return None, ""


def _source_kind(source: str) -> StatementKind | None:
    if source in EDITED_TYPES:
        return StatementKind.GENERATIVE_EDIT
    return StatementKind.GENERATED if source in GENERATED_TYPES else None


__all__ = [
    "CHANGED",
    "UNNAMED",
    "MakingStatement",
    "StatementKind",
    "begins_generated",
    "edits",
    "sound",
    "statements",
    "watermarks",
]
