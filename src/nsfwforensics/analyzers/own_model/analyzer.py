"""Do the pixels look generated to a model that a user brought (``--detector``)? It stands in for the built-in one.

It runs where files are examined, which is a confined worker process, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nsfwforensics.analyzers.own_model.figures import FIGURES, REASONS
from nsfwforensics.analyzers.own_model.words import CODES, called_words, inconclusive_words, stated_rates
from nsfwforensics.core.analyzer import Analyzer, AnalyzerOptions, Code, Enrolment, Outcome, Resources
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Capability, Finding, ModelRecord, Question, Severity, Support
from nsfwforensics.core.vocabulary import SCENES
from nsfwforensics.errors import UsageError

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.own.files import DetectorFiles


class OwnModelOptions(AnalyzerOptions):
    """Options of :class:`OwnModelAnalyzer`."""

    detector: Path | None = Field(
        default=None,
        description="Ask this model of your own instead: its card (TOML) or the folder with card and model",
        json_schema_extra={"flag": "--detector"},
    )


class OwnModelAnalyzer(Analyzer):
    """Judges the whole picture with a model that a user brought."""

    name = "own_model"
    version = "1"
    title = "Do the pixels look generated to a model of your own?"
    question = Question.SYNTHESIS
    method = say(
        "Compares the score of a model that was added to this tool with the threshold of its card, where error rates "
        "for such pictures were measured."
    )
    source = "the model's card; docs/detectors.md"
    needs_device = True
    Options = OwnModelOptions
    codes: ClassVar[Mapping[str, Code]] = CODES
    figures = FIGURES
    place = 41
    looks_at = SCENES
    provides = frozenset({Capability.GENERATION})
    asked_by = ("detector",)
    help = "a model of your own"

    @classmethod
    def enrol(cls, options: Any, resources: Resources) -> Enrolment:
        """Finds the model, and loads it once to see that it is what its card says.

        Raises:
            UsageError: The run is not isolated, so that a hostile model could do harm.
            WeightsError: Card or model cannot be used.
            MissingDependencyError: The extra for its format is not installed.
        """
        if options.detector is None:
            return Enrolment()
        if not resources.isolated:
            raise UsageError(
                "a model of your own (--detector) runs in confined worker processes only; "
                "leave out --no-isolate, --engine inline and Ray"
            )
        from nsfwforensics.core.evidence import now_reading
        from nsfwforensics.models.own.detector import load_detector
        from nsfwforensics.models.own.files import find_detector

        files = find_detector(options.detector)
        if (told := now_reading.get()) is not None:
            told(files.model_file)
        load_detector(files)
        measured = files.measured.model_dump_json() if files.measured else ""
        return Enrolment(state=files, digest=f"{files.card_sha256} {files.card.detector.sha256} {measured}")

    def models(self) -> tuple[ModelRecord, ...]:
        """The model and its card."""
        return () if self._files is None else self._files.records(self.name)

    def examine(self, evidence: Evidence) -> Outcome:
        """Says what the card, or what was measured, allows.

        Raises:
            EvidenceError: The picture cannot be decoded.
            WeightsError: The model cannot be run on it.
        """
        files = self._files
        if files is None:
            return Outcome.not_applicable(say("no model of your own was given"))
        from nsfwforensics.models.own.detector import cached_detector, least_side, probability
        from nsfwforensics.models.own.verdict import Reason, carried, judged
        from nsfwforensics.models.synthesis.calibration import closest_state
        from nsfwforensics.models.synthesis.suitability import cut_off, ruled_out, suitability

        rgb = evidence.decoded_rows
        known = suitability(rgb, evidence.original)
        about, claims, limits = files.card.detector, files.card.calibration, files.card.limits
        state = closest_state(known.quality)
        measurements: dict[str, Any] = {"model": about.name, "version": about.version, "state": state, **known.facts}
        outside = cut_off(evidence) or ruled_out(
            rgb,
            known,
            least=least_side(files),
            min_quality=limits.min_quality,
            max_flat_share=limits.max_flat_share,
        )
        if outside:
            return Outcome.of(
                [self._inconclusive(files, outside, {"reason": "outside_measured", "state": state})], measurements
            )
        picture = cached_detector(files).score(rgb)
        reason, rates = judged(files, state, picture), carried(files, state)
        if reason is not Reason.NO_NUMBER:
            measurements |= {
                "score": round(picture.score, 5),
                "score_recompressed": round(picture.recompressed, 5),
                "score_resized": round(picture.resized, 5),
                "score_spread": round(picture.spread, 5),
                "crops": picture.crops,
                "generated_from": claims.generated_from,
                "probability_by_card": _rounded(probability(claims, picture.score)),
            }
        data: dict[str, Any] = {"reason": reason.value, "state": state, "rates_from": None}
        if rates is not None:
            data |= {
                "rates_from": "model evaluate" if rates.measured else "card",
                ERROR_RATES: stated_rates(rates, state),
            }
        if reason is not Reason.CALLED or rates is None:
            return Outcome.of([self._inconclusive(files, REASONS[reason], data)], measurements)
        finding = self.finding(
            "SYN-020",
            called_words(about, rates, state),
            severity=Severity.MEDIUM if rates.measured else Severity.LOW,
            data=data,
        )
        return Outcome.of([finding], measurements)

    def _inconclusive(self, files: DetectorFiles, why: str, data: dict[str, Any]) -> Finding:
        words = inconclusive_words(files.card.detector, why)
        return self.finding("SYN-021", words, support=Support.INCONCLUSIVE, data=data)

    @property
    def _files(self) -> DetectorFiles | None:
        files: DetectorFiles | None = self.enrolment.state
        return files


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
