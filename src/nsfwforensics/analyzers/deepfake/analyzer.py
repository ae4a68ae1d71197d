"""Do the pixels look generated? A small model over CLIP, and what it was measured to be worth.

The model's score is never shown as a probability. It is compared with the scores of photographs and generated
pictures that the model was not trained on; what may be said, and the error rates beside it, come from the calibration
stored with the weights. Whatever was not measured (tiny, flat or crushed pictures) is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers.deepfake.figures import CHARTS, FIGURES
from nsfwforensics.analyzers.deepfake.sample import Sample, take
from nsfwforensics.analyzers.deepfake.score_map import MapScores, conclude_map, judge_map, take_map
from nsfwforensics.analyzers.deepfake.score_map_words import MAP_CODES
from nsfwforensics.analyzers.deepfake.words import (
    CODES,
    NOT_LOOKED_FOR,
    PLAIN_GROUND_WORDS,
    cleared_rates,
    cleared_words,
    generated_rates,
    generated_words,
    inconclusive_words,
    ratio_words,
)
from nsfwforensics.core.analyzer import AnalyzerOptions, BatchAnalyzer, Code, Outcome
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.messages import say, sentences
from nsfwforensics.core.types import Capability, FileInfo, Finding, ModelRecord, Question, Support
from nsfwforensics.core.vocabulary import SCENES
from nsfwforensics.errors import WeightsError
from nsfwforensics.models.states import STATES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.synthesis.calibration import Branch, Calibration, Rate
    from nsfwforensics.models.synthesis.classifier import SynthesisClassifier, WholeScore


class DeepfakeOptions(AnalyzerOptions):
    """Options of the deepfake analyzer."""

    score_map: bool = Field(
        default=False,
        description="Keep a map of the built-in model's score over the picture, as a lead for people",
        json_schema_extra={"flag": "--score-map"},
    )


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says of one file, with the circumstances."""

    sample: Sample
    picture: WholeScore | None
    map: MapScores | None = None


