"""Rules for the bare names of generators and face swappers where a file names its software."""

from __future__ import annotations

from nsfwforensics.analyzers.provenance.model import NAMES_AUTHOR, NAMES_SOFTWARE, Certainty, Condition, Meaning, Rule
from nsfwforensics.analyzers.provenance.rules.names import AUTHOR, FACE_SWAPPERS, GENERATORS
from nsfwforensics.core.messages import say

_WHERE = "EXIF Software, ProcessingSoftware; XMP CreatorTool, Software; PNG text `Software`, `Creator`; IPTC-IIM 2:65"
_CAVEAT = say(
    "Unsigned: anyone can write a program's name into a file, and some tools write names that are not theirs."
)

BARE_NAMES: tuple[Rule, ...] = (*(
    Rule(f"named-{identifier}", generator, _WHERE, (Condition(NAMES_SOFTWARE, f"(?i){pattern}"),), meaning,
         "the names of programs and services", f"Software={example}", Certainty.NAMED, caveat=_CAVEAT)
    for names, meaning in ((GENERATORS, Meaning.GENERATED), (FACE_SWAPPERS, Meaning.FACE_SWAP))
    for identifier, generator, pattern, example in names
), Rule("named-author", "a generator", "EXIF Artist; XMP creator, Credit; PNG text `Author`; IPTC-IIM 2:80, 2:110",
        (Condition(NAMES_AUTHOR, f"(?i){AUTHOR}"),), Meaning.GENERATED, "the names of programs and services",
        "Artist=Meta AI", Certainty.NAMED, caveat=_CAVEAT),
)  # fmt: skip
"""One rule for each name of a program, and one for the names where a person's should stand."""
