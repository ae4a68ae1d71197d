"""The deepfake analyzer with a model that a user brought (``--detector``), in place of the built-in one.

It runs where files are examined, which is a confined worker process, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.analyzers.deepfake.own_words import called_words, inconclusive_words, own_rates
from nsfwforensics.analyzers.deepfake.sample import cut_off, decoded_rows
from nsfwforensics.core.analyzer import BaseAnalyzer, Enrolment, Outcome, Resources
from nsfwforensics.core.error_rates import ERROR_RATES
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Finding, Severity, Support
from nsfwforensics.errors import UsageError

if TYPE_CHECKING:
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.own.files import DetectorFiles
    from nsfwforensics.models.own.score import PictureScore


@dataclass(frozen=True, slots=True)
class OwnScore:
    """What the added model says of one file, with the circumstances.

    Attributes:
        picture: Its scores, or None where the picture is ruled out.
        state: The measured state that resembles the picture most.
        ruled_out: Why the picture is outside what the model is meant for, or None.
        facts: Figures for the report.
    """

    picture: PictureScore | None
    state: str
    ruled_out: str | None
    facts: Mapping[str, Any]


def enrol_detector(path: Path, resources: Resources) -> Enrolment:
    """Finds the model, and loads it once to see that it is what its card says.

    Raises:
        UsageError: The run is not isolated, so that a hostile model could do harm.
        WeightsError: Card or model cannot be used.
        MissingDependencyError: The extra for its format is not installed.
    """
    if not resources.isolated:
        raise UsageError(
            "a model of your own (--detector) runs in confined worker processes only; "
            "leave out --no-isolate, --engine inline and Ray"
        )
    from nsfwforensics.core.evidence import now_reading
    from nsfwforensics.models.own.detector import load_detector
    from nsfwforensics.models.own.files import find_detector

    files = find_detector(path)
    if (told := now_reading.get()) is not None:
        told(files.model_file)
    load_detector(files)
    measured = files.measured.model_dump_json() if files.measured else ""
    return Enrolment(state=files, digest=f"{files.card_sha256} {files.card.detector.sha256} {measured}")


def judge(evidence: Evidence, files: DetectorFiles) -> OwnScore:
    """Judges one file.

    Raises:
        EvidenceError: The picture cannot be decoded.
        WeightsError: The model cannot be run on it.
    """
    from nsfwforensics.models.own.detector import cached_detector, least_side
    from nsfwforensics.models.synthesis.calibration import closest_state
    from nsfwforensics.models.synthesis.suitability import ruled_out, suitability

    rgb = decoded_rows(evidence)
    known = suitability(rgb, evidence.original)
    limits = files.card.limits
    reason = cut_off(evidence) or ruled_out(
        rgb,
        known,
        least=least_side(files),
        min_quality=limits.min_quality,
        max_flat_share=limits.max_flat_share,
    )
    picture = None if reason else cached_detector(files).score(rgb)
    return OwnScore(picture, closest_state(known.quality), reason, known.facts)


def conclude_own(analyzer: BaseAnalyzer, files: DetectorFiles, own: OwnScore) -> Outcome:
    """Says what the card, or what was measured, allows."""
    from nsfwforensics.models.own.detector import probability
    from nsfwforensics.models.own.verdict import Reason, carried, judged

    about, claims = files.card.detector, files.card.calibration
    measurements: dict[str, Any] = {"model": about.name, "version": about.version, "state": own.state, **own.facts}
    if own.picture is None:
        why = own.ruled_out or ""
        data: dict[str, Any] = {"reason": "outside_measured", "state": own.state}
        return Outcome.of([_inconclusive(analyzer, files, why, data)], measurements)
    picture = own.picture
    reason = judged(files, own.state, picture)
    rates = carried(files, own.state)
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
    data = {"reason": reason.value, "state": own.state, "rates_from": _source(rates)}
    if rates is not None:
        data[ERROR_RATES] = own_rates(rates, own.state)
    if reason is Reason.CALLED and rates is not None:
        finding = analyzer.finding(
            "SYN-020",
            called_words(about, rates, own.state),
            severity=Severity.MEDIUM if rates.measured else Severity.LOW,
            data=data,
        )
    else:
        finding = _inconclusive(analyzer, files, REASONS[reason], data)
    return Outcome.of([finding], measurements)


def _inconclusive(analyzer: BaseAnalyzer, files: DetectorFiles, why: str, data: dict[str, Any]) -> Finding:
    words = inconclusive_words(files.card.detector, why)
    return analyzer.finding("SYN-021", words, support=Support.INCONCLUSIVE, data=data)


def _source(rates: Any) -> str | None:
    if rates is None:
        return None
    return "model evaluate" if rates.measured else "card"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


REASONS: Mapping[str, str] = {
    "no_number": say("it gave no number for it"),
    "not_calibrated": say("its card does not say from which score on a picture looks generated"),
    "below_threshold": say(
        "the score is below the threshold of its card, which clears nothing: generated pictures can score there too"
    ),
    "flip": say("the answer turns when the same picture is saved again or made a little smaller"),
    "rates_not_measured": say("how often it is wrong about such pictures was not measured"),
    "rates_of_a_leak": say(
        "it was measured on pictures that could be told apart by their format or size alone, so that its error rates "
        "mean nothing"
    ),
    "too_many_errors": say(
        "it calls too many real photographs generated: their share may be above 5 %, with 95 % confidence"
    ),
}
"""Why nothing follows from a score, by :class:`nsfwforensics.models.own.verdict.Reason`."""
