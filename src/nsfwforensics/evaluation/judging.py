"""What a detector says of one file of a user's, in three states, as ``detect`` would: made for worker processes.

Each picture is judged as it is and after two common ways of sharing (:data:`nsfwforensics.evaluation.states.TIERS`), by
the built-in model or one that was brought, with the rules that a report follows. Beside the scores stand facts of the
file that have nothing to do with what it shows, for :mod:`nsfwforensics.evaluation.leaks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nsfwforensics.core.evidence import Evidence, Limits
from nsfwforensics.errors import EvidenceError
from nsfwforensics.evaluation.file_facts import file_facts
from nsfwforensics.evaluation.states import TIERS, Tier, at_tier
from nsfwforensics.models.own.verdict import Reason, crossed
from nsfwforensics.models.synthesis import canonical, preprocess, suitability
from nsfwforensics.models.synthesis.calibration import LEAST_SIDE, Calibration, Verdict, cached_calibration
from nsfwforensics.models.synthesis.domain_probe import DomainProbe, domain_probe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.models.own.files import DetectorFiles
    from nsfwforensics.models.synthesis.classifier import WholeScore

    Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a picture in one state.

    Attributes:
        score: The score, or None where the picture is too small to have one.
        verdict: What a report would say by the detector's threshold.
        reason: Why nothing was said, in a word; empty where something was.
    """

    score: float | None
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What a detector said of one file, in each state; picklable.

    Attributes:
        path: Of the file.
        sha256: Of its bytes; empty where it could not be read.
        states: By state; empty where it could not be read.
        format: Its media type.
        facts: As :func:`nsfwforensics.evaluation.file_facts.file_facts` gives them.
        problem: Why it could not be judged, or None.
    """

    path: str
    sha256: str = ""
    states: Mapping[str, Said] | None = None
    format: str = ""
    facts: tuple[float, ...] = ()
    problem: str | None = None


class Judge(Protocol):
    """A detector with its rules."""

    def __call__(self, rgb: Pixels, known: suitability.Suitability) -> Said:
        """Judges one picture in one state."""


def judge_file(path: Path, files: DetectorFiles | None, weights: Path | None, limits: Limits) -> Judged:
    """Judges one file in three states.

    Args:
        path: The file.
        files: A detector that was brought; None for the built-in one.
        weights: A folder to look for weights in before the installed one.
        limits: What the file may ask for.

    Raises:
        WeightsError: The detector cannot be used.
    """
    judge = _own(files) if files is not None else _built_in(weights)
    try:
        evidence = Evidence.open(path, limits)
        rgb = evidence.rgb
    except EvidenceError as error:
        return Judged(str(path), problem=str(error))
    known = suitability.suitability(rgb, evidence.original)
    states: dict[str, Said] = {tier: judge(*_shared(rgb, known, tier)) for tier in TIERS}
    facts = file_facts(rgb, evidence.size, known.quality, evidence.original)
    return Judged(str(path), evidence.sha256, states, evidence.media_type or "", facts)


def _shared(rgb: Pixels, known: suitability.Suitability, tier: Tier) -> tuple[Pixels, suitability.Suitability]:
    if tier == "as_is":
        return rgb, known
    again = at_tier(rgb, tier)
    quality = float(tier.rpartition("q")[2])
    return again, suitability.Suitability(quality, preprocess.flat_share(again), False, known.grey)


def _built_in(weights: Path | None) -> Judge:
    from nsfwforensics.models.synthesis.classifier import cached_classifier

    calibration, classifier = cached_calibration(weights), cached_classifier("cpu", weights, 1)
    probe = domain_probe(weights)

    def judge(rgb: Pixels, known: suitability.Suitability) -> Said:
        if min(rgb.shape[:2]) < LEAST_SIDE:
            return Said(None, Verdict.INCONCLUSIVE, "outside_measured")
        image = calibration.image
        usual = suitability.state_of(rgb, known, image.real)

        square = canonical.square(rgb)

        def copies(_: int, picture: WholeScore) -> Pixels | None:
            asked = image.asks_copies(picture.score, picture.state(usual, image.real))
            return canonical.copies(square) if asked else None

        picture = classifier.score([canonical.view(square)], copies)[0]
        outside = picture.outside or _outside(rgb, known, calibration, probe)
        return _by_calibration(picture, outside, calibration, picture.state(usual, image.real))

    return judge


def _outside(rgb: Pixels, known: suitability.Suitability, calibration: Calibration, probe: DomainProbe) -> bool:
    return bool(
        suitability.ruled_out(
            rgb,
            known,
            least=calibration.least_side,
            min_quality=calibration.min_quality,
            max_flat_share=probe.flat_from,
            grey=suitability.GREY in calibration.image.real,
            domain=probe.first(calibration.domain),
        )
    )


def _by_calibration(picture: WholeScore, outside: bool, calibration: Calibration, state: str) -> Said:
    if outside:
        return Said(picture.score, Verdict.INCONCLUSIVE, "outside_measured")
    verdict = calibration.image.joint(picture.views, state)
    if verdict is not Verdict.INCONCLUSIVE:
        return Said(picture.score, verdict, "")
    if calibration.image.withheld is not None:
        return Said(picture.score, verdict, "withheld")
    turned = len({calibration.image.verdict(score, state) for score in picture.views}) > 1
    return Said(picture.score, verdict, "flip" if turned else "grey_band")


def _own(files: DetectorFiles) -> Judge:
    from nsfwforensics.models.own.detector import cached_detector, least_side

    detector, least, limits = cached_detector(files), least_side(files), files.card.limits

    def judge(rgb: Pixels, known: suitability.Suitability) -> Said:
        if min(rgb.shape[:2]) < least:
            return Said(None, Verdict.INCONCLUSIVE, "outside_measured")
        picture = detector.score(rgb)
        reason = crossed(files.card.calibration, picture)
        outside = suitability.ruled_out(
            rgb, known, least=least, min_quality=limits.min_quality, max_flat_share=limits.max_flat_share
        )
        score = None if reason is Reason.NO_NUMBER else picture.score
        if outside:
            return Said(score, Verdict.INCONCLUSIVE, "outside_measured")
        if reason is Reason.CALLED:
            return Said(score, Verdict.GENERATED, "")
        return Said(score, Verdict.INCONCLUSIVE, reason.value)

    return judge
