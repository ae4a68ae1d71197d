"""The words a report is made of: questions, how much something matters, what it says, how it ended."""

from __future__ import annotations

from enum import StrEnum

from nsfwforensics.core.messages import say


class Question(StrEnum):
    """The questions a report answers, in the order they are shown."""

    ORIGIN = "origin"
    SYNTHESIS = "synthesis"
    ALTERATION = "alteration"
    IDENTITY = "identity"
    KNOWN = "known"
    CONTENT = "content"

    @property
    def wording(self) -> str:
        """The question as a person would ask it."""
        return _WORDINGS[self]


_WORDINGS: dict[Question, str] = {
    Question.ORIGIN: say("What does the file itself say about where it came from?"),
    Question.SYNTHESIS: say("Do the pixels look generated?"),
    Question.ALTERATION: say("Has it been edited or re-saved, and where?"),
    Question.IDENTITY: say("Is the person in the reference photo in it?"),
    Question.KNOWN: say("Is it, or is it derived from, an image we already know?"),
    Question.CONTENT: say("Does it need careful handling (intimate content)?"),
}


class Capability(StrEnum):
    """What other parts of the package may ask of an analyzer whose name they do not know."""

    FIELDS = "fields"
    """It measures ``fields``: what stands in a file, as rows of ``source``, ``group``, ``tag``, ``name`` and ``value``,
    with ``text`` where that says more."""

    HASHES = "hashes"
    """It measures digests and perceptual hashes, under the names of :data:`nsfwforensics.core.hashes.HASHES`."""

    ORIGINALS = "originals"
    """It compares with original photographs, which its option ``original`` names."""

    GENERATION = "generation"
    """It asks a model whether pixels look generated."""


class Severity(StrEnum):
    """How much a finding matters if it is right. Says nothing about how sure it is."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 (info) to 3 (high)."""
        return _SEVERITIES[self]


_SEVERITIES = {severity: rank for rank, severity in enumerate(Severity)}


class Support(StrEnum):
    """What a finding or an answer says to its question; never a verdict."""

    SUPPORTS = "supports"
    INCONCLUSIVE = "inconclusive"
    NO_INDICATION = "no_indication"
    NOT_CHECKED = "not_checked"


class AnalyzerStatus(StrEnum):
    """How an analyzer ended on one file. The six are different outcomes and look different.

    What is ``measured`` answers nothing by itself: hashes that were compared with nothing.
    """

    OK = "ok"
    NOTHING_FOUND = "nothing_found"
    MEASURED = "measured"
    NOT_APPLICABLE = "not_applicable"
    NOT_AVAILABLE = "not_available"
    FAILED = "failed"


class FileStatus(StrEnum):
    """How one file ended: never ``ok`` with a failure inside."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"


class Priority(StrEnum):
    """Which files a person should look at first. An order of work, not a verdict."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 (high, first) to 3 (none, last)."""
        return _PRIORITIES[self]


_PRIORITIES = {priority: rank for rank, priority in enumerate(Priority)}


class Reader(StrEnum):
    """Whom the advice of a report is for."""

    ANYONE = "anyone"
    ADVOCATE = "advocate"
    ANALYST = "analyst"
    JOURNALIST = "journalist"


class PictureKind(StrEnum):
    """What a further picture in a file is to the main one."""

    FRAME = "frame"
    PAGE = "page"
    PICTURE = "picture"
    PREVIEW = "preview"
    THUMBNAIL = "thumbnail"
    GAIN_MAP = "gain_map"
    AUXILIARY = "auxiliary"
    VIDEO = "video"

    @property
    def wording(self) -> str:
        """What it is called in a sentence."""
        return _PICTURES[self]


_PICTURES: dict[PictureKind, str] = {
    PictureKind.FRAME: say("a frame"),
    PictureKind.PAGE: say("a page"),
    PictureKind.PICTURE: say("another picture"),
    PictureKind.PREVIEW: say("a preview"),
    PictureKind.THUMBNAIL: say("a thumbnail"),
    PictureKind.GAIN_MAP: say("a brightness map (HDR gain map)"),
    PictureKind.AUXILIARY: say("an auxiliary picture (such as a depth map)"),
    PictureKind.VIDEO: say("a video"),
}

EVERY_PICTURE = frozenset(PictureKind)
SCENES = frozenset({PictureKind.FRAME, PictureKind.PAGE, PictureKind.PICTURE, PictureKind.PREVIEW})
"""Pictures of a scene at a size of their own: no thumbnails, and no maps."""


class PictureState(StrEnum):
    """What became of a further picture in a file."""

    EXAMINED = "examined"
    SAME = "same"
    """It shows what another one shows that was examined."""
    LEFT = "not_examined"
