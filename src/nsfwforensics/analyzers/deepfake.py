"""Do the pixels look generated or face-swapped? A small model, and what it was measured to be worth.

The model's score is never shown as a probability. It is compared with the scores of photographs and generated
pictures that the model was not trained on; what may be said, and the error rates beside it, come from the calibration
stored with the weights. Whatever was not measured (tiny, flat, colourless or crushed pictures) is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers._deepfake_sample import Box, Sample, take
from nsfwforensics.core.analyzer import AnalyzerOptions, BatchAnalyzer, Code, Outcome
from nsfwforensics.core.types import FileInfo, Finding, ModelRecord, Question, Region, Severity, Support
from nsfwforensics.errors import WeightsError

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.calibration import Branch, Calibration, Rate
    from nsfwforensics.models.classifier import PictureScore, SynthesisClassifier

_STATES: Mapping[str, str] = {
    "as_is": "in their original files",
    "768_q60": "reduced to 768 pixels and saved at JPEG quality 60",
    "512_q40": "reduced to 512 pixels and saved at JPEG quality 40",
}


class DeepfakeOptions(AnalyzerOptions):
    """Options of the deepfake analyzer."""

    faces: bool = Field(default=True, description="Examine faces on their own as well as the whole picture")


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says of one file, with the circumstances."""

    sample: Sample
    picture: PictureScore | None
    faces: tuple[float, ...]