class DeepfakeAnalyzer(BatchAnalyzer[Sample, Scores]):
    """Judges the whole picture with the classifier in the weights folder."""

    name = "deepfake"
    version = "9"
    title = "Do the pixels look generated?"
    question = Question.SYNTHESIS
    method = say(
        "Compares the score of a small model over the middle layers of CLIP with the scores of photographs and "
        "generated pictures that it was not trained on."
    )
    source = "weights/synthesis.md (nsfwforensics model card); docs/detectors.md"
    needs_device = True
    Options = DeepfakeOptions
    codes: ClassVar[Mapping[str, Code]] = {**CODES, **MAP_CODES}
    figures = FIGURES
    charts = CHARTS
    place = 40
    looks_at = SCENES
    provides = frozenset({Capability.GENERATION})
    help = "generated or face-swapped pixels"

    @classmethod
    def heavy_modules(cls, options: Mapping[str, Any], device: str) -> tuple[str, ...]:
        """Those of the classifier, and torch only where it runs in that."""
        from nsfwforensics.models.device import is_cpu
        from nsfwforensics.models.runtime import bytes_are_fast

        del options
        quick = is_cpu(device) and bytes_are_fast()
        return ("nsfwforensics.models.synthesis.classifier", "onnxruntime" if quick else "torch")

    def unavailable(self) -> str | None:
        """Names the weights that are missing, if any."""
        from nsfwforensics.models import weights
        from nsfwforensics.models.synthesis.calibration import CALIBRATION
        from nsfwforensics.models.synthesis.domain_probe import domain_probe

        try:
            for name in (_BODY, _MODEL, CALIBRATION):
                weights.locate(name, self.resources.weights)
            domain_probe(self.resources.weights)
        except WeightsError as error:
            return error.message
        return None

    def models(self) -> tuple[ModelRecord, ...]:
        """The weights and their calibration, as the manifest names them."""
        from nsfwforensics.models import weights
        from nsfwforensics.models.synthesis.calibration import CALIBRATION

        known = weights.manifest()
        return tuple(
            ModelRecord(name=e.name, version=e.version, file=e.file, sha256=e.sha256, used_by=self.name)
            for e in (known[name] for name in (_BODY, _MODEL, CALIBRATION) if name in known)
        )

    def prepare(self, evidence: Evidence) -> Sample:
        """Makes what the model is shown, and notes what limits a statement."""
        from nsfwforensics.models.synthesis.domain_probe import domain_probe

        sample = take(evidence, self._calibration, domain_probe(self.resources.weights))
        if not self.options.score_map:
            return sample
        return replace(sample, map=take_map(evidence, evidence.decoded_rows, sample.ruled_out))

    def infer(self, batch: Sequence[Sample]) -> Sequence[Scores]:
        """Scores many files."""
        from nsfwforensics.models.synthesis import canonical

        image = self._calibration.image
        seen = [sample for sample in batch if sample.view is not None]

        def copies(index: int, found: WholeScore) -> NDArray[np.uint8] | None:
            square = seen[index].square
            asked = square is not None and image.asks_copies(found.score, state_of(seen[index], found, image))
            return canonical.copies(square) if square is not None and asked else None

        shown = [sample.view for sample in seen if sample.view is not None]
        found = iter(self._classifier.score(shown, copies) if shown else ())
        pictures = [next(found) if sample.view is not None else None for sample in batch]
        return [self._scores(sample, picture) for sample, picture in zip(batch, pictures, strict=True)]

    def _scores(self, sample: Sample, picture: WholeScore | None) -> Scores:
        if picture is not None and picture.outside:
            sample, picture = sample.outside(), None
        windows = judge_map(self._classifier, sample.map) if sample.map is not None else None
        return Scores(sample, picture, windows)

    def conclude(self, info: FileInfo, scores: Scores) -> Outcome:
        """Says what the measured rules allow, with the rates measured for the closest state."""
        from nsfwforensics.models.synthesis.distribution import as_high

        del info
        image = self._calibration.image
        sample, picture = scores.sample, scores.picture
        state = state_of(sample, picture, image)
        measurements: dict[str, Any] = {"state": state, "not_looked_for": list(NOT_LOOKED_FOR), **sample.facts}
        if picture is not None:
            copies = {"score_recompressed": picture.recompressed, "score_resized": picture.resized}
            measurements |= {
                "score": round(picture.score, 5),
                **{name: round(score, 5) for name, score in copies.items() if score is not None},
            }
        # Beside withheld calls a place among the calibration's pictures would be such a call in other words.
        if picture is not None and image.withheld is None:
            measurements |= {
                "p_value_real": round(image.p_real(picture.score, state), 4),
                "p_value_generated": round(image.p_generated(picture.score, state), 4),
                "scored_as_high": as_high(image, state, picture.score),
            }
        findings = [self._whole(scores, image)]
        if scores.map is None:
            return Outcome.of(findings, measurements)
        found, measurements["score_map"], pictures = conclude_map(self, scores.map)
        return Outcome.of([*findings, found], measurements, pictures)

    def _whole(self, scores: Scores, image: Branch) -> Finding:
        from nsfwforensics.models.synthesis.calibration import PLAIN_GROUND, Verdict

        state, picture = state_of(scores.sample, scores.picture, image), scores.picture
        if picture is None:
            return self._inconclusive(scores.sample.ruled_out or "", image, state, "outside_measured")
        if image.withheld is not None:
            return self._inconclusive(None, image, state, "withheld")
        each = {image.verdict(score, state) for score in picture.views}
        data = {"state": state, **_data(image, state)}
        if len(each) > 1:
            reason = say("the answer turns when the same picture is saved again or made a little smaller")
            return self._inconclusive(reason, image, state, "flip")
        ratio = image.likelihood_ratio(state, picture.views)
        data |= {"likelihood_ratio": round(ratio, 3)} if ratio is not None else {}
        weight = [ratio_words(ratio, image, state)] if ratio is not None else []
        if each == {Verdict.GENERATED}:
            rates = {ERROR_RATES: generated_rates(image, state)}
            return self.finding("SYN-001", sentences(generated_words(image, state), *weight), data=data | rates)
        if each == {Verdict.NO_INDICATION}:
            rates = {ERROR_RATES: cleared_rates(image, state)}
            words = sentences(cleared_words(image, state), *weight)
            return self.finding("SYN-003", words, support=Support.NO_INDICATION, data=data | rates)
        if state == PLAIN_GROUND and not image.alpha_of(state) and not image.beta_of(state):
            return self._inconclusive(PLAIN_GROUND_WORDS, image, state, "plain_ground")
        reason = say("the score lies where both real and generated pictures are found")
        return self._inconclusive(reason, image, state, "grey_band")

    def _inconclusive(self, reason: str | None, image: Branch, state: str, kind: str) -> Finding:
        return self.finding(
            "SYN-002",
            inconclusive_words(reason, image, None if kind == "outside_measured" else state),
            support=Support.INCONCLUSIVE,
            data={"reason": kind, "state": state, **_data(image, state)},
        )

    @property
    def _calibration(self) -> Calibration:
        from nsfwforensics.models.synthesis.calibration import cached_calibration

        return cached_calibration(self.resources.weights)

    @property
    def _classifier(self) -> SynthesisClassifier:
        from nsfwforensics.models.synthesis.classifier import cached_classifier

        lent = self.resources
        return cached_classifier(lent.device, lent.weights, lent.threads, few=lent.few)


def state_of(sample: Sample, picture: WholeScore | None, image: Branch) -> str:
    """The measured state that a picture is told by: portraits and what stands on plain ground by their own."""
    return sample.state if picture is None else picture.state(sample.state, image.real)


_BODY, _MODEL = "clip-vit-b16", "synthesis"


def _data(branch: Branch, state: str) -> dict[str, Any]:
    from nsfwforensics.models.synthesis.distribution import of_scores

    if branch.withheld is not None:
        later = [{"state": each, **_counts(rates)} for each, rates in branch.withheld.by_state(STATES)]
        return {"withheld": later, **branch.facts}
    rates = _counts(branch.rates.get(state, {}))
    return {"rates": rates, "distribution": of_scores(branch, state), **branch.facts}


def _counts(rates: Mapping[str, Rate]) -> dict[str, list[int]]:
    return {name: [rate.count, rate.total] for name, rate in rates.items()}
