"""What a provenance rule is: data that says where a mark stands, what it looks like, what it means and how we know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from nsfwforensics.core.types import Severity
from nsfwforensics.formats.xmp import DC, EXIF, PHOTOSHOP, TIFF, XMP


class Meaning(StrEnum):
    """What a mark says happened; the value is the wording for documents."""

    GENERATED = "the picture was made with AI"
    EDITED = "an existing picture was changed with AI"
    FACE_SWAP = "a face was put into a picture"
    FACE_SET = "the picture is material for face-swap software"
    FACE_GIVEN = "a person's face was given to the generator"


class Certainty(StrEnum):
    """How sure it is that the source writes this mark; the value is the wording for documents."""

    VERIFIED = "read off a real file, or off the code or primary page named"
    REPORTED = "a third party's report only"
    NAMED = "the bare name of a program, which anyone can write"


class FieldView(StrEnum):
    """How the text of a metadata field is looked at."""

    TEXT = "text"
    JSON = "json"
    SETTINGS = "settings"
    NODES = "nodes"


@dataclass(frozen=True, slots=True)
class Home:
    """A place in a file: the field's group, by prefix, and its tag (an index such as ``[1]`` may follow it)."""

    group: str
    tag: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold: a field in one of the homes whose view matches.

    Attributes:
        homes: Where the field may stand.
        pattern: A regular expression, searched in the view's lines (``^`` and ``$`` match at every line).
        view: Which view of the field.
        unless: A regular expression that must not be found in the same view.
    """

    homes: tuple[Home, ...]
    pattern: str
    view: FieldView = FieldView.TEXT
    unless: str = ""

    @property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, compiled (and kept by the regular-expression library's own cache)."""
        return re.compile(self.pattern, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rule:
    """One mark of one generator or editor.

    Attributes:
        id: Stable and unique.
        generator: Name of the software or service, as data.
        where: The mark's place, for people.
        conditions: All of them must hold; the first one's field is the mark.
        meaning: What it says.
        source: How we know.
        example: What it looks like.
        certainty: How sure that is.
        label: The generator's name inside a sentence; ``generator`` if empty.
        detail: What more the mark says, inside a sentence.
        family: Of the rules of one family only the first that matches a field names its generator.
        consistent: True where the mark names nobody, and only fits.
        caveat: Replaces the caveat of the finding's code.
        prompt: Where the same software puts the prompt as plain text.
        severity: Replaces the severity of the finding's code.
    """

    id: str
    generator: str
    where: str
    conditions: tuple[Condition, ...]
    meaning: Meaning
    source: str
    example: str
    certainty: Certainty = Certainty.VERIFIED
    label: str = ""
    detail: str = ""
    family: str = ""
    consistent: bool = False
    caveat: str = ""
    prompt: tuple[Home, ...] = ()
    severity: Severity | None = None

    @property
    def name(self) -> str:
        """The generator's name for a sentence."""
        return self.label or self.generator


def png(*keywords: str) -> tuple[Home, ...]:
    """PNG text chunks with these keywords, in all three kinds."""
    return tuple(Home(f"PNG {kind}", word) for word in keywords for kind in ("tEXt", "iTXt", "zTXt"))


def exif(*tags: int) -> tuple[Home, ...]:
    """EXIF tags in IFD0 or the EXIF directory; writers often choose the wrong one of the two."""
    return tuple(Home(f"EXIF {name}", f"0x{tag:04X}") for tag in tags for name in ("IFD0", "ExifIFD"))


def xmp(namespace: str, *names: str) -> tuple[Home, ...]:
    """XMP properties by namespace URI."""
    return tuple(Home(f"XMP {namespace}", f"{{{namespace}}}{name}") for name in names)


USER_COMMENT = exif(0x9286)
IMAGE_DESCRIPTION, MAKE, MODEL, SOFTWARE, ARTIST = (exif(tag) for tag in (0x010E, 0x010F, 0x0110, 0x0131, 0x013B))
MAKER_NOTE = exif(0x927C)
CREATOR_TOOL = xmp(XMP, "CreatorTool")
ANY_SOFTWARE = SOFTWARE + CREATOR_TOOL + xmp(TIFF, "Software") + png("Software")
XMP_USER_COMMENT = xmp(EXIF, "UserComment")
NAMES_SOFTWARE = (
    ANY_SOFTWARE + exif(0x000B) + png("software", "Creator", "CreatorTool", "Creator Tool", "Generator")
    + (Home("IPTC-IIM", "2:65"),)
)  # fmt: skip
"""Every place that is made to name a program."""
CREDIT = (*xmp(PHOTOSHOP, "Credit"), Home("IPTC-IIM", "2:110"))
NAMES_AUTHOR = ARTIST + xmp(DC, "creator") + png("Author", "Artist") + (Home("IPTC-IIM", "2:80"),) + CREDIT
"""Every place that is made to name a person, or whom to thank for a picture."""
COMMENTS = (Home("JPEG COM", "COM"), Home("GIF comment", "0xFE"))
"""Where web UIs put their settings in a GIF, and look for them in a JPEG without EXIF."""
PARAMETERS = png("parameters") + USER_COMMENT + COMMENTS
FREE_TEXT = USER_COMMENT + COMMENTS + IMAGE_DESCRIPTION + XMP_USER_COMMENT + png("Comment", "Description")
GRAPH = png("prompt", "workflow") + MAKE + MODEL + IMAGE_DESCRIPTION + USER_COMMENT + COMMENTS
RECOVERABLE = (
    PARAMETERS + GRAPH + XMP_USER_COMMENT
    + png("invokeai_metadata", "invokeai_graph", "sd-metadata", "generation_data", "parameters-json", "smproj")
    + png("Comment", "Description", "postprocessing")
)  # fmt: skip
"""Where generators put prompts, settings and workflows."""
SAMSUNG = "Samsung trailer"
FACE_SET_HOME = Home("JPEG APP15 pickle", "names")
