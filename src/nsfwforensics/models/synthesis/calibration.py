"""What a synthesis score means: compared with scores of photographs and of generated pictures never trained on.

Class-conditional conformal p-values (Vovk et al., *Algorithmic Learning in a Random World*): a picture is said to look
generated only where hardly any unseen photograph in its own state scored as high, and to show no indication only where
hardly any generated picture scored as low, in any state that it can have come through. Everything between is
inconclusive. Error rates stored here were measured with exactly these rules.
"""

from __future__ import annotations

import bisect
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsfwforensics.core.documents import read_json
from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.rates import Rate as Rate
from nsfwforensics.models.rates import plain_rates, rates_of
from nsfwforensics.models.synthesis.likelihood import RatioCurve
from nsfwforensics.models.synthesis.withheld import Withheld as Withheld

if TYPE_CHECKING:
    from nsfwforensics.models.synthesis.domain import Domain

CALIBRATION = "synthesis-calibration"
"""Name in the weights manifest."""

LEAST_SIDE = 200
"""Shorter side, in pixels, of the smallest pictures that are judged."""

LARGE = "large"
"""The state of pictures too large to have come through one of the stronger tiers."""

PORTRAIT = "portrait"
"""The state of pictures that show a face close up, whatever else they are: such photographs score higher."""

PLAIN_GROUND = "plain_ground"
"""The state of pictures on plain, light ground, as of catalogues, portraits apart."""

LARGER_THAN = 840
"""Longer side, in pixels, above which a picture is large."""

AS_IS, MEDIUM, SMALL = "as_is", "768_q60", "512_q40"
TIERS = (AS_IS, MEDIUM, SMALL)
"""How pictures are sent on; other states are for pictures without colour and for small ones."""


class Verdict(StrEnum):
    """What the measured rules allow to be said of one score."""

    GENERATED = "looks_generated"
    INCONCLUSIVE = "inconclusive"
    NO_INDICATION = "no_indication"


