"""Was the picture made from an original photograph, and what was changed?

The originals are indexed once per run. A picture whose local features lie as in one of them was made from it: framing
and colours are compared, the two are registered, and what differs beyond what compression explains is mapped.
``docs/compare.md`` has what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers.compare.enrol import FEW_POINTS, Original, Originals, enrol_originals, reopened
from nsfwforensics.analyzers.compare.figures import FIGURES
from nsfwforensics.analyzers.compare.words import (
    CODES,
    INVERTED,
    LITTLE_SUPPORT,
    SHARED_FRAME,
    around,
    changed_headline,
    colour_words,
    framing_words,
    made_from,
    made_headline,
    place,
    region_words,
)
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Code, Enrolment, Outcome
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import say, sentences
from nsfwforensics.core.types import Artifact, Capability, Finding, Question, Region, Support
from nsfwforensics.core.vocabulary import EVERY_PICTURE
from nsfwforensics.errors import EvidenceError, MissingDependencyError, WeightsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.signals.changes.difference import ChangedRegion, Difference
    from nsfwforensics.signals.matching.alignment import Alignment

MOST_REGIONS = 6
"""Most changed regions that get a finding of their own; the rest are counted."""


_UNSURE_ROWS = 48  # decoders fill up to three rows of blocks before the break with what they had


class CompareOptions(AnalyzerOptions):
    """What the pictures are compared with."""

    original: tuple[Path, ...] = Field(
        default=(),
        description="The original photo, or a folder of originals, that pictures may have been made from; may be "
        "repeated",
        json_schema_extra={"flag": "--original"},
    )
    side_by_side: bool = Field(
        default=False,
        description="Put original and picture next to each other into the report, blurred until clicked",
        json_schema_extra={"flag": "--side-by-side"},
    )


class CompareAnalyzer(Analyzer):
    """Compares every picture with the originals."""

    name: ClassVar[str] = "compare"
    version: ClassVar[str] = "1.1"
    title: ClassVar[str] = "Comparison with the original"
    question: ClassVar[Question] = Question.KNOWN
    method = say("Finds the original whose details the picture shows, lays one over the other and maps what differs.")
    source = "docs/compare.md"
    codes: ClassVar[Mapping[str, Code]] = CODES
    figures = FIGURES
    place = 70
    looks_at = EVERY_PICTURE
    provides = frozenset({Capability.ORIGINALS})
    help = "comparison with the original"
    Options: ClassVar[type[AnalyzerOptions]] = CompareOptions

    @classmethod
    def enrol(cls, options: Any, resources: Any) -> Enrolment:
        """Indexes the originals.

        Raises:
            EnrolmentError: An original cannot be read, or holds too little detail to be recognised.
        """
        del resources
        return enrol_originals(options.original) if options.original else Enrolment()

    def examine(self, evidence: Evidence) -> Outcome:
        """Compares one picture with the originals.

        Raises:
            EvidenceError: The picture cannot be decoded.
        """
        originals: Originals | None = self.enrolment.state
        if originals is None:
            return Outcome.not_applicable(say("no original photo was given to compare with (--original)"))
        if (same := originals.with_digest(evidence.sha256)) is not None:
            return self._same_file(same)
        from nsfwforensics.signals.matching.keypoints import keypoints

        points = evidence.derive("keypoints", lambda: keypoints(evidence.rgb))
        if len(points) < FEW_POINTS:
            explanation = say(
                "The picture holds too little detail ({points} points that could be found again) to tell whether it "
                "was made from the original.",
                points=len(points),
            )
            return Outcome.of([self.finding("CMP-008", explanation, support=Support.INCONCLUSIVE)])
        found, inverted = originals.index.search(points), False
        if not found:
            found, inverted = originals.index.search(points.inverted()), True
        if not found:
            return self._not_found(originals, len(points))
        number, alignment = found[0]
        original = originals.files[number]
        measurements: dict[str, Any] = {"original": original.path.name, "original_sha256": original.sha256}
        measurements |= _measured(alignment) | {"inverted": inverted}
        if len(found) > 1:
            measurements["also_matches"] = [originals.files[other].path.name for other, _ in found[1:]]
        return self._with_changes(evidence, original, alignment, measurements, inverted=inverted)

    def _same_file(self, original: Original) -> Outcome:
        name = original.path.name
        findings = [
            self.finding(
                "CMP-006",
                say("This is the original “{name}” itself, byte for byte.", name=name),
                data={"sha256": original.sha256},
                headline=say("It is {name} itself, byte for byte.", name=name),
            ),
            self.finding(
                "CMP-003",
                say("Nothing was changed: the file is the same as the original “{name}”, byte for byte.", name=name),
                support=Support.NO_INDICATION,
                caveat=say("Whether the original itself was edited before cannot be told from this comparison."),
                data={ERROR_RATES: []},
            ),
        ]
        return Outcome.of(findings, {"original": name, "original_sha256": original.sha256})

    def _not_found(self, originals: Originals, points: int) -> Outcome:
        count = len(originals.files)
        if count == 1:
            explanation = say(
                "No sign was found that the picture was made from the original “{name}”, so what was changed cannot be "
                "said.",
                name=originals.files[0].path.name,
            )
        else:
            explanation = say(
                "No sign was found that the picture was made from any of the {originals:,} originals, so what was "
                "changed cannot be said.",
                originals=count,
            )
        finding = self.finding("CMP-007", explanation, support=Support.NO_INDICATION)
        return Outcome.of([finding], {"originals": count, "keypoints": points})

    def _with_changes(
        self,
        evidence: Evidence,
        original: Original,
        alignment: Alignment,
        measurements: dict[str, Any],
        *,
        inverted: bool,
    ) -> Outcome:
        """Maps what was changed; where the original cannot be opened any more, says so and keeps the rest."""
        from nsfwforensics.signals.changes.difference import difference

        try:
            before, after = reopened(original).rgb, _decoded_part(evidence)
        except EvidenceError as error:
            made = self._made_from(original, alignment, None)
            return Outcome.of([made, self._unmapped(error)], measurements)
        changes = difference(before, 255 - after if inverted else after, alignment.matrix)
        findings = [self._made_from(original, alignment, changes)]
        words = [
            *framing_words(alignment, changes),
            *([INVERTED] if inverted else []),
            *colour_words(changes.photometric),
        ]
        if words:
            explanation = say("Compared with the original, the whole picture was {changes:and}.", changes=words)
            findings.append(self.finding("CMP-004", explanation, data={"changes": words}))
        measurements = measurements | {"changes": _figures(changes)}
        findings.extend(self._changes(evidence, changes, sure=findings[0].support is Support.SUPPORTS))
        mapped, beside = self.resources.thumbnails, self.resources.thumbnails or self.options.side_by_side
        artifacts = _pictures(before, after, alignment, changes, mapped=mapped, beside=beside)
        return Outcome.of(findings, measurements, artifacts)

    def _made_from(self, original: Original, alignment: Alignment, changes: Difference | None) -> Finding:
        """Says so; inconclusive where little agrees of what both show, as in two pictures in one frame."""
        sure = alignment.support >= LITTLE_SUPPORT
        return self.finding(
            "CMP-001",
            made_from(original.path.name, alignment, changes) if sure else around(original.path.name, alignment),
            support=Support.SUPPORTS if sure else Support.INCONCLUSIVE,
            caveat=None if sure else SHARED_FRAME,
            data={
                "original": original.path.name,
                "sha256": original.sha256,
                "matching_points": alignment.inliers,
                "share_of_places_agreeing": round(alignment.support, 3),
            },
            headline=made_headline(original.path.name, sure=sure),
        )

    def _changes(self, evidence: Evidence, changes: Difference, *, sure: bool) -> list[Finding]:
        if not changes.mapped:
            return [self._unmapped(None, *changes.notes)]
        if not changes.regions:
            explanation = say(
                "No region was found that differs from the original by more than re-saving, resizing and the changes "
                "named above explain."
            )
            support = Support.INCONCLUSIVE if changes.notes else Support.NO_INDICATION
            return [self.finding("CMP-003", sentences(explanation, *changes.notes), support=support)]
        faces = self._faces(evidence)
        height, width = evidence.rgb.shape[:2]
        shown = changes.regions[:MOST_REGIONS]
        findings = []
        for number, region in enumerate(shown, start=1):
            box = (region.x, region.y, region.width, region.height)
            where = place(box, faces, width, height)
            count = len(changes.regions)
            explanation = region_words(region.share, where, number, count)
            data = {"share": round(region.share, 4), "strength": round(region.strength, 1), "where": where}
            findings.append(
                self.finding(
                    "CMP-002",
                    explanation,
                    support=Support.SUPPORTS if sure else Support.INCONCLUSIVE,
                    region=_box(region),
                    data=data,
                    headline=changed_headline(sum(each.share for each in changes.regions), where, count),
                )
            )
        return findings

    def _unmapped(self, error: EvidenceError | None, *notes: str) -> Finding:
        explanation: str
        if error is None:
            explanation = sentences(say("What was changed could not be mapped."), *notes)
        else:
            explanation = say("What was changed could not be mapped: {reason}.", reason=error.message)
        return self.finding("CMP-005", explanation, support=Support.INCONCLUSIVE)

    def _faces(self, evidence: Evidence) -> list[tuple[float, float, float, float]]:
        """The faces of the picture, for words only: without the detector the words do without them."""
        from nsfwforensics.models.faces.detector import shared_faces

        try:
            return [face.box for face in shared_faces(evidence, self.resources)]
        except (MissingDependencyError, WeightsError):
            return []


def _decoded_part(evidence: Evidence) -> NDArray[np.uint8]:
    """The rows that could be decoded: what a truncated file lacks is no change.

    Raises:
        EvidenceError: The file is truncated and its picture is stored turned.
    """
    rgb = evidence.rgb
    if evidence.decoded_share >= 1:
        return rgb
    if evidence.turned:
        raise EvidenceError(say("a part of the picture is missing"))
    return rgb[: max(1, int(evidence.decoded_share * rgb.shape[0]) - _UNSURE_ROWS)]


def _box(region: ChangedRegion) -> Region:
    return Region(x=region.x, y=region.y, width=region.width, height=region.height, outline=region.outline)


def _figures(changes: Difference) -> dict[str, Any]:
    """The measurements of a difference, for the report."""
    figures: dict[str, Any] = {
        "mapped": changes.mapped,
        "regions": len(changes.regions),
        "share_of_picture_showing_the_photo": round(changes.photo_share, 4),
    }
    if changes.changed_share is not None:
        figures["changed_share"] = round(changes.changed_share, 4)
    if changes.photometric is not None:
        figures["colours"] = asdict(changes.photometric)
    return figures | {name: round(value, 4) for name, value in changes.data.items()} | {"notes": changes.notes}


def _measured(alignment: Alignment) -> dict[str, Any]:
    return {
        "matching_points": alignment.inliers,
        "matches": alignment.matches,
        "score": round(alignment.score, 1),
        "support": round(alignment.support, 3),
        "exactness": round(alignment.exactness, 3),
        "mirrored": alignment.mirrored,
        "rotation_degrees": round(alignment.rotation, 2),
        "scale": round(alignment.scale, 4),
        "share_of_original_shown": round(alignment.shown, 4),
        "share_of_picture_filled": round(alignment.filled, 4),
        "model": alignment.model,
        "suspect_to_original": [[float(f"{value:.8g}") for value in row] for row in alignment.matrix.tolist()],
    }


def _pictures(
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    alignment: Alignment,
    changes: Difference,
    *,
    mapped: bool,
    beside: bool,
) -> tuple[Artifact, ...]:
    """The difference map, and the two pictures side by side, as far as asked for; nothing where nothing was mapped."""
    from nsfwforensics.signals.changes.difference_pictures import heatmap_png, side_by_side_jpeg

    made: list[tuple[str, str, bytes | None]] = []
    if beside:
        both = side_by_side_jpeg(before, after, changes, alignment.matrix)
        made.append((say("Original and picture side by side"), "image/jpeg", both))
    if mapped:
        made.append((say("Difference map"), "image/png", heatmap_png(changes, after)))
    return tuple(Artifact(name=name, media_type=kind, data=data) for name, kind, data in made if data)
