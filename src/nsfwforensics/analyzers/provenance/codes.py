"""The provenance analyzer's table of findings."""

from __future__ import annotations

from collections.abc import Mapping

from nsfwforensics.analyzers.provenance.c2pa.codes import C2PA_CODES
from nsfwforensics.core.analyzer import Code
from nsfwforensics.core.messages import say, sentences
from nsfwforensics.core.types import Severity

GENERATED, EDITED, FACE_SWAP, FACE_SET = "PROV-001", "PROV-002", "PROV-003", "PROV-004"
SOURCE_AI, SOURCE_EDIT, SOURCE_UNCLEAR, SOURCE_OTHER = "PROV-005", "PROV-006", "PROV-007", "PROV-008"
AI_SYSTEM, CHINA_LABEL, HIDDEN, WEAK, PERSONAL, UNREAD = (
    "PROV-009", "PROV-010", "PROV-011", "PROV-012", "PROV-013", "PROV-014"
)  # fmt: skip
FACE_GIVEN, PROGRAM = "PROV-015", "PROV-016"

_UNSIGNED = say("Unsigned: anyone can write this into a file, copy it from another one or strip it.")

CODES: Mapping[str, Code] = {
    GENERATED: Code(
        say("The file claims to be made with an AI generator"),
        Severity.MEDIUM,
        sentences(_UNSIGNED, say("It is what the file says, not proof; the picture may also have been changed since.")),
    ),
    EDITED: Code(
        say("The file claims that an existing picture was changed with AI"),
        Severity.HIGH,
        sentences(
            _UNSIGNED,
            say("The picture that was changed may itself have been generated; the mark does not say what it was."),
        ),
    ),
    FACE_SWAP: Code(
        say("The file claims that a face was swapped"),
        Severity.HIGH,
        sentences(
            _UNSIGNED,
            say("A step that is listed need not have had an effect, and the mark does not say whose faces they are."),
        ),
    ),
    FACE_SET: Code(
        say("Prepared by face-swap software"),
        Severity.HIGH,
        sentences(
            _UNSIGNED, say("Such files are cut from real photos or videos; the face shown need not be altered itself.")
        ),
    ),
    SOURCE_AI: Code(
        say("Digital source type: made by AI"),
        Severity.MEDIUM,
        sentences(_UNSIGNED, say("Some programs also set it for pictures that they only touched up.")),
    ),
    SOURCE_EDIT: Code(
        say("Digital source type: existing picture changed with AI"),
        Severity.HIGH,
        sentences(
            _UNSIGNED, say("It does not say what was changed: removing a lamp post is recorded in the same way.")
        ),
    ),
    SOURCE_UNCLEAR: Code(
        say("Digital source type that may or may not involve AI"),
        Severity.LOW,
        sentences(_UNSIGNED, say("Ordinary collages carry it too.")),
    ),
    SOURCE_OTHER: Code(
        say("Digital source type without AI"),
        Severity.INFO,
        sentences(_UNSIGNED, say("It does not show that the picture is genuine.")),
    ),
    AI_SYSTEM: Code(
        say("The file names an AI system"),
        Severity.MEDIUM,
        sentences(_UNSIGNED, say("It does not say what the system did.")),
    ),
    CHINA_LABEL: Code(
        say("China's mandatory label for AI content"),
        Severity.MEDIUM,
        sentences(
            _UNSIGNED, say("Services must write it on all they make, and may write it on what they only suspect.")
        ),
    ),
    HIDDEN: Code(
        say("Generator's data hidden in the pixels"),
        Severity.MEDIUM,
        sentences(
            _UNSIGNED,
            say("It lies in the alpha channel, does not survive re-saving as JPEG, and can be written into any PNG."),
        ),
    ),
    WEAK: Code(
        say("Possible mark of an AI generator"),
        Severity.LOW,
        sentences(_UNSIGNED, say("That this source writes such a mark is known from reports only.")),
    ),
    PERSONAL: Code(
        say("Prompt or user name in the file (personal data)"),
        Severity.LOW,
        say(
            "The text may describe other people or be upsetting to read. Remove it before sharing the file with others."
        ),
    ),
    UNREAD: Code(
        say("Something that may say where the file came from could not be read"),
        Severity.INFO,
        say("Damaged files and unusual software cause this; what could not be read may or may not matter."),
    ),
    FACE_GIVEN: Code(
        say("The file claims that a person's face was given to the generator"),
        Severity.HIGH,
        sentences(
            _UNSIGNED,
            say("The face may itself have been generated; the mark does not say whose it is or how well it was hit."),
        ),
    ),
    PROGRAM: Code(
        say("A program is named that is not known as a generator"),
        Severity.INFO,
        sentences(_UNSIGNED, say("The name does not say what the program did.")),
    ),
    **C2PA_CODES,
}
"""Every finding of the analyzer, by code; those of Content Credentials are PROV-101 and up."""