@dataclass(frozen=True, slots=True)
class Branch:
    """The calibration of one head (whole picture or face).

    Attributes:
        real: By state, ascending scores of photographs never trained on: the tiers, ``grey`` and ``small``.
        generated: By kind and state, ascending scores of generated pictures.
        alpha: Largest p-value under *real* at which a picture may be said to look generated.
        beta: Largest p-value under *generated* at which no indication may be stated.
        claims: Whether the measurements carry any statement at all; if not, everything is inconclusive.
        rates: By state, measured shares by name (``real_called``, ``gallery_called``, ``gallery_cleared``, …).
        facts: Further figures worth repeating in a report.
        ratios: By state, the curve of likelihood ratios; absent in older files.
        claims_ratio: Whether the content-matched test allows to state a likelihood ratio.
        alphas: By state, where it differs from ``alpha``.
        betas: By state, where it differs from ``beta``.
        withheld: Why every answer is inconclusive although the measurements carry one; None where none is withheld.
    """

    real: Mapping[str, Sequence[float]]
    generated: Mapping[str, Mapping[str, Sequence[float]]]
    alpha: float
    beta: float
    claims: bool
    rates: Mapping[str, Mapping[str, Rate]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    ratios: Mapping[str, RatioCurve] = field(default_factory=dict)
    claims_ratio: bool = False
    withheld: Withheld | None = None
    alphas: Mapping[str, float] = field(default_factory=dict)
    betas: Mapping[str, float] = field(default_factory=dict)

    def alpha_of(self, state: str) -> float:
        """Largest p-value under *real* at which a picture in a state may be said to look generated."""
        return self.alphas.get(state, self.alpha)

    def beta_of(self, state: str) -> float:
        """Largest p-value under *generated* at which no sign may be said to be found in a picture in a state."""
        return self.betas.get(state, self.beta)

    @property
    def speaks(self) -> bool:
        """Whether anything but *inconclusive* may be said."""
        return self.claims and self.withheld is None

    def likelihood_ratio(self, state: str, scores: Sequence[float]) -> float | None:
        """How many times as likely a picture's scores are among generated pictures as among photographs.

        Args:
            state: The state that resembles the picture most.
            scores: Of all its views; the one that says least counts.

        Returns:
            A ratio within the bounds that the sample supports, or None where none may be stated.
        """
        curve = self.ratios.get(state)
        if not (self.speaks and self.claims_ratio and scores) or curve is None:
            return None
        return min((curve.ratio(score) for score in scores), key=lambda ratio: abs(math.log(ratio)))

    def p_real(self, score: float, state: str = AS_IS) -> float:
        """Conformal p-value of a score under *real*, among photographs in the picture's own state, in (0, 1]."""
        scores = self.real.get(state)
        return p_value_above(scores, score) if scores else 1.0

    def p_generated(self, score: float, state: str = AS_IS) -> float:
        """Conformal p-value under *generated*: the largest over kinds, the tiers and the picture's state, in (0, 1].

        A generated picture that was reduced and saved again scores lower, and may come in any disguise after that.
        """
        kinds = (scores for states in self.generated.values() for scores in counting(states, state))
        return max((p_value_below(scores, score) for scores in kinds), default=1.0)

    def verdict(self, score: float, state: str = AS_IS) -> Verdict:
        """What may be said of one score of a picture in some state."""
        if not self.speaks or not math.isfinite(score):
            return Verdict.INCONCLUSIVE
        if self.p_real(score, state) <= self.alpha_of(state):
            return Verdict.GENERATED
        if self.p_generated(score, state) <= self.beta_of(state):
            return Verdict.NO_INDICATION
        return Verdict.INCONCLUSIVE

    def asks_copies(self, score: float, state: str = AS_IS) -> bool:
        """Whether changed copies of a picture have to agree: only before it is said to look generated.

        How often no sign is found in generated pictures was counted without copies, and is rare enough so.
        """
        return self.verdict(score, state) is Verdict.GENERATED

    def joint(self, scores: Sequence[float], state: str = AS_IS) -> Verdict:
        """The verdict that all views of a picture share, inconclusive where they differ (the flip test)."""
        verdicts = {self.verdict(score, state) for score in scores}
        return verdicts.pop() if len(verdicts) == 1 else Verdict.INCONCLUSIVE

    def rate(self, state: str, name: str) -> Rate:
        """A measured share, 0 of 0 where it was not measured."""
        return self.rates.get(state, {}).get(name, Rate(0, 0))

    @property
    def reals(self) -> int:
        """Photographs behind the p-values: the fewest over the tiers."""
        return min((len(scores) for scores in counting(self.real, AS_IS)), default=0)


def counting(by_state: Mapping[str, Sequence[float]], state: str) -> list[Sequence[float]]:
    """The scores that a picture is compared with before it is cleared.

    Of every tier and of its own state: a reduced picture can have been saved again at a high quality. A large one
    can not have been reduced, and is compared with large ones only; portraits are compared with portraits, which stand
    together whatever became of them.
    """
    wanted = (state,) if state in (LARGE, PORTRAIT) else (*TIERS, state)
    return [scores for name, scores in by_state.items() if name in wanted]


def p_value_above(ascending: Sequence[float], score: float) -> float:
    """(1 + number of calibration scores at or above) / (n + 1)."""
    return (1 + len(ascending) - bisect.bisect_left(ascending, score)) / (len(ascending) + 1)


def p_value_below(ascending: Sequence[float], score: float) -> float:
    """(1 + number of calibration scores at or below) / (n + 1)."""
    return (1 + bisect.bisect_right(ascending, score)) / (len(ascending) + 1)


def closest_state(quality: float | None, longer: int = 0) -> str:
    """The measured tier that a picture is told by: a stronger one only where both quality and size speak for it.

    A large photograph at a low quality is reduced so far before it is judged that little of the loss is left.

    Args:
        quality: Estimated JPEG quality, or None for other formats.
        longer: Its longer side in pixels; 0 goes by quality alone.
    """
    if longer > LARGER_THAN:
        return LARGE
    if quality is None or quality >= 72:
        return AS_IS
    return MEDIUM if quality >= 50 or longer > 560 else SMALL


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that is stored beside the weights.

    Attributes:
        image: For the whole picture.
        max_flat_share: Pictures flatter than this were not measured (drawings, screenshots, text).
        min_quality: JPEG qualities below this were found too destructive.
        domain: What tells photographs from drawings, pages of text, charts and screenshots, or None (older files).
        least_side: Pictures with a shorter side below this, in pixels, were not measured well enough.
    """

    image: Branch
    max_flat_share: float
    min_quality: float
    domain: Domain | None = None
    least_side: int = LEAST_SIDE

    def dumps(self) -> str:
        """As JSON text."""
        content = {
            "image": _plain(self.image),
            "max_flat_share": self.max_flat_share,
            "min_quality": self.min_quality,
            "least_side": self.least_side,
        }
        if self.domain is not None:
            content["domain"] = self.domain.plain()
        return json.dumps(content, indent=1, sort_keys=True) + "\n"

    @classmethod
    def loads(cls, text: str) -> Calibration:
        """Reads what :meth:`dumps` wrote.

        Raises:
            WeightsError: It is something else.
        """
        from nsfwforensics.models.synthesis.domain import Domain

        try:
            content = read_json(text)
            domain = content.get("domain")
            return cls(
                image=_branch(content["image"]),
                max_flat_share=float(content["max_flat_share"]),
                min_quality=float(content["min_quality"]),
                domain=Domain.from_plain(domain) if domain else None,
                least_side=max(LEAST_SIDE, int(content.get("least_side", LEAST_SIDE))),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problem = say("the calibration of the synthesis classifier is not readable: {error}", error=str(error))
            raise WeightsError(problem) from error


def _plain(branch: Branch) -> dict[str, Any]:
    def rounded(states: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
        return {state: [round(float(score), 5) for score in scores] for state, scores in states.items()}

    withheld = {"withheld": branch.withheld.plain()} if branch.withheld is not None else {}
    return withheld | {
        "real": rounded(branch.real),
        "generated": {kind: rounded(states) for kind, states in branch.generated.items()},
        "alpha": branch.alpha,
        "alphas": dict(branch.alphas),
        "beta": branch.beta,
        "betas": dict(branch.betas),
        "claims": branch.claims,
        "rates": plain_rates(branch.rates),
        "facts": dict(branch.facts),
        "ratios": {state: curve.plain() for state, curve in branch.ratios.items()},
        "claims_ratio": branch.claims_ratio,
    }


def _branch(content: Mapping[str, Any]) -> Branch:
    def ascending(states: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
        return {state: sorted(float(score) for score in scores) for state, scores in states.items()}

    return Branch(
        real=ascending(content["real"]),
        generated={kind: ascending(states) for kind, states in content["generated"].items()},
        alpha=float(content["alpha"]),
        alphas={state: float(alpha) for state, alpha in content.get("alphas", {}).items()},
        beta=float(content["beta"]),
        betas={state: float(beta) for state, beta in content.get("betas", {}).items()},
        claims=bool(content["claims"]),
        rates=rates_of(content["rates"]),
        facts=content["facts"],
        ratios={state: RatioCurve.of(curve) for state, curve in content.get("ratios", {}).items()},
        claims_ratio=bool(content.get("claims_ratio", False)),
        withheld=Withheld.of(content["withheld"]) if content.get("withheld") is not None else None,
    )


@cache
def cached_calibration(folder: Path | None) -> Calibration:
    """The calibration of the installed weights, checked by SHA-256.

    Raises:
        WeightsError: It is missing, altered or unreadable.
    """
    return Calibration.loads(weights.read(CALIBRATION, folder).decode("utf-8"))
