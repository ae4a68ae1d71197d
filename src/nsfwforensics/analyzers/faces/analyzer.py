"""Is the person in the reference photo in it? A similarity with measured error rates, never an identification.

The reference photos are embedded once per run. In every file all faces are found and each that is fit to be compared is
measured against the nearest reference photo. The thresholds, and how often they were wrong, come from the file that
``tools/measure_faces.py`` wrote; an embedder without such figures gives distances but no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers.faces.enrol import Reference, enrol_references
from nsfwforensics.analyzers.faces.figures import CHARTS, FIGURES
from nsfwforensics.analyzers.faces.words import (
    CODES,
    between_words,
    measured_rates,
    similar_words,
    unlike_words,
)
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Code, Enrolment, Outcome, Resources
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Finding, ModelRecord, Question, Region, Support
from nsfwforensics.core.vocabulary import EVERY_PICTURE
from nsfwforensics.errors import MissingDependencyError, WeightsError
from nsfwforensics.models.faces.files import DETECTOR, model_record
from nsfwforensics.models.faces.rates import CountedRate, FaceRates, load_rates, unfit_reason

if TYPE_CHECKING:
    from nsfwforensics.models.faces.detector import DetectedFace
    from nsfwforensics.models.faces.template import FaceTemplate

FITNESS = "face-resnet29"
"""The model whose figures say which faces are fit to be compared, for embedders without figures of their own."""


class FaceModel(StrEnum):
    """The embedders that can be chosen."""

    RESNET29 = "resnet29"
    VGGFACE2 = "vggface2"

    @property
    def weights(self) -> str:
        """The name in the weights manifest."""
        return f"face-{self.value}"


class FacesOptions(AnalyzerOptions):
    """What the faces are compared with, and by which model."""

    reference: tuple[Path, ...] = Field(
        default=(),
        description="A photo of the person to look for, or a folder of such photos; may be repeated",
        json_schema_extra={"flag": "--reference"},
    )
    reference_face: str | None = Field(
        default=None,
        pattern=r"^(largest|[1-9][0-9]{0,3})$",
        description="Which face to use where a reference photo shows several: its number, counted from the left, "
        "or 'largest'",
        json_schema_extra={"flag": "--reference-face"},
    )
    face_model: FaceModel = Field(
        default=FaceModel.RESNET29,
        description="The face model; vggface2 needs a file that is not shipped (see: weights list)",
        json_schema_extra={"flag": "--face-model"},
    )


class FacesAnalyzer(Analyzer):
    """Compares every face of a picture with the reference photos."""

    name: ClassVar[str] = "faces"
    version: ClassVar[str] = "1.1"
    title: ClassVar[str] = "Faces compared with a reference photo"
    question: ClassVar[Question] = Question.IDENTITY
    method = say(
        "Measures how far each face is from the nearest face of the reference photos, and compares that with "
        "distances measured on known pairs."
    )
    source = "Zhang et al., MTCNN, IEEE SPL 23 (2016); Schroff et al., FaceNet, CVPR (2015)"
    codes: ClassVar[Mapping[str, Code]] = CODES
    figures = FIGURES
    charts = CHARTS
    place = 80
    looks_at = EVERY_PICTURE
    help = "the search for one person's face"
    Options: ClassVar[type[AnalyzerOptions]] = FacesOptions
    needs_device: ClassVar[bool] = True

    @classmethod
    def heavy_modules(cls, options: Mapping[str, Any], device: str) -> tuple[str, ...]:
        """Those of detector and embedder, where there is a face to look for."""
        del device
        return ("torch", "nsfwforensics.models.faces.mtcnn") if options.get("reference") else ()

    @classmethod
    def enrol(cls, options: Any, resources: Resources) -> Enrolment:
        """Embeds the reference photos.

        Raises:
            EnrolmentError: A reference cannot be read, or shows no usable face, or several and none was chosen.
            WeightsError: The model's weights are missing or altered.
        """
        if not options.reference:
            return Enrolment()
        weights = options.face_model.weights
        rates = load_rates(weights, resources.weights)
        fitness = rates or load_rates(FITNESS)
        if fitness is None:
            raise WeightsError(_no_rates())
        return enrol_references(
            options.reference, options.reference_face, options.face_model.value, rates, fitness, resources
        )

    def unavailable(self) -> str | None:
        """Why no face can be compared here: weights or figures that are missing."""
        if not self.options.reference:
            return None
        try:
            self.models()
            self._rates()
        except (WeightsError, MissingDependencyError) as error:
            return error.message
        return None

    def models(self) -> tuple[ModelRecord, ...]:
        """Detector and embedder, where a reference photo was given."""
        if not self.options.reference:
            return ()
        folder = self.resources.weights
        return tuple(model_record(name, self.name, folder) for name in (DETECTOR, self.options.face_model.weights))

    def examine(self, evidence: Evidence) -> Outcome:
        """Finds the faces of one picture and compares each with the nearest reference photo.

        Raises:
            EvidenceError: The picture cannot be decoded.
        """
        references: Sequence[Reference] = self.enrolment.state or ()
        if not references:
            return Outcome.not_applicable(say("no reference photo was given (--reference)"))
        from nsfwforensics.models.faces.compare import distances, templates
        from nsfwforensics.models.faces.detector import shared_faces
        from nsfwforensics.models.faces.embedder import cached_embedder

        faces = shared_faces(evidence, self.resources)
        measurements = {"faces": len(faces), "references": len(references), "model": self.options.face_model.value}
        if not faces:
            return Outcome.of([self._nothing(evidence)], measurements)
        embedder = cached_embedder(self.options.face_model.value, self.resources.device, self.resources.weights)
        made = templates(embedder, evidence.rgb, faces)
        table = distances(made, [reference.template for reference in references])
        rates, fitness = self._rates()
        unfit = [unfit_reason(template, fitness) for template in made]
        order = sorted(range(len(faces)), key=lambda index: (unfit[index] is not None, float(table[index].min())))
        compared = unfit.count(None)
        findings = []
        for rank, index in enumerate(order):
            row = table[index]
            nearest = references[int(row.argmin())]
            measured = _Measured(faces[index], made[index], float(row.min()), nearest)
            if (reason := unfit[index]) is not None:
                findings.append(self._unfit(measured, reason))
            else:
                findings.append(self._compared(measured, rates, rank, compared, compared * len(references)))
        measurements["comparisons"] = compared * len(references)
        return Outcome.of(findings, measurements)

    def _rates(self) -> tuple[FaceRates | None, FaceRates]:
        rates = load_rates(self.options.face_model.weights, self.resources.weights)
        fitness = rates or load_rates(FITNESS)
        if fitness is None:
            raise WeightsError(_no_rates())
        return rates, fitness

    def _nothing(self, evidence: Evidence) -> Finding:
        height, width = evidence.rgb.shape[:2]
        return self.finding(
            "FACE-005",
            say(
                "No face found in the picture, so nobody could be compared. This is not “no match”: a face that is "
                "turned away, covered, very small or cut off is not found."
            ),
            support=Support.INCONCLUSIVE,
            data={"width": width, "height": height},
        )

    def _unfit(self, measured: _Measured, reason: str) -> Finding:
        return self.finding(
            "FACE-004",
            say(
                "A face was found but could not be compared: {reason}. This is neither a match nor “no match”.",
                reason=reason,
            ),
            support=Support.INCONCLUSIVE,
            data=measured.data(),
            region=measured.region(),
        )

    def _compared(
        self, measured: _Measured, rates: FaceRates | None, rank: int, compared: int, comparisons: int
    ) -> Finding:
        distance = measured.distance
        data, region = measured.data(), measured.region()
        if rates is None:
            text: str = say(
                "A face in the picture lies at distance {distance:.2f} from the reference photo, but no error rates "
                "have been measured for this face model, so nothing follows from that.",
                distance=distance,
            )
            return self.finding("FACE-006", text, support=Support.INCONCLUSIVE, data=data, region=region)
        data |= _figures(rates, distance)
        if distance < rates.match_below:
            return self.finding("FACE-001", similar_words(distance, rates, comparisons), data=data, region=region)
        if distance <= rates.unlike_above:
            text, support = between_words(distance, rates, comparisons), Support.INCONCLUSIVE
            return self.finding("FACE-002", text, support=support, data=data, region=region)
        text = unlike_words(distance, rates, nearest=rank == 0, compared=compared)
        return self.finding("FACE-003", text, support=Support.NO_INDICATION, data=data, region=region)


@dataclass(frozen=True, slots=True)
class _Measured:
    face: DetectedFace
    template: FaceTemplate
    distance: float
    nearest: Reference

    def data(self) -> dict[str, Any]:
        return {
            "box": [round(value, 1) for value in self.face.box],
            "size": round(self.template.size, 1),
            "confidence": round(self.face.confidence, 4),
            "pose_error": round(self.template.pose_error, 2),
            "sharpness": round(self.template.sharpness, 4),
            "distance": round(self.distance, 4),
            "nearest_reference": self.nearest.name,
            "nearest_reference_sha256": self.nearest.sha256,
        }

    def region(self) -> Region:
        x, y, width, height = (round(value) for value in self.face.box)
        return Region(x=x, y=y, width=width, height=height)


def _no_rates() -> str:
    return say("the measured error rates of {model} are missing; reinstall nsfwforensics", model=FITNESS)


def _figures(rates: FaceRates, distance: float) -> dict[str, Any]:
    from nsfwforensics.models.synthesis.distribution import of_distances

    point = rates.at(distance)
    return {
        "match_below": rates.match_below,
        "unlike_above": rates.unlike_above,
        "false_match_rate": _counted(rates.false_match),
        "false_non_match_rate": _counted(rates.false_non_match),
        "taken_as_unlike_rate": _counted(rates.missed_as_unlike),
        "at_this_distance": None if point is None else {"false_matches": point.false_matches, "misses": point.misses},
        ERROR_RATES: measured_rates(rates),
        "measured": rates.measured,
        "measured_on": rates.data,
        "distribution": of_distances(rates),
    }


def _counted(counted: CountedRate) -> dict[str, Any]:
    return {
        "errors": counted.errors,
        "pairs": counted.trials,
        "rate": round(counted.rate, 5),
        "upper_95": counted.upper,
    }