class DeepfakeAnalyzer(BatchAnalyzer[Sample, Scores]):
    """Judges native crops of the picture, and faces on their own, with the classifier in the weights folder."""

    name = "deepfake"
    version = "1"
    title = "Do the pixels look generated or face-swapped?"
    question = Question.SYNTHESIS
    needs_device = True
    Options = DeepfakeOptions
    codes: ClassVar[Mapping[str, Code]] = {
        "SYN-001": Code(
            "Pixels look generated",
            Severity.MEDIUM,
            "This model knows few generators and few cameras. Heavy editing, upscaling and denoising filters can look "
            "the same to it. It is a reason to look closer, not proof, and says nothing about who made the picture.",
        ),
        "SYN-002": Code(
            "Pixels: inconclusive",
            Severity.INFO,
            "Inconclusive is not a mild yes or no: this check adds nothing either way. Rely on where the file came "
            "from, its metadata and other copies of it.",
        ),
        "SYN-003": Code(
            "No sign of generation in the pixels",
            Severity.INFO,
            "The model can miss generated pictures, above all from generators it never saw, after re-saving, or where "
            "only a part was changed. No sign found does not make a picture authentic.",
        ),
        "SYN-010": Code(
            "A face looks blended in or generated",
            Severity.MEDIUM,
            "Retouching, beauty filters and strong compression of a face can look the same. It is a reason to look "
            "closer, not proof.",
        ),
        "SYN-011": Code(
            "Faces: inconclusive",
            Severity.INFO,
            "The check of faces was measured on few people, and not on current face-swap tools. Compare the face with "
            "other photos of the person, and look for the picture it may have been taken from.",
        ),
    }

    def unavailable(self) -> str | None:
        """Names the weights that are missing, if any."""
        from nsfwforensics.models import weights
        from nsfwforensics.models.calibration import CALIBRATION

        try:
            for name in (_MODEL, CALIBRATION):
                weights.locate(name, self.resources.weights)
        except WeightsError as error:
            return str(error)
        return None

    def models(self) -> tuple[ModelRecord, ...]:
        """The classifier's weights and their calibration, as the manifest names them."""
        from nsfwforensics.models import weights
        from nsfwforensics.models.calibration import CALIBRATION

        known = weights.manifest()
        return tuple(
            ModelRecord(name=e.name, version=e.version, file=e.file, sha256=e.sha256, used_by=self.name)
            for e in (known[name] for name in (_MODEL, CALIBRATION) if name in known)
        )

    def prepare(self, evidence: Evidence) -> Sample:
        """Cuts native crops and faces, and notes what limits a statement."""
        return take(evidence, self._calibration, self._faces(evidence) if self.options.faces else ())

    def _faces(self, evidence: Evidence) -> tuple[Box, ...]:
        from nsfwforensics.models.face_detector import shared_faces

        return tuple(face.box for face in shared_faces(evidence, self.resources))

    def infer(self, batch: Sequence[Sample]) -> Sequence[Scores]:
        """Scores the crops and faces of many files."""
        import numpy as np

        classifier = self._classifier
        whole = [sample.crops for sample in batch if sample.crops is not None]
        pictures = iter(classifier.score(whole))
        parts = [sample.faces for sample in batch if sample.faces is not None]
        faces = iter(classifier.score_faces(np.concatenate(parts)).tolist() if parts else [])
        return [
            Scores(
                sample,
                next(pictures) if sample.crops is not None else None,
                tuple(next(faces) for _ in sample.boxes),
            )
            for sample in batch
        ]

    def conclude(self, info: FileInfo, scores: Scores) -> Outcome:
        """Says what the measured rules allow, with the rates measured for the closest state."""
        del info
        image = self._calibration.image
        measurements: dict[str, Any] = {"state": scores.sample.state, **scores.sample.facts}
        picture = scores.picture
        if picture is not None:
            measurements |= {
                "score": round(picture.score, 5),
                "score_recompressed": round(picture.recompressed, 5),
                "score_resized": round(picture.resized, 5),
                "score_spread": round(picture.spread, 5),
                "crops": picture.crops,
                "p_value_real": round(image.p_real(picture.score), 4),
                "p_value_generated": round(image.p_generated(picture.score), 4),
            }
        findings = [self._whole(scores, image)]
        face = self._calibration.face
        if face is not None and scores.faces:
            known = [round(score, 5) for score in scores.faces]
            measurements["faces"] = [
                {"box": list(box), "score": score, "p_value_real": round(face.p_real(score), 4)}
                for box, score in zip(scores.sample.boxes, known, strict=True)
            ]
            findings += self._faces_found(face, scores)
        return Outcome.of(findings, measurements)

    def _whole(self, scores: Scores, image: Branch) -> Finding:
        from nsfwforensics.models.calibration import Verdict

        state, picture = scores.sample.state, scores.picture
        if picture is None:
            return self._inconclusive(f"{scores.sample.ruled_out}", image, state, "outside_measured")
        views = (picture.score, picture.recompressed, picture.resized)
        each = {image.verdict(score) for score in views}
        data = {"state": state, "crops": picture.crops}
        if len(each) > 1:
            reason = "the answer turns when the same picture is saved again or made a little smaller"
            return self._inconclusive(reason, image, state, "flip")
        if each == {Verdict.GENERATED}:
            called, found = image.rate(state, "real_called"), image.rate(state, "gallery_called")
            painted = image.rate(state, "resynthesised_called")
            return self.finding(
                "SYN-001",
                f"The pixels look generated to this model: hardly any of {image.reals} unseen photographs scored as "
                f"high. In our test on pictures {_STATES[state]} it said so of {_worst(called)} real photographs, and "
                f"found {found} generated ones and {painted} photographs painted again by a neural network.",
                data=data | _data(image, state),
            )
        if each == {Verdict.NO_INDICATION}:
            missed = image.rate(state, "gallery_cleared")
            painted = image.rate(state, "resynthesised_cleared")
            return self.finding(
                "SYN-003",
                f"No sign of generation was found in the pixels; in our test on pictures {_STATES[state]} the same "
                f"was said of {_worst(missed)} generated pictures and of {_worst(painted)} photographs painted again "
                "by a neural network.",
                support=Support.NO_INDICATION,
                data=data | _data(image, state),
            )
        reason = "the score lies where both real and generated pictures are found"
        return self._inconclusive(reason, image, state, "grey_band")

    def _inconclusive(self, reason: str, image: Branch, state: str, kind: str) -> Finding:
        real, fake = image.rate(state, "real_inconclusive"), image.rate(state, "gallery_inconclusive")
        known = f"In our test on pictures {_STATES[state]} this was the answer for {real} real photographs and {fake} "
        return self.finding(
            "SYN-002",
            f"The pixels alone do not say whether this picture was generated: {reason}. "
            + ("No error rate is known there." if kind == "outside_measured" else f"{known}generated pictures."),
            support=Support.INCONCLUSIVE,
            data={"reason": kind, "state": state, **_data(image, state)},
        )

    def _faces_found(self, face: Branch, scores: Scores) -> list[Finding]:
        from nsfwforensics.models.calibration import Verdict

        state = scores.sample.state
        called, found = face.rate(state, "real_called"), face.rate(state, "swap_called")
        findings = [
            self.finding(
                "SYN-010",
                f"A face looks blended in or generated to this model, which in our test said so of {_worst(called)} "
                f"real faces and found {found} swapped ones.",
                region=Region(x=box[0], y=box[1], width=box[2], height=box[3]),
                data=_data(face, state),
            )
            for box, score in zip(scores.sample.boxes, scores.faces, strict=True)
            if face.verdict(score) is Verdict.GENERATED
        ]
        if findings:
            return findings
        return [
            self.finding(
                "SYN-011",
                f"Whether a face was swapped in cannot be said from the pixels: in our test the check told {found} "
                f"swapped faces apart, and {called} real faces stood out as much.",
                support=Support.INCONCLUSIVE,
                data={"examined": len(scores.faces), **_data(face, state)},
            )
        ]

    @property
    def _calibration(self) -> Calibration:
        from nsfwforensics.models.calibration import cached_calibration

        return cached_calibration(self.resources.weights)

    @property
    def _classifier(self) -> SynthesisClassifier:
        from nsfwforensics.models.classifier import cached_classifier

        return cached_classifier(self.resources.device, self.resources.weights, self.resources.threads)


_MODEL = "synthesis"


def _worst(rate: Rate) -> str:
    """A share with its upper bound, as it is said to a reader."""
    return f"{rate} ({rate.share:.0%}, at most {rate.upper:.0%} with 95 % confidence)"


def _data(branch: Branch, state: str) -> dict[str, Any]:
    rates = branch.rates.get(state, {})
    return {"rates": {name: [rate.count, rate.total] for name, rate in rates.items()}, **branch.facts}
