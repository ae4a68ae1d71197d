"""Does the file need careful handling? A filter for how it is kept and shown, not a finding about what it shows.

A small detector marks body parts. Where it marks exposed intimate ones, nothing that shows the picture goes into the
report (:mod:`nsfwforensics.core.sensitive`). It was measured on pictures without such content only, since none with it
may be used here: how often it reacts for nothing is known, how often it misses is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from nsfwforensics.core.analyzer import Analyzer, Code, Outcome
from nsfwforensics.core.figures import Figure, Figures
from nsfwforensics.core.messages import Message, say, say_count
from nsfwforensics.core.types import Finding, ModelRecord, Question, Region, Severity, Support
from nsfwforensics.core.vocabulary import EVERY_PICTURE
from nsfwforensics.errors import MissingDependencyError, WeightsError
from nsfwforensics.models.intimate_detector import LOWEST_SCORE, cached_detector, detector_record

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.intimate_detector import Detection

EXPOSED: Mapping[str, Message] = {
    "FEMALE_BREAST_EXPOSED": say("breast"),
    "FEMALE_GENITALIA_EXPOSED": say("genitals"),
    "MALE_GENITALIA_EXPOSED": say("genitals"),
    "BUTTOCKS_EXPOSED": say("buttocks"),
    "ANUS_EXPOSED": say("anus"),
}
"""The classes that ask for careful handling, in words that say nothing of a person."""

LIKELY = 0.6
"""From this score on: none of the measured pictures reached it, in any state (docs/intimate.md)."""

REDUCED_EDGE = 384
"""Large JPEGs are looked at in a reduced decode with this shortest edge, the same one that they are hashed from."""

_CAVEAT = say(
    "This is a small detector's guess. Of {photos} photographs without intimate content it reacted to {photo_alarms}, "
    "and to {photo_alarms_small} once they had been made small and saved again; of {made} generated pictures to "
    "{made_alarms}, and then to {made_alarms_small}. Swimwear and art were hardly among them and may set it off. How "
    "often it misses was not measured. It says nothing about age, about who is shown, or about how the picture was "
    "made.",
    photos=363,
    photo_alarms=0,
    photo_alarms_small=1,
    made=449,
    made_alarms=2,
    made_alarms_small=6,
)


class IntimateAnalyzer(Analyzer):
    """Marks exposed intimate body parts, so that the file is handled with care."""

    name = "intimate"
    version = "1"
    title = "Does the file need careful handling (intimate content)?"
    question = Question.CONTENT
    method = say("Looks for uncovered parts of the body with a trained detector; it never judges age or identity.")
    source = "docs/intimate.md; NudeNet"
    figures: ClassVar[Figures] = {
        "marked": say("places marked"),
        "label": Figure(say("part of the body"), EXPOSED),
        "score": say("score"),
        "box": say("box"),
        "places": say("places"),
        "possible_from": say("possible from"),
        "likely_from": say("likely from"),
    }
    place = 110
    looks_at = EVERY_PICTURE
    codes: ClassVar[Mapping[str, Code]] = {
        "CONT-001": Code(say("Likely to show exposed intimate body parts"), Severity.HIGH, _CAVEAT),
        "CONT-002": Code(say("May show exposed intimate body parts"), Severity.MEDIUM, _CAVEAT),
    }
    optional: ClassVar[bool] = True

    def unavailable(self) -> str | None:
        """Why the detector cannot run here: the extra is not installed, or its model is not the one measured."""
        try:
            detector_record(self.name)
        except (MissingDependencyError, WeightsError) as error:
            return error.message
        return None

    def models(self) -> tuple[ModelRecord, ...]:
        """The detector, where it is installed."""
        try:
            return (detector_record(self.name),)
        except (MissingDependencyError, WeightsError):
            return ()

    def examine(self, evidence: Evidence) -> Outcome:
        """Looks at one picture.

        Measurements are ``marked``: for each place its ``label``, ``score`` (0–1, no probability) and ``box`` (left,
        top, width, height in pixels as shown), covered body parts included; and the two thresholds.

        Raises:
            EvidenceError: The picture cannot be decoded.
        """
        image = evidence.reduced(REDUCED_EDGE) or evidence.image
        info = evidence.info()
        shown = (info.width or image.width, info.height or image.height)
        marked = cached_detector().detect(image, shown)
        measurements = {
            "marked": [{"label": one.label, "score": round(one.score, 3), "box": list(one.box)} for one in marked],
            "possible_from": LOWEST_SCORE,
            "likely_from": LIKELY,
        }
        exposed = [one for one in marked if one.label in EXPOSED]
        return Outcome.of([self._finding(exposed)] if exposed else [], measurements)

    def _finding(self, exposed: Sequence[Detection]) -> Finding:
        strongest = exposed[0]
        likely = strongest.score >= LIKELY
        values = {
            "parts": list(dict.fromkeys(EXPOSED[one.label] for one in exposed)),
            "score": strongest.score,
            "threshold": LIKELY,
        }
        where = Region(**dict(zip(("x", "y", "width", "height"), strongest.box, strict=True)))
        text = say_count(
            "The detector marked {count} place as exposed ({parts:comma}), with a score of {score:.2f}; from "
            "{threshold:.2f} on it counts as likely. This is a reason to handle the file with care, not a statement "
            "about what it shows.",
            "The detector marked {count} places as exposed ({parts:comma}), with scores up to {score:.2f}; from "
            "{threshold:.2f} on it counts as likely. This is a reason to handle the file with care, not a statement "
            "about what it shows.",
            len(exposed),
            **values,
        )
        return self.finding(
            "CONT-001" if likely else "CONT-002",
            text,
            support=Support.SUPPORTS if likely else Support.INCONCLUSIVE,
            data={"places": len(exposed), "score": round(strongest.score, 3), "likely_from": LIKELY},
            region=where,
        )
