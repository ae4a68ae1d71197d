"""What the deepfake analyzer takes from a file: views of the picture, and what rules a statement out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nsfwforensics.analyzers.deepfake.score_map import MapSample
    from nsfwforensics.core.evidence import Evidence
    from nsfwforensics.models.synthesis.calibration import Calibration
    from nsfwforensics.models.synthesis.domain_probe import DomainProbe


@dataclass(frozen=True, slots=True)
class Sample:
    """What one file sends to the model, with the circumstances that limit what may be said.

    Attributes:
        view: uint8 (224, 224, 3), the picture as the network sees it; None where it is ruled out.
        square: What changed copies are made of, uint8 (side, side, 3); None where it is ruled out.
        state: The measured state that the picture is told by.
        ruled_out: Why the picture is outside what was measured, or None.
        facts: Figures for the report.
        map: What a score map is made of, where one was asked for.
    """

    view: NDArray[np.uint8] | None
    square: NDArray[np.uint8] | None
    state: str
    ruled_out: str | None
    facts: Mapping[str, Any]
    map: MapSample | None = None

    def outside(self) -> Sample:
        """The same of a picture that the network took for no photograph: nothing is judged of it, no map either."""
        from nsfwforensics.models.synthesis.domain_probe import NO_PHOTOGRAPH

        made = self.map
        unmade = replace(made, windows=None, views=None, reason=NO_PHOTOGRAPH) if made is not None else None
        return replace(self, view=None, square=None, ruled_out=NO_PHOTOGRAPH, map=unmade)


def take(evidence: Evidence, limits: Calibration, probe: DomainProbe) -> Sample:
    """Makes what the model is shown.

    Args:
        evidence: The file.
        limits: What pictures were measured.
        probe: What tells later, by the embedding, whether it is a photograph.

    Raises:
        EvidenceError: The picture cannot be decoded.
    """
    from nsfwforensics.models.synthesis import canonical
    from nsfwforensics.models.synthesis.suitability import cut_off, ruled_out, state_of, suitability

    rgb = evidence.decoded_rows
    known = suitability(rgb, evidence.original)
    reason = cut_off(evidence) or ruled_out(
        rgb,
        known,
        least=limits.least_side,
        min_quality=limits.min_quality,
        max_flat_share=probe.flat_from,
        grey="grey" in limits.image.real,
        domain=probe.first(limits.domain),
    )
    state = state_of(rgb, known, limits.image.real)
    if reason:
        return Sample(None, None, state, reason, known.facts)
    square = canonical.square(rgb)
    return Sample(canonical.view(square), square, state, None, known.facts)
